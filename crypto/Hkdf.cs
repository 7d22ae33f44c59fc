using System;
using NSec.Cryptography;

namespace Overlay.Crypto;

/// <summary>HKDF-SHA-256 (RFC 5869). Keys may be of any length: key files are up to 16 MiB.</summary>
public static class Hkdf
{
    public static void DeriveSha256(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, Span<byte> output)
    {
        // NSec derives from shared secrets only; HMAC-SHA-256 is all that the RFC needs.
        Span<byte> pseudoRandomKey = stackalloc byte[32];
        Mac(salt.IsEmpty ? stackalloc byte[32] : salt, key, pseudoRandomKey);
        Span<byte> block = stackalloc byte[32];
        Span<byte> input = stackalloc byte[32 + info.Length + 1];
        int previous = 0;
        byte counter = 1;
        for (int done = 0; done < output.Length; counter++)
        {
            block[..previous].CopyTo(input);
            info.CopyTo(input[previous..]);
            input[previous + info.Length] = counter;
            Mac(pseudoRandomKey, input[..(previous + info.Length + 1)], block);
            int part = Math.Min(block.Length, output.Length - done);
            block[..part].CopyTo(output[done..]);
            done += part;
            previous = block.Length;
        }
        Secret.Wipe(pseudoRandomKey);
        Secret.Wipe(block);
        Secret.Wipe(input);
    }

    /// <summary>HMAC-SHA-256 (RFC 2104), for keys and data of any length: NSec's takes keys of 32 bytes alone.</summary>
    private static void Mac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        const int BlockSize = 64, HashSize = 32;
        Span<byte> padded = stackalloc byte[BlockSize];
        padded.Clear();
        if (key.Length > BlockSize)
            HashAlgorithm.Sha256.Hash(key, padded[..HashSize]);
        else
            key.CopyTo(padded);

        Span<byte> inner = stackalloc byte[BlockSize];
        Span<byte> outer = stackalloc byte[BlockSize + HashSize];
        for (int i = 0; i < BlockSize; i++)
        {
            inner[i] = (byte)(padded[i] ^ 0x36);
            outer[i] = (byte)(padded[i] ^ 0x5C);
        }
        IncrementalHash.Initialize(HashAlgorithm.Sha256, out IncrementalHash state);
        IncrementalHash.Update(ref state, inner);
        IncrementalHash.Update(ref state, data);
        IncrementalHash.Finalize(ref state, outer[BlockSize..]);
        HashAlgorithm.Sha256.Hash(outer, mac);
        Secret.Wipe(padded);
        Secret.Wipe(inner);
        Secret.Wipe(outer);
    }
}
