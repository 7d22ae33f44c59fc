using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Writing parts of blocks: only the units that change are sealed and written (format §6).</summary>
public sealed partial class SealedFile
{
    private const int NoSlot = -1;

    /// <summary>The table that goes out with the next index write, and the slot and half that it is of.</summary>
    private readonly byte[] _newTable = new byte[UnitTableSize];
    private int _newTableSlot = NoSlot, _newTableHalf;

    /// <summary>
    /// Pays for what does not fill its block, and is longer than a unit. Entry and table are two writes: only where a kill between them is made good.
    /// </summary>
    private bool MayUseUnits(int length) => _units.Count > 1 && length > _units.Size && _context.Redo.Keeps;

    /// <summary>
    /// More pieces of a new block will follow, so that it comes to units anyway: as a unit the first one is not sealed again with the second.
    /// </summary>
    private bool IsFirstOfPieces(int newLength) =>
        _isInPieces && (newLength & (_units.Size - 1)) == 0 && 2 * newLength < _geometry.BlockSize && _context.Redo.Keeps;

    /// <summary>
    /// Writes <paramref name="source"/> into a block as it will be <paramref name="newLength"/> long. Whoever calls has nothing of the group waiting
    /// (<see cref="CommitWaiting"/>).
    /// </summary>
    private void WriteUnits(IndexPage page, long block, int inBlock, ReadOnlySpan<byte> source, int oldLength, int newLength)
    {
        int slot = Geometry.SlotOf(block);
        ResolveEntry(page, slot, block);
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        bool isPresent = (new GroupRecord(page.Bytes).Present >> slot & 1) != 0;
        // Units of another key are not taken over: a version and its units have one.
        bool goesOn = isPresent && current.IsOdd == _key.IsOdd && HasTable(page, slot, current) &&
            (!HasBase(page, slot, current) || GoesOnWithBase(oldLength));
        bool isBeside = isPresent && !goesOn && CanBeBase(current, BlockVersion.Durable(page.Bytes, slot), oldLength);
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
        Span<byte> plain = scratch.Span[..newLength];
        uint dirty = (1U << _units.CountFor(newLength)) - 1;
        bool isWholeHere = !goesOn && !isBeside;
        if (goesOn || isBeside)
        {
            int keptLength = isBeside ? oldLength : Math.Min(current.StoredLength, oldLength);
            dirty = DirtyUnits(keptLength, inBlock, source.Length, newLength);
            isWholeHere = ReadAround(page, slot, block, keptLength, dirty, inBlock, source.Length, plain);
        }
        else if (inBlock > 0 || source.Length < newLength)
        {
            ReadWholeBlock(block, oldLength, plain);
        }
        source.CopyTo(plain[inBlock..]);
        StoreUnits(page, block, plain, dirty, goesOn, isBeside);
        // What comes next in steps that are no units is then not opened again for each of them.
        bool isInSteps = ((inBlock | (inBlock + source.Length)) & (_units.Size - 1)) != 0;
        if (isInSteps && isWholeHere)
            PutCached(block, plain);
        else
            PatchCached(block, dirty, plain);
        // All of its pieces are needed once more, when the last one comes and they are packed. The kernel would read ahead for that, into holes.
        if (_isInPieces && inBlock + source.Length == newLength)
            LastBlock.Append(_stamp, block, inBlock, source);
        else
            LastBlock.Forget(_stamp);
    }

    /// <summary>Units that the range touches, and those whose length changes.</summary>
    private uint DirtyUnits(int oldLength, int inBlock, int count, int newLength)
    {
        uint dirty = 0;
        for (int unit = 0; unit < _units.CountFor(newLength); unit++)
        {
            int start = unit << _units.SizeLog2;
            bool isTouched = start < inBlock + count && start + _units.Size > inBlock;
            if (isTouched || _units.LengthOf(unit, oldLength) != _units.LengthOf(unit, newLength))
                dirty |= 1U << unit;
        }
        return dirty;
    }

    /// <summary>Of the dirty units what the new bytes do not cover; zeros where there was nothing.</summary>
    /// <returns>All of the block came.</returns>
    private bool ReadAround(IndexPage page, int slot, long block, int oldLength, uint dirty, int inBlock, int count, Span<byte> plain)
    {
        for (int unit = 0; dirty >> unit != 0; unit++)
        {
            int start = unit << _units.SizeLog2, end = start + _units.LengthOf(unit, plain.Length);
            if ((dirty >> unit & 1) == 0 || (inBlock <= start && end <= inBlock + count))
                continue;
            int length = _units.LengthOf(unit, oldLength);
            Span<byte> old = plain.Slice(start, length);
            if (length > 0 && !TryReadCached(block, start, old) && !TryOpenOldUnit(page, slot, block, unit, old))
            {
                // What is in no unit comes so, too. And it says what is wrong, or knows what to do about it.
                ReadWholeBlock(block, oldLength, plain);
                return true;
            }
            plain[(start + length)..end].Clear();
        }
        return false;
    }

    /// <summary>A unit that is longer on disk than what counts of it is opened whole.</summary>
    private bool TryOpenOldUnit(IndexPage page, int slot, long block, int unit, Span<byte> old)
    {
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        if (!current.IsInUnits)
            return false;
        UnitTable table = TableOf(page, slot, current.Place);
        int stored = _units.LengthOf(unit, current.StoredLength);
        if (stored == old.Length)
            return TryOpenUnit(table, page, slot, block, unit, old);
        using Scratch scratch = ScratchPool.Rent(_units.Size);
        bool isOpen = TryOpenUnit(table, page, slot, block, unit, scratch.Span[..stored]);
        scratch.Span[..old.Length].CopyTo(old);
        return isOpen;
    }

    /// <summary>
    /// Steps 1 and 2 of writing a version, and its entry in memory; the others are taken over from the current version, or, if that is to be the base, left to it.
    /// </summary>
    private void StoreUnits(IndexPage page, long block, ReadOnlySpan<byte> plain, uint dirty, bool goesOn, bool isBeside = false)
    {
        int slot = Geometry.SlotOf(block);
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        BlockVersion durable = BlockVersion.Durable(page.Bytes, slot);
        if (!_header.HasUnits || (isBeside && !_header.HasBases))
        {
            _header.HasUnits = true;
            _header.HasBases |= isBeside;
            WriteHeader();
        }
        long end = Math.Max(_header.Size, (block << _geometry.BlockSizeLog2) + plain.Length);
        if (_storedLength < _geometry.UnsettledLength(end))
            Unsettle(end);
        if (page.Tables is null)
            ReadTables(page); // it may fail, so before anything changes: what is on disk must be known when it is replaced
        Span<uint> used = stackalloc uint[PlaceCount];
        FindTaken(page, slot, used);
        UnitTable table = new(_newTable);
        if (goesOn)
            TableOf(page, slot, current.Place).Bytes.CopyTo(table.Bytes);
        else if (isBeside)
            table.TakeAllFromBase(_units.Count);
        else
            table.Bytes.Clear();
        Span<byte> oldBase = stackalloc byte[VersionSize];
        bool hadBase = isBeside || (goesOn && table.HasBase);
        if (isBeside)
            current.CopyTo(oldBase);
        else if (hadBase)
            BaseOf(current, table, oldBase);
        uint replaced = hadBase ? PlacesOf(table, dirty) : 0;
        SealUnits(page.Group, slot, block, plain, dirty, used, table);
        int behindTag = hadBase ? PutBase(table, oldBase) : 0;
        // Where nothing is durable but the base, which is needed, nothing else can have been left behind.
        bool isBaseAlone = hadBase && table.HasBase &&
            (durable.IsZero || (goesOn && !durable.IsInUnits && !IsOnDisk(current)));
        NoteStale(page.Group, 1U << slot, isBaseAlone ? replaced : PlacesToNote(page, slot));
        _needsSettling = true;
        bool isOnDisk = !current.IsZero && IsOnDisk(current);
        int half = current.IsInUnits ? current.Place : 0;
        if (isOnDisk)
            durable.CopyFrom(current);
        if (durable.IsInUnits && !durable.IsZero)
            half = 1 - durable.Place;
        current.SealUnits(_fileId, block, _header.SyncInterval, _context.BootWord, half, plain.Length, _key, table.Bytes, oldBase[..behindTag]);
        (_newTableSlot, _newTableHalf) = (slot, half);
        page.ProvenTables &= ~(1UL << (2 * slot + half));
        MarkWritten(page, slot);
    }

    private void SealUnits(long group, int slot, long block, ReadOnlySpan<byte> plain, uint dirty, ReadOnlySpan<uint> used, UnitTable table)
    {
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize + DataKey.TagFieldSize);
        int pending = 0;
        long offset = 0;
        for (int unit = 0; dirty >> unit != 0; unit++)
        {
            if ((dirty >> unit & 1) == 0)
                continue;
            int start = unit << _units.SizeLog2, length = _units.LengthOf(unit, plain.Length), place = FreePlaceOf(unit, used);
            long target = _geometry.PlaceOffset(group, slot, place) + start;
            if (pending > 0 && target != offset + pending)
            {
                _context.Backing.Write(offset, scratch.Span[..pending]);
                pending = 0;
            }
            if (pending == 0)
                offset = target;
            table.Seal(_fileId, block, unit, place, _key, plain.Slice(start, length), scratch.Span.Slice(pending, length + _key.TagSize));
            pending += length;
        }
        _context.Backing.Write(offset, scratch.Span[..pending]);
    }

    /// <summary>
    /// Before something else of the group is written: a table goes out with its own slot alone, and a block in units is not written before those in front of it.
    /// </summary>
    private void CommitWaiting(ref SealedRun run, IndexPage page)
    {
        Flush(ref run, page);
        if (_lastDirtySlot < 0)
            return;
        CommitGroup(page);
        BeginCommit();
    }

    private void PatchCached(long block, uint units, ReadOnlySpan<byte> plain)
    {
        for (int unit = 0; units >> unit != 0; unit++)
        {
            int start = unit << _units.SizeLog2;
            if ((units >> unit & 1) != 0)
                _context.Cache.Patch(_stamp, block, _geometry.BlockSize, start, plain.Slice(start, _units.LengthOf(unit, plain.Length)));
        }
    }
}
