using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Keys;

/// <summary>A file's row, as far as a change of the volume key is concerned: a value, since there are millions of them.</summary>
internal readonly record struct WrappedKey(long Row, byte[] FileId, byte[] Old, byte[]? New)
{
    /// <summary>Under the next volume key; without a new one if it does not unwrap.</summary>
    internal WrappedKey Rewrap(FileKeyWrap from, int fromVersion, FileKeyWrap to, int toVersion) =>
        this with { New = from.TryRewrap(FileId, fromVersion, Old, to, toVersion) };
}
