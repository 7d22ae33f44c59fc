namespace Overlay.Metadata.Store;

/// <summary>How far a file's row has come. The numbers are in the store.</summary>
public enum FileState
{
    /// <summary>
    /// Made durable by an agent that may hand its key out at any time. If that agent was killed it may have: such a row is
    /// never handed out again, and only a look at the volume's files tells whether it is in use.
    /// </summary>
    Pool = 0,
    /// <summary>A program has the key; no file is known yet.</summary>
    Handed = 1,
    /// <summary>A file with this id was created.</summary>
    Live = 2,
}
