namespace Overlay.Metadata.Keys;

/// <summary>What became of wrapped keys in one copy of the store.</summary>
/// <param name="Left">How many of them were found after cleaning.</param>
internal sealed record CopyResult(string Path, CopyState State, long Scanned, int Left)
{
    internal string Reason { get; init; } = "";
}
