namespace Overlay.Files;

public enum OpenStatus
{
    Ok,

    /// <summary>0 bytes: its creator has not written a header yet (format §2).</summary>
    Newborn,

    /// <summary>The header's magic is not there: plaintext or another program's file.</summary>
    NotSealed,

    UnsupportedVersion,
    ForeignVolume,
    NoKey,
    WrongKey,
    Damaged,
}

/// <param name="Reason">For the log line; empty if all is well.</param>
public readonly record struct OpenResult(OpenStatus Status, string Reason);
