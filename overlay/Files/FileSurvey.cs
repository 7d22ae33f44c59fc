namespace Overlay.Files;

/// <summary>Do all versions together agree with the header's digest (format §5)?</summary>
public enum DigestState
{
    /// <summary>It is not kept for this file, or damage keeps it from being checked.</summary>
    Unknown,

    /// <summary>A process is writing, or was killed while it was: what it changed is not in the sum.</summary>
    InUse,

    Exact,

    /// <summary>A version was put back to an older one, or what exists was.</summary>
    Differs,

    /// <summary>As before, or a power loss took what was not synced.</summary>
    DiffersUnsynced,
}

/// <summary>What a look at every block of a file found.</summary>
public sealed class FileSurvey
{
    public long Blocks { get; set; }

    public long CompressedBlocks { get; set; }

    public long Holes { get; set; }

    /// <summary>Blocks, and records of groups, that are damaged.</summary>
    public long DamagedBlocks { get; set; }

    /// <summary>Blocks that nobody can tell of, since the record above them is damaged.</summary>
    public long UnreachableBlocks { get; set; }

    public byte[] FileId { get; init; } = [];

    /// <summary>The header's sequence: it only grows.</summary>
    public ulong Sequence { get; set; }

    public DigestState Digest { get; set; }

    public long PlainBytes { get; set; }

    public long StoredBytes { get; set; }
}
