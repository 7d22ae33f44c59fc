using System.Runtime.InteropServices;

namespace Overlay.Crypto;

/// <summary>
/// The libsodium that NSec.Cryptography brings, called directly for the sealing of blocks alone: NSec keeps every key in guarded
/// pages of its own, twelve system calls a key, and expands it anew for each call (docs/decisions.md).
/// </summary>
internal static unsafe partial class Sodium
{
    private const string Library = "libsodium";

    /// <summary>0 or 1 (it was done before); negative if the library cannot be used.</summary>
    [LibraryImport(Library, EntryPoint = "sodium_init")]
    public static partial int Initialise();

    [LibraryImport(Library, EntryPoint = "crypto_aead_aes256gcm_is_available")]
    public static partial int HasAes();

    [LibraryImport(Library, EntryPoint = "crypto_aead_aes256gcm_statebytes")]
    public static partial nuint AesStateSize();

    [LibraryImport(Library, EntryPoint = "crypto_aead_aes256gcm_beforenm")]
    public static partial int AesExpand(byte* state, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_aes256gcm_encrypt_afternm")]
    public static partial int AesSeal(
        byte* target, ulong* targetSize, byte* plain, ulong size, byte* data, ulong dataSize, byte* none, byte* nonce, byte* state);

    [LibraryImport(Library, EntryPoint = "crypto_aead_aes256gcm_decrypt_afternm")]
    public static partial int AesOpen(
        byte* target, ulong* targetSize, byte* none, byte* text, ulong size, byte* data, ulong dataSize, byte* nonce, byte* state);

    [LibraryImport(Library, EntryPoint = "crypto_aead_aegis256_encrypt")]
    public static partial int AegisSeal(
        byte* target, ulong* targetSize, byte* plain, ulong size, byte* data, ulong dataSize, byte* none, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_aegis256_decrypt")]
    public static partial int AegisOpen(
        byte* target, ulong* targetSize, byte* none, byte* text, ulong size, byte* data, ulong dataSize, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_aes256gcm_decrypt_detached_afternm")]
    public static partial int AesOpenApart(byte* target, byte* none, byte* text, ulong size, byte* tag, byte* data, ulong dataSize, byte* nonce, byte* state);

    [LibraryImport(Library, EntryPoint = "crypto_aead_aegis256_decrypt_detached")]
    public static partial int AegisOpenApart(byte* target, byte* none, byte* text, ulong size, byte* tag, byte* data, ulong dataSize, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_xchacha20poly1305_ietf_decrypt_detached")]
    public static partial int ChaChaOpenApart(byte* target, byte* none, byte* text, ulong size, byte* tag, byte* data, ulong dataSize, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_kdf_hkdf_sha256_extract")]
    public static partial int HkdfExtract(byte* pseudoRandomKey, byte* salt, nuint saltSize, byte* key, nuint keySize);

    [LibraryImport(Library, EntryPoint = "crypto_kdf_hkdf_sha256_statebytes")]
    public static partial nuint HkdfStateSize();

    [LibraryImport(Library, EntryPoint = "crypto_kdf_hkdf_sha256_extract_init")]
    public static partial int HkdfBegin(ulong* state, byte* salt, nuint saltSize);

    [LibraryImport(Library, EntryPoint = "crypto_kdf_hkdf_sha256_extract_update")]
    public static partial int HkdfUpdate(ulong* state, byte* key, nuint keySize);

    [LibraryImport(Library, EntryPoint = "crypto_kdf_hkdf_sha256_extract_final")]
    public static partial int HkdfFinal(ulong* state, byte* pseudoRandomKey);

    [LibraryImport(Library, EntryPoint = "crypto_kdf_hkdf_sha256_expand")]
    public static partial int HkdfExpand(byte* target, nuint size, byte* info, nuint infoSize, byte* pseudoRandomKey);

    /// <summary>X25519. -1: the result would be zero, since the point is of low order.</summary>
    [LibraryImport(Library, EntryPoint = "crypto_scalarmult_curve25519")]
    public static partial int Multiply(byte* result, byte* scalar, byte* point);

    [LibraryImport(Library, EntryPoint = "crypto_scalarmult_curve25519_base")]
    public static partial int MultiplyBase(byte* result, byte* scalar);

    /// <summary>SipHash-2-4: 8 bytes, under a key of 16.</summary>
    [LibraryImport(Library, EntryPoint = "crypto_shorthash_siphash24")]
    public static partial int ShortHash(byte* hash, byte* data, ulong size, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_xchacha20poly1305_ietf_encrypt")]
    public static partial int ChaChaSeal(
        byte* target, ulong* targetSize, byte* plain, ulong size, byte* data, ulong dataSize, byte* none, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_xchacha20poly1305_ietf_decrypt")]
    public static partial int ChaChaOpen(
        byte* target, ulong* targetSize, byte* none, byte* text, ulong size, byte* data, ulong dataSize, byte* nonce, byte* key);
}
