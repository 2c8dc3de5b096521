/* sha256.h - SHA-256 by nettle (SHA-NI where the machine has it). */
#ifndef M31RI_SHA256_H
#define M31RI_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/error.h"

#define M31RI_SHA256_BYTES 32
#define M31RI_SHA256_HEX 65 /* 64 hex digits and NUL */

typedef struct m31ri_sha256 m31ri_sha256;

/* A digest in progress; NULL when memory is out. Freed by m31ri_sha256_free(). */
m31ri_sha256 *m31ri_sha256_new(void);
void m31ri_sha256_free(m31ri_sha256 *h);
void m31ri_sha256_add(m31ri_sha256 *h, const void *bytes, size_t length);

/* Writes the digest and starts anew. */
void m31ri_sha256_end(m31ri_sha256 *h, uint8_t out[M31RI_SHA256_BYTES]);

/* One call for bytes in memory. */
void m31ri_sha256_of(const void *bytes, size_t length, uint8_t out[M31RI_SHA256_BYTES]);

/* Lower-case hex of a digest, with NUL. */
void m31ri_sha256_hex(const uint8_t digest[M31RI_SHA256_BYTES], char out[M31RI_SHA256_HEX]);

/* The digest that 64 lower-case hex digits, and nothing behind them, stand for. */
bool m31ri_sha256_unhex(const char *hex, uint8_t out[M31RI_SHA256_BYTES]);

/* Digest and size of what an open file holds from its start; reads, never maps. `out_size` may be
 * NULL. */
m31r_err m31ri_sha256_fd(int fd, uint8_t out[M31RI_SHA256_BYTES], uint64_t *out_size,
                         m31r_error *e);

#endif
