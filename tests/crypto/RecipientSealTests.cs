using System;
using Overlay.Crypto;
using Xunit;

namespace Overlay.Crypto.Tests;

public class RecipientSealTests
{
    // Computed by OpenSSL.
    [Theory]
    [InlineData("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c")]
    public void Public_keys_are_those_of_X25519(string privateKey, string publicKey) =>
        Assert.Equal(publicKey, Convert.ToHexStringLower(RecipientSeal.PublicKey(Convert.FromHexString(privateKey))));

    [Fact]
    public void Opens_only_with_the_key_the_context_and_every_byte_as_they_were()
    {
        var (mine, other) = (Filled(1), Filled(2));
        var key = Filled(3);
        var sealedKey = RecipientSeal.Seal(RecipientSeal.PublicKey(mine), "context"u8, key);
        var opened = new byte[32];
        Assert.True(RecipientSeal.TryOpen(mine, "context"u8, sealedKey, opened));
        Assert.Equal(key, opened);
        Assert.False(RecipientSeal.TryOpen(other, "context"u8, sealedKey, opened));
        Assert.False(RecipientSeal.TryOpen(mine, "kontext"u8, sealedKey, opened));
        Assert.False(RecipientSeal.TryOpen(mine, "context"u8, sealedKey.AsSpan(1), opened));
        for (var i = 0; i < sealedKey.Length; i++)
        {
            sealedKey[i] ^= 1;
            Assert.False(RecipientSeal.TryOpen(mine, "context"u8, sealedKey, opened));
            sealedKey[i] ^= 1;
        }
    }

    [Fact]
    public void Two_seals_of_the_same_key_have_nothing_in_common()
    {
        var (one, two) = (RecipientSeal.Seal(RecipientSeal.PublicKey(Filled(1)), default, Filled(3)), RecipientSeal.Seal(RecipientSeal.PublicKey(Filled(1)), default, Filled(3)));
        Assert.NotEqual(one[..32], two[..32]);
        Assert.NotEqual(one[56..], two[56..]);
    }

    [Fact]
    public void A_point_of_low_order_is_nobodys_public_key() =>
        Assert.Throws<ErrnoException>(() => RecipientSeal.Seal(new byte[32], default, Filled(3)));

    private static byte[] Filled(byte value)
    {
        var bytes = new byte[32];
        Array.Fill(bytes, value);
        return bytes;
    }
}
