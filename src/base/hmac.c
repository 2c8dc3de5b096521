/* hmac.c - HMAC-SHA-256 by nettle; keys from the system's random numbers. */
#include "base/hmac.h"

#include <nettle/hmac.h>
#include <unistd.h>

void m31ri_hmac_of(const uint8_t key[M31RI_HMAC_BYTES], const void *bytes, size_t length,
                   uint8_t out[M31RI_HMAC_BYTES])
{
    struct hmac_sha256_ctx context;
    hmac_sha256_set_key(&context, M31RI_HMAC_BYTES, key);
    hmac_sha256_update(&context, length, bytes);
    hmac_sha256_digest(&context, M31RI_HMAC_BYTES, out);
}

bool m31ri_hmac_key_new(uint8_t key[M31RI_HMAC_BYTES])
{
    return getentropy(key, M31RI_HMAC_BYTES) == 0;
}
