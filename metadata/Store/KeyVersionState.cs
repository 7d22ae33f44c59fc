namespace Overlay.Metadata.Store;

/// <summary>The numbers are in the store.</summary>
public enum KeyVersionState
{
    /// <summary>Wraps the keys of new files.</summary>
    Current = 1,
    /// <summary>Only unwraps what it wrapped before.</summary>
    Retired = 2,
    /// <summary>Wraps nothing any more; no copy of it is left here.</summary>
    Destroyed = 3,
}
