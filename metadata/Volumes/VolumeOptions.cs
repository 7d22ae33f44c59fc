using Overlay.Crypto;

namespace Overlay.Metadata.Volumes;

/// <summary>How a new volume is to be. The defaults suit.</summary>
public sealed class VolumeOptions
{
    public CipherSuite Suite { get; init; } = CipherSuite.Aes256Gcm;

    public bool Compress { get; init; } = true;

    /// <summary>12 (4 KiB) to 20 (1 MiB).</summary>
    public int BlockSizeLog2 { get; init; } = 14;

    /// <summary>Where the store shall be; null: in the volume's own .overlay. A missing last directory is made.</summary>
    public string? StorePath { get; init; }

    /// <summary>Files that are already there stay as they are: plain, and refused by the shim.</summary>
    public bool AllowNonEmpty { get; init; }

    /// <summary>The name of the first key slot.</summary>
    public string SlotLabel { get; init; } = "";

    /// <summary>The cost of a passphrase; null: measured on this machine.</summary>
    public PassphraseCost? PassphraseCost { get; init; }
}
