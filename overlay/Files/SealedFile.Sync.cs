using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Durability, and putting a file in order when a process lets go of it.</summary>
public sealed partial class SealedFile
{
    /// <summary>The coherence word right after our last sync: nothing was written since while it stands.</summary>
    private ulong _syncedWord = ~0UL;

    /// <summary>The header in memory knows of a sync that has ended, the one in the file does not (<see cref="TryCloseLater"/>).</summary>
    private bool _closesLater;

    /// <summary>Somebody else has changed the file since it was opened, and may do so again at any time.</summary>
    private bool _isShared;

    /// <summary>
    /// Syncs of this process before which something had been written, up to two. Who syncs a file twice that never gets longer than a block makes no file to
    /// keep, but a journal or a counter: what is left in order at its close is removed next, or taken apart again (decisions "Who closes a journal?").
    /// </summary>
    private int _steps;
    private const int StepsOfJournal = 2, GreatestJournal = 64 << 10;

    /// <summary>By group, what may hold stale data, since versions moved (format §6): bit 32 × place + slot. Not more groups than this.</summary>
    private readonly Dictionary<long, UInt128> _stale = [];
    private const int StaleGroupsKept = 1 << 16;

    /// <summary>Did this process change something that <see cref="Settle"/> may put in order?</summary>
    public bool NeedsSettling => _needsSettling;

    /// <summary>fsync or fdatasync (format §6). Not inside <see cref="EnterWrite"/>.</summary>
    public void Sync(bool dataOnly)
    {
        if (_context.Coherence.Word == _syncedWord)
        {
            _context.Backing.Sync(dataOnly);
            return;
        }
        ulong interval = 0, wordAfter = 0, syncedWord = 0;
        ChangeHeader(() =>
        {
            NoteSynced(dataOnly);
            _steps = Math.Min(_steps + 1, StepsOfJournal);
            PrepareNewHead(dataOnly);
            interval = OpenInterval();
            wordAfter = _wordAtEntry + 65536;
        });
        _context.Backing.Sync(dataOnly);
        if (TryCloseLater(interval, wordAfter))
            return;
        ChangeHeader(() =>
        {
            // What others wrote meanwhile is in a later interval: the next sync has to close that one.
            bool isAll = _wordAtEntry == wordAfter;
            CloseInterval(interval, isAll);
            syncedWord = isAll ? _wordAtEntry + 65536 : ~0UL;
        });
        _syncedWord = syncedWord;
    }

    /// <summary>
    /// For the last close in this process: compresses a tail that was written in pieces, frees stale places, and writes the
    /// size into <c>st_size</c>. Does nothing if this process changed nothing.
    /// </summary>
    public void Settle()
    {
        if (!_needsSettling)
            return;
        EnterWrite();
        try
        {
            _context.Backing.Quietly(() =>
            {
                if (_storedLength < 0)
                    _storedLength = _context.Backing.Length;
                if (_steps < StepsOfJournal || _header.Size > Math.Min(_geometry.BlockSize, GreatestJournal))
                {
                    CompressTail();
                    ReclaimStale();
                }
                SettleLength();
                if (CloseDigest() || _closesLater)
                    WriteHeader();
                _needsSettling = false;
            });
        }
        catch
        {
            Distrust();
            throw;
        }
        finally
        {
            ExitWrite();
        }
    }

    /// <summary>
    /// A new file that has got to its likely end is put in order with the write: nothing has to be asked for that now, its times need not be put back, and its close
    /// is the kernel's alone. If more comes, or this fails, the close has it to do, as always.
    /// </summary>
    private void SettleAtEnd()
    {
        if (!_comesInBuffers || !_needsSettling || HasDurableState)
            return;
        ReclaimStale();
        SettleLength();
        if (CloseDigest())
            WriteHeader();
        _needsSettling = false;
    }

    /// <summary>
    /// Who is alone with the file keeps in memory that the interval is durable, and says so with the next header that it writes: one write, and one change of
    /// the inode, less a sync. For anybody who comes before that, this sync has not ended yet.
    /// </summary>
    private bool TryCloseLater(ulong interval, ulong wordAfter)
    {
        lock (_gate)
        {
            ulong word = _context.Coherence.Word;
            if (!_context.IsSettledAtLast || _isShared || word != _cachedWord)
                return false;
            bool isAll = word == wordAfter;
            NoteDurable(interval, isAll);
            _closesLater = _needsSettling = true;
            _syncedWord = isAll ? word : ~0UL;
            return true;
        }
    }

    /// <summary>See <see cref="IBackingFile.KeepingRights"/>. Inside <see cref="EnterWrite"/>.</summary>
    public void KeepingRights(Action change) => _context.Backing.KeepingRights(change);

    private void ChangeHeader(Action change)
    {
        EnterWrite();
        try
        {
            _context.Backing.Quietly(change);
        }
        catch
        {
            Distrust();
            throw;
        }
        finally
        {
            ExitWrite();
        }
    }

    /// <summary>From here on versions belong to a new interval; returns the one that the coming sync makes durable.</summary>
    private ulong OpenInterval()
    {
        ulong interval = _header.SyncInterval;
        _header.SyncInterval = interval + 1;
        CloseDigest();
        WriteHeader();
        return interval;
    }

    /// <param name="isAll">Nobody has written anything since the interval was opened.</param>
    private void CloseInterval(ulong interval, bool isAll)
    {
        NoteDurable(interval, isAll);
        WriteHeader();
    }

    private void NoteDurable(ulong interval, bool isAll)
    {
        if (isAll)
            MarkSynced();
        _header.DurableInterval = Math.Max(_header.DurableInterval, interval);
    }

    private void MakeEverythingDurable()
    {
        ulong interval = OpenInterval();
        _context.Backing.Sync(dataOnly: true);
        CloseInterval(interval, isAll: true);
    }

    private void CompressTail()
    {
        if (!_header.Compresses || _header.Size == 0)
            return;
        ClearBeyondSize(_header.Size);
        long block = _geometry.BlockOf(_header.Size - 1);
        int slot = Geometry.SlotOf(block);
        IndexPage? page = FindGroup(Geometry.GroupOf(block));
        if (page is null || (new GroupRecord(page.Bytes).Present >> slot & 1) == 0)
            return;
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        bool isWhole = !current.IsInUnits;
        if (current.Kind == StoredKind.Lz4 || (isWhole && current.Place == InlinePlace))
            return;
        if (!isWhole && FreePlace(page, slot) < 0)
            return;
        int length = (int)(_header.Size - (block << _geometry.BlockSizeLog2));
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
        using Scratch packed = ScratchPool.Rent(_geometry.BlockSize);
        Span<byte> plain = scratch.Span[..length];
        ReadWholeBlock(block, length, plain);
        bool fitsInline = block == 0 && !_header.IsIndexed && IsInlineFree(page);
        if (!(fitsInline && length <= InlineSize) && !TryCompress(plain, packed.Span, fitsInline, out _))
            return;
        BeginGroup(page, block, block);
        WriteBlock(page, block, plain, mayCompress: true, mayBeInline: true);
        CommitGroup(page);
    }

    private void NoteStale(long group, uint slots, uint places = (1U << PlaceCount) - 1)
    {
        UInt128 noted = 0;
        for (int place = 0; place < PlaceCount; place++)
            noted |= (places >> place & 1) != 0 ? (UInt128)slots << 32 * place : 0;
        if (noted != 0)
            CollectionsMarshal.GetValueRefOrAddDefault(_stale, group, out _) |= noted;
    }

    /// <summary>
    /// Where stale data may be once another version takes this entry's place. Of a block that never was on disk only this version was not noted before; punching
    /// what nobody wrote would cost as much as punching what somebody did.
    /// </summary>
    private uint PlacesToNote(IndexPage page, int slot)
    {
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        if (current.IsZero)
            return 0;
        if (!BlockVersion.Durable(page.Bytes, slot).IsZero || IsOnDisk(current))
            return (1U << PlaceCount) - 1;
        Span<uint> used = stackalloc uint[PlaceCount];
        used.Clear();
        AddUsed(page, slot, current, used);
        uint places = 0;
        for (int place = 0; place < PlaceCount; place++)
            places |= used[place] != 0 ? 1U << place : 0;
        return places;
    }

    /// <summary>Whole groups beyond the size are cut off, and what cannot be read is left as it is: whoever reads it is told.</summary>
    private bool TryFindGroup(long group, [NotNullWhen(true)] out IndexPage? page)
    {
        page = null;
        try
        {
            page = FindGroup(group);
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.EIO)
        {
            // FindGroup has said what is wrong with it.
        }
        return page is not null;
    }

    /// <summary>Gives the space of stale places back (format §6, Freeing).</summary>
    private void ReclaimStale()
    {
        Span<UInt128> used = stackalloc UInt128[PlaceCount];
        foreach ((long group, UInt128 noted) in _stale)
        {
            if (!TryFindGroup(group, out IndexPage? page))
                continue;
            Rebase(page);
            FindUsed(page, used);
            for (int place = 0; place < PlaceCount; place++)
                PunchRuns(page, (uint)(noted >> 32 * place), place, used[place]);
            page.PreparedSlots = 0;
        }
        _stale.Clear();
        _bytesAhead = 0;
    }

    /// <summary>Neighbours together: each hole costs the kernel a transaction, and waits for what is being written there.</summary>
    private void PunchRuns(IndexPage page, uint staleSlots, int place, UInt128 used)
    {
        int end = GroupBlocks * _units.Count;
        for (int first = 0, next; first < end; first = next + 1)
        {
            bool isStale = false;
            for (next = first; next < end && (used >> next & 1) == 0; next++)
                isStale |= (staleSlots >> next / _units.Count & 1) != 0;
            if (isStale)
                _context.Backing.PunchHole(_geometry.PlaceOffset(page.Group, 0, place) + ((long)first << _units.SizeLog2), (long)(next - first) << _units.SizeLog2);
        }
    }

    /// <summary>What of each place is needed yet: bit slot × units of a block + unit.</summary>
    private void FindUsed(IndexPage page, Span<UInt128> used)
    {
        Span<uint> units = stackalloc uint[PlaceCount];
        used.Clear();
        for (int slot = 0; slot < GroupBlocks; slot++)
        {
            units.Clear();
            AddNeeded(page, slot, units);
            for (int place = 0; place < PlaceCount; place++)
                used[place] |= (UInt128)units[place] << slot * _units.Count;
        }
    }

    private void AddNeeded(IndexPage page, int slot, Span<uint> units)
    {
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        BlockVersion durable = BlockVersion.Durable(page.Bytes, slot);
        bool isPresent = (new GroupRecord(page.Bytes).Present >> slot & 1) != 0;
        // A bit that was cleared, but not durably so, may come back with the power: its versions are still needed. One whose sync is under way may be either.
        bool isInBase = (new GroupRecord(page.Base).BasePresent >> slot & 1) != 0;
        if (isPresent || (isInBase && (IsOnDisk(current) || IsInFlight(current.Interval, current.Boot))))
            AddUsed(page, slot, current, units);
        if (isInBase && (!IsOnDisk(current) || MayBeLost(current.Interval, current.Boot)))
            AddUsed(page, slot, durable, units);
    }

    private void SettleLength()
    {
        if (_geometry.BlockSizeLog2 != _context.VolumeBlockSizeLog2)
            return;
        IndexPage page = FindGroup(0)!;
        BlockVersion current = BlockVersion.Current(page.Bytes, 0);
        bool isInlineRaw = !_header.IsIndexed && (new GroupRecord(page.Bytes).Present & 1) != 0 &&
            current.Place == InlinePlace && current.Kind == StoredKind.Raw && current.StoredLength == _header.Size;
        long settled = SettledSize.Encode(_geometry, _header.Size, isInlineRaw);
        if (settled == _storedLength)
            return;
        // Cutting may free what the last durable state needs.
        if (settled < _storedLength && HasDurableState)
            MakeEverythingDurable();
        _context.Backing.SetLength(settled);
        _storedLength = settled;
    }
}
