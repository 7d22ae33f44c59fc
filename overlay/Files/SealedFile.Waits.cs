using System;
using System.Diagnostics;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>
/// Where the disk is waited for, what a read needs of it is asked for together, rather than one after the other. Where all is in memory nothing is asked:
/// it is a call for each piece.
/// </summary>
public sealed partial class SealedFile
{
    private const int IndexesAhead = 4, MostIndexesAround = 64;

    /// <summary>So many reads of the backing file without a wait, and the rest is taken to be in memory, too.</summary>
    private const int ExpectsWaitsFor = 32;

    /// <summary>Windows of <see cref="MostIndexesAround"/> index pages that are remembered: those of a file of 2 GB, and later ones instead of them.</summary>
    private const int RememberedWindows = 64;

    private int _waitsExpected;

    /// <summary>The last group whose index was asked for, in a row.</summary>
    private long _askedIndex;

    /// <summary>As many index pages are asked for together: more each time that one had to be waited for.</summary>
    private int _indexesAround = 1;

    /// <summary>Which windows were asked for, + 1; by number modulo their count.</summary>
    private long[]? _askedWindows;

    /// <summary>An index page is read with the tables behind it where there may be any: they are needed for every block in units.</summary>
    private int IndexReadSize => _header.HasUnits ? PageSize + UnitTablesSize : PageSize;

    /// <summary>Longer than a copy of so many bytes from the page cache takes: 40 us, and 2 GB/s.</summary>
    private static bool IsWait(long ticks, int length) => ticks > Stopwatch.Frequency / 25_000 + length * Stopwatch.Frequency / 2_000_000_000;

    /// <summary>Notes whether the disk was waited for.</summary>
    private int ReadWaiting(long offset, Span<byte> bytes, out bool hasWaited)
    {
        long start = Stopwatch.GetTimestamp();
        int count = ReadStored(offset, bytes);
        hasWaited = IsWait(Stopwatch.GetTimestamp() - start, count);
        _waitsExpected = hasWaited ? ExpectsWaitsFor : Math.Max(0, _waitsExpected - 1);
        return count;
    }

    /// <summary>Of the groups behind: without its index nobody knows what to ask for in a group.</summary>
    private void AskForIndexes(long group)
    {
        long first = Math.Max(_askedIndex, group) + 1, last = Math.Min(group + IndexesAhead, _geometry.LastGroup(_header.Size));
        for (long next = first; next <= last; next++)
            _context.Backing.WillRead(_geometry.IndexOffset(next), IndexReadSize);
        _askedIndex = Math.Max(_askedIndex, last);
    }

    /// <summary>
    /// The disk was waited for to learn where a group's blocks lie, and then is waited for again, for the block. Who reads here and there will want the
    /// neighbours' pages, too.
    /// </summary>
    private void AskForIndexesAround(long group)
    {
        if (!_context.Backing.HearsOfReads || !IsNewWindow(group / MostIndexesAround))
            return;
        _indexesAround = Math.Min(2 * _indexesAround, MostIndexesAround);
        long first = group / _indexesAround * _indexesAround, last = Math.Min(first + _indexesAround - 1, _geometry.LastGroup(_header.Size));
        for (long next = first; next <= last; next++)
            if (next != group && !_index.TryGet(next, out _))
                _context.Backing.WillRead(_geometry.IndexOffset(next), IndexReadSize);
    }

    /// <summary>What was asked for may be waited for all the same; asking again brings it no sooner.</summary>
    private bool IsNewWindow(long window)
    {
        if (2 * _indexesAround < MostIndexesAround)
            return true;
        _askedWindows ??= new long[RememberedWindows];
        ref long asked = ref _askedWindows[window % RememberedWindows];
        bool isNew = asked != window + 1;
        asked = window + 1;
        return isNew;
    }

    /// <summary>Asks for what a read is going to need, but for the first run of it: that is read next.</summary>
    private void AskForRest(long offset, int length)
    {
        if (_waitsExpected == 0 || offset + length <= _askedEnd || !_context.Backing.HearsOfReads)
            return;
        bool isAligned = (offset & (_geometry.BlockSize - 1)) == 0;
        long first = _geometry.BlockOf(offset), end = _geometry.BlockOf(offset + Math.Min(length, Window) - 1) + 1;
        long next = first + Math.Max(1, isAligned ? _geometry.BlockOf(length) : 0); // only whole blocks come together with others
        if (TryAskFor(first, Math.Min(next, end), isFirstRead: true))
            _ = TryAskFor(next, end, isFirstRead: false);
    }

    /// <summary>Asks for the stored bytes of these blocks. False: something is damaged, which is for those to know who read it.</summary>
    private bool TryAskFor(long block, long end, bool isFirstRead)
    {
        AskedPieces pieces = new(_context.Backing, isFirstRead);
        try
        {
            for (long next; block < end; block = next)
            {
                next = Math.Min(end, (Geometry.GroupOf(block) + 1) * GroupBlocks);
                AddInGroup(block, next, ref pieces);
            }
            pieces.Flush();
            return true;
        }
        catch (ErrnoException)
        {
            return false;
        }
    }

    private void AddInGroup(long block, long end, ref AskedPieces pieces)
    {
        IndexPage? page = FindGroup(Geometry.GroupOf(block));
        for (; page is not null && block < end; block++)
        {
            int slot = Geometry.SlotOf(block);
            BlockVersion current = BlockVersion.Current(page.Bytes, slot);
            if ((new GroupRecord(page.Bytes).Present >> slot & 1) == 0 || !current.IsSane(_geometry.BlockSize, mayBeInline: false))
                continue;
            if (current.IsInUnits)
                AddUnits(page, slot, current, ref pieces);
            else
                pieces.Add(_geometry.PlaceOffset(page.Group, slot, current.Place), current.StoredLength);
        }
    }

    private void AddUnits(IndexPage page, int slot, BlockVersion current, ref AskedPieces pieces)
    {
        if (!HasTable(page, slot, current))
            return;
        UnitTable table = TableOf(page, slot, current.Place);
        if (table.HasBase)
            AddBase(page, slot, current, table, ref pieces);
        for (int unit = 0; unit < _units.CountFor(current.StoredLength); unit++)
            if (table.PlaceOf(unit) is var place and < PlaceCount)
                pieces.Add(_geometry.PlaceOffset(page.Group, slot, place) + (unit << _units.SizeLog2), _units.LengthOf(unit, current.StoredLength));
    }

    /// <summary>It is read before the units beside it.</summary>
    private void AddBase(IndexPage page, int slot, BlockVersion current, UnitTable table, ref AskedPieces pieces)
    {
        Span<byte> record = stackalloc byte[VersionSize];
        BlockVersion old = BaseOf(current, table, record);
        if (old.IsSane(_geometry.BlockSize, mayBeInline: false))
            pieces.Add(_geometry.PlaceOffset(page.Group, slot, old.Place), old.StoredLength);
    }
}
