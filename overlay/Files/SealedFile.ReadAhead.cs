using System;
using System.Diagnostics;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>
/// Reading in rows: raw blocks that are neighbours come with one call, what comes next is asked for before it is needed, and a file that is read
/// as a whole more than once is kept.
/// </summary>
/// <remarks>
/// Compressed blocks have holes between them, which end the kernel's own reading ahead: then each block would wait for the disk by itself. Asking
/// is a call for each block, so it is done only where the disk was waited for lately.
/// </remarks>
public sealed partial class SealedFile
{
    private const int GreatestRun = 256 << 10;

    /// <summary>Logical bytes.</summary>
    private const long Window = 2 << 20, Step = 256 << 10, ColdFor = 16 << 20;

    /// <summary>How much of one read is looked at as if it were a read of its own; and what makes a row.</summary>
    private const int LookStep = 128 << 10, LeastRow = 64 << 10;

    private const int IndexesAhead = 4, MostIndexesAround = 64;

    /// <summary>Longer than a copy of so many bytes from the page cache takes: 40 us, and 2 GB/s.</summary>
    private static bool IsWait(long ticks, int length) => ticks > Stopwatch.Frequency / 25_000 + length * Stopwatch.Frequency / 2_000_000_000;

    /// <summary>Where the reads that go on in a row began, and where the last one ended.</summary>
    private long _rowStart, _readEnd;

    /// <summary>What lies before was asked for; and until where asking pays.</summary>
    private long _askedEnd, _coldEnd;

    /// <summary>The last group whose index was asked for.</summary>
    private long _askedIndex;

    /// <summary>As many index pages are asked for together: more each time that one had to be waited for.</summary>
    private int _indexesAround = 1;

    /// <summary>Blocks that were read as a whole, of a file that fits into the cache.</summary>
    private BlockSet _wereRead;

    /// <summary>Have these blocks been read before, in a file that fits into the cache? Whoever copies a file reads none twice.</summary>
    private bool AreReadAgain(long block, int count)
    {
        if (!_context.Cache.MayHold(_header.Size))
            return false;
        long end = block + count;
        bool areAll = true;
        for (; block < end; block++)
        {
            if (_wereRead.Contains(block))
                continue;
            _wereRead.Add(block, _geometry.BlockOf(_header.Size));
            areAll = false;
        }
        return areAll && _context.Cache.TryMakeRoom(_header.Size);
    }

    /// <summary>Opens raw blocks that lie side by side, all of it or none; 0: this block is alone, or something is wrong with one.</summary>
    private int OpenRawRun(long block, Span<byte> target)
    {
        int wanted = Math.Min(Math.Min(target.Length, GreatestRun) >> _geometry.BlockSizeLog2, GroupBlocks - Geometry.SlotOf(block));
        IndexPage? page = wanted < 2 ? null : FindGroup(Geometry.GroupOf(block));
        if (page is null || !IsWholeAndRaw(page, Geometry.SlotOf(block), out int place))
            return 0;
        int count = 1;
        while (count < wanted && IsWholeAndRaw(page, Geometry.SlotOf(block + count), out int next) && next == place)
            count++;
        if (count < 2)
            return 0;
        using Scratch scratch = ScratchPool.Rent(count << _geometry.BlockSizeLog2);
        Span<byte> text = scratch.Span[..(count << _geometry.BlockSizeLog2)];
        if (ReadPlace(_geometry.PlaceOffset(page.Group, Geometry.SlotOf(block), place), text) != text.Length)
            return 0;
        for (int i = 0; i < count; i++)
        {
            int at = i << _geometry.BlockSizeLog2;
            BlockVersion version = BlockVersion.Current(page.Bytes, Geometry.SlotOf(block + i));
            if (!version.TryOpen(_fileId, block + i, KeyOf(version), text[at..], target[at..]))
                return i; // the first that is not right is looked at by itself
        }
        return count;
    }

    private bool IsWholeAndRaw(IndexPage page, int slot, out int place)
    {
        place = 0;
        if ((new GroupRecord(page.Bytes).Present >> slot & 1) == 0)
            return false;
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        place = current.Place;
        return current.Kind == StoredKind.Raw && current.StoredLength == _geometry.BlockSize && place != InlinePlace &&
            current.IsSane(_geometry.BlockSize, mayBeInline: false) && !IsOfEarlierLife(page, slot, current);
    }

    /// <summary>A block's stored bytes; notes whether the disk was waited for.</summary>
    private int ReadPlace(long offset, Span<byte> text)
    {
        long start = Stopwatch.GetTimestamp();
        int count = ReadStored(offset, text);
        if (IsWait(Stopwatch.GetTimestamp() - start, count))
            _coldEnd = _readEnd + ColdFor;
        return count;
    }

    /// <summary>Asks for what follows, where reads go on where the last one ended.</summary>
    private void LookAhead(long offset, int length)
    {
        if (offset != _readEnd)
            (_rowStart, _askedEnd, _coldEnd, _askedIndex) = (offset, 0, 0, 0);
        _readEnd = offset + length;
        long window = Math.Min(Window, 2 * (_readEnd - _rowStart));
        if (_readEnd >= _coldEnd || window < 2 * LeastRow || _readEnd + window - _askedEnd < Math.Min(Step, window) || !_context.Backing.HearsOfReads)
            return;
        long block = _geometry.BlockOf(Math.Max(_askedEnd, _readEnd) + _geometry.BlockSize - 1);
        long end = _geometry.BlockOf(Math.Min(_readEnd + window, _header.Size) - 1) + 1;
        _askedEnd = _readEnd + window;
        try
        {
            while (block < end)
                block = AskInGroup(block, Math.Min(end, (Geometry.GroupOf(block) + 1) * GroupBlocks));
        }
        catch (ErrnoException)
        {
            // Whoever reads what is damaged there is told; this read may end before it.
            _coldEnd = 0;
        }
    }

    /// <summary>Of the groups behind: without its index nobody knows what to ask for in a group.</summary>
    private void AskForIndexes(long group)
    {
        long first = Math.Max(_askedIndex, group) + 1, last = Math.Min(group + IndexesAhead, _geometry.LastGroup(_header.Size));
        for (long next = first; next <= last; next++)
            _context.Backing.WillRead(_geometry.IndexOffset(next), PageSize);
        _askedIndex = Math.Max(_askedIndex, last);
    }

    /// <summary>
    /// The disk was waited for to learn where a group's blocks lie, and then is waited for again, for the block. Who reads here and there will want the
    /// neighbours' pages, too.
    /// </summary>
    private void AskForIndexesAround(long group)
    {
        if (!_context.Backing.HearsOfReads)
            return;
        _indexesAround = Math.Min(2 * _indexesAround, MostIndexesAround);
        long first = group / _indexesAround * _indexesAround, last = Math.Min(first + _indexesAround - 1, _geometry.LastGroup(_header.Size));
        for (long next = first; next <= last; next++)
            if (next != group && !_index.TryGet(next, out _))
                _context.Backing.WillRead(_geometry.IndexOffset(next), PageSize);
    }

    /// <summary>The stored bytes of these blocks, neighbours together, and the indexes of groups behind theirs.</summary>
    private long AskInGroup(long block, long end)
    {
        IndexPage? page = FindGroup(Geometry.GroupOf(block));
        if (page is null)
            return end;
        AskForIndexes(page.Group);
        long start = 0, stop = 0;
        for (; block < end; block++)
        {
            int slot = Geometry.SlotOf(block);
            BlockVersion current = BlockVersion.Current(page.Bytes, slot);
            if ((new GroupRecord(page.Bytes).Present >> slot & 1) == 0 || current.IsInUnits ||
                !current.IsSane(_geometry.BlockSize, mayBeInline: false))
                continue; // units are for files that are not read in rows
            long offset = _geometry.PlaceOffset(page.Group, slot, current.Place);
            if (offset != stop && stop > start)
                _context.Backing.WillRead(start, stop - start);
            start = offset == stop ? start : offset;
            stop = offset + current.StoredLength;
        }
        if (stop > start)
            _context.Backing.WillRead(start, stop - start);
        return end;
    }
}
