using static Overlay.Format.FormatConstants;

namespace Overlay.Format;

/// <summary>The logical size in <c>st_size</c> (format §8).</summary>
public static class SettledSize
{
    /// <summary>The <c>st_size</c> that says <paramref name="size"/> to a reader who has not opened the file.</summary>
    public static long Encode(in Geometry geometry, long size, bool isInlineRaw)
    {
        if (size == 0 || (isInlineRaw && size <= InlineSize))
            return InlineOffset + size;
        long group = geometry.LastGroup(size);
        return (group + 1) * geometry.GroupStride + 2 * (size - group * geometry.GroupSize) + 1;
    }

    /// <summary>The logical size, or -1: unsettled, ask the header.</summary>
    public static long Decode(in Geometry geometry, long stored)
    {
        if (stored == 0)
            return 0;
        if (stored is >= InlineOffset and <= PageSize)
            return stored - InlineOffset;
        if (stored <= PageSize || stored % 2 == 0 || stored < geometry.GroupStride)
            return -1;
        long inside = (stored % geometry.GroupStride - 1) / 2;
        return inside > geometry.GroupSize ? -1 : (stored / geometry.GroupStride - 1) * geometry.GroupSize + inside;
    }
}
