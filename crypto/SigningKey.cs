using System;
using NSec.Cryptography;

namespace Overlay.Crypto;

/// <summary>An Ed25519 key that signs.</summary>
public sealed class SigningKey : IDisposable
{
    public const int SeedSize = 32, PublicSize = 32, SignatureSize = 64;

    private readonly Key _key;

    /// <param name="seed">32 bytes: the private key of RFC 8032.</param>
    public SigningKey(ReadOnlySpan<byte> seed) => _key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);

    public byte[] PublicKey => _key.PublicKey.Export(KeyBlobFormat.RawPublicKey);

    public byte[] Sign(ReadOnlySpan<byte> data) => SignatureAlgorithm.Ed25519.Sign(_key, data);

    /// <summary>False also for what is no public key, or no signature.</summary>
    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        NSec.Cryptography.PublicKey.TryImport(SignatureAlgorithm.Ed25519, publicKey, KeyBlobFormat.RawPublicKey, out PublicKey? imported)
        && SignatureAlgorithm.Ed25519.Verify(imported!, data, signature);

    public void Dispose() => _key.Dispose();
}
