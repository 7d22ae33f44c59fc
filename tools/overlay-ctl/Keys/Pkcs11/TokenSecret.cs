using System;
using Overlay.Crypto;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys.Pkcs11;

/// <summary>What a token gives a volume: the secret of a new slot, or of those that are tried.</summary>
internal static class TokenSecret
{
    internal static KeySecret Make(TokenUri uri, ReadOnlySpan<byte> pin)
    {
        using TokenKey key = new(uri, pin);
        byte[] secret = GC.AllocateUninitializedArray<byte>(TokenKey.SecretSize, pinned: true);
        byte[] again = [];
        try
        {
            NonceSource.Fill(secret);
            byte[] data = key.Encrypt(secret);
            // A public key whose private one is elsewhere would make a slot that nobody opens.
            again = key.TryDecrypt(data) ?? [];
            if (!Secret.Same(secret, again))
                throw new ControlException(ExitCodes.Key, $"the token's private key does not decrypt what its public key encrypted: do both belong to {uri.Text}?");
            return KeySecret.NewOfToken(uri.Name, secret, data);
        }
        finally
        {
            Secret.Wipe(secret);
            Secret.Wipe(again);
        }
    }

    /// <summary>The token is asked when slots are tried; it is logged in until then.</summary>
    internal static KeySecret Open(TokenUri uri, ReadOnlySpan<byte> pin)
    {
        TokenKey key = new(uri, pin);
        return KeySecret.FromToken(data => key.TryDecrypt(data.Span), key);
    }
}
