namespace Overlay.Files;

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

    public long PlainBytes { get; set; }

    public long StoredBytes { get; set; }
}
