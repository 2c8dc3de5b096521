/* fingerprint_int.h - the cache of content digests behind fingerprint.c. Never needed: every
 * failure means "not known". */
#ifndef M31RI_FINGERPRINT_INT_H
#define M31RI_FINGERPRINT_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

typedef struct m31ri_fingerprint_cache m31ri_fingerprint_cache;

/* What was remembered for `path`; NULL when there is no cache directory or no memory (the other
 * calls take NULL). */
m31ri_fingerprint_cache *m31ri_fingerprint_cache_open(const char *path);

/* Looks a file up by what fstat says of it. */
bool m31ri_fingerprint_cache_get(m31ri_fingerprint_cache *c, const struct stat *st,
                                 uint8_t out[32]);

/* Remembers a digest of a file that was `st` before and after it was read. */
void m31ri_fingerprint_cache_add(m31ri_fingerprint_cache *c, const struct stat *st,
                                 const uint8_t digest[32]);

/* Replaces the remembered by what was added, when `keep` and something is new, and frees. */
void m31ri_fingerprint_cache_close(m31ri_fingerprint_cache *c, bool keep);

#endif
