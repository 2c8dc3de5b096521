/* hmac.h - HMAC-SHA-256 of bytes in memory, by nettle. */
#ifndef M31RI_HMAC_H
#define M31RI_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define M31RI_HMAC_BYTES 32 /* of a key, and of what comes out */

void m31ri_hmac_of(const uint8_t key[M31RI_HMAC_BYTES], const void *bytes, size_t length,
                   uint8_t out[M31RI_HMAC_BYTES]);

/* A new secret key from the system's random numbers. False when there are none. */
bool m31ri_hmac_key_new(uint8_t key[M31RI_HMAC_BYTES]);

#endif
