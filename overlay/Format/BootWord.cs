using System;
using System.Buffers.Binary;
using NSec.Cryptography;

namespace Overlay.Format;

/// <summary>Which boot of the machine this is, in 4 bytes (format §7).</summary>
public static class BootWord
{
    /// <param name="bootId">The text of /proc/sys/kernel/random/boot_id, 36 characters.</param>
    public static uint FromBootId(ReadOnlySpan<byte> bootId)
    {
        Span<byte> hash = stackalloc byte[32];
        HashAlgorithm.Sha256.Hash(bootId, hash);
        uint word = BinaryPrimitives.ReadUInt32LittleEndian(hash);
        return word == 0 ? 1 : word;
    }
}
