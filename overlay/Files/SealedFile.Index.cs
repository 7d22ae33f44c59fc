using System;
using System.Threading;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Index pages: which groups exist, and their records.</summary>
public sealed partial class SealedFile
{
    private const int ReadAttempts = 4;

    /// <summary>The index page of a group that exists, or null: the whole group is a hole.</summary>
    private IndexPage? FindGroup(long group)
    {
        if (_index.TryGet(group, out IndexPage? known))
            return known;
        IndexPage? parent = null;
        if (group > 0)
        {
            parent = FindGroup(Geometry.ParentOf(group));
            if (parent is null || !new GroupRecord(parent.Bytes).HasChild(Geometry.ChildIndexOf(group)))
                return null;
        }
        IndexPage page = IndexPage.Rent(group);
        for (int attempt = 0; ; attempt++)
        {
            ReadIndexAndTables(page);
            GroupRecord record = new(page.Bytes);
            bool isAuthentic = !record.IsZero && record.IsAuthentic(_fileId, group, KeyOf(record));
            bool mayBeLost = parent is not null && IsYoungChild(parent, group);
            if (isAuthentic && !(mayBeLost && record.Interval <= new GroupRecord(parent!.Bytes).BaseInterval))
                break;
            if (attempt < ReadAttempts && !_isWriting)
            {
                Retry(attempt);
                LookForNewKey();
                continue;
            }
            if (!mayBeLost)
                throw Damage($"the record of group {group} is damaged");
            _context.Log.Write($"group {group} was lost with unsynced data in a power loss: it reads as a hole");
            return null;
        }
        return _index.Keep(page, _groupInHand);
    }

    /// <summary>The index page of a group, made if it does not exist yet. Only while writing.</summary>
    private IndexPage MakeGroup(long group)
    {
        IndexPage? page = FindGroup(group);
        if (page is not null)
            return page;
        IndexPage parent = MakeGroup(Geometry.ParentOf(group));
        int child = Geometry.ChildIndexOf(group);
        page = IndexPage.Rent(group);
        _ = page.MakeMarks(); // whatever is in it does not exist
        ReadIndexBytes(page);
        Rebase(parent);
        GroupRecord record = new(page.Bytes);
        // While the last durable state has the group, its blocks are needed; afterwards an earlier life of it counts no more.
        bool isNeeded = new GroupRecord(parent.Base).HasBaseChild(child) && record.IsAuthentic(_fileId, group, KeyOf(record));
        if (isNeeded)
        {
            Rebase(page);
            Rebase(parent);
            isNeeded = new GroupRecord(parent.Base).HasBaseChild(child);
        }
        if (isNeeded)
        {
            record.ClearBits();
        }
        else
        {
            record.Clear();
            Rebase(page);
        }
        WriteRecord(page);
        new GroupRecord(parent.Bytes).SetChild(child, true);
        WriteRecord(parent);
        _index.Keep(parent, _groupInHand);
        return _index.Keep(page, _groupInHand);
    }

    /// <summary>After <see cref="Rebase"/> and a change of bits.</summary>
    private void WriteRecord(IndexPage page)
    {
        const int NoSlot = -1;
        if (TakesDigestAlong(page))
        {
            // Header and record are neighbours in one sector.
            TakeDigestAlong(page, NoSlot, NoSlot);
            SealRecord(page);
            SealHeader(page.Bytes);
            Replace(0, page.Bytes.AsSpan(0, RecordOffset + RecordSize));
            return;
        }
        BeginIndexChange(page);
        SealRecord(page);
        Replace(_geometry.IndexOffset(page.Group) + RecordOffset, page.Bytes.AsSpan(RecordOffset, RecordSize));
        EndIndexChange(page, NoSlot, NoSlot);
    }

    private void SealRecord(IndexPage page)
    {
        GroupRecord record = new(page.Bytes);
        record.CopyBaseFrom(new GroupRecord(page.Base));
        record.Seal(_fileId, page.Group, _header.SyncInterval, _context.BootWord, _key);
    }

    private void ReadIndexBytes(IndexPage page)
    {
        int count = ReadStored(_geometry.IndexOffset(page.Group), page.Bytes);
        page.Bytes.AsSpan(count).Clear();
        SplitInline(page);
    }

    /// <summary>All that says where the group's blocks lie, in one read: the tables lie behind the page.</summary>
    private void ReadIndexAndTables(IndexPage page)
    {
        using Scratch scratch = ScratchPool.Rent(PageSize + UnitTablesSize);
        Span<byte> bytes = scratch.Span[..IndexReadSize];
        bool hasWaited;
        try
        {
            int count = ReadWaiting(_geometry.IndexOffset(page.Group), bytes, out hasWaited);
            bytes[count..].Clear();
        }
        catch (ErrnoException) when (bytes.Length > PageSize)
        {
            page.ForgetTables(); // if they cannot be read, those who need them will say so
            ReadIndexBytes(page);
            return;
        }
        bytes[..PageSize].CopyTo(page.Bytes);
        SplitInline(page);
        page.ForgetTables();
        if (bytes.Length > PageSize)
        {
            bytes[PageSize..].CopyTo(page.RoomForTables());
            page.KeepTables();
        }
        if (hasWaited)
            AskForIndexesAround(page.Group);
    }

    /// <summary>Inline data is kept beside the page: where entries would be are none.</summary>
    private void SplitInline(IndexPage page)
    {
        page.ForgetInline();
        if (page.Group != 0 || _header.IsIndexed)
            return;
        page.KeepInline();
        page.Bytes.AsSpan(InlineOffset).Clear();
    }

    /// <summary>May this have lost a part of itself in a power loss (format §7)?</summary>
    private bool MayBeLost(ulong interval, uint boot) =>
        boot != _context.BootWord && !IsOfThisBoot && (interval > _header.DurableInterval || _header.Lost.Contains(interval));

    /// <summary>Made in this boot: nothing of it can have been lost, whatever an entry that was changed says of another boot.</summary>
    private bool IsOfThisBoot => _header.Boot == _context.BootWord && _header.Lost.Last == 0;

    /// <summary>A torn read is repeated, the last time under the lock, where nobody can be writing.</summary>
    private void Retry(int attempt)
    {
        if (attempt < ReadAttempts - 1)
        {
            Thread.SpinWait(64 << attempt);
        }
        else if (!_isWriting)
        {
            FinishKilledWriteUnderLock();
        }
    }
}
