using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Tests.Doubles;

/// <summary>What 'overlay-ctl rekey' does to one file.</summary>
public static class Rekeying
{
    public static byte[] CheckOf(byte[] secret)
    {
        using DataKey key = DataKey.Import(CipherSuite.XChaCha20Poly1305, secret);
        return key.KeyCheck.ToArray();
    }

    public static void Rekey(this SealedFile file, byte[] next)
    {
        RekeyWalk walk = file.StartRekey(next);
        while (file.Reseal(walk))
        {
        }
        file.EndRekey(walk);
    }

    public static RekeyWalk StartRekey(this SealedFile file, byte[] next)
    {
        _ = file.BeginRekey(next);
        return new RekeyWalk(CheckOf(next));
    }
}
