using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Space that nothing needs any more: what a killed writer had no time to free, and what nobody of us wrote.</summary>
public sealed partial class SealedFile
{
    /// <summary>Bytes of the backing file that neither the present nor the last durable state needs.</summary>
    public long CountStale(IExtentMap extents)
    {
        lock (_gate)
        {
            Revalidate();
            long bytes = 0;
            VisitStale(extents, (_, length) => bytes += length);
            return bytes;
        }
    }

    /// <summary>Gives that space back, after a sync that makes the present state the durable one. Not inside <see cref="EnterWrite"/>.</summary>
    /// <returns>Bytes freed.</returns>
    public long FreeStale(IExtentMap extents)
    {
        long bytes = 0;
        EnterWrite();
        try
        {
            _needsSettling = true;
            MakeEverythingDurable();
            VisitStale(extents, (offset, length) =>
            {
                _context.Backing.PunchHole(offset, length);
                bytes += length;
            });
        }
        catch (ErrnoException)
        {
            Distrust();
            throw;
        }
        finally
        {
            ExitWrite();
        }
        return bytes;
    }

    /// <summary>Calls back with page-aligned ranges.</summary>
    private void VisitStale(IExtentMap extents, Action<long, long> onStale)
    {
        long offset = 0;
        while (extents.TryNextExtent(offset, out long start, out offset))
        {
            while (start < offset)
            {
                long group = start / _geometry.GroupStride;
                long partEnd = Math.Min(offset, EndOfPart(group, start));
                long usedEnd = UsedEnd(group, start);
                if (usedEnd < partEnd)
                {
                    long from = (Math.Max(start, usedEnd) + PageSize - 1) / PageSize * PageSize;
                    if (from < partEnd)
                        onStale(from, partEnd - from);
                }
                start = partEnd;
            }
        }
    }

    /// <summary>The end of the index page, the tables, or the unit of a place that this offset is in.</summary>
    private long EndOfPart(long group, long offset)
    {
        long index = _geometry.IndexOffset(group);
        long inGroup = offset - index;
        if (inGroup < PageSize)
            return index + PageSize;
        const int FirstPlace = 3 * PageSize;
        return inGroup < FirstPlace ? index + FirstPlace : offset + _units.Size - (inGroup - FirstPlace) % _units.Size;
    }

    /// <summary>Up to where the part that this offset is in is needed; at or before its start: not at all.</summary>
    private long UsedEnd(long group, long offset)
    {
        if (!MayReach(group, out IndexPage? page))
            return 0;
        long index = _geometry.IndexOffset(group);
        if (page is null || offset < index + PageSize)
            return long.MaxValue;
        long inPlaces = offset - index - 3 * PageSize;
        if (inPlaces < 0)
            return _header.HasUnits ? long.MaxValue : 0;
        int place = (int)(inPlaces / _geometry.GroupSize);
        int inGroup = (int)(inPlaces % _geometry.GroupSize);
        int slot = inGroup >> _geometry.BlockSizeLog2, unit = (inGroup & (_geometry.BlockSize - 1)) >> _units.SizeLog2;
        return _geometry.PlaceOffset(page.Group, slot, place) + (unit << _units.SizeLog2) + UsedLength(page, slot, place, unit);
    }

    private int UsedLength(IndexPage page, int slot, int place, int unit)
    {
        GroupRecord record = new(page.Bytes);
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        BlockVersion durable = BlockVersion.Durable(page.Bytes, slot);
        bool isPresent = (record.Present >> slot & 1) != 0;
        bool isInBase = (record.BasePresent >> slot & 1) != 0;
        // A bit that was cleared, but not durably so, may come back with the power.
        bool isCurrentUsed = isPresent || (isInBase && IsPending(record.Interval, record.Boot));
        bool isDurableUsed = isCurrentUsed && (!isPresent || IsPending(current.Interval, current.Boot));
        int ofCurrent = isCurrentUsed ? UsedLength(page, slot, current, place, unit) : 0;
        return isDurableUsed ? Math.Max(ofCurrent, UsedLength(page, slot, durable, place, unit)) : ofCurrent;
    }

    private int UsedLength(IndexPage page, int slot, BlockVersion version, int place, int unit)
    {
        Span<uint> used = stackalloc uint[PlaceCount];
        used.Clear();
        AddUsed(page, slot, version, used);
        return (used[place] >> unit & 1) != 0 ? _units.LengthOf(unit, version.StoredLength) : 0;
    }

    /// <summary>Is the group, or was it in a state that a power loss may bring back? In the latter case without a page.</summary>
    private bool MayReach(long group, out IndexPage? page)
    {
        page = null;
        try
        {
            return FindGroup(group, out page) || MayComeBack(group);
        }
        catch (ErrnoException)
        {
            return true; // nothing is known of what lies here: all of it stays
        }
    }

    private bool FindGroup(long group, out IndexPage? page) => (page = FindGroup(group)) is not null;

    private bool MayComeBack(long group)
    {
        for (long below = group; below > 0; below = Geometry.ParentOf(below))
        {
            IndexPage? parent = FindGroup(Geometry.ParentOf(below));
            if (parent is null)
                continue;
            GroupRecord record = new(parent.Bytes);
            int child = Geometry.ChildIndexOf(below);
            return IsPending(record.Interval, record.Boot) && (record.HasBaseChild(child) || record.HasChild(child));
        }
        return false;
    }

    /// <summary>Might a power loss undo this, now or in the past?</summary>
    private bool IsPending(ulong interval, uint boot) =>
        MayBeLost(interval, boot) || (boot == _context.BootWord && interval > _header.DurableInterval);
}
