using System;
using System.Buffers.Binary;
using System.Threading;

namespace Overlay.Crypto;

/// <summary>
/// One file's key, ready for use in <see cref="KeyMemory"/>. Sealing and opening allocate nothing and may run on any number of
/// threads; nobody may use it any more when it is disposed of.
/// </summary>
public sealed unsafe partial class DataKey : IDisposable
{
    public const int KeySize = 32;

    /// <summary>Bytes of a stored nonce; the algorithm's nonce is made from it (format §3).</summary>
    public const int StoredNonceSize = 16;

    /// <summary>Bytes of a tag field on disk; shorter tags are followed by zeros.</summary>
    public const int TagFieldSize = 32;

    public const int KeyCheckSize = 8;

    /// <summary>Bytes of what is derived of a key: 0 the key check, 16 the key of <see cref="Mark"/>.</summary>
    public const int DerivedSize = 32;

    internal const int AesNonceSize = 12, LongestNonce = 32;

    private static readonly bool s_isUsable = Sodium.Initialise() >= 0;

    private const int MarkKeyOffset = 16;

    private readonly byte[] _derived = new byte[DerivedSize];
    private bool _isDerived;
    private long _seals;

    /// <summary>The key, or for aes-256-gcm its expansion.</summary>
    private byte* _key;

    private DataKey(CipherSuite suite, ReadOnlySpan<byte> key)
    {
        Suite = suite;
        Identify(key);
        _key = KeyMemory.Rent();
        key.CopyTo(new Span<byte>(_key + KeyMemory.ExpandedSize, KeySize));
        fixed (byte* source = key)
        {
            if (suite == CipherSuite.Aes256Gcm)
                _ = Sodium.AesExpand(_key, source);
            else
                key.CopyTo(new Span<byte>(_key, KeySize));
        }
    }

    public CipherSuite Suite { get; }

    /// <summary>Which of a file's keys it is, one after the other, modulo 32: what is sealed says whether the number is odd (format §4, §6).</summary>
    public int Epoch { get; set; }

    public bool IsOdd => Epoch % 2 != 0;

    /// <summary>How often this object has sealed: random nonces are good for so many only.</summary>
    public long Seals => Interlocked.Read(ref _seals);

    /// <summary>16, or 32 for aegis-256.</summary>
    public int TagSize => Suite == CipherSuite.Aegis256 ? 32 : 16;

    /// <summary>8 bytes that tell a wrong key from a damaged file; they say nothing about the key.</summary>
    public ReadOnlySpan<byte> KeyCheck => Derived.AsSpan(0, KeyCheckSize);

    /// <summary>What keys are told apart by, and what versions are marked with: 32 bytes of HKDF-SHA-256.</summary>
    public static void Derive(ReadOnlySpan<byte> key, Span<byte> derived32) => Hkdf.DeriveSha256(key, default, "overlay key check v1"u8, derived32);

    /// <param name="derived"><see cref="Derive"/> of it, if that is known.</param>
    public static DataKey Import(CipherSuite suite, ReadOnlySpan<byte> key, ReadOnlySpan<byte> derived)
    {
        DataKey imported = Import(suite, key);
        derived.CopyTo(imported._derived);
        imported._isDerived = derived.Length == DerivedSize;
        return imported;
    }

    /// <exception cref="ErrnoException">ENOTSUP: the processor lacks the instructions for this suite.</exception>
    public static DataKey Import(CipherSuite suite, ReadOnlySpan<byte> key)
    {
        const int NotSupported = 95, ProtocolNotSupported = 93;
        if (key.Length != KeySize)
            throw new ArgumentException("a data key has 32 bytes", nameof(key));
        if (!CipherSuites.IsKnown((byte)suite))
            throw new ErrnoException(ProtocolNotSupported, "unknown cipher suite");
        if (!s_isUsable)
            throw new ErrnoException(NotSupported, "libsodium cannot be used");
        if (suite == CipherSuite.Aes256Gcm && (Sodium.HasAes() == 0 || Sodium.AesStateSize() > KeyMemory.ExpandedSize))
            throw new ErrnoException(NotSupported, "aes-256-gcm needs a processor with AES instructions");
        return new DataKey(suite, key);
    }

    /// <summary>Writes ciphertext and tag: <c>plain.Length + TagSize</c> bytes. The nonce must never have been used.</summary>
    public void Seal(ReadOnlySpan<byte> storedNonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plain, Span<byte> sealedText)
    {
        if (sealedText.Length != plain.Length + TagSize)
            throw new ArgumentException("ciphertext and tag do not fit", nameof(sealedText));
        byte* nonce = stackalloc byte[LongestNonce];
        Expand(storedNonce, nonce);
        Record(nonce);
        _ = Interlocked.Increment(ref _seals);
        ProcessCounters.CountSealed();
        byte* key = Live();
        ulong size = (ulong)plain.Length, dataSize = (ulong)associatedData.Length;
        fixed (byte* target = sealedText, source = plain, data = associatedData)
        {
            int error = Suite switch
            {
                CipherSuite.Aes256Gcm => Sodium.AesSeal(target, null, source, size, data, dataSize, null, nonce, key),
                CipherSuite.Aegis256 => Sodium.AegisSeal(target, null, source, size, data, dataSize, null, nonce, key),
                _ => Sodium.ChaChaSeal(target, null, source, size, data, dataSize, null, nonce, key),
            };
            if (error != 0)
                throw new InvalidOperationException("sealing failed");
        }
    }

    /// <summary>
    /// Counts and records a seal that another thread is going to make with <see cref="ForAhead"/>, or perhaps not: then the nonce is lost.
    /// </summary>
    public void Announce(ReadOnlySpan<byte> storedNonce)
    {
        byte* nonce = stackalloc byte[LongestNonce];
        Expand(storedNonce, nonce);
        Record(nonce);
        _ = Interlocked.Increment(ref _seals);
        ProcessCounters.CountSealed();
    }

    /// <summary>Valid for as long as this key is not disposed of.</summary>
    public AheadKey ForAhead => new(Suite, Live());

    /// <summary>False if key, nonce, data or text do not belong together; <paramref name="plain"/> is then zero.</summary>
    public bool TryOpen(ReadOnlySpan<byte> storedNonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> sealedText, Span<byte> plain)
    {
        if (sealedText.Length < TagSize || plain.Length < sealedText.Length - TagSize)
            throw new ArgumentException("the plain text does not fit", nameof(plain));
        byte* nonce = stackalloc byte[LongestNonce];
        Expand(storedNonce, nonce);
        byte* key = Live();
        ulong size = (ulong)sealedText.Length, dataSize = (ulong)associatedData.Length;
        int error;
        fixed (byte* target = plain, source = sealedText, data = associatedData)
        {
            error = Suite switch
            {
                CipherSuite.Aes256Gcm => Sodium.AesOpen(target, null, null, source, size, data, dataSize, nonce, key),
                CipherSuite.Aegis256 => Sodium.AegisOpen(target, null, null, source, size, data, dataSize, nonce, key),
                _ => Sodium.ChaChaOpen(target, null, null, source, size, data, dataSize, nonce, key),
            };
        }
        ProcessCounters.CountOpened(isAuthentic: error == 0);
        if (error != 0)
            plain[..(sealedText.Length - TagSize)].Clear();
        return error == 0;
    }

    /// <summary>The same, with the tag apart from the text.</summary>
    public bool TryOpen(
        ReadOnlySpan<byte> storedNonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> text, ReadOnlySpan<byte> tag, Span<byte> plain)
    {
        if (tag.Length != TagSize || plain.Length < text.Length)
            throw new ArgumentException("the plain text does not fit", nameof(plain));
        byte* nonce = stackalloc byte[LongestNonce];
        Expand(storedNonce, nonce);
        byte* key = Live();
        ulong size = (ulong)text.Length, dataSize = (ulong)associatedData.Length;
        int error;
        fixed (byte* target = plain, source = text, mac = tag, data = associatedData)
        {
            error = Suite switch
            {
                CipherSuite.Aes256Gcm => Sodium.AesOpenApart(target, null, source, size, mac, data, dataSize, nonce, key),
                CipherSuite.Aegis256 => Sodium.AegisOpenApart(target, null, source, size, mac, data, dataSize, nonce, key),
                _ => Sodium.ChaChaOpenApart(target, null, source, size, mac, data, dataSize, nonce, key),
            };
        }
        ProcessCounters.CountOpened(isAuthentic: error == 0);
        if (error != 0)
            plain[..text.Length].Clear();
        return error == 0;
    }

    /// <summary>What a version of a block adds to its file's digest (format §5): nobody without the key can tell it. Never 0.</summary>
    /// <param name="description">32 bytes, the nonce among them.</param>
    public ulong Mark(long block, ReadOnlySpan<byte> description)
    {
        const int DescriptionSize = 32, InputSize = sizeof(long) + DescriptionSize;
        byte* input = stackalloc byte[InputSize];
        BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(input, sizeof(long)), block);
        description[..DescriptionSize].CopyTo(new Span<byte>(input + sizeof(long), DescriptionSize));
        ulong mark;
        fixed (byte* key = &Derived[MarkKeyOffset])
            _ = Sodium.ShortHash((byte*)&mark, input, InputSize, key);
        return mark == 0 ? 1 : mark;
    }

    public void Dispose()
    {
        Secret.Wipe(_derived.AsSpan(MarkKeyOffset));
        if (_key != null)
            KeyMemory.Return(_key);
        _key = null;
    }

    // Both are nothing but in the build that records nonces (Recording/): every seal passes here or KeyWrap.Wrap.
    partial void Identify(ReadOnlySpan<byte> key);

    partial void Record(byte* nonce);

    /// <summary>On first use: who only reads a sound file needs none of it, and it would be a tenth of opening a small one.</summary>
    private byte[] Derived
    {
        get
        {
            if (!Volatile.Read(ref _isDerived))
            {
                Derive(new ReadOnlySpan<byte>(Live() + KeyMemory.ExpandedSize, KeySize), _derived);
                Volatile.Write(ref _isDerived, true);
            }
            return _derived;
        }
    }

    private byte* Live()
    {
        ObjectDisposedException.ThrowIf(_key == null, this);
        return _key;
    }

    /// <summary>The first bytes of the stored nonce, as many as the suite takes; zeros behind them.</summary>
    private void Expand(ReadOnlySpan<byte> storedNonce, byte* nonce)
    {
        fixed (byte* stored = storedNonce[..StoredNonceSize])
            AheadKey.Expand(Suite, stored, nonce);
    }
}
