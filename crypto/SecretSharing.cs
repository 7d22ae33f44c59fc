using System;

namespace Overlay.Crypto;

/// <summary>
/// Shamir's secret sharing over GF(2⁸) (the field of AES, x⁸ + x⁴ + x³ + x + 1), byte by byte: share i is the value at i of a random polynomial of
/// degree threshold − 1 whose value at 0 is the secret. Fewer shares than the threshold say nothing at all about it; as many as that make it
/// again. No branch and no index depends on a secret.
/// </summary>
public static class SecretSharing
{
    public const int MostShares = 255;

    /// <summary>Random coefficients; tests give their own.</summary>
    /// <param name="shares">Receives them, each as long as the secret; number i is the one for x = i + 1.</param>
    public static void Split(ReadOnlySpan<byte> secret, int threshold, byte[][] shares)
    {
        ArgumentNullException.ThrowIfNull(shares);
        byte[] coefficients = GC.AllocateUninitializedArray<byte>(Math.Max(0, threshold - 1) * secret.Length, pinned: true);
        try
        {
            NonceSource.Fill(coefficients);
            Split(secret, threshold, coefficients, shares);
        }
        finally
        {
            Secret.Wipe(coefficients);
        }
    }

    /// <param name="coefficients">threshold − 1 times the secret's length: those of x first.</param>
    internal static void Split(ReadOnlySpan<byte> secret, int threshold, ReadOnlySpan<byte> coefficients, byte[][] shares)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threshold, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shares.Length, MostShares);
        ArgumentOutOfRangeException.ThrowIfLessThan(shares.Length, threshold);
        for (int share = 0; share < shares.Length; share++)
        {
            byte x = (byte)(share + 1);
            shares[share] = GC.AllocateUninitializedArray<byte>(secret.Length, pinned: true);
            for (int i = 0; i < secret.Length; i++)
            {
                byte value = 0;
                for (int power = threshold - 2; power >= 0; power--)
                    value = (byte)(Multiply(value, x) ^ coefficients[power * secret.Length + i]);
                shares[share][i] = (byte)(Multiply(value, x) ^ secret[i]);
            }
        }
    }

    /// <summary>The secret that these shares, exactly as many as the threshold, make.</summary>
    /// <param name="numbers">Their x; no two the same, none 0.</param>
    public static void Combine(ReadOnlySpan<byte> numbers, byte[][] shares, Span<byte> secret)
    {
        ArgumentNullException.ThrowIfNull(shares);
        ArgumentOutOfRangeException.ThrowIfNotEqual(shares.Length, numbers.Length);
        secret.Clear();
        for (int j = 0; j < numbers.Length; j++)
        {
            // Lagrange's polynomial of share j, at 0; numbers are no secret.
            byte weight = 1;
            for (int m = 0; m < numbers.Length; m++)
            {
                if (m == j)
                    continue;
                if (numbers[m] == numbers[j] || numbers[m] == 0)
                    throw new ArgumentException("two shares have the same number, or one has none", nameof(numbers));
                weight = Multiply(weight, Multiply(numbers[m], Inverse((byte)(numbers[m] ^ numbers[j]))));
            }
            for (int i = 0; i < secret.Length; i++)
                secret[i] ^= Multiply(weight, shares[j][i]);
        }
    }

    internal static byte Multiply(byte a, byte b)
    {
        int product = 0, factor = a;
        for (int bit = 0; bit < 8; bit++)
        {
            product ^= -(b >> bit & 1) & factor;
            factor = factor << 1 ^ -(factor >> 7) & 0x11B;
        }
        return (byte)product;
    }

    /// <summary>a²⁵⁴; of 0 it is 0.</summary>
    internal static byte Inverse(byte a)
    {
        byte result = 1, square = a;
        for (int bit = 1; bit < 8; bit++)
        {
            square = Multiply(square, square);
            result = Multiply(result, square);
        }
        return result;
    }
}
