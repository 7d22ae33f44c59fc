namespace Overlay.Metadata.Volumes;

/// <summary>How a key slot is opened. The numbers are in the store.</summary>
public enum SlotKind
{
    Passphrase = 1,
    KeyFile = 2,
}
