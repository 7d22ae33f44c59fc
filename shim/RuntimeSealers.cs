using System;
using System.Runtime.InteropServices;
using Overlay.Crypto;

namespace Overlay.Shim;

/// <summary><c>shim/runtime/sealers.c</c>, which is linked into this library.</summary>
internal static partial class RuntimeSealers
{
    internal static void Publish()
    {
        foreach (CipherSuite suite in (ReadOnlySpan<CipherSuite>)[CipherSuite.Aes256Gcm, CipherSuite.Aegis256, CipherSuite.XChaCha20Poly1305])
            AheadSealers.Set(suite, AddressOf((int)suite));
    }

    [LibraryImport("overlay_runtime", EntryPoint = "overlay_sealer")]
    private static partial nint AddressOf(int suite);
}
