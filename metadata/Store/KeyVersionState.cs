namespace Overlay.Metadata.Store;

/// <summary>The numbers are in the store.</summary>
public enum KeyVersionState
{
    /// <summary>Wraps the keys of new files.</summary>
    Current = 1,
    /// <summary>Only unwraps what it wrapped before.</summary>
    Retired = 2,
}
