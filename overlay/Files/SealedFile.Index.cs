using System;
using System.Threading;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Index pages: which groups exist, and their records.</summary>
public sealed partial class SealedFile
{
    private const int IndexPagesKept = 64;
    private const int ReadAttempts = 4;

    /// <summary>The index page of a group that exists, or null: the whole group is a hole.</summary>
    private IndexPage? FindGroup(long group)
    {
        if (_index.TryGetValue(group, out IndexPage? known))
            return known;
        IndexPage? parent = null;
        if (group > 0)
        {
            parent = FindGroup(Geometry.ParentOf(group));
            if (parent is null || !new GroupRecord(parent.Bytes).HasChild(Geometry.ChildIndexOf(group)))
                return null;
        }
        IndexPage page = new(group);
        for (int attempt = 0; ; attempt++)
        {
            ReadIndexBytes(page);
            GroupRecord record = new(page.Bytes);
            if (!record.IsZero && record.IsAuthentic(_fileId, group, _key))
                break;
            if (parent is not null && MayBeLost(new GroupRecord(parent.Bytes).Interval, new GroupRecord(parent.Bytes).Boot) &&
                (record.IsZero || MayBeLost(record.Interval, record.Boot)))
            {
                _context.Log.Write($"group {group} was lost with unsynced data in a power loss: it reads as a hole");
                return null;
            }
            if (attempt == ReadAttempts)
                throw Damage($"the record of group {group} is damaged");
            Retry(attempt);
        }
        return Keep(page);
    }

    /// <summary>The index page of a group, made if it does not exist yet. Only while writing.</summary>
    private IndexPage MakeGroup(long group)
    {
        IndexPage? page = FindGroup(group);
        if (page is not null)
            return page;
        IndexPage parent = MakeGroup(Geometry.ParentOf(group));
        page = new IndexPage(group);
        // What an earlier life of the group left in its entries says which places are in use; its bits count no more.
        ReadIndexBytes(page);
        new GroupRecord(page.Bytes).Clear();
        WriteRecord(page);
        new GroupRecord(parent.Bytes).SetChild(Geometry.ChildIndexOf(group), true);
        WriteRecord(parent);
        _index[parent.Group] = parent;
        return Keep(page);
    }

    private void WriteRecord(IndexPage page)
    {
        new GroupRecord(page.Bytes).Seal(_fileId, page.Group, _header.SyncInterval, _context.BootWord, _key);
        _context.Backing.Write(_geometry.IndexOffset(page.Group) + RecordOffset, page.Bytes.AsSpan(RecordOffset, RecordSize));
    }

    private IndexPage Keep(IndexPage page)
    {
        // Bounded and simple: a page costs one read to get back. Pages with stale slots stay until those are reclaimed.
        if (_index.Count >= IndexPagesKept)
        {
            foreach (IndexPage other in _index.Values)
                if (other.StaleSlots == 0 && other.Group != page.Group && other.Group != Geometry.ParentOf(page.Group))
                    _index.Remove(other.Group);
        }
        return _index[page.Group] = page;
    }

    private void ReadIndexBytes(IndexPage page)
    {
        int count = _context.Backing.Read(_geometry.IndexOffset(page.Group), page.Bytes);
        page.Bytes.AsSpan(count).Clear();
        if (page.Group == 0 && !_header.IsIndexed)
            page.Bytes.AsSpan(InlineOffset).Clear();
    }

    /// <summary>May this have lost a part of itself in a power loss (format §7)?</summary>
    private bool MayBeLost(ulong interval, uint boot) => boot != _context.BootWord && interval > _header.DurableInterval;

    /// <summary>A torn read is repeated, the last time under the lock, where nobody can be writing.</summary>
    private void Retry(int attempt)
    {
        if (attempt < ReadAttempts - 1)
        {
            Thread.SpinWait(64 << attempt);
        }
        else if (!_isWriting)
        {
            _context.Lock.Enter();
            _context.Lock.Exit();
        }
    }
}
