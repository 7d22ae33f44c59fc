using System;
using NSec.Cryptography;

namespace Overlay.Crypto;

/// <summary>
/// One file's key, in libsodium's guarded memory. Sealing and opening allocate nothing and may run on any number of threads.
/// </summary>
public sealed class DataKey : IDisposable
{
    public const int KeySize = 32;

    /// <summary>Bytes of a stored nonce; the algorithm's nonce is made from it (format §3).</summary>
    public const int StoredNonceSize = 16;

    /// <summary>Bytes of a tag field on disk; shorter tags are followed by zeros.</summary>
    public const int TagFieldSize = 32;

    public const int KeyCheckSize = 8;

    private const int LongestNonce = 32;

    private readonly AeadAlgorithm _algorithm;
    private readonly Key _key;
    private readonly byte[] _keyCheck = new byte[KeyCheckSize];

    private DataKey(CipherSuite suite, AeadAlgorithm algorithm, ReadOnlySpan<byte> key)
    {
        Suite = suite;
        _algorithm = algorithm;
        // Key.Import, never Key.Create: the latter loads OpenSSL into the program (design §5).
        _key = Key.Import(algorithm, key, KeyBlobFormat.RawSymmetricKey);
        Hkdf.DeriveSha256(key, default, "overlay key check v1"u8, _keyCheck);
    }

    public CipherSuite Suite { get; }

    /// <summary>16, or 32 for aegis-256.</summary>
    public int TagSize => _algorithm.TagSize;

    /// <summary>8 bytes that tell a wrong key from a damaged file; they say nothing about the key.</summary>
    public ReadOnlySpan<byte> KeyCheck => _keyCheck;

    /// <exception cref="ErrnoException">ENOTSUP: the processor lacks the instructions for this suite.</exception>
    public static DataKey Import(CipherSuite suite, ReadOnlySpan<byte> key)
    {
        if (suite == CipherSuite.Aes256Gcm && !Aes256Gcm.IsSupported)
            throw new ErrnoException(95, "aes-256-gcm needs a processor with AES instructions");
        AeadAlgorithm algorithm = suite switch
        {
            CipherSuite.Aes256Gcm => AeadAlgorithm.Aes256Gcm,
            CipherSuite.Aegis256 => AeadAlgorithm.Aegis256,
            CipherSuite.XChaCha20Poly1305 => AeadAlgorithm.XChaCha20Poly1305,
            _ => throw new ErrnoException(93, "unknown cipher suite"),
        };
        return new DataKey(suite, algorithm, key);
    }

    /// <summary>Writes ciphertext and tag: <c>plain.Length + TagSize</c> bytes. The nonce must never have been used.</summary>
    public void Seal(ReadOnlySpan<byte> storedNonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plain, Span<byte> sealedText)
    {
        Span<byte> nonce = stackalloc byte[LongestNonce];
        _algorithm.Encrypt(_key, Expand(storedNonce, nonce), associatedData, plain, sealedText);
    }

    /// <summary>False if key, nonce, data or text do not belong together; <paramref name="plain"/> is then zero.</summary>
    public bool TryOpen(ReadOnlySpan<byte> storedNonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> sealedText, Span<byte> plain)
    {
        Span<byte> nonce = stackalloc byte[LongestNonce];
        return _algorithm.Decrypt(_key, Expand(storedNonce, nonce), associatedData, sealedText, plain);
    }

    public void Dispose() => _key.Dispose();

    private ReadOnlySpan<byte> Expand(ReadOnlySpan<byte> storedNonce, Span<byte> nonce)
    {
        nonce = nonce[.._algorithm.NonceSize];
        nonce.Clear();
        storedNonce[..Math.Min(storedNonce.Length, nonce.Length)].CopyTo(nonce);
        return nonce;
    }
}
