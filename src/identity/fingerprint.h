/* fingerprint.h - the SHA-256 of a file or of a directory of files, with a cache.
 *
 * Of a file: SHA-256 of its bytes. Of a directory: SHA-256 over, for each regular file in byte
 * order of its relative path, the path, NUL, and its 32-byte content digest. Symlinks below it are
 * not followed: their target text counts as content and their path is suffixed "@" (after sorting).
 * Devices, sockets and FIFOs are left out.
 *
 * The cache ($XDG_CACHE_HOME/m31r/fingerprints/, else ~/.cache/m31r/..., one file for each path
 * fingerprinted) remembers content digests by device, inode, size, mtime and ctime; it is never
 * needed for correctness, and a file that changed within 2 seconds before it was read is not
 * remembered.
 */
#ifndef M31RI_FINGERPRINT_H
#define M31RI_FINGERPRINT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "m31r/error.h"

typedef struct m31ri_fingerprint {
    uint8_t digest[32];
    uint64_t n_files;
    uint64_t n_bytes;
    uint64_t n_changed; /* files that changed while they were read: the digest is of the bytes that
                           were read */
} m31ri_fingerprint;

/* Seen by other threads while it is computed; `cancel` set by another thread ends it with
 * M31R_E_CLOSED. */
typedef struct m31ri_fingerprint_progress {
    atomic_uint_fast64_t n_files, n_bytes;
    atomic_bool cancel;
} m31ri_fingerprint_progress;

/* `progress` may be NULL. Errors: M31R_E_NOTFOUND, M31R_E_IO (path set), M31R_E_CLOSED. Thread:
 * any. */
m31r_err m31ri_fingerprint_path(const char *path, m31ri_fingerprint_progress *progress,
                                m31ri_fingerprint *out, m31r_error *e);

#endif
