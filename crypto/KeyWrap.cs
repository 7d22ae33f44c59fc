using System;
using NSec.Cryptography;

namespace Overlay.Crypto;

/// <summary>Wraps keys under keys: XChaCha20-Poly1305, layout nonce (24) ‖ ciphertext ‖ tag (16).</summary>
public static partial class KeyWrap
{
    public const int NonceSize = 24;

    public const int Overhead = NonceSize + 16;

    /// <param name="context">What the key is for; the same bytes are needed to unwrap it.</param>
    /// <param name="wrapped">Receives <c>key.Length + Overhead</c> bytes.</param>
    public static void Wrap(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> context, ReadOnlySpan<byte> key, Span<byte> wrapped)
    {
        using Key imported = Import(wrappingKey);
        Span<byte> nonce = wrapped[..NonceSize];
        NonceSource.Fill(nonce);
        Record(wrappingKey, nonce);
        AeadAlgorithm.XChaCha20Poly1305.Encrypt(imported, nonce, context, key, wrapped[NonceSize..]);
    }

    public static bool TryUnwrap(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> context, ReadOnlySpan<byte> wrapped, Span<byte> key)
    {
        if (wrapped.Length != key.Length + Overhead)
            return false;
        using Key imported = Import(wrappingKey);
        return AeadAlgorithm.XChaCha20Poly1305.Decrypt(imported, wrapped[..NonceSize], context, wrapped[NonceSize..], key);
    }

    /// <summary>Nothing but in the build that records nonces (Recording/).</summary>
    static partial void Record(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> nonce);

    private static Key Import(ReadOnlySpan<byte> key) =>
        Key.Import(AeadAlgorithm.XChaCha20Poly1305, key, KeyBlobFormat.RawSymmetricKey);
}
