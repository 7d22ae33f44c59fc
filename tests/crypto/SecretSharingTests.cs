using System;
using System.Linq;
using Overlay.Crypto;
using Xunit;

namespace Overlay.Crypto.Tests;

public class SecretSharingTests
{
    // FIPS 197, section 4.2 and the S-box's inverses.
    [Theory]
    [InlineData(0x57, 0x83, 0xc1)]
    [InlineData(0x57, 0x13, 0xfe)]
    [InlineData(0x53, 0xca, 0x01)]
    [InlineData(0x00, 0x9d, 0x00)]
    public void Multiplication_is_that_of_the_field_of_AES(byte a, byte b, byte product) => Assert.Equal(product, SecretSharing.Multiply(a, b));

    [Fact]
    public void Every_number_but_0_has_an_inverse()
    {
        for (var a = 1; a < 256; a++)
            Assert.Equal(1, SecretSharing.Multiply((byte)a, SecretSharing.Inverse((byte)a)));
        Assert.Equal(0, SecretSharing.Inverse(0));
    }

    // Computed by a program of another kind (log and antilog tables to the base 3).
    [Fact]
    public void Shares_are_the_values_of_the_polynomial()
    {
        var secret = Convert.FromHexString("00ff53c1");
        var coefficients = Convert.FromHexString("0102a4ff" + "10805b01");
        var shares = new byte[4][];
        SecretSharing.Split(secret, 3, coefficients, shares);
        Assert.Equal(["117dac3f", "42cd7720", "534f88de", "1f2f3200"], shares.Select(Convert.ToHexStringLower));
    }

    [Fact]
    public void Any_shares_as_many_as_the_threshold_make_the_secret()
    {
        var secret = Enumerable.Range(0, 32).Select(i => (byte)(i * 37)).ToArray();
        var shares = new byte[5][];
        SecretSharing.Split(secret, 3, shares);
        var result = new byte[32];
        for (var a = 0; a < 5; a++)
        {
            for (var b = 0; b < 5; b++)
            {
                for (var c = 0; c < 5; c++)
                {
                    if (a == b || b == c || a == c)
                        continue;
                    SecretSharing.Combine([(byte)(a + 1), (byte)(b + 1), (byte)(c + 1)], [shares[a], shares[b], shares[c]], result);
                    Assert.Equal(secret, result);
                }
            }
        }
        SecretSharing.Combine([1, 2], [shares[0], shares[1]], result);
        Assert.NotEqual(secret, result);
    }

    [Fact]
    public void One_share_of_two_is_as_likely_with_any_secret()
    {
        // For each value of a share at x = 1 there is exactly one coefficient for each secret.
        for (var secret = 0; secret < 256; secret++)
        {
            var seen = Enumerable.Range(0, 256).Select(coefficient =>
            {
                var shares = new byte[2][];
                SecretSharing.Split([(byte)secret], 2, [(byte)coefficient], shares);
                return shares[0][0];
            });
            Assert.Equal(256, seen.Distinct().Count());
        }
    }

    [Fact]
    public void Two_shares_of_the_same_number_are_refused() =>
        Assert.Throws<ArgumentException>(() => SecretSharing.Combine([1, 1], [new byte[1], new byte[1]], new byte[1]));
}
