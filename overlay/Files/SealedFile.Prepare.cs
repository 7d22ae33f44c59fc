using System;
using System.Numerics;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>
/// Room on the disk for who syncs after every few blocks, as databases do with their logs. A version that goes where nothing was yet makes the file
/// system write its journal with each sync: twice the waiting of a plain file's, whose blocks are written over. So what comes next is made ready,
/// much at once, with zeros where no version of a block that is needed has anything.
/// </summary>
/// <remarks>As long as such a file is open it takes up to three times its size on disk. Settling gives that back.</remarks>
public sealed partial class SealedFile
{
    /// <summary>Syncs that count as small, and so many of them in a row that it is worth while.</summary>
    private const int BlocksOfSmallSync = 16, FewSyncs = 3;

    /// <summary>Blocks made ready at once where they are written in a row.</summary>
    private const int BlocksAhead = 16;

    /// <summary>
    /// Where they are written here and there, all blocks of a group are made ready after so many, until so much was made ready: that takes as long as
    /// two or three syncs that go through the journal, and pays where as many more would come.
    /// </summary>
    private const int BlocksBeforeGroup = 2;
    private const long MostBytesAhead = 64 << 20;

    private static readonly byte[] s_zeros = new byte[64 << 10];

    private int _blocksSinceSync, _smallSyncs;
    private long _lastWritten = -1, _bytesAhead;

    /// <param name="dataOnly">A sync of all of the inode goes through the journal wherever the data lie: the times have changed.</param>
    private void NoteSynced(bool dataOnly)
    {
        _smallSyncs = dataOnly && _blocksSinceSync is > 0 and <= BlocksOfSmallSync ? Math.Min(_smallSyncs + 1, FewSyncs) : 0;
        _blocksSinceSync = 0;
    }

    /// <summary>A block is about to be written.</summary>
    /// <param name="isFirst">Entries in memory are as on disk, for all of the group; else only from this block on.</param>
    private void PrepareRoom(IndexPage page, long block, bool isFirst)
    {
        _blocksSinceSync++;
        bool isInRow = block - _lastWritten is 0 or 1;
        _lastWritten = block;
        int slot = Geometry.SlotOf(block);
        if (_smallSyncs < FewSyncs || (page.PreparedSlots >> slot & 1) != 0)
            return;
        // A log's last block is written again and again between two syncs, so it needs a third place.
        int places = isInRow ? PlaceCount : PlaceCount - 1;
        int end = isInRow ? Math.Min(slot + BlocksAhead, GroupBlocks) : slot + 1;
        try
        {
            // Where several processes write one log, another one may have done it.
            if (HasRoom(page, slot, places))
                end = slot + 1;
            else if (!isInRow && isFirst && BitOperations.PopCount(page.PreparedSlots) >= BlocksBeforeGroup && _bytesAhead < MostBytesAhead)
                FillFree(page, slot = 0, end = GroupBlocks, places);
            else
                FillFree(page, slot, end, places);
            page.PreparedSlots |= (uint)((1UL << end) - (1UL << slot));
        }
        catch (ErrnoException exception) when (exception.Errno is Errno.ENOSPC or Errno.EDQUOT)
        {
            // It was for speed alone; if there is no room for the write that follows, either, that one says so.
            _smallSyncs = 0;
        }
    }

    /// <summary>
    /// Before a new file's first sync, which goes through the journal in any case: what begins a file is often written again right after that
    /// (a rollback journal says then how long it is).
    /// </summary>
    private void PrepareNewHead(bool dataOnly)
    {
        if (!dataOnly || HasDurableState || !_header.HasUnits || !_index.TryGet(0, out IndexPage? page))
            return;
        BlockVersion current = BlockVersion.Current(page.Bytes, 0);
        if ((new GroupRecord(page.Bytes).Present & 1) == 0 || !HasTable(page, 0, current) || HasBase(page, 0, current))
            return;
        long next = _geometry.PlaceOffset(0, 0, TableOf(page, 0, current.Place).PlaceOf(0) == 0 ? 1 : 0);
        if (_context.Backing.HasRoom(next, _units.Size))
            return;
        NoteStale(0, 1);
        try
        {
            WriteZeros(next, _units.Size);
        }
        catch (ErrnoException exception) when (exception.Errno is Errno.ENOSPC or Errno.EDQUOT)
        {
            // As above.
        }
    }

    private bool HasRoom(IndexPage page, int slot, int places)
    {
        bool hasRoom = true;
        VisitFree(page, slot, slot + 1, places, (offset, length) => hasRoom = hasRoom && _context.Backing.HasRoom(offset, length));
        return hasRoom;
    }

    private void FillFree(IndexPage page, int slot, int end, int places)
    {
        _needsSettling = true;
        NoteStale(page.Group, (uint)((1UL << end) - (1UL << slot)));
        VisitFree(page, slot, end, places, (offset, length) =>
        {
            _bytesAhead += length;
            WriteZeros(offset, length);
        });
    }

    private void WriteZeros(long offset, long length)
    {
        for (; length > 0; offset += s_zeros.Length, length -= s_zeros.Length)
            _context.Backing.Write(offset, s_zeros.AsSpan(0, (int)Math.Min(length, s_zeros.Length)));
    }

    /// <summary>Calls back with ranges of the backing file in which nothing is that is needed, neighbours together.</summary>
    private void VisitFree(IndexPage page, int slot, int end, int places, Action<long, long> onFree)
    {
        Span<UInt128> free = stackalloc UInt128[PlaceCount];
        FindFree(page, slot, end, free);
        for (int place = 0; place < places; place++)
            for (int first = slot * _units.Count, next; first < end * _units.Count; first = next + 1)
            {
                for (next = first; next < end * _units.Count && (free[place] >> next & 1) != 0;)
                    next++;
                if (next > first)
                    onFree(_geometry.PlaceOffset(page.Group, 0, place) + ((long)first << _units.SizeLog2), (long)(next - first) << _units.SizeLog2);
            }
    }

    /// <summary>
    /// Of each place what no version needs, as for who frees it: bit slot × units of a block + unit. One that counts no more is named yet, but its place was
    /// given back when the file was put in order, and is where the next version goes. Of blocks that exist, and that this call has not changed yet.
    /// </summary>
    private void FindFree(IndexPage page, int slot, int end, Span<UInt128> free)
    {
        Span<uint> used = stackalloc uint[PlaceCount];
        free.Clear();
        for (; slot < end; slot++)
        {
            if ((new GroupRecord(page.Bytes).Present >> slot & 1) == 0 || (page.PreparedSlots >> slot & 1) != 0)
                continue;
            used.Clear();
            AddNeeded(page, slot, used);
            for (int place = 0; place < PlaceCount; place++)
                free[place] |= (UInt128)(~used[place] & ((1U << _units.Count) - 1)) << slot * _units.Count;
        }
    }
}
