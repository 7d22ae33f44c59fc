using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>SEEK_DATA and SEEK_HOLE, and looking at every block.</summary>
public sealed partial class SealedFile
{
    /// <summary>The first offset at or after <paramref name="offset"/> that holds data; -1: none (ENXIO).</summary>
    public long SeekData(long offset) => Seek(offset, isLookingForData: true);

    /// <summary>The first hole at or after; the end of the file is one. -1 beyond the end (ENXIO).</summary>
    public long SeekHole(long offset) => Seek(offset, isLookingForData: false);

    /// <summary>Opens every record and block. <paramref name="onDamage"/> gets the block (-1: a whole group) and the cause.</summary>
    public FileSurvey Survey(Action<long, string> onDamage)
    {
        lock (_gate)
        {
            Revalidate();
            FileSurvey survey = new();
            using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
            for (long group = 0; group <= _geometry.LastGroup(_header.Size); group++)
                SurveyGroup(group, scratch.Span[.._geometry.BlockSize], survey, onDamage);
            return survey;
        }
    }

    private void SurveyGroup(long group, Span<byte> plain, FileSurvey survey, Action<long, string> onDamage)
    {
        IndexPage? page;
        try
        {
            page = FindGroup(group);
        }
        catch (ErrnoException exception)
        {
            survey.DamagedBlocks++;
            onDamage(-1, exception.Message);
            return;
        }
        for (int slot = 0; slot < GroupBlocks; slot++)
        {
            long block = group * GroupBlocks + slot;
            if (block << _geometry.BlockSizeLog2 >= _header.Size)
                return;
            if (page is null || (new GroupRecord(page.Bytes).Present >> slot & 1) == 0)
            {
                survey.Holes++;
                continue;
            }
            BlockVersion current = BlockVersion.Current(page.Bytes, slot);
            try
            {
                int length = OpenBlock(block, plain);
                survey.Blocks++;
                survey.PlainBytes += length;
                survey.StoredBytes += current.StoredLength;
                survey.CompressedBlocks += current.Kind == StoredKind.Lz4 ? 1 : 0;
            }
            catch (ErrnoException exception)
            {
                survey.DamagedBlocks++;
                onDamage(block, exception.Message);
                page = FindGroup(group);
            }
        }
    }

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
