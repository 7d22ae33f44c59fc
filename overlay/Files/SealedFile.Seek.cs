using System;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>SEEK_DATA and SEEK_HOLE.</summary>
public sealed partial class SealedFile
{
    /// <summary>The first offset at or after <paramref name="offset"/> that holds data; -1: none (ENXIO).</summary>
    public long SeekData(long offset) => Seek(offset, isLookingForData: true, long.MaxValue);

    /// <summary>The first hole at or after; the end of the file is one. -1 beyond the end (ENXIO).</summary>
    public long SeekHole(long offset) => Seek(offset, isLookingForData: false, long.MaxValue);

    /// <summary>The same, but no further than <paramref name="limit"/>, which is the answer where there is none before it.</summary>
    internal long SeekData(long offset, long limit) => Seek(offset, isLookingForData: true, limit);

    internal long SeekHole(long offset, long limit) => Seek(offset, isLookingForData: false, limit);

    private long Seek(long offset, bool isLookingForData, long limit)
    {
        lock (_gate)
        {
            Revalidate();
            if (offset < 0 || offset >= _header.Size)
                return -1;
            while (offset < Math.Min(_header.Size, limit))
            {
                long block = _geometry.BlockOf(offset);
                IndexPage? page = FindGroup(Geometry.GroupOf(block));
                bool isData = page is not null && (new GroupRecord(page.Bytes).Present >> Geometry.SlotOf(block) & 1) != 0;
                if (isData == isLookingForData)
                    return offset;
                offset = page is null ? (Geometry.GroupOf(block) + 1) * _geometry.GroupSize : (block + 1) << _geometry.BlockSizeLog2;
            }
            return limit < _header.Size ? limit : isLookingForData ? -1 : _header.Size;
        }
    }
}
