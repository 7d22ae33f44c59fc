using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;

namespace Overlay.Engine;

/// <summary>
/// Where this process has sealed files mapped shared. Only for knowing what to write back, and when: that a page file stays as
/// long as anybody maps it is the kernel's doing (see <c>PageEntry.IsMapped</c>).
/// </summary>
internal sealed unsafe class MappingTable
{
    /// <param name="FileOffset">Of the byte at <paramref name="Start"/>.</param>
    /// <param name="IsWritten">It is, or once was, writable.</param>
    internal readonly record struct Range(long Start, long End, OpenFile File, long FileOffset, bool IsWritten)
    {
        internal Range Crop(long start, long end)
        {
            long from = Math.Max(start, Start);
            return this with { Start = from, End = Math.Min(end, End), FileOffset = FileOffset + (from - Start) };
        }
    }

    private readonly List<Range> _ranges = [];

    /// <summary>Starts and ends, merged and in order.</summary>
    private readonly List<long> _published = [];

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
                if (range.Start < end && range.End > start)
                    found.Add(range.Crop(start, end));
            }
        }
        return found;
    }

    /// <summary>Inside the gate. The range counts as a mapping of its file.</summary>
    internal void Add(Range range)
    {
        range.File.AddMapping();
        _ranges.Add(range);
    }

    /// <summary>Inside the gate.</summary>
    /// <param name="orphans">Gets the files that are not mapped any more.</param>
    internal void Remove(long start, long end, List<OpenFile> orphans)
    {
        for (int i = _ranges.Count - 1; i >= 0; i--)
        {
            Range range = _ranges[i];
            if (range.Start >= end || range.End <= start)
                continue;
            _ranges.RemoveAt(i);
            if (range.Start < start)
                Add(range.Crop(range.Start, start));
            if (range.End > end)
                Add(range.Crop(end, range.End));
            if (range.File.RemoveMapping())
                orphans.Add(range.File);
        }
    }

    /// <summary>Inside the gate: from now on there may be something to write back.</summary>
    internal void MarkWritten(long start, long end)
    {
        for (int i = 0; i < _ranges.Count; i++)
        {
            if (_ranges[i].Start < end && _ranges[i].End > start)
                _ranges[i] = _ranges[i] with { IsWritten = true };
        }
    }
}
