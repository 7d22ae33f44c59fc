using System.Collections.Generic;
using System.Linq;

namespace Overlay.Ctl.Repair;

/// <summary>Ranges of bytes of a file, merged where they touch.</summary>
internal sealed class ByteRanges
{
    private readonly List<(long Start, long End)> _ranges = [];

    internal long Bytes => Merged.Sum(range => range.End - range.Start);

    internal bool IsEmpty => _ranges.Count == 0;

    internal IReadOnlyList<(long Start, long End)> Merged
    {
        get
        {
            List<(long Start, long End)> merged = [];
            foreach ((long start, long end) in _ranges.Order())
            {
                if (merged.Count > 0 && merged[^1].End >= start)
                    merged[^1] = (merged[^1].Start, long.Max(merged[^1].End, end));
                else
                    merged.Add((start, end));
            }
            return merged;
        }
    }

    internal void Add(long start, long length)
    {
        if (length > 0)
            _ranges.Add((start, start + length));
    }

    internal void CutAt(long size)
    {
        _ranges.RemoveAll(range => range.Start >= size);
        for (int i = 0; i < _ranges.Count; i++)
            _ranges[i] = (_ranges[i].Start, long.Min(_ranges[i].End, size));
    }

    public override string ToString() => string.Join(", ", Merged.Select(range => $"{range.Start} to {range.End - 1}"));
}
