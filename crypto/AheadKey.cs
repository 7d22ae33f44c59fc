using System.Runtime.CompilerServices;

namespace Overlay.Crypto;

/// <summary>
/// What sealing needs of a <see cref="DataKey"/>, for a thread that the runtime does not know: no object, no exception, no call that the runtime is told of.
/// The key's owner counts (<see cref="DataKey.Announce"/>).
/// </summary>
public readonly unsafe struct AheadKey
{
    private readonly delegate*<byte*, byte*, ulong*, byte*, ulong, byte*, ulong, byte*, byte*, byte*, int> _seal;
    private readonly byte* _key;
    private readonly CipherSuite _suite;

    internal AheadKey(CipherSuite suite, byte* key)
    {
        _seal = (delegate*<byte*, byte*, ulong*, byte*, ulong, byte*, ulong, byte*, byte*, byte*, int>)AheadSealers.Of(suite);
        _key = key;
        _suite = suite;
    }

    /// <summary>Seals <paramref name="size"/> bytes, perhaps where they are, and writes the tag field.</summary>
    /// <param name="storedNonce">16 bytes; never used before.</param>
    /// <param name="tagField">32 bytes, all of which are written.</param>
    public bool Seal(byte* storedNonce, byte* data, int dataSize, byte* plain, int size, byte* target, byte* tagField)
    {
        byte* nonce = stackalloc byte[DataKey.LongestNonce];
        Expand(_suite, storedNonce, nonce);
        Unsafe.WriteUnaligned(tagField + 16, 0UL); // tags of 16 bytes are followed by zeros
        Unsafe.WriteUnaligned(tagField + 24, 0UL);
        ulong tagSize;
        return _seal(target, tagField, &tagSize, plain, (ulong)size, data, (ulong)dataSize, null, nonce, _key) == 0;
    }

    /// <summary>The first bytes of the stored nonce, as many as the suite takes; zeros behind them.</summary>
    internal static void Expand(CipherSuite suite, byte* storedNonce, byte* nonce)
    {
        for (int i = 0; i < DataKey.LongestNonce; i += sizeof(ulong))
            Unsafe.WriteUnaligned(nonce + i, i < DataKey.StoredNonceSize ? Unsafe.ReadUnaligned<ulong>(storedNonce + i) : 0);
        if (suite == CipherSuite.Aes256Gcm)
            Unsafe.WriteUnaligned(nonce + DataKey.AesNonceSize, 0);
    }
}
