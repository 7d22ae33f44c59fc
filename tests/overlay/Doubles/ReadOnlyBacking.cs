using System;
using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Tests.Doubles;

/// <summary>As by a descriptor that is open for reading alone.</summary>
public sealed class ReadOnlyBacking : MemoryBacking, IBackingFile
{
    private const int EBADF = 9;

    public ReadOnlyBacking(MemoryBacking content)
    {
        ArgumentNullException.ThrowIfNull(content);
        content.CopyTo(this);
    }

    public bool TryAllowWriting() => false;

    public override void Write(long offset, ReadOnlySpan<byte> data) => throw new ErrnoException(EBADF, "not open for writing");
}
