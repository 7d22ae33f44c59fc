using System;
using System.Text;
using Overlay.Crypto;

namespace Overlay.Metadata.Keys;

/// <summary>
/// Bech32 (BIP 173): bytes as text that a person can copy, with a checksum that finds up to four wrong characters. No limit of 90
/// characters here; ours are shorter.
/// </summary>
internal static class Bech32
{
    private const string Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    private const int ChecksumLength = 6, MostText = 256;

    private static readonly uint[] s_generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

    /// <summary>In small letters, ASCII. The caller wipes it if it is a secret.</summary>
    internal static byte[] Encode(string prefix, ReadOnlySpan<byte> data)
    {
        byte[] groups = Regroup(data);
        byte[] text = new byte[prefix.Length + 1 + groups.Length + ChecksumLength];
        Encoding.ASCII.GetBytes(prefix, text);
        text[prefix.Length] = (byte)'1';
        for (int i = 0; i < groups.Length; i++)
            text[prefix.Length + 1 + i] = (byte)Alphabet[groups[i]];
        uint checksum = Checksum(prefix, groups, new byte[ChecksumLength]) ^ 1;
        for (int i = 0; i < ChecksumLength; i++)
            text[^(ChecksumLength - i)] = (byte)Alphabet[(int)(checksum >> 5 * (ChecksumLength - 1 - i) & 31)];
        Secret.Wipe(groups);
        return text;
    }

    /// <summary>Null: another prefix, a wrong character, small and capital letters mixed, or a checksum that does not fit.</summary>
    internal static byte[]? TryDecode(string prefix, ReadOnlySpan<byte> text)
    {
        int length = text.Length - prefix.Length - 1 - ChecksumLength;
        if (length < 0 || text.Length > MostText || IsMixed(text) || text[prefix.Length] != '1')
            return null;
        for (int i = 0; i < prefix.Length; i++)
            if (Small(text[i]) != prefix[i])
                return null;
        byte[] groups = new byte[length + ChecksumLength];
        try
        {
            for (int i = 0; i < groups.Length; i++)
            {
                int value = Alphabet.IndexOf((char)Small(text[prefix.Length + 1 + i]));
                if (value < 0)
                    return null;
                groups[i] = (byte)value;
            }
            return Checksum(prefix, groups, []) == 1 ? Ungroup(groups.AsSpan(0, length)) : null;
        }
        finally
        {
            Secret.Wipe(groups);
        }
    }

    private static byte Small(byte letter) => letter is >= (byte)'A' and <= (byte)'Z' ? (byte)(letter | 0x20) : letter;

    private static bool IsMixed(ReadOnlySpan<byte> text) =>
        text.IndexOfAnyInRange((byte)'A', (byte)'Z') >= 0 && text.IndexOfAnyInRange((byte)'a', (byte)'z') >= 0;

    private static byte[] Regroup(ReadOnlySpan<byte> data)
    {
        byte[] groups = new byte[(data.Length * 8 + 4) / 5];
        for (int bit = 0; bit < data.Length * 8; bit++)
            groups[bit / 5] |= (byte)((data[bit / 8] >> 7 - bit % 8 & 1) << 4 - bit % 5);
        return groups;
    }

    /// <summary>Null: bits are left over that are not zero, or five of them.</summary>
    private static byte[]? Ungroup(ReadOnlySpan<byte> groups)
    {
        byte[] data = new byte[groups.Length * 5 / 8];
        for (int bit = 0; bit < groups.Length * 5; bit++)
        {
            int value = groups[bit / 5] >> 4 - bit % 5 & 1;
            if (bit < data.Length * 8)
                data[bit / 8] |= (byte)(value << 7 - bit % 8);
            else if (value != 0)
                return null;
        }
        return groups.Length * 5 - data.Length * 8 < 5 ? data : null;
    }

    private static uint Checksum(string prefix, ReadOnlySpan<byte> groups, ReadOnlySpan<byte> more)
    {
        uint state = 1;
        foreach (char c in prefix)
            state = Step(state, (uint)c >> 5);
        state = Step(state, 0);
        foreach (char c in prefix)
            state = Step(state, c & 31u);
        foreach (byte group in groups)
            state = Step(state, group);
        foreach (byte group in more)
            state = Step(state, group);
        return state;
    }

    private static uint Step(uint state, uint value)
    {
        uint top = state >> 25;
        state = (state & 0x1ffffff) << 5 ^ value;
        for (int i = 0; i < s_generator.Length; i++)
            state ^= (top >> i & 1) != 0 ? s_generator[i] : 0;
        return state;
    }
}
