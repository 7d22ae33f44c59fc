using System;

namespace Overlay.Files;

/// <summary>
/// What a killed writer had begun to write, for a reader whose descriptor cannot write: it sees the backing file as if it were done.
/// </summary>
internal sealed class KilledWrite(RedoRange range, byte[] kept)
{
    /// <summary>Puts it over bytes that were read; returns how many count now.</summary>
    public int Cover(long start, Span<byte> bytes, int count)
    {
        count = Cover(range.TableOffset, kept.AsSpan(range.Length, range.TableLength), start, bytes, count);
        return Cover(range.Offset, kept.AsSpan(0, range.Length), start, bytes, count);
    }

    private static int Cover(long offset, ReadOnlySpan<byte> data, long start, Span<byte> bytes, int count)
    {
        long from = Math.Max(offset, start), to = Math.Min(offset + data.Length, start + bytes.Length);
        if (from >= to || from > start + count)
            return count;
        data[(int)(from - offset)..(int)(to - offset)].CopyTo(bytes[(int)(from - start)..]);
        return Math.Max(count, (int)(to - start));
    }
}
