using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>A group's index page in memory; its record was authenticated when it was read.</summary>
internal sealed class IndexPage(long group)
{
    public byte[] Bytes { get; } = new byte[PageSize];

    /// <summary>The inline place (format §2) as it was read with this page; null where it was not, or may have changed.</summary>
    public byte[]? Inline { get; set; }

    /// <summary>While the group is changed: its record with the base that counts now, up to the record's end.</summary>
    public byte[] Base { get; } = new byte[RecordOffset + RecordSize];

    public long Group { get; } = group;

    /// <summary>What each slot adds to the file's digest, as it is on disk; null: nobody has asked yet.</summary>
    public ulong[]? Marks { get; set; }

    /// <summary>Slots whose versions moved: places of theirs may hold stale data (format §6).</summary>
    public uint StaleSlots { get; set; }
}
