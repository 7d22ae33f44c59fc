namespace Overlay.Metadata.Volumes;

/// <summary>How a key slot is opened. The numbers are in the store.</summary>
public enum SlotKind
{
    Passphrase = 1,
    KeyFile = 2,
    /// <summary>An X25519 identity; its public key was enough to make the slot.</summary>
    Recipient = 3,
    /// <summary>A key of a PKCS#11 token.</summary>
    Token = 4,
}
