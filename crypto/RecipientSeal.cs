using System;

namespace Overlay.Crypto;

/// <summary>
/// Wraps a key for whoever has an X25519 private key; the public one is enough for it.
/// <code>
/// sealed = ephemeral public key (32) | KeyWrap(k, context, key)
/// k      = HKDF-SHA-256(X25519(ephemeral private key, recipient), salt = ephemeral public key | recipient, "overlay recipient v1")
/// </code>
/// </summary>
public static unsafe class RecipientSeal
{
    public const int KeySize = 32;

    public const int Overhead = KeySize + KeyWrap.Overhead;

    private const int OutOfRange = 22;

    /// <summary>Any 32 bytes are a private key.</summary>
    public static byte[] PublicKey(ReadOnlySpan<byte> privateKey)
    {
        Check(privateKey);
        byte[] publicKey = new byte[KeySize];
        fixed (byte* target = publicKey, scalar = privateKey)
            _ = Sodium.MultiplyBase(target, scalar);
        return publicKey;
    }

    /// <param name="recipient">A public key.</param>
    /// <param name="context">What the key is for; the same bytes are needed to open it.</param>
    /// <exception cref="ErrnoException">EINVAL: this is nobody's public key (a point of low order).</exception>
    public static byte[] Seal(ReadOnlySpan<byte> recipient, ReadOnlySpan<byte> context, ReadOnlySpan<byte> key)
    {
        byte[] sealedKey = new byte[key.Length + Overhead];
        Span<byte> ephemeral = stackalloc byte[KeySize], wrappingKey = stackalloc byte[KeySize];
        try
        {
            NonceSource.Fill(ephemeral);
            PublicKey(ephemeral).CopyTo(sealedKey, 0);
            if (!TryAgree(ephemeral, recipient, sealedKey.AsSpan(0, KeySize), recipient, wrappingKey))
                throw new ErrnoException(OutOfRange, "this is not the public key of a recipient");
            KeyWrap.Wrap(wrappingKey, context, key, sealedKey.AsSpan(KeySize));
            return sealedKey;
        }
        finally
        {
            Secret.Wipe(ephemeral);
            Secret.Wipe(wrappingKey);
        }
    }

    public static bool TryOpen(ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> context, ReadOnlySpan<byte> sealedKey, Span<byte> key)
    {
        if (sealedKey.Length != key.Length + Overhead)
            return false;
        Span<byte> wrappingKey = stackalloc byte[KeySize];
        try
        {
            ReadOnlySpan<byte> ephemeral = sealedKey[..KeySize];
            return TryAgree(privateKey, ephemeral, ephemeral, PublicKey(privateKey), wrappingKey)
                && KeyWrap.TryUnwrap(wrappingKey, context, sealedKey[KeySize..], key);
        }
        finally
        {
            Secret.Wipe(wrappingKey);
        }
    }

    private static bool TryAgree(
        ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> peer, ReadOnlySpan<byte> ephemeral, ReadOnlySpan<byte> recipient, Span<byte> wrappingKey)
    {
        Check(privateKey);
        Check(peer);
        Span<byte> shared = stackalloc byte[KeySize], salt = stackalloc byte[2 * KeySize];
        ephemeral.CopyTo(salt);
        recipient.CopyTo(salt[KeySize..]);
        int error;
        fixed (byte* target = shared, scalar = privateKey, point = peer)
            error = Sodium.Multiply(target, scalar, point);
        if (error == 0)
            Hkdf.DeriveSha256(shared, salt, "overlay recipient v1"u8, wrappingKey);
        Secret.Wipe(shared);
        return error == 0;
    }

    private static void Check(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeySize)
            throw new ArgumentException("an X25519 key has 32 bytes", nameof(key));
    }
}
