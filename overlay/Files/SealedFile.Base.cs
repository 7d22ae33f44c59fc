using System;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>What of a group is on disk in any case, and what a power loss may have taken (format §5 to §7).</summary>
public sealed partial class SealedFile
{
    /// <summary>Is there, or will there be as soon as a sync has ended, anything that a power loss must not take?</summary>
    private bool HasDurableState => _header.SyncInterval > 1;

    /// <summary>
    /// Before bits of a group change: works out the base that the next record gets. The first change in a boot also drops what
    /// the last power loss took.
    /// </summary>
    private void Rebase(IndexPage page)
    {
        _groupInHand = page.Group;
        KnowMarks(page);
        GroupRecord record = new(page.Bytes);
        if (IsInFlight(record.Interval, record.Boot))
            MakeEverythingDurable();
        GroupRecord next = new(page.Base);
        if (record.Boot == _context.BootWord && record.Interval > _header.DurableInterval)
        {
            next.CopyBaseFrom(record);
            return;
        }
        bool mayBeLost = !record.IsZero && MayBeLost(record.Interval, record.Boot);
        if (mayBeLost)
            DropWhatWasLost(page);
        next.CopyBitsFrom(record);
        next.Rebase(Math.Max(_header.DurableInterval, _header.Lost.Last));
        if (mayBeLost)
            WriteRecord(page);
    }

    /// <summary>
    /// Written before a sync that has not ended. An entry or a record remembers one durable state only: before what may become
    /// the next one is replaced, that sync's work is done here.
    /// </summary>
    private bool IsInFlight(ulong interval, uint boot) =>
        boot == _context.BootWord && interval > _header.DurableInterval && interval < _header.SyncInterval;

    /// <summary>After a power loss: bits whose blocks or groups did not land are cleared, and what an earlier life left.</summary>
    private void DropWhatWasLost(IndexPage page)
    {
        GroupRecord record = new(page.Bytes);
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
        for (int slot = 0; record.Present >> slot != 0; slot++)
        {
            if (!IsYoung(page, slot))
                continue;
            BlockVersion durable = BlockVersion.Durable(page.Bytes, slot);
            if (IsOfEarlierLife(page, slot, durable))
                durable.Clear();
            Span<byte> plain = scratch.Span[.._geometry.BlockSize];
            if (!IsThere(page, slot, BlockVersion.Current(page.Bytes, slot), plain) && !IsThere(page, slot, durable, plain))
                record.Present &= ~(1U << slot);
        }
        for (int child = 0; child < ChildrenPerGroup; child++)
        {
            if (!IsYoungChild(page, page.Group * ChildrenPerGroup + 1 + child) || FindGroup(page.Group * ChildrenPerGroup + 1 + child) is not null)
                continue;
            GiveUpDigest(); // what was below is not known any more
            record.SetChild(child, false);
        }
        int end = page.Group == 0 && !_header.IsIndexed ? InlineOffset : PageSize;
        WriteIndex(page, EntryOffset, end);
    }

    private bool IsThere(IndexPage page, int slot, BlockVersion version, Span<byte> plain) =>
        !IsOfEarlierLife(page, slot, version) &&
        TryOpenVersion(version, page, slot, page.Group * GroupBlocks + slot, plain, out _);

    /// <summary>A slot that may have got its bit without its entry: the bit is younger than what is surely on disk.</summary>
    private bool IsYoung(IndexPage page, int slot)
    {
        GroupRecord record = new(page.Bytes);
        return MayBeLost(record.Interval, record.Boot) && ((record.Present & ~record.BasePresent) >> slot & 1) != 0;
    }

    /// <summary>What a young slot held before the state that is surely on disk, in which it was a hole.</summary>
    private bool IsOfEarlierLife(IndexPage page, int slot, BlockVersion version) =>
        IsYoung(page, slot) && version.Interval <= new GroupRecord(page.Bytes).BaseInterval;

    private bool IsYoungChild(IndexPage parent, long group)
    {
        GroupRecord record = new(parent.Bytes);
        int child = Geometry.ChildIndexOf(group);
        return MayBeLost(record.Interval, record.Boot) && record.HasChild(child) && !record.HasBaseChild(child);
    }

    /// <summary>Before an entry is replaced: what it says of the durable state, where a power loss or an earlier life garbled it.</summary>
    private void ResolveEntry(IndexPage page, int slot, long block)
    {
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        BlockVersion durable = BlockVersion.Durable(page.Bytes, slot);
        bool isPresent = (new GroupRecord(page.Bytes).Present >> slot & 1) != 0;
        if ((new GroupRecord(page.Base).BasePresent >> slot & 1) == 0)
        {
            durable.Clear();
            if (!isPresent)
                current.Clear();
            return;
        }
        if (current.IsZero || !MayBeLost(current.Interval, current.Boot))
            return;
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
        if (!TryOpenVersion(current, page, slot, block, scratch.Span[.._geometry.BlockSize], out _))
            current.CopyFrom(durable);
    }

    /// <summary>Of an entry that was resolved: what another boot left is on disk, or it could not be read.</summary>
    private bool IsOnDisk(BlockVersion version) =>
        version.Boot != _context.BootWord || version.Interval <= _header.DurableInterval;
}
