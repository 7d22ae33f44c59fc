using System;

namespace Overlay.Crypto;

public sealed unsafe partial class DataKey
{
    private readonly byte[] _fingerprint = new byte[NonceRecord.FingerprintSize];

    partial void Identify(ReadOnlySpan<byte> key) => NonceRecord.Identify(key, _fingerprint);

    partial void Record(byte* nonce) =>
        NonceRecord.Add(_fingerprint, new ReadOnlySpan<byte>(nonce, Suite == CipherSuite.Aes256Gcm ? AesNonceSize : StoredNonceSize));
}
