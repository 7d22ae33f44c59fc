using System;

namespace Overlay.Tests.Doubles;

/// <summary>A file in one array, whose own calls allocate nothing.</summary>
public sealed class FlatBacking(int capacity) : MemoryBacking
{
    private readonly byte[] _bytes = new byte[capacity];

    public override int Read(long offset, Span<byte> buffer)
    {
        int count = (int)Math.Clamp(Length - offset, 0, buffer.Length);
        _bytes.AsSpan((int)Math.Min(offset, _bytes.Length), count).CopyTo(buffer);
        return count;
    }

    public override void Write(long offset, ReadOnlySpan<byte> data)
    {
        data.CopyTo(_bytes.AsSpan((int)offset));
        Length = Math.Max(Length, offset + data.Length);
    }

    public override void SetLength(long length)
    {
        if (length < Length)
            PunchHole(length, Length - length);
        Length = length;
    }

    public override void PunchHole(long offset, long length) =>
        _bytes.AsSpan((int)offset, (int)Math.Min(length, Length - offset)).Clear();
}
