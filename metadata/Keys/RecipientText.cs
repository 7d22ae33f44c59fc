using System;
using System.Text;
using Overlay.Crypto;

namespace Overlay.Metadata.Keys;

/// <summary>X25519 keys as text: a recipient is "overlay1…", its identity "OVERLAY-SECRET-KEY-1…" (Bech32, like age's, but not age's).</summary>
internal static class RecipientText
{
    private const string PublicPrefix = "overlay", PrivatePrefix = "overlay-secret-key-";

    internal static string Public(ReadOnlySpan<byte> publicKey) => Encoding.ASCII.GetString(Bech32.Encode(PublicPrefix, publicKey));

    internal static byte[]? TryParsePublic(string text) =>
        Bech32.TryDecode(PublicPrefix, Encoding.UTF8.GetBytes(text.Trim())) is { Length: RecipientSeal.KeySize } key ? key : null;

    /// <summary>ASCII; the caller wipes it.</summary>
    internal static byte[] Private(ReadOnlySpan<byte> privateKey)
    {
        byte[] text = Bech32.Encode(PrivatePrefix, privateKey);
        for (int i = 0; i < text.Length; i++)
            if (text[i] is >= (byte)'a' and <= (byte)'z')
                text[i] &= 0xDF;
        return text;
    }

    /// <summary>The first identity of a file's text, in which lines with # say something to people; null if there is none. The caller wipes it.</summary>
    internal static byte[]? TryFindPrivate(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            int end = text.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = (end < 0 ? text : text[..end]).Trim(" \t\r"u8);
            text = end < 0 ? [] : text[(end + 1)..];
            if (!line.IsEmpty && line[0] != '#')
                return Bech32.TryDecode(PrivatePrefix, line) is { Length: RecipientSeal.KeySize } key ? key : null;
        }
        return null;
    }
}
