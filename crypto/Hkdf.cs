using System;

namespace Overlay.Crypto;

/// <summary>HKDF-SHA-256 (RFC 5869). Keys may be of any length: key files are up to 16 MiB.</summary>
/// <remarks>libsodium's, called directly: NSec derives from shared secrets only.</remarks>
public static unsafe class Hkdf
{
    private const int HashSize = 32, MostOutput = 255 * HashSize, StateSize = 208;

    /// <summary>What extracting begins with where there is no salt, as for data keys: two of a derivation's eight compressions, which need not be made each time.</summary>
    private static readonly ulong[] s_unsalted = BeginUnsalted();

    public static void DeriveSha256(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(output.Length, MostOutput, nameof(output));
        Span<byte> pseudoRandomKey = stackalloc byte[HashSize];
        fixed (byte* keyStart = key, saltStart = salt, infoStart = info, target = output, extracted = pseudoRandomKey)
        {
            int error = salt.IsEmpty
                ? ExtractUnsalted(extracted, keyStart, (nuint)key.Length)
                : Sodium.HkdfExtract(extracted, saltStart, (nuint)salt.Length, keyStart, (nuint)key.Length);
            if (error == 0)
                error = Sodium.HkdfExpand(target, (nuint)output.Length, infoStart, (nuint)info.Length, extracted);
            if (error != 0)
                throw new InvalidOperationException("deriving a key failed");
        }
        Secret.Wipe(pseudoRandomKey);
    }

    private static int ExtractUnsalted(byte* extracted, byte* key, nuint keySize)
    {
        ulong* state = stackalloc ulong[StateSize / sizeof(ulong)];
        s_unsalted.CopyTo(new Span<ulong>(state, StateSize / sizeof(ulong)));
        int error = Sodium.HkdfUpdate(state, key, keySize);
        return error != 0 ? error : Sodium.HkdfFinal(state, extracted); // which wipes it
    }

    private static ulong[] BeginUnsalted()
    {
        ulong[] state = new ulong[StateSize / sizeof(ulong)];
        fixed (ulong* start = state)
            if (Sodium.HkdfStateSize() != StateSize || Sodium.HkdfBegin(start, null, 0) != 0)
                throw new InvalidOperationException("this libsodium derives keys in another way");
        return state;
    }
}
