using System;

namespace Overlay.Files;

/// <summary>
/// What a killed writer had begun to write, for a reader whose descriptor cannot write: it sees the backing file as if it were done.
/// </summary>
internal sealed class KilledWrite(long offset, byte[] data)
{
    /// <summary>Puts it over bytes that were read; returns how many count now.</summary>
    public int Cover(long start, Span<byte> bytes, int count)
    {
        long from = Math.Max(offset, start), to = Math.Min(offset + data.Length, start + bytes.Length);
        if (from >= to || from > start + count)
            return count;
        data.AsSpan((int)(from - offset), (int)(to - from)).CopyTo(bytes[(int)(from - start)..]);
        return Math.Max(count, (int)(to - start));
    }
}
