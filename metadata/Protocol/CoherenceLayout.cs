namespace Overlay.Metadata.Protocol;

/// <summary>The parts of <c>.overlay/coherence</c>, which all processes of a host map shared (format §8). Sizes in bytes.</summary>
/// <remarks>
/// OFFSET SIZE FIELD: 0 524,288 counters of inodes · 524,288 524,288 <see cref="LiveTable"/> · 1,048,576 262,144 write locks of inodes ·
/// 1,310,720 262,144 locks of shared offsets · 1,572,864 65,536 generations of process numbers · 1,638,400 266,240 unused: writes under way of early releases ·
/// 1,904,640 274,432 writes under way.
/// </remarks>
public static class CoherenceLayout
{
    /// <summary>Counters, locks and live words: one each for all inodes with the same <see cref="LiveTable.IndexOf"/>.</summary>
    public const int Words = LiveTable.Words;

    /// <summary>Processes that may write one volume at a time, one less.</summary>
    public const int Processes = 16_384;

    /// <summary>Index writes of one host that may be under way at a time.</summary>
    public const int RedoSlots = 64;

    /// <summary>A line that says what is written where, then room for a page and a table of units.</summary>
    public const int RedoSlotSize = 64 + 4096 + 128;

    /// <summary>Of early releases, whose slots had no room for a table.</summary>
    private const int EarlyRedoSize = RedoSlots * (64 + 4096);

    public const int LiveOffset = Words * sizeof(ulong);
    public const int InodeLocksOffset = LiveOffset + LiveTable.Size;
    public const int OffsetLocksOffset = InodeLocksOffset + Words * sizeof(uint);
    public const int GenerationsOffset = OffsetLocksOffset + Words * sizeof(uint);
    public const int RedoOffset = GenerationsOffset + Processes * sizeof(uint) + EarlyRedoSize;
    public const int Size = RedoOffset + RedoSlots * RedoSlotSize;
}
