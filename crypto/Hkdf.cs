using System;

namespace Overlay.Crypto;

/// <summary>HKDF-SHA-256 (RFC 5869). Keys may be of any length: key files are up to 16 MiB.</summary>
/// <remarks>libsodium's, called directly: NSec derives from shared secrets only.</remarks>
public static unsafe class Hkdf
{
    private const int HashSize = 32, MostOutput = 255 * HashSize;

    public static void DeriveSha256(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(output.Length, MostOutput, nameof(output));
        Span<byte> pseudoRandomKey = stackalloc byte[HashSize];
        fixed (byte* keyStart = key, saltStart = salt, infoStart = info, target = output, extracted = pseudoRandomKey)
        {
            int error = Sodium.HkdfExtract(extracted, saltStart, (nuint)salt.Length, keyStart, (nuint)key.Length);
            if (error == 0)
                error = Sodium.HkdfExpand(target, (nuint)output.Length, infoStart, (nuint)info.Length, extracted);
            if (error != 0)
                throw new InvalidOperationException("deriving a key failed");
        }
        Secret.Wipe(pseudoRandomKey);
    }
}
