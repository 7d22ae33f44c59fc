using System;

namespace Overlay.Metadata.Agent;

/// <summary>Puts what is in a page file back into its sealed file, and reads headers, for an agent: format and ciphers are not this library's.</summary>
public interface IPageSealer
{
    /// <summary>Seals the blocks that differ. Runs on any thread; throws <see cref="Crypto.ErrnoException"/> where it fails.</summary>
    /// <param name="order">What to do; its descriptors stay the caller's.</param>
    /// <param name="keys">The file's key, or its two keys while it is given another; not kept.</param>
    void Seal(PageSealOrder order, ReadOnlySpan<byte> keys);

    /// <summary>The size that a file's header claims, which nothing proves. Negative: it is no sealed file.</summary>
    /// <param name="backing">Open for reading.</param>
    long ClaimedSize(int backing);
}

/// <param name="Backing">The backing file, open for reading and writing.</param>
/// <param name="Pages">The page file.</param>
public sealed record PageSealOrder(string VolumeRoot, byte[] VolumeId, int BlockSizeLog2, byte[] FileId, ulong Inode, int Backing, int Pages);
