using System;
using NSec.Cryptography;

namespace Overlay.Crypto;

/// <summary>HKDF-SHA-256 (RFC 5869).</summary>
public static class Hkdf
{
    public static void DeriveSha256(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, Span<byte> output)
    {
        // NSec derives from shared secrets; HMAC-SHA-256 is all that the RFC needs.
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

    private static void Mac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        // HMAC pads a short key with zeros, so padding it here to NSec's minimum changes nothing; longer keys are hashed first.
        Span<byte> padded = stackalloc byte[32];
        if (key.Length > padded.Length)
            HashAlgorithm.Sha256.Hash(key, padded);
        else
            key.CopyTo(padded);
        using Key imported = Key.Import(MacAlgorithm.HmacSha256, padded, KeyBlobFormat.RawSymmetricKey);
        MacAlgorithm.HmacSha256.Mac(imported, data, mac);
        Secret.Wipe(padded);
    }
}
