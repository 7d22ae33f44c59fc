using System;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>SEEK_DATA and SEEK_HOLE.</summary>
public sealed partial class SealedFile
{
    /// <summary>The first offset at or after <paramref name="offset"/> that holds data; -1: none (ENXIO).</summary>
    public long SeekData(long offset) => Seek(offset, isLookingForData: true);

    /// <summary>The first hole at or after; the end of the file is one. -1 beyond the end (ENXIO).</summary>
    public long SeekHole(long offset) => Seek(offset, isLookingForData: false);

    private long Seek(long offset, bool isLookingForData)
    {
        lock (_gate)
        {
            Revalidate();
            if (offset < 0 || offset >= _header.Size)
                return -1;
            while (offset < _header.Size)
            {
                long block = _geometry.BlockOf(offset);
                IndexPage? page = FindGroup(Geometry.GroupOf(block));
                bool isData = page is not null && (new GroupRecord(page.Bytes).Present >> Geometry.SlotOf(block) & 1) != 0;
                if (isData == isLookingForData)
                    return offset;
                offset = page is null ? (Geometry.GroupOf(block) + 1) * _geometry.GroupSize : (block + 1) << _geometry.BlockSizeLog2;
            }
            return isLookingForData ? -1 : _header.Size;
        }
    }
}
