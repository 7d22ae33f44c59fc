using System;
using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using Overlay.Crypto;
using Xunit;

namespace Overlay.Crypto.Tests;

/// <summary>Published vectors, and what must not open.</summary>
public sealed class DataKeyTests
{
    [Fact]
    public void Aes_256_gcm_gives_the_vector_of_McGrew_and_Viega()
    {
        // The Galois/Counter Mode of Operation, test case 16.
        using var key = DataKey.Import(CipherSuite.Aes256Gcm, Hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
        var plain = Hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
        var nonce = Hex("cafebabefacedbaddecaf888" + "01020304"); // the last four bytes are not used
        var associated = Hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");

        Assert.Equal(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" +
            "76fc6ece0f4e1768cddf8853bb2d551b",
            Seal(key, nonce, associated, plain));
    }

    [Fact]
    public void Aegis_256_gives_the_first_vector_of_the_draft()
    {
        // draft-irtf-cfrg-aegis-aead, AEGIS-256 test vector 1; its nonce ends in 16 zero bytes, as ours do.
        using var key = DataKey.Import(CipherSuite.Aegis256, Hex("1001" + new string('0', 60)));

        Assert.Equal(
            "754fc3d8c973246dcc6d741412a4b236" + "1181a1d18091082bf0266f66297d167d2e68b845f61a3b0527d31fc7b7b89f13",
            Seal(key, Hex("10000200" + new string('0', 24)), [], new byte[16]));
    }

    [Fact]
    public void XChaCha20_poly1305_is_ChaCha20_poly1305_under_the_derived_key()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        var nonce = RandomNumberGenerator.GetBytes(16);
        var plain = RandomNumberGenerator.GetBytes(1000);
        using var key = DataKey.Import(CipherSuite.XChaCha20Poly1305, secret);
        using var reference = new ChaCha20Poly1305(HChaCha20(secret, nonce));
        var cipher = new byte[plain.Length];
        var tag = new byte[16];
        reference.Encrypt(new byte[12], plain, cipher, tag, "context"u8); // the last 8 bytes of our nonce are zero

        Assert.Equal(Convert.ToHexStringLower(cipher) + Convert.ToHexStringLower(tag), Seal(key, nonce, "context"u8, plain));
    }

    [Fact]
    public void HChaCha20_of_these_tests_gives_the_vector_of_the_draft()
    {
        // draft-irtf-cfrg-xchacha-03, 2.2.1.
        var derived = HChaCha20(Hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), Hex("000000090000004a0000000031415927"));
        Assert.Equal("82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc", Convert.ToHexStringLower(derived));
    }

    [Theory]
    [InlineData(CipherSuite.Aes256Gcm)]
    [InlineData(CipherSuite.Aegis256)]
    [InlineData(CipherSuite.XChaCha20Poly1305)]
    public void Open_refuses_any_changed_bit_of_text_nonce_and_context(CipherSuite suite)
    {
        using var key = DataKey.Import(suite, RandomNumberGenerator.GetBytes(32));
        var nonce = RandomNumberGenerator.GetBytes(16);
        byte[] associated = [1, 2, 3];
        byte[] plain = [4, 5, 6, 7];
        var text = Convert.FromHexString(Seal(key, nonce, associated, plain));
        var opened = new byte[plain.Length];
        Assert.True(key.TryOpen(nonce, associated, text, opened));
        Assert.Equal(plain, opened);

        foreach (var (bytes, used) in new[] { (text, text.Length), (associated, 3), (nonce, suite == CipherSuite.Aes256Gcm ? 12 : 16) })
        {
            for (var bit = 0; bit < used * 8; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(key.TryOpen(nonce, associated, text, opened));
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    public void Key_check_differs_between_keys_and_is_the_documented_derivation()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        using var key = DataKey.Import(CipherSuite.Aes256Gcm, secret);
        using var other = DataKey.Import(CipherSuite.Aes256Gcm, RandomNumberGenerator.GetBytes(32));
        Assert.Equal(HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 8, [], "overlay key check v1"u8.ToArray()), key.KeyCheck.ToArray());
        Assert.NotEqual(other.KeyCheck.ToArray(), key.KeyCheck.ToArray());
    }

    [Fact]
    public void Sealing_and_opening_allocate_nothing()
    {
        using var key = DataKey.Import(CipherSuite.Aes256Gcm, new byte[32]);
        var plain = new byte[16384];
        var text = new byte[16384 + 16];
        var nonce = new byte[16];
        Use();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            Use();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Use()
        {
            NonceSource.Next(nonce);
            key.Seal(nonce, "context"u8, plain, text);
            _ = key.TryOpen(nonce, "context"u8, text, plain);
        }
    }

    private static string Seal(DataKey key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plain)
    {
        var text = new byte[plain.Length + key.TagSize];
        key.Seal(nonce, associated, plain, text);
        return Convert.ToHexStringLower(text);
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text);

    private static byte[] HChaCha20(byte[] key, byte[] nonce)
    {
        var state = new uint[16];
        "expand 32-byte k"u8.ToArray().CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsBytes(state.AsSpan()));
        key.CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsBytes(state.AsSpan(4)));
        nonce.CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsBytes(state.AsSpan(12)));
        for (var round = 0; round < 10; round++)
        {
            for (var i = 0; i < 4; i++)
                QuarterRound(state, i, 4 + i, 8 + i, 12 + i);
            for (var i = 0; i < 4; i++)
                QuarterRound(state, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
        }
        var derived = new byte[32];
        for (var i = 0; i < 8; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(derived.AsSpan(i * 4), state[i < 4 ? i : i + 8]);
        return derived;
    }

    private static void QuarterRound(uint[] s, int a, int b, int c, int d)
    {
        s[a] += s[b]; s[d] = BitOperations.RotateLeft(s[d] ^ s[a], 16);
        s[c] += s[d]; s[b] = BitOperations.RotateLeft(s[b] ^ s[c], 12);
        s[a] += s[b]; s[d] = BitOperations.RotateLeft(s[d] ^ s[a], 8);
        s[c] += s[d]; s[b] = BitOperations.RotateLeft(s[b] ^ s[c], 7);
    }
}
