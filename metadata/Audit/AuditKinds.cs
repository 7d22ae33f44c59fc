namespace Overlay.Metadata.Audit;

/// <summary>What is recorded. The names are a stable interface (docs/audit.md has the same table).</summary>
public static class AuditKinds
{
    /// <summary>A program got the key of a file.</summary>
    public const string Grant = "grant";

    /// <summary>A program got keys for files that it is going to make.</summary>
    public const string NewKeys = "new-keys";

    /// <summary>A program made a file with such a key.</summary>
    public const string Created = "created";

    /// <summary>A program asked for a key and did not get it, or was not let in.</summary>
    public const string Denied = "denied";

    /// <summary>A command of overlay-ctl that unlocked the volume: began, ended.</summary>
    public const string Administration = "administration";

    /// <summary>The log was switched on or off, a file of it archived, a loss accepted.</summary>
    public const string Log = "log";
}
