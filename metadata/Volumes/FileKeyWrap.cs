using System;
using System.Buffers.Binary;
using Overlay.Crypto;

namespace Overlay.Metadata.Volumes;

/// <summary>
/// Wraps the keys of files for their rows.
/// <code>
/// wrapping key     = HKDF-SHA-256(volume key, volume id, "overlay file keys v1"), 32 bytes
/// wrapped file key = nonce (16, random; zero-padded to 24) | XChaCha20-Poly1305(wrapping key, nonce, file key) (32 + 16)
///                    with associated data = volume id | file id | key version (4)
/// </code>
/// The associated data binds a wrapped key to its row, so that rows cannot be exchanged. The wrapping key is imported once:
/// each import costs several system calls for libsodium's guarded memory (measured: 40 us a key with it, 1.5 us without).
/// </summary>
internal sealed class FileKeyWrap : IDisposable
{
    internal const int WrappedSize = DataKey.StoredNonceSize + KeySize + TagSize;

    private const int KeySize = DataKey.KeySize, TagSize = 16;
    private const int IdSize = 16;
    private const int ContextSize = IdSize + IdSize + sizeof(int);

    private readonly DataKey _wrappingKey;
    private readonly byte[] _volumeId;

    internal FileKeyWrap(ReadOnlySpan<byte> volumeKey, ReadOnlySpan<byte> volumeId)
    {
        _volumeId = volumeId.ToArray();
        Span<byte> wrappingKey = stackalloc byte[KeySize];
        Hkdf.DeriveSha256(volumeKey, volumeId, "overlay file keys v1"u8, wrappingKey);
        _wrappingKey = DataKey.Import(CipherSuite.XChaCha20Poly1305, wrappingKey);
        Secret.Wipe(wrappingKey);
    }

    public void Dispose() => _wrappingKey.Dispose();

    internal byte[] Wrap(ReadOnlySpan<byte> fileId, int keyVersion, ReadOnlySpan<byte> key)
    {
        byte[] wrapped = new byte[WrappedSize];
        Span<byte> nonce = wrapped.AsSpan(0, DataKey.StoredNonceSize);
        NonceSource.Fill(nonce);
        Span<byte> context = stackalloc byte[ContextSize];
        FillContext(fileId, keyVersion, context);
        _wrappingKey.Seal(nonce, context, key, wrapped.AsSpan(DataKey.StoredNonceSize));
        return wrapped;
    }

    internal bool TryUnwrap(ReadOnlySpan<byte> fileId, int keyVersion, ReadOnlySpan<byte> wrapped, Span<byte> key)
    {
        if (wrapped.Length != WrappedSize)
            return false;
        Span<byte> context = stackalloc byte[ContextSize];
        FillContext(fileId, keyVersion, context);
        return _wrappingKey.TryOpen(wrapped[..DataKey.StoredNonceSize], context, wrapped[DataKey.StoredNonceSize..], key);
    }

    /// <summary>The same key under another wrapping key; null if it does not unwrap. May run on several threads.</summary>
    internal byte[]? TryRewrap(ReadOnlySpan<byte> fileId, int keyVersion, ReadOnlySpan<byte> wrapped, FileKeyWrap to, int toVersion)
    {
        Span<byte> key = stackalloc byte[KeySize];
        byte[]? rewrapped = TryUnwrap(fileId, keyVersion, wrapped, key) ? to.Wrap(fileId, toVersion, key) : null;
        Secret.Wipe(key);
        return rewrapped;
    }

    private void FillContext(ReadOnlySpan<byte> fileId, int keyVersion, Span<byte> context)
    {
        _volumeId.CopyTo(context);
        fileId.CopyTo(context[IdSize..]);
        BinaryPrimitives.WriteInt32LittleEndian(context[(IdSize + IdSize)..], keyVersion);
    }
}
