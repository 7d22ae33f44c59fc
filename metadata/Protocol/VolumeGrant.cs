using Overlay.Crypto;

namespace Overlay.Metadata.Protocol;

/// <summary>What a program is told of a volume it may use: how new files are to be made.</summary>
public sealed class VolumeGrant
{
    internal VolumeGrant(byte[] volumeId, CipherSuite suite, bool compress, int blockSizeLog2, bool seesCiphertext)
    {
        SeesCiphertext = seesCiphertext;
        VolumeId = volumeId;
        Suite = suite;
        Compress = compress;
        BlockSizeLog2 = blockSizeLog2;
    }

    /// <summary>16 bytes; not to be changed.</summary>
    public byte[] VolumeId { get; }

    /// <summary>By the volume's policy this program sees files as they lie on disk, and gets no keys.</summary>
    public bool SeesCiphertext { get; }

    public CipherSuite Suite { get; }

    public bool Compress { get; }

    /// <summary>12 to 20.</summary>
    public int BlockSizeLog2 { get; }
}
