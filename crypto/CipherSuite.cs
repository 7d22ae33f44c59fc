using System;

namespace Overlay.Crypto;

/// <summary>The AEAD of a file: format §3. The value is stored in the header.</summary>
public enum CipherSuite : byte
{
    Aes256Gcm = 1,
    Aegis256 = 2,
    XChaCha20Poly1305 = 3,
}

public static class CipherSuites
{
    public static bool IsKnown(byte value) => value is >= 1 and <= 3;

    public static string Name(this CipherSuite suite) => suite switch
    {
        CipherSuite.Aes256Gcm => "aes-256-gcm",
        CipherSuite.Aegis256 => "aegis-256",
        CipherSuite.XChaCha20Poly1305 => "xchacha20-poly1305",
        _ => "unknown",
    };

    public static bool TryParse(string name, out CipherSuite suite)
    {
        for (suite = CipherSuite.Aes256Gcm; suite <= CipherSuite.XChaCha20Poly1305; suite++)
            if (string.Equals(suite.Name(), name, StringComparison.Ordinal))
                return true;
        suite = default;
        return false;
    }
}
