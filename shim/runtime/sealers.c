/*
 * Addresses of libsodium's functions that seal ahead (crypto/AheadSealers.cs). Linked into the engine: the library that is linked here, and not one of
 * the same name that the program has loaded.
 */
#include <stddef.h>

typedef int sealer(unsigned char *text, unsigned char *tag, unsigned long long *tag_size, const unsigned char *plain, unsigned long long size,
                   const unsigned char *data, unsigned long long data_size, const unsigned char *none, const unsigned char *nonce,
                   const unsigned char *key);

extern sealer crypto_aead_aes256gcm_encrypt_detached_afternm, crypto_aead_aegis256_encrypt_detached, crypto_aead_xchacha20poly1305_ietf_encrypt_detached;

sealer *overlay_sealer(int suite);

/* In the order of CipherSuite. */
sealer *overlay_sealer(int suite)
{
    switch (suite) {
    case 1:
        return crypto_aead_aes256gcm_encrypt_detached_afternm;
    case 2:
        return crypto_aead_aegis256_encrypt_detached;
    case 3:
        return crypto_aead_xchacha20poly1305_ietf_encrypt_detached;
    default:
        return NULL;
    }
}
