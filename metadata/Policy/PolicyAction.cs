namespace Overlay.Metadata.Policy;

/// <summary>What becomes of a request for a file's key, from the mildest to the sternest.</summary>
public enum PolicyAction
{
    Allow,

    /// <summary>Allowed while the audit log is on, which has a record of it then.</summary>
    Audit,

    /// <summary>No keys: the program sees files as they lie on disk.</summary>
    Ciphertext,

    Deny,
}
