namespace Overlay.Crypto;

/// <summary>
/// libsodium's functions that <see cref="AheadKey"/> calls, by address: <c>crypto_aead_*_encrypt_detached</c>. They are called as compiled code of our own would be,
/// without a word to the runtime: even the call that does without a transition asks behind it whether a collection waits, which a thread that the runtime
/// does not know must not.
/// </summary>
public static class AheadSealers
{
    private static readonly nint[] s_addresses = new nint[(int)CipherSuite.XChaCha20Poly1305 + 1];

    /// <summary>Set at start, by who has a second thread.</summary>
    public static void Set(CipherSuite suite, nint address) => s_addresses[(int)suite] = address;

    /// <summary>0: nothing can be sealed ahead.</summary>
    public static nint Of(CipherSuite suite) => s_addresses[(int)suite];
}
