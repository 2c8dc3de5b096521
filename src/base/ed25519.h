/* ed25519.h - signatures by nettle (RFC 8032), and keys as PEM (PKCS #8, RFC 8410). */
#ifndef M31RI_ED25519_H
#define M31RI_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define M31RI_KEY_BYTES 32
#define M31RI_SIGNATURE_BYTES 64

/* A new secret key from the system's random numbers. */
bool m31ri_ed25519_new(uint8_t secret[M31RI_KEY_BYTES]);
void m31ri_ed25519_public(const uint8_t secret[M31RI_KEY_BYTES], uint8_t out[M31RI_KEY_BYTES]);
void m31ri_ed25519_sign(const uint8_t secret[M31RI_KEY_BYTES], const void *text, size_t length,
                        uint8_t out[M31RI_SIGNATURE_BYTES]);
bool m31ri_ed25519_holds(const uint8_t key[M31RI_KEY_BYTES], const void *text, size_t length,
                         const uint8_t signature[M31RI_SIGNATURE_BYTES]);

/* The secret key as `openssl pkey` reads and writes it; one with a passphrase is not read. */
bool m31ri_ed25519_pem_write(const uint8_t secret[M31RI_KEY_BYTES], m31ri_buf *out);
bool m31ri_ed25519_pem_read(const char *text, size_t length, uint8_t secret[M31RI_KEY_BYTES]);

/* Overwrites what must not stay in memory. */
void m31ri_wipe(void *bytes, size_t length);

#endif
