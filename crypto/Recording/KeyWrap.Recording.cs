using System;

namespace Overlay.Crypto;

public static partial class KeyWrap
{
    static partial void Record(ReadOnlySpan<byte> wrappingKey, ReadOnlySpan<byte> nonce)
    {
        Span<byte> fingerprint = stackalloc byte[NonceRecord.FingerprintSize];
        NonceRecord.Identify(wrappingKey, fingerprint);
        NonceRecord.Add(fingerprint, nonce);
    }
}
