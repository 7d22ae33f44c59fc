using System;
using System.Collections.Generic;
using Overlay.Files;

namespace Overlay.Tests.Doubles;

/// <summary>A sparse file in memory, by pages; also the plain model that sealed files are compared with.</summary>
public class MemoryBacking : IBackingFile, IExtentMap
{
    public const int PageSize = 4096;

    private readonly Dictionary<long, byte[]> _pages = [];

    public virtual long Length { get; protected set; }

    public int Syncs { get; private set; }

    /// <summary>Bytes of pages that exist.</summary>
    public long AllocatedBytes => (long)_pages.Count * PageSize;

    public IEnumerable<long> PageNumbers => _pages.Keys;

    public virtual int Read(long offset, Span<byte> buffer)
    {
        int total = (int)Math.Clamp(Length - offset, 0, buffer.Length);
        for (int done = 0; done < total;)
        {
            (long page, int inPage, int count) = Split(offset + done, total - done);
            Span<byte> target = buffer.Slice(done, count);
            if (_pages.TryGetValue(page, out byte[]? bytes))
                bytes.AsSpan(inPage, count).CopyTo(target);
            else
                target.Clear();
            done += count;
        }
        return total;
    }

    public bool HasRoom(long offset, long length)
    {
        for (long page = offset / PageSize; page * PageSize < offset + length; page++)
            if (!_pages.ContainsKey(page))
                return false;
        return true;
    }

    public virtual void Write(long offset, ReadOnlySpan<byte> data)
    {
        for (int done = 0; done < data.Length;)
        {
            (long page, int inPage, int count) = Split(offset + done, data.Length - done);
            if (!_pages.TryGetValue(page, out byte[]? bytes))
                _pages[page] = bytes = new byte[PageSize];
            data.Slice(done, count).CopyTo(bytes.AsSpan(inPage));
            done += count;
        }
        Length = Math.Max(Length, offset + data.Length);
    }

    public virtual void SetLength(long length)
    {
        if (length < Length)
            Clear(length, Length - length);
        Length = length;
    }

    public virtual void PunchHole(long offset, long length) => Clear(offset, Math.Min(length, Length - offset));

    public virtual void Sync(bool dataOnly) => Syncs++;

    public bool TryNextExtent(long offset, out long start, out long end)
    {
        long first = offset / PageSize;
        long page = long.MaxValue;
        foreach (long other in _pages.Keys)
            if (other >= first && other < page)
                page = other;
        start = Math.Max(offset, page == long.MaxValue ? 0 : page * PageSize);
        while (_pages.ContainsKey(page))
            page++;
        end = Math.Min(Length, page == long.MaxValue ? 0 : page * PageSize);
        return start < end;
    }

    public MemoryBacking Clone()
    {
        MemoryBacking copy = new();
        CopyTo(copy);
        return copy;
    }

    public void CopyTo(MemoryBacking copy)
    {
        copy._pages.Clear();
        foreach (KeyValuePair<long, byte[]> page in _pages)
            copy._pages[page.Key] = (byte[])page.Value.Clone();
        copy.Length = Length;
    }

    public byte ByteAt(long offset)
    {
        Span<byte> one = stackalloc byte[1];
        Read(offset, one);
        return one[0];
    }

    public byte[] ReadBytes(long offset, int count)
    {
        byte[] bytes = new byte[count];
        int read = Read(offset, bytes);
        return bytes[..read];
    }

    private void Clear(long offset, long length)
    {
        if (length <= 0)
            return;
        long firstPage = offset / PageSize;
        long lastPage = (offset + length - 1) / PageSize;
        if (lastPage - firstPage < _pages.Count)
        {
            for (long page = firstPage; page <= lastPage; page++)
                ClearInPage(page, offset, offset + length);
            return;
        }
        foreach (long page in new List<long>(_pages.Keys))
            if (page >= firstPage && page <= lastPage)
                ClearInPage(page, offset, offset + length);
    }

    private void ClearInPage(long page, long start, long end)
    {
        if (!_pages.TryGetValue(page, out byte[]? bytes))
            return;
        int from = (int)Math.Max(0, start - page * PageSize);
        int to = (int)Math.Min(PageSize, end - page * PageSize);
        if (from == 0 && to == PageSize)
            _pages.Remove(page);
        else
            bytes.AsSpan(from, to - from).Clear();
    }

    private static (long Page, int InPage, int Count) Split(long offset, int left)
    {
        int inPage = (int)(offset % PageSize);
        return (offset / PageSize, inPage, Math.Min(PageSize - inPage, left));
    }
}
