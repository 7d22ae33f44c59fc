using System;
using System.Globalization;
using Overlay.Crypto;

namespace Overlay.Ctl.Keys;

/// <summary>How often one key may seal with random nonces (NIST SP 800-38D, 8.3: 2³² with 96 bits; with 128 bits and more, 2⁴⁸ here).</summary>
internal static class SealLimit
{
    internal const long Gcm = 1L << 32, Others = 1L << 48;

    /// <summary>What is due is said at half of it: not every use is told.</summary>
    internal const long GcmDue = Gcm / 2;

    /// <summary>At how many an agent replaces a key by itself. OVERLAY_MOST_SEALS makes it less, never more: for tests.</summary>
    internal static long MostSeals => long.TryParse(Environment.GetEnvironmentVariable("OVERLAY_MOST_SEALS"), NumberStyles.None, CultureInfo.InvariantCulture, out long most)
        ? Math.Min(most, GcmDue) : GcmDue;

    internal static long Of(CipherSuite suite) => suite == CipherSuite.Aes256Gcm ? Gcm : Others;
}
