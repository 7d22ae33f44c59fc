using System;
using System.Threading;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>A group's index page in memory; its record was authenticated when it was read.</summary>
internal sealed class IndexPage
{
    /// <summary>Of files that were closed, for those opened next: 8 KiB for each small file would keep the collector busy.</summary>
    private static readonly IndexPage?[] s_spare = new IndexPage?[8];

    private byte[]? _inlineRoom, _tablesRoom;
    private ulong[]? _marksRoom;

    private IndexPage(long group) => Group = group;

    public byte[] Bytes { get; } = new byte[PageSize];

    /// <summary>The inline place (format §2) as it was read with this page; null where it was not, or may have changed.</summary>
    public byte[]? Inline { get; private set; }

    /// <summary>The group's tables of units (format §6); null: nobody has asked yet.</summary>
    public byte[]? Tables { get; private set; }

    /// <summary>Bit 2 × slot + half: the version of the slot that this table is of vouches for it.</summary>
    public ulong ProvenTables { get; set; }

    /// <summary>While the group is changed: its record with the base that counts now, up to the record's end.</summary>
    public byte[] Base { get; } = new byte[RecordOffset + RecordSize];

    public long Group { get; private set; }

    /// <summary>Slots of which all places have room on the disk.</summary>
    public uint PreparedSlots { get; set; }

    /// <summary>What each slot adds to the file's digest, as it is on disk; null: nobody has asked yet.</summary>
    public ulong[]? Marks { get; private set; }

    /// <summary>All zero.</summary>
    public static IndexPage Rent(long group)
    {
        for (int i = 0; i < s_spare.Length; i++)
        {
            IndexPage? page = Interlocked.Exchange(ref s_spare[i], null);
            if (page is null)
                continue;
            page.Group = group;
            return page;
        }
        return new IndexPage(group);
    }

    /// <summary>Nobody uses it any more.</summary>
    public void Return()
    {
        Bytes.AsSpan().Clear();
        Base.AsSpan().Clear();
        Inline = null;
        Tables = null;
        ForgetMarks();
        PreparedSlots = 0;
        for (int i = 0; i < s_spare.Length; i++)
            if (Interlocked.CompareExchange(ref s_spare[i], this, null) is null)
                return;
    }

    public void KeepInline()
    {
        Inline = _inlineRoom ??= new byte[InlineSize];
        Bytes.AsSpan(InlineOffset).CopyTo(Inline);
    }

    public void ForgetInline() => Inline = null;

    /// <summary>For what is read; it counts from <see cref="KeepTables"/> on, not where the reading fails.</summary>
    public byte[] RoomForTables() => _tablesRoom ??= new byte[UnitTablesSize];

    public void KeepTables()
    {
        ProvenTables = 0;
        Tables = _tablesRoom;
    }

    public void ForgetTables() => Tables = null;

    /// <summary>All zero: nothing of the group counts yet.</summary>
    public ulong[] MakeMarks()
    {
        Marks = _marksRoom ??= new ulong[GroupBlocks];
        Marks.AsSpan().Clear();
        return Marks;
    }

    public void ForgetMarks() => Marks = null;
}
