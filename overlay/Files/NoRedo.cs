using System;

namespace Overlay.Files;

/// <summary>For who never writes, or is not killed.</summary>
public sealed class NoRedo : IRedo
{
    public static readonly NoRedo Instance = new();

    public bool Keeps => false;

    public void Begin(ReadOnlySpan<byte> fileId, long offset, ReadOnlySpan<byte> data, long tableOffset, ReadOnlySpan<byte> table) { }

    public void End() { }

    public bool TryFind(Span<byte> kept, out RedoRange range)
    {
        range = default;
        return false;
    }

    public void Drop() { }
}
