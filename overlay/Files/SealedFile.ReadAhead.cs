using System;
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

    /// <summary>Where the reads that go on in a row began, and where the last one ended.</summary>
    private long _rowStart, _readEnd;

    /// <summary>What lies before was asked for; and until where asking pays.</summary>
    private long _askedEnd, _coldEnd;

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

    /// <summary>A block's stored bytes; where the disk was waited for, what follows in a row is asked for.</summary>
    private int ReadPlace(long offset, Span<byte> text)
    {
        int count = ReadWaiting(offset, text, out bool hasWaited);
        if (hasWaited)
            _coldEnd = _readEnd + ColdFor;
        return count;
    }

    /// <summary>Asks for what follows, where reads go on where the last one ended, or behind the rest of its block: that may have come from the cache, unseen.</summary>
    private void LookAhead(long offset, int length)
    {
        long blockEnd = (_readEnd + _geometry.BlockSize - 1) & -_geometry.BlockSize;
        if (offset < _readEnd || offset > blockEnd)
            (_rowStart, _askedEnd, _coldEnd, _askedIndex) = (offset, 0, 0, 0);
        _readEnd = offset + length;
        long window = Math.Min(Window, 2 * (_readEnd - _rowStart));
        if (_readEnd >= _coldEnd || window < 2 * LeastRow || _readEnd + window - _askedEnd < Math.Min(Step, window) || !_context.Backing.HearsOfReads)
            return;
        long block = _geometry.BlockOf(Math.Max(_askedEnd, _readEnd) + _geometry.BlockSize - 1);
        long end = _geometry.BlockOf(Math.Min(_readEnd + window, _header.Size) - 1) + 1;
        _askedEnd = _readEnd + window;
        for (long group = Geometry.GroupOf(block); group <= Geometry.GroupOf(end - 1); group++)
            AskForIndexes(group);
        if (!TryAskFor(block, end, isFirstRead: false))
            _coldEnd = 0; // this read may end before it
    }
}
