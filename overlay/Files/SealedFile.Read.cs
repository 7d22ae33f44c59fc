using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Reading: range → blocks → cache → codec.</summary>
public sealed partial class SealedFile
{
    /// <summary>Blocks that this file may have in the cache.</summary>
    private long _lowestCached = long.MaxValue, _highestCached = -1;

    /// <summary>Blocks that were kept for parts of them, since what was kept holds.</summary>
    private long _partsRead;

    /// <summary>Reads at most <paramref name="target"/>; less only at the end of the file.</summary>
    /// <exception cref="ErrnoException">EIO: a block is damaged. What lies before it is returned first.</exception>
    public int Read(long offset, Span<byte> target)
    {
        lock (_gate)
        {
            Revalidate();
            int count = ReadCurrent(offset, target);
            ShowCached();
            return count;
        }
    }

    /// <summary>
    /// Reads all of a file that came along with its header, while that is known to be current; it stays so as long as the coherence word
    /// is <paramref name="word"/>. What cannot be read so is not complained about.
    /// </summary>
    /// <returns>The file's size; -1: it is to be read as usual.</returns>
    public int ReadAtOnce(Span<byte> target, out ulong word)
    {
        lock (_gate)
        {
            word = _cachedWord;
            if (word == ~0UL || word != _context.Coherence.Word || _header.Size > target.Length)
                return -1;
            int size = (int)_header.Size;
            if (size == 0)
                return 0;
            if (!_index.TryGet(0, out IndexPage? page) || page.Inline is null || (new GroupRecord(page.Bytes).Present & 1) == 0)
                return -1;
            BlockVersion current = BlockVersion.Current(page.Bytes, 0);
            if (current.Place != InlinePlace || IsOfEarlierLife(page, 0, current) || !TryOpenVersion(current, page, 0, 0, target, out int length))
                return -1;
            target[Math.Min(length, size)..size].Clear();
            return size;
        }
    }

    /// <summary>To the filter, which then reads what is cached without us while the coherence word stands.</summary>
    private void ShowCached()
    {
        if (_highestCached >= 0)
            CachedFile?.Show(_cachedWord, _stamp, _header.Size);
    }

    private int ReadCurrent(long offset, Span<byte> target)
    {
        long left = _header.Size - offset;
        if (left <= 0)
            return 0;
        if (left < target.Length)
            target = target[..(int)left];
        int done = 0, looked = 0;
        bool hasAsked = false;
        while (done < target.Length)
        {
            for (; looked <= done; looked += LookStep)
                LookAhead(offset + looked, Math.Min(LookStep, target.Length - looked));
            long block = _geometry.BlockOf(offset + done);
            int inBlock = (int)(offset + done - (block << _geometry.BlockSizeLog2));
            Span<byte> part = target.Slice(done, Math.Min(_geometry.BlockSize - inBlock, target.Length - done));
            try
            {
                if (ProcessCounters.CountCached(TryReadCached(block, inBlock, part)) || TryReadUnits(block, inBlock, part))
                {
                    done += part.Length;
                    continue;
                }
                if (!hasAsked)
                    AskForRest(offset + done, target.Length - done);
                hasAsked = true;
                if (inBlock == 0 && part.Length == _geometry.BlockSize)
                    done += ReadWholeBlocks(block, target[done..]);
                else
                    done += ReadPart(block, inBlock, part);
            }
            catch (ErrnoException) when (done > 0)
            {
                part.Clear(); // what was expanded of a block that turned out to be damaged is nobody's
                return done;
            }
        }
        return done;
    }

    /// <summary>As many blocks as come with one call to the kernel, straight into the caller's memory.</summary>
    private int ReadWholeBlocks(long block, Span<byte> target)
    {
        int count = OpenRawRun(block, target);
        if (count == 0)
        {
            int length = OpenBlock(block, target[.._geometry.BlockSize]);
            target[length.._geometry.BlockSize].Clear();
            count = 1;
        }
        if (AreReadAgain(block, count))
            for (int i = 0; i < count; i++)
                PutCached(block + i, target.Slice(i << _geometry.BlockSizeLog2, _geometry.BlockSize));
        return count << _geometry.BlockSizeLog2;
    }

    private int ReadPart(long block, int inBlock, Span<byte> part)
    {
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
        Span<byte> plain = scratch.Span[.._geometry.BlockSize];
        int plainLength = OpenBlock(block, plain);
        // Who reads all of a block has it; only parts come in rows.
        if (inBlock > 0 || part.Length < plainLength || AreReadAgain(block, 1))
        {
            PutCached(block, plain[..plainLength]);
            NoteReadHereAndThere();
        }
        int copied = Math.Clamp(plainLength - inBlock, 0, part.Length);
        plain.Slice(inBlock, copied).CopyTo(part);
        part[copied..].Clear();
        return part.Length;
    }

    /// <summary>Of a file that is read here and there, so far, all will be read: room for it is better had before what is there is thrown out.</summary>
    private void NoteReadHereAndThere()
    {
        const int EighthLog2 = 3, Least = 64;
        if (++_partsRead == Math.Max(Least, _header.Size >> _geometry.BlockSizeLog2 + EighthLog2))
            _ = _context.Cache.TryMakeRoom(_header.Size);
    }

    /// <summary>All slices of the part must be there, or none is used.</summary>
    private bool TryReadCached(long block, int inBlock, Span<byte> part)
    {
        int slicesPerBlock = Math.Max(1, _geometry.BlockSize >> BlockCache.SliceSizeLog2);
        for (int done = 0; done < part.Length;)
        {
            int slice = (inBlock + done) >> BlockCache.SliceSizeLog2;
            int inSlice = (inBlock + done) & (BlockCache.SliceSize - 1);
            int count = Math.Min(BlockCache.SliceSize - inSlice, part.Length - done);
            if (!_context.Cache.TryRead(_stamp, block * slicesPerBlock + slice, inSlice, part.Slice(done, count)))
                return false;
            done += count;
        }
        return true;
    }

    /// <summary>
    /// What was written is kept where that is to be added to, or was read before: memory that the cache never used costs more than opening the block once. Most small
    /// files are written with one call.
    /// </summary>
    private void KeepIfRead(long block, ReadOnlySpan<byte> plain)
    {
        bool isPart = plain.Length < _geometry.BlockSize, isOfNewFile = isPart && _isAtHand;
        if (isOfNewFile)
            LastBlock.Keep(_stamp, block, plain);
        else
            LastBlock.Forget(_stamp);
        if (isPart && !isOfNewFile)
            PutCached(block, plain);
        else if (_highestCached >= 0)
            _context.Cache.Patch(_stamp, block, _geometry.BlockSize, 0, plain);
    }

    private void PutCached(long block, ReadOnlySpan<byte> plain)
    {
        _lowestCached = Math.Min(_lowestCached, block);
        _highestCached = Math.Max(_highestCached, block);
        _context.Cache.PutBlock(_stamp, block, _geometry.BlockSize, plain);
    }

    private void WipeCached()
    {
        LastBlock.Forget(_stamp);
        if (_lowestCached <= _highestCached)
            _context.Cache.Wipe(_stamp, _lowestCached, _highestCached, _geometry.BlockSize);
        (_lowestCached, _highestCached) = (long.MaxValue, -1);
    }

    /// <summary>Opens and expands a block into <paramref name="plain"/>; returns its length, zeros follow it logically.</summary>
    private int OpenBlock(long block, Span<byte> plain)
    {
        for (int attempt = 0; ; attempt++)
        {
            IndexPage? page = FindGroup(Geometry.GroupOf(block));
            int slot = Geometry.SlotOf(block);
            if (page is null || (new GroupRecord(page.Bytes).Present >> slot & 1) == 0)
                return 0;
            BlockVersion current = BlockVersion.Current(page.Bytes, slot);
            if (!IsOfEarlierLife(page, slot, current) && TryOpenVersion(current, page, slot, block, plain, out int length))
                return length;
            // Another process may just have replaced it: only what cannot be read under the lock, either, is lost.
            bool isLast = attempt == ReadAttempts || _isWriting;
            if (isLast && TryFallBack(page, current, slot, block, plain, out length))
                return length;
            if (attempt == ReadAttempts)
                throw Damage($"block {block} is damaged");
            // Somebody may have replaced the entry: forget what we knew of the group.
            if (!_isWriting)
                _index.Remove(page.Group);
            Retry(attempt);
            LookForNewKey();
        }
    }

    /// <summary>Format §7: what was never synced may have been lost with the power.</summary>
    private bool TryFallBack(IndexPage page, BlockVersion current, int slot, long block, Span<byte> plain, out int length)
    {
        length = 0;
        bool isYoung = IsYoung(page, slot);
        if (!isYoung && (current.IsZero || !MayBeLost(current.Interval, current.Boot)))
            return false;
        BlockVersion durable = BlockVersion.Durable(page.Bytes, slot);
        if (!durable.IsZero && !IsOfEarlierLife(page, slot, durable) && TryOpenVersion(durable, page, slot, block, plain, out length))
            _context.Log.Write($"block {block} lost its unsynced version in a power loss: the last durable one is read");
        else if (isYoung)
            _context.Log.Write($"block {block} was lost with unsynced data in a power loss: it reads as a hole");
        else
            return false;
        return true;
    }

    /// <summary>
    /// What was read together with the entry; once, so that whoever finds it torn reads it anew.
    /// </summary>
    private bool TryTakeInline(BlockVersion version, Span<byte> sealedText)
    {
        if (version.Place != InlinePlace || !_index.TryGet(0, out IndexPage? page) || page.Inline is null)
            return false;
        page.Inline.AsSpan(0, sealedText.Length).CopyTo(sealedText);
        page.ForgetInline();
        return true;
    }

    private bool TryOpenVersion(BlockVersion version, IndexPage page, int slot, long block, Span<byte> plain, out int length)
    {
        length = 0;
        if (!version.IsSane(_geometry.BlockSize, block == 0 && !_header.IsIndexed))
            return false;
        if (version.IsInUnits)
        {
            length = version.StoredLength;
            return TryOpenUnits(version, page, slot, block, plain);
        }
        return TryOpenWhole(version, page, slot, block, KeyOf(version), plain, out length);
    }

    private bool TryOpenWhole(BlockVersion version, IndexPage page, int slot, long block, DataKey? key, Span<byte> plain, out int length)
    {
        int stored = length = version.StoredLength;
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
        Span<byte> text = scratch.Span[..stored];
        if (!TryTakeInline(version, text) && ReadPlace(_geometry.PlaceOffset(page.Group, slot, version.Place), text) != stored)
            return false;
        if (version.Kind == StoredKind.Raw)
            return version.TryOpen(_fileId, block, key, text, plain);
        using Scratch packed = ScratchPool.Rent(_geometry.BlockSize);
        return version.TryOpen(_fileId, block, key, text, packed.Span) && BlockCompressor.TryExpand(packed.Span[..stored], plain, out length);
    }
}
