namespace Overlay.Metadata.Keys;

/// <summary>How it stands with a copy of the store.</summary>
internal enum CopyState
{
    /// <summary>Nothing of the keys is left.</summary>
    Clean,
    /// <summary>There is no file of that name any more.</summary>
    Missing,
    /// <summary>It is the store of another volume.</summary>
    Foreign,
    /// <summary>It could not be opened or changed.</summary>
    Unreachable,
    /// <summary>Something is left: another process holds the log, most likely.</summary>
    Remains,
}
