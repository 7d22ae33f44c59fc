using System;
using System.Collections.Generic;
using Overlay.Tests.Doubles;

namespace Overlay.Tests.Files;

/// <summary>What a file should hold: its bytes, and which blocks are holes.</summary>
internal sealed class FileModel(int blockSize)
{
    private readonly MemoryBacking _bytes = new();

    public SortedSet<long> DataBlocks { get; } = [];

    public long Length => _bytes.Length;

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        _bytes.Write(offset, data);
        for (long block = offset / blockSize; block <= (offset + data.Length - 1) / blockSize; block++)
            DataBlocks.Add(block);
    }

    public void SetLength(long length)
    {
        _bytes.SetLength(length);
        DataBlocks.RemoveWhere(block => block * blockSize >= length);
    }

    public void PunchHole(long offset, long length)
    {
        long end = Math.Min(offset + length, Length);
        if (end <= offset)
            return;
        _bytes.PunchHole(offset, end - offset);
        DataBlocks.RemoveWhere(block =>
            offset <= block * blockSize && (end >= (block + 1) * blockSize || (end == Length && block * blockSize < end)));
    }

    public byte[] Read(long offset, int count) => _bytes.ReadBytes(offset, count);

    public long SeekData(long offset)
    {
        if (offset < 0 || offset >= Length)
            return -1;
        foreach (long block in DataBlocks.GetViewBetween(offset / blockSize, long.MaxValue))
            return Math.Max(offset, block * blockSize);
        return -1;
    }

    public long SeekHole(long offset)
    {
        if (offset < 0 || offset >= Length)
            return -1;
        long block = offset / blockSize;
        while (DataBlocks.Contains(block))
            block++;
        return Math.Min(Length, Math.Max(offset, block * blockSize));
    }
}
