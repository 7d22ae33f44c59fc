using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>What became of a block of a damaged file.</summary>
public enum BlockFate
{
    /// <summary>As it was written last.</summary>
    Sound,

    /// <summary>Authentic, but maybe not the last state: what would tell is damaged.</summary>
    Doubtful,

    /// <summary>Nothing of it can be read.</summary>
    Lost,
}

/// <param name="plain">Zeros follow it up to the block's end; empty for a lost block.</param>
public delegate void BlockSaver(long block, BlockFate fate, ReadOnlySpan<byte> plain);

/// <summary>Getting out of a damaged file what can be read of it.</summary>
public sealed partial class SealedFile
{
    private bool _isHeaderGuessed;

    /// <summary>
    /// A file whose header is damaged: what the header would say comes from elsewhere. It can only be salvaged from; whether
    /// the guess was right shows in the seals of what is found.
    /// </summary>
    public static SealedFile OpenWithoutHeader(
        FileContext context, int blockSizeLog2, bool isIndexed, ReadOnlySpan<byte> fileId, DataKey key, long size, DataKey? otherKey = null)
    {
        // No interval is in doubt: nothing is taken for lost with the power.
        FileHeader guess = new()
        {
            Suite = key.Suite, BlockSizeLog2 = blockSizeLog2, IsIndexed = isIndexed, Size = size, Boot = context.BootWord,
            SyncInterval = ulong.MaxValue, DurableInterval = ulong.MaxValue - 1, HasUnits = true, HasBases = true,
        };
        return new SealedFile(context, fileId.ToArray(), key, guess, otherKey) { _isHeaderGuessed = true };
    }

    /// <summary>Goes through all blocks that exist, while nobody writes. The file itself is not changed.</summary>
    public void Salvage(BlockSaver save)
    {
        lock (_gate)
        {
            _context.Lock.Enter();
            try
            {
                _isWriting = true; // nothing is tried again
                Forget();
                FinishKilledWrite();
                if (!_isHeaderGuessed)
                    ReadHeader();
                SalvageGroup(0, isTrusted: true, save);
            }
            finally
            {
                _isWriting = false;
                _cachedWord = ~0UL;
                _context.Lock.Exit();
            }
        }
    }

    /// <param name="isTrusted">The groups above say that it exists.</param>
    private void SalvageGroup(long group, bool isTrusted, BlockSaver save)
    {
        IndexPage? page;
        try
        {
            page = isTrusted ? FindGroup(group) : null;
            if (isTrusted && page is null)
                return;
        }
        catch (ErrnoException)
        {
            isTrusted = false;
            page = null;
        }
        if (page is null && (page = ReadUntrusted(group, save)) is null)
            return;
        GroupRecord record = new(page.Bytes);
        bool isRecordSound = isTrusted || record.IsAuthentic(_fileId, group, KeyOf(record));
        for (int slot = 0; slot < GroupBlocks; slot++)
            if ((group * GroupBlocks + slot) << _geometry.BlockSizeLog2 < _header.Size && (!isRecordSound || (record.Present >> slot & 1) != 0))
                SalvageBlock(page, slot, isTrusted, isRecordSound, save);
        for (int child = 0; child < ChildrenPerGroup; child++)
        {
            long below = group * ChildrenPerGroup + 1 + child;
            if (below <= _geometry.LastGroup(_header.Size) && (!isRecordSound || new GroupRecord(page.Bytes).HasChild(child)))
                SalvageGroup(below, isTrusted, save);
        }
    }

    /// <summary>A page that no sound record vouches for. Null: there is nothing in it, or it cannot be read.</summary>
    private IndexPage? ReadUntrusted(long group, BlockSaver save)
    {
        IndexPage page = IndexPage.Rent(group);
        try
        {
            ReadIndexBytes(page);
            return page.Bytes.AsSpan(RecordOffset).ContainsAnyExcept((byte)0) ? page : null;
        }
        catch (ErrnoException)
        {
            for (int slot = 0; slot < GroupBlocks; slot++)
                if ((group * GroupBlocks + slot) << _geometry.BlockSizeLog2 < _header.Size)
                    save(group * GroupBlocks + slot, BlockFate.Lost, default);
            return null;
        }
    }

    private void SalvageBlock(IndexPage page, int slot, bool isTrusted, bool isRecordSound, BlockSaver save)
    {
        long block = page.Group * GroupBlocks + slot;
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
        Span<byte> plain = scratch.Span[.._geometry.BlockSize];
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        BlockVersion durable = BlockVersion.Durable(page.Bytes, slot);
        if (isTrusted && TryOpenBlock(block, plain, out int length))
            save(block, BlockFate.Sound, plain[..length]);
        else if (TryOpenSafely(current, page, slot, block, plain, out length) || TryOpenSafely(durable, page, slot, block, plain, out length))
            save(block, BlockFate.Doubtful, plain[..length]);
        else if (isRecordSound || !current.IsZero || !durable.IsZero)
            save(block, BlockFate.Lost, default);
        else
            save(block, BlockFate.Doubtful, default); // most likely it was a hole
    }

    private bool TryOpenBlock(long block, Span<byte> plain, out int length)
    {
        length = 0;
        try
        {
            length = OpenBlock(block, plain);
            return true;
        }
        catch (ErrnoException)
        {
            return false;
        }
    }

    private bool TryOpenSafely(BlockVersion version, IndexPage page, int slot, long block, Span<byte> plain, out int length)
    {
        length = 0;
        try
        {
            return TryOpenVersion(version, page, slot, block, plain, out length);
        }
        catch (ErrnoException)
        {
            return false;
        }
    }
}
