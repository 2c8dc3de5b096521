/* hmac.c - HMAC-SHA-256 and its keys by libcrypto. */
#include "base/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

void m31ri_hmac_of(const uint8_t key[M31RI_HMAC_BYTES], const void *bytes, size_t length,
                   uint8_t out[M31RI_HMAC_BYTES])
{
    if (HMAC(EVP_sha256(), key, M31RI_HMAC_BYTES, bytes, length, out, NULL) == NULL) {
        memset(out, 0, M31RI_HMAC_BYTES); /* no memory: says nothing of the value */
    }
}

bool m31ri_hmac_key_new(uint8_t key[M31RI_HMAC_BYTES])
{
    return RAND_bytes(key, M31RI_HMAC_BYTES) == 1;
}
