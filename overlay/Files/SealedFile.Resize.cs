using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Truncation, growth and holes.</summary>
public sealed partial class SealedFile
{
    /// <summary>In groups up to this one nothing lies beyond the size; -1: not known.</summary>
    private long _clearUpToGroup = -1;

    /// <summary>Beyond this no backing file system can hold the places.</summary>
    public const long GreatestSize = long.MaxValue / 8;

    /// <summary>Cuts or extends with a hole. Inside <see cref="EnterWrite"/>.</summary>
    public void SetLength(long length)
    {
        if (length > GreatestSize)
            throw new ErrnoException(Errno.EFBIG, "the file would be too large");
        try
        {
            _needsSettling = true;
            if (_storedLength < 0)
                _storedLength = _context.Backing.Length;
            if (length > _header.Size)
                Grow(length);
            else if (length == _header.Size)
                _context.Backing.SetLength(_storedLength); // changes nothing but the times, as ftruncate does
            else if (length == 0 && !HasDurableState)
                Reset();
            else
                BeginTruncation(length);
        }
        catch
        {
            Distrust();
            throw;
        }
    }

    /// <summary>Makes a range read as zeros; the size stays. Inside <see cref="EnterWrite"/>.</summary>
    public void PunchHole(long offset, long length)
    {
        long end = Math.Min(offset + length, _header.Size);
        try
        {
            _needsSettling = true;
            if (_storedLength < 0)
                _storedLength = _context.Backing.Length;
            ClearBeyondSize(end);
            while (offset < end)
            {
                long group = Geometry.GroupOf(_geometry.BlockOf(offset));
                long groupEnd = Math.Min((group + 1) * _geometry.GroupSize, end);
                IndexPage? page = FindGroup(group);
                if (page is not null)
                    PunchInGroup(page, offset, groupEnd);
                offset = groupEnd;
            }
            RenewStamp();
        }
        catch
        {
            Distrust();
            throw;
        }
    }

    private void Grow(long length)
    {
        Unsettle(length);
        ClearBeyondSize(length);
        if (length > _geometry.BlockSize && !_header.IsIndexed)
            TurnIndexOn();
        _header.Size = length;
        WriteHeader();
    }

    /// <summary>Nothing here is durable: back to an empty file, in one write of a sector.</summary>
    private void Reset()
    {
        Unsettle(_header.Size);
        IndexPage page = FindGroup(0)!;
        page.Bytes.AsSpan(RecordOffset).Clear();
        page.ForgetMarks();
        page.ForgetInline();
        page.ForgetTables();
        _stale.Clear();
        _header.Size = 0;
        _header.IsIndexed = _header.HasUnits = _header.HasBases = false;
        _header.TruncatedFrom = 0;
        _header.Digest = _header.Digest.Restart(0);
        _isDigestOpen = false;
        Rebase(page);
        SealRecord(page);
        SealHeader(page.Bytes);
        Replace(0, page.Bytes.AsSpan(0, SectorSize));
        _context.Backing.SetLength(InlineOffset);
        _storedLength = InlineOffset;
        _index.Clear();
        _index.Keep(page, neededGroup: 0);
        RenewStamp();
        _incompressibleRun = 0;
    }

    private void BeginTruncation(long length)
    {
        Unsettle(_header.Size);
        ClearBeyondSize(_header.Size + 1);
        // What goes is not subtracted then: the end of the truncation starts the digest anew.
        bool opensDigest = length == 0 && CountWriter();
        _header.TruncatedFrom = _header.Size;
        _header.Size = length;
        WriteHeader();
        _isDigestOpen |= opensDigest;
        FinishTruncation();
    }

    /// <summary>What follows the header in a truncation; also done by whoever finds one that was killed (format §6).</summary>
    private void FinishTruncation()
    {
        if (_header.TruncatedFrom == 0)
            return;
        _needsSettling = true;
        if (_storedLength < 0)
            _storedLength = _context.Backing.Length;
        ShortenLastBlock();
        RenewStamp();
        ClearGroups(_geometry.LastGroup(_header.TruncatedFrom));
        _header.TruncatedFrom = 0;
        if (_header.Size == 0)
        {
            _header.Digest = _header.Digest.Restart(0);
            _isDigestOpen = false;
        }
        WriteHeader();
    }

    /// <summary>
    /// A writer that failed or died before its header may have left data beyond the size (format §6): it goes before the last
    /// block changes or the size grows over it.
    /// </summary>
    private void ClearBeyondSize(long upTo)
    {
        long lastGroup = _geometry.LastGroup(Math.Max(upTo, _header.Size));
        if (lastGroup <= _clearUpToGroup || upTo <= _header.Size / _geometry.BlockSize * _geometry.BlockSize)
            return;
        bool isChanged = _clearUpToGroup < 0 && ShortenLastBlock();
        isChanged |= ClearGroups(lastGroup);
        if (isChanged)
        {
            RenewStamp();
            // If what comes now outlived a power loss alone, it would uncover what was just cleared.
            if (HasDurableState)
                MakeEverythingDurable();
        }
        _clearUpToGroup = lastGroup;
    }

    /// <summary>Clears the bits of blocks and groups between the size and the end of a group.</summary>
    /// <returns>Was there any?</returns>
    private bool ClearGroups(long upToGroup)
    {
        long lastGroup = _geometry.LastGroup(_header.Size);
        long lastParent = Math.Min(lastGroup, Geometry.ParentOf(Math.Max(1, upToGroup)));
        bool isChanged = ClearBits(lastGroup, lastGroup);
        for (long parent = lastGroup / ChildrenPerGroup; parent <= lastParent; parent++)
            isChanged |= ClearBits(parent, lastGroup);
        _index.RemoveBehind(lastGroup);
        return isChanged;
    }

    private bool ShortenLastBlock()
    {
        int tail = (int)(_header.Size % _geometry.BlockSize);
        if (tail == 0)
            return false;
        long block = _geometry.BlockOf(_header.Size);
        if (IsSurelyShort(block, tail))
            return false;
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
        int length = OpenBlock(block, scratch.Span[.._geometry.BlockSize]);
        if (length <= tail)
            return false;
        IndexPage page = FindGroup(Geometry.GroupOf(block))!;
        BeginGroup(page, block, block);
        WriteBlock(page, block, scratch.Span[..tail], mayCompress: true, mayBeInline: true);
        CommitGroup(page);
        return true;
    }

    /// <summary>Tells it from the entry alone.</summary>
    private bool IsSurelyShort(long block, int length)
    {
        IndexPage? page = FindGroup(Geometry.GroupOf(block));
        int slot = Geometry.SlotOf(block);
        if (page is null || (new GroupRecord(page.Bytes).Present >> slot & 1) == 0)
            return true;
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        return current.Kind != StoredKind.Lz4 && current.StoredLength <= length && !MayBeLost(current.Interval, current.Boot);
    }

    /// <summary>Clears, in one group's record, what lies beyond the size.</summary>
    private bool ClearBits(long group, long lastGroup)
    {
        IndexPage? page = FindGroup(group);
        if (page is null)
            return false;
        GroupRecord record = new(page.Bytes);
        long firstDeadSlot = (_header.Size + _geometry.BlockSize - 1) / _geometry.BlockSize - group * GroupBlocks;
        uint alive = firstDeadSlot <= 0 ? 0 : firstDeadSlot >= GroupBlocks ? ~0U : (1U << (int)firstDeadSlot) - 1;
        int firstDeadChild = (int)Math.Clamp(lastGroup - group * ChildrenPerGroup, 0, ChildrenPerGroup);
        bool hasDeadChild = false, hasChildren = record.HasChildren;
        for (int child = firstDeadChild; hasChildren && child < ChildrenPerGroup; child++)
            hasDeadChild |= record.HasChild(child);
        if ((record.Present & ~alive) == 0 && !hasDeadChild)
            return false;
        Rebase(page);
        if (hasDeadChild && !(_header.Size == 0 && _header.TruncatedFrom > 0))
            SubtractBelow(page, firstDeadChild);
        NoteStale(group, record.Present & ~alive);
        record.Present &= alive;
        for (int child = firstDeadChild; child < ChildrenPerGroup; child++)
            record.SetChild(child, false);
        WriteRecord(page);
        return true;
    }

    private void PunchInGroup(IndexPage page, long offset, long end)
    {
        GroupRecord record = new(page.Bytes);
        uint cleared = 0;
        while (offset < end)
        {
            long block = _geometry.BlockOf(offset);
            long start = block << _geometry.BlockSizeLog2;
            long stop = Math.Min(start + _geometry.BlockSize, end);
            uint bit = 1U << Geometry.SlotOf(block);
            bool isWhole = offset == start && (stop == start + _geometry.BlockSize || stop == _header.Size);
            if ((record.Present & bit) != 0 && isWhole)
                cleared |= bit;
            else if ((record.Present & bit) != 0)
                ZeroPart(page, block, (int)(offset - start), (int)(stop - start));
            offset = stop;
        }
        if (cleared == 0)
            return;
        Rebase(page);
        record.Present &= ~cleared;
        NoteStale(page.Group, cleared);
        WriteRecord(page);
        // A file of which nothing is inline any more must not say its size as if it were (format §8).
        if (page.Group == 0 && _storedLength <= PageSize)
            Unsettle(_header.Size);
    }

    private void ZeroPart(IndexPage page, long block, int from, int to)
    {
        int length = (int)Math.Min(_header.Size - (block << _geometry.BlockSizeLog2), _geometry.BlockSize);
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
        Span<byte> plain = scratch.Span[..length];
        ReadWholeBlock(block, length, plain);
        plain[from..Math.Min(to, length)].Clear();
        BeginGroup(page, block, block);
        WriteBlock(page, block, plain, mayCompress: true, mayBeInline: true);
        CommitGroup(page);
    }
}
