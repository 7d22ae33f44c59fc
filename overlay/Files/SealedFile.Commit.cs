using System;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>What follows the stored bytes of a write (format §6): entries and their table of units, then the record, then the header.</summary>
public sealed partial class SealedFile
{
    /// <summary>What is being changed, since <see cref="Rebase"/>: its page may have what is not on disk yet.</summary>
    private long _groupInHand;

    /// <summary>Slots of the group being written whose entries changed, lowest and highest; and what else must go out.</summary>
    private int _firstDirtySlot, _lastDirtySlot;
    private bool _isRecordDirty, _isHeaderDirty, _isInlineDirty;
    private int _inlineLength;

    private void MarkWritten(IndexPage page, int slot)
    {
        _firstDirtySlot = Math.Min(_firstDirtySlot, slot);
        _lastDirtySlot = Math.Max(_lastDirtySlot, slot);
        GroupRecord record = new(page.Bytes);
        if ((record.Present >> slot & 1) != 0)
            return;
        record.Present |= 1U << slot;
        _isRecordDirty = true;
    }

    private void BeginGroup(IndexPage page, long firstBlock, long lastBlock)
    {
        KnowMarks(page);
        _hasFreedPlaces = false;
        // All of it before anything is sealed: a sync in between would take what is not written yet for durable.
        for (int slot = Geometry.SlotOf(firstBlock); slot <= Geometry.SlotOf(lastBlock); slot++)
        {
            BlockVersion current = BlockVersion.Current(page.Bytes, slot);
            if (IsInFlight(current.Interval, current.Boot))
                MakeEverythingDurable();
            FreePlaces(page, slot);
        }
        Rebase(page);
        if (page.Group != 0)
            OpenDigest();
        BeginCommit();
    }

    private void BeginCommit()
    {
        _firstDirtySlot = GroupBlocks;
        _lastDirtySlot = -1;
        _isRecordDirty = _isHeaderDirty = _isInlineDirty = false;
        _newTableSlot = NoSlot;
    }

    /// <summary>Steps 3 to 5: entries, then the record, then the header; in one write where they are neighbours.</summary>
    private void CommitGroup(IndexPage page)
    {
        int from = EntryOffset + _firstDirtySlot * EntrySize;
        int to = EntryOffset + (_lastDirtySlot + 1) * EntrySize;
        if (_isInlineDirty)
            to = InlineOffset + _inlineLength;
        bool takesAlong = TakesDigestAlong(page) && (_isHeaderDirty || !_header.IsIndexed);
        if (takesAlong)
        {
            TakeDigestAlong(page, _firstDirtySlot, _lastDirtySlot);
            _isHeaderDirty = true;
        }
        else if (page.Group == 0 && !_isHeaderDirty)
        {
            OpenDigest();
        }
        if (!takesAlong)
            BeginIndexChange(page);
        if (_isRecordDirty)
            SealRecord(page);
        bool isHeaderHere = _isHeaderDirty && page.Group == 0;
        if (isHeaderHere)
            SealHeader(page.Bytes);

        // One write inside a page is whole for whoever comes after a kill (Replace); between writes the order of §6 counts.
        if (isHeaderHere)
        {
            WriteIndex(page, 0, to);
        }
        else if (_isRecordDirty && from <= EntryOffset + 4 * EntrySize)
        {
            WriteIndex(page, RecordOffset, to);
        }
        else
        {
            WriteIndex(page, from, to);
            if (_isRecordDirty)
                WriteIndex(page, RecordOffset, RecordOffset + RecordSize);
        }
        if (!takesAlong)
            EndIndexChange(page, _firstDirtySlot, _lastDirtySlot);
        if (_isHeaderDirty && page.Group != 0)
            WriteHeader();
        if (_isInlineDirty)
            _storedLength = Math.Max(_storedLength, to);
    }

    private void WriteIndex(IndexPage page, int from, int to)
    {
        if (to <= from)
            return;
        long offset = _geometry.IndexOffset(page.Group) + from;
        ReadOnlySpan<byte> data = page.Bytes.AsSpan(from, to - from);
        if (_newTableSlot == NoSlot)
        {
            Replace(offset, data);
            return;
        }
        int at = Geometry.TableIn(_newTableSlot, _newTableHalf);
        Span<byte> table = page.Tables.AsSpan(at, UnitTableSize);
        ReplaceWithTable(offset, data, _geometry.TablesOffset(page.Group) + at, _newTable, table);
        _newTable.CopyTo(table);
        page.ProvenTables |= 1UL << (2 * _newTableSlot + _newTableHalf);
        _newTableSlot = NoSlot;
    }
}
