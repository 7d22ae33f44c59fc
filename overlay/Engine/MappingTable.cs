using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using Overlay.Pages;

namespace Overlay.Engine;

/// <summary>
/// Where this process has sealed files mapped shared, and private where that is filled when touched. Only for knowing what to write back, and
/// when, and what to fill: that a page file stays as long as anybody maps it is the kernel's doing (see <c>PageEntry.IsMapped</c>).
/// </summary>
internal sealed unsafe class MappingTable
{
    /// <param name="FileOffset">Of the byte at <paramref name="Start"/>.</param>
    /// <param name="IsWritten">It is shared, and is, or once was, writable.</param>
    /// <param name="Lazy">Not null: private, and filled when it is touched.</param>
    /// <param name="Protection">Of such a one, as the program asked for it.</param>
    internal readonly record struct Range(
        long Start, long End, OpenFile File, long FileOffset, bool IsWritten, LazyPages? Lazy = null, int Protection = 0)
    {
        /// <summary>In the memory file of <see cref="Lazy"/>.</summary>
        internal long LazyOffset => FileOffset - Lazy!.Origin;

        /// <summary>Where a byte of that memory file is.</summary>
        internal long AddressOf(long lazyOffset) => Start + (lazyOffset - LazyOffset);

        internal bool Meets(long start, long end) => Start < end && End > start;

        internal Range Crop(long start, long end)
        {
            long from = Math.Max(start, Start);
            return this with { Start = from, End = Math.Min(end, End), FileOffset = FileOffset + (from - Start) };
        }
    }

    private readonly List<Range> _ranges = [];

    /// <summary>Starts and ends, merged and in order.</summary>
    private readonly List<long> _published = [];

    private readonly LazyPublisher _lazyPublisher = new();

    /// <summary>Held while the kernel's mappings change along with the table.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Tells the filter; set at start. Null in tests, where there is no filter.</summary>
    internal static delegate* unmanaged<long*, int, void> Note { get; set; }

    /// <summary>Inside the gate, after changes: tells the filter which addresses concern us.</summary>
    internal void Publish()
    {
        if (Note == null)
            return;
        _published.Clear();
        _ranges.Sort((left, right) => left.Start.CompareTo(right.Start));
        _lazyPublisher.Publish(_ranges);
        foreach (Range range in _ranges)
        {
            if (_published.Count > 0 && _published[^1] >= range.Start)
                _published[^1] = Math.Max(_published[^1], range.End);
            else
                _published.AddRange([range.Start, range.End]);
        }
        fixed (long* pairs = CollectionsMarshal.AsSpan(_published))
            Note(pairs, _published.Count / 2);
    }

    /// <summary>What lies between two addresses, cropped to them.</summary>
    internal List<Range> Find(long start, long end)
    {
        List<Range> found = [];
        lock (Gate)
        {
            foreach (Range range in _ranges)
            {
                if (range.Meets(start, end))
                    found.Add(range.Crop(start, end));
            }
        }
        return found;
    }

    /// <summary>Inside the gate. What is filled when touched, in order, cropped.</summary>
    internal List<Range> FindLazy(long start, long end)
    {
        List<Range> found = [];
        foreach (Range range in _ranges)
        {
            if (range.Lazy is not null && range.Meets(start, end))
                found.Add(range.Crop(start, end));
        }
        found.Sort((left, right) => left.Start.CompareTo(right.Start));
        return found;
    }

    /// <summary>Inside the gate. Where a part of such a memory file is mapped.</summary>
    internal List<Range> FindLazy(LazyPages pages, long from, long to)
    {
        List<Range> found = [];
        foreach (Range range in _ranges)
        {
            if (range.Lazy == pages && range.Meets(range.AddressOf(from), range.AddressOf(to)))
                found.Add(range.Crop(range.AddressOf(from), range.AddressOf(to)));
        }
        return found;
    }

    /// <summary>Inside the gate.</summary>
    internal int CountLazy()
    {
        int count = 0;
        foreach (Range range in _ranges)
            count += range.Lazy is null ? 0 : 1;
        return count;
    }

    /// <summary>Inside the gate. The range counts as a mapping of its file.</summary>
    internal void Add(Range range)
    {
        if (range.Lazy is null)
            range.File.AddMapping();
        else
            range.File.AddLazyMapping();
        range.Lazy?.AddUser();
        _ranges.Add(range);
    }

    /// <summary>Inside the gate. Of what is filled when touched.</summary>
    internal void SetProtection(long start, long end, int protection)
    {
        for (int i = _ranges.Count - 1; i >= 0; i--)
        {
            Range range = _ranges[i];
            if (range.Lazy is null || !range.Meets(start, end))
                continue;
            if (range.Start < start)
                Add(range.Crop(range.Start, start));
            if (range.End > end)
                Add(range.Crop(end, range.End));
            _ranges[i] = range.Crop(start, end) with { Protection = protection };
        }
    }

    /// <summary>Inside the gate.</summary>
    /// <param name="orphans">Gets the files that are not mapped any more.</param>
    internal void Remove(long start, long end, List<OpenFile> orphans)
    {
        for (int i = _ranges.Count - 1; i >= 0; i--)
        {
            Range range = _ranges[i];
            if (!range.Meets(start, end))
                continue;
            _ranges.RemoveAt(i);
            if (range.Start < start)
                Add(range.Crop(range.Start, start));
            if (range.End > end)
                Add(range.Crop(end, range.End));
            if (range.Lazy is null ? range.File.RemoveMapping() : range.File.RemoveLazyMapping())
                orphans.Add(range.File);
            range.Lazy?.Release();
        }
    }

    /// <summary>Inside the gate: from now on there may be something to write back.</summary>
    internal void MarkWritten(long start, long end)
    {
        for (int i = 0; i < _ranges.Count; i++)
        {
            if (_ranges[i].Lazy is null && _ranges[i].Meets(start, end))
                _ranges[i] = _ranges[i] with { IsWritten = true };
        }
    }
}
