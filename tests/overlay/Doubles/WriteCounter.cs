using System;

namespace Overlay.Tests.Doubles;

/// <summary>Counts the bytes that pass.</summary>
public sealed class WriteCounter : MemoryBacking
{
    public long Bytes { get; set; }

    public long BytesRead { get; set; }

    public override void Write(long offset, ReadOnlySpan<byte> data)
    {
        Bytes += data.Length;
        base.Write(offset, data);
    }

    public override int Read(long offset, Span<byte> buffer)
    {
        int count = base.Read(offset, buffer);
        BytesRead += count;
        return count;
    }
}
