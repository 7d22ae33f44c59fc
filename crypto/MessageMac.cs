using System;

namespace Overlay.Crypto;

/// <summary>HMAC-SHA-256 (RFC 2104).</summary>
/// <remarks>HKDF's first step is just that (RFC 5869 §2.2: PRK = HMAC-Hash(salt, IKM)), with a key in the salt's place.</remarks>
public static unsafe class MessageMac
{
    public const int Size = 32;

    public static void HmacSha256(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, Span<byte> mac)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(mac.Length, Size, nameof(mac));
        fixed (byte* keyStart = key, messageStart = message, target = mac)
        {
            if (Sodium.HkdfExtract(target, keyStart, (nuint)key.Length, messageStart, (nuint)message.Length) != 0)
                throw new InvalidOperationException("computing a message's authentication code failed");
        }
    }
}
