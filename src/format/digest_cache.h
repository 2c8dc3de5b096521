/* digest_cache.h - content digests remembered by device, inode, size, mtime and ctime, so that a
 * file that has not changed is not read again. Never needed: every failure means "not known".
 *
 * $XDG_CACHE_HOME/m31r/fingerprints/ (else ~/.cache/m31r/...) has one file for each dataset that
 * was fingerprinted, and `files` for single ones: checkpoints, inputs, payload that is verified.
 * M31R_NO_CACHE set and not empty: nothing is looked up, nothing kept.
 */
#ifndef M31RI_DIGEST_CACHE_H
#define M31RI_DIGEST_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

typedef struct m31ri_digest_cache m31ri_digest_cache;

/* What was remembered for `path`; NULL when there is no cache directory or no memory (the other
 * calls take NULL). */
m31ri_digest_cache *m31ri_digest_cache_open(const char *path);

/* Looks a file up by what fstat says of it. */
bool m31ri_digest_cache_get(m31ri_digest_cache *c, const struct stat *st, uint8_t out[32]);

/* Remembers a digest of a file that was `st` before and after it was read. */
void m31ri_digest_cache_add(m31ri_digest_cache *c, const struct stat *st, const uint8_t digest[32]);

/* Replaces the remembered by what was added, when `keep` and something is new, and frees. */
void m31ri_digest_cache_close(m31ri_digest_cache *c, bool keep);

/* Single files of 1 MiB and more, in the one file that they share. `hashed_ns`: wall time before it
 * was read. What was written shortly before is not kept: within 10 ms, on a network file system or
 * where times are coarse 2 s. Any thread. */
bool m31ri_digest_find(const struct stat *st, uint8_t out[32]);
void m31ri_digest_keep(int fd, const struct stat *st, const uint8_t digest[32], int64_t hashed_ns);

#endif
