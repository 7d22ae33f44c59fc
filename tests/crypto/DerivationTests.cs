using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Security.Cryptography;
using System.Threading.Tasks;
using Overlay.Crypto;
using Xunit;

namespace Overlay.Crypto.Tests;

public sealed class DerivationTests
{
    [Theory]
    // RFC 5869, A.1 and A.3.
    [InlineData("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")]
    [InlineData("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")]
    public void Hkdf_gives_the_vectors_of_the_RFC(string key, string salt, string info, string expected)
    {
        var output = new byte[expected.Length / 2];
        Hkdf.DeriveSha256(Convert.FromHexString(key), Convert.FromHexString(salt), Convert.FromHexString(info), output);
        Assert.Equal(expected, Convert.ToHexStringLower(output));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(200)]
    public void Hkdf_agrees_with_the_frameworks_for_every_length_of_salt(int length)
    {
        var key = RandomNumberGenerator.GetBytes(40);
        var salt = RandomNumberGenerator.GetBytes(length);
        var output = new byte[100];
        Hkdf.DeriveSha256(key, salt, "info"u8, output);
        Assert.Equal(HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 100, salt, "info"u8.ToArray()), output);
    }

    [Fact]
    public void Hkdf_takes_a_key_of_16_MiB()
    {
        var key = RandomNumberGenerator.GetBytes(16 << 20);
        var output = new byte[32];
        Hkdf.DeriveSha256(key, [1], "info"u8, output);
        Assert.Equal(HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 32, [1], "info"u8.ToArray()), output);
    }

    [Fact]
    public void Argon2id_depends_on_passphrase_salt_and_cost()
    {
        string Derive(string passphrase, byte salt, int memory, int passes)
        {
            var key = new byte[32];
            PassphraseKdf.Derive(System.Text.Encoding.UTF8.GetBytes(passphrase), Enumerable.Repeat(salt, 16).ToArray(), memory, passes, key);
            return Convert.ToHexStringLower(key);
        }
        var keys = new[] { Derive("a", 1, 64, 1), Derive("b", 1, 64, 1), Derive("a", 2, 64, 1), Derive("a", 1, 128, 1), Derive("a", 1, 64, 2) };
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], Derive("a", 1, 64, 1));
    }

    [Fact]
    public void Wrapped_key_opens_only_under_its_key_and_context()
    {
        var wrapping = RandomNumberGenerator.GetBytes(32);
        var key = RandomNumberGenerator.GetBytes(32);
        var wrapped = new byte[32 + KeyWrap.Overhead];
        KeyWrap.Wrap(wrapping, "file 1"u8, key, wrapped);
        var opened = new byte[32];
        Assert.True(KeyWrap.TryUnwrap(wrapping, "file 1"u8, wrapped, opened));
        Assert.Equal(key, opened);
        Assert.False(KeyWrap.TryUnwrap(wrapping, "file 2"u8, wrapped, opened));
        Assert.False(KeyWrap.TryUnwrap(key, "file 1"u8, wrapped, opened));
        wrapped[^1] ^= 1;
        Assert.False(KeyWrap.TryUnwrap(wrapping, "file 1"u8, wrapped, opened));
    }

    [Fact]
    public void Nonces_never_repeat_across_threads()
    {
        var seen = new ConcurrentDictionary<UInt128, bool>();
        Parallel.For(0, 4, _ =>
        {
            Span<byte> nonce = stackalloc byte[16];
            for (var i = 0; i < 50_000; i++)
            {
                NonceSource.Next(nonce);
                Assert.True(seen.TryAdd(System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(nonce), true));
            }
        });
        Assert.Equal(200_000, seen.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(16384)]
    [InlineData(1 << 20)]
    public void Compressed_block_expands_to_itself_and_never_beyond_its_room(int length)
    {
        var plain = Enumerable.Range(0, length).Select(i => (byte)(i / 7 % 50)).ToArray();
        var packed = new byte[length + 64];
        var size = BlockCompressor.Compress(plain, packed);
        Assert.True(size > 0);
        var expanded = new byte[length];
        Assert.True(BlockCompressor.TryExpand(packed.AsSpan(0, size), expanded, out var count));
        Assert.Equal(length, count);
        Assert.Equal(plain, expanded);
        Assert.False(length > 1 && BlockCompressor.TryExpand(packed.AsSpan(0, size), expanded.AsSpan(0, length - 1), out _));
        Assert.Equal(0, BlockCompressor.Compress(RandomNumberGenerator.GetBytes(length), new byte[length]));
    }

    [Fact]
    public void Same_compares_contents_and_lengths()
    {
        Assert.True(Secret.Same([1, 2], [1, 2]));
        Assert.False(Secret.Same([1, 2], [1, 3]));
        Assert.False(Secret.Same([1, 2], [1, 2, 3]));
    }
}
