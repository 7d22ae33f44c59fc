namespace Overlay.Files;

/// <summary>What a look at every block of a file found.</summary>
public sealed class FileSurvey
{
    public long Blocks { get; set; }

    public long CompressedBlocks { get; set; }

    public long Holes { get; set; }

    public long DamagedBlocks { get; set; }

    public long PlainBytes { get; set; }

    public long StoredBytes { get; set; }
}
