/* hash_jobs.h - digests of many files at once: the leaves of files of lines, the SHA-256 of others.
 *
 * Where the blocks of a file of lines end is looked up first, which reads a few bytes of each; then
 * pieces of some megabytes are hashed by as many threads as it is worth. The result does not depend
 * on the number of threads.
 */
#ifndef M31RI_HASH_JOBS_H
#define M31RI_HASH_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "m31r/error.h"

/* One file. The caller fills path, in_blocks, may_be_remembered and most_bytes, and frees `ends`
 * and `leaves` by m31ri_hash_job_release(). */
typedef struct m31ri_hash_job {
    const char *path; /* below the run */
    bool in_blocks;
    bool may_be_remembered; /* the cache of digests may be believed; it learns in any case */
    bool is_remembered;     /* it was: nothing was read */
    int64_t most_bytes;     /* not further than this; -1: all of it */
    int err;                /* 0, or the errno of opening or reading it */
    uint64_t bytes;
    uint64_t n_blocks;
    uint64_t *ends; /* of its blocks */
    uint8_t (*leaves)[M31RI_SHA256_BYTES];
    uint8_t sha256[M31RI_SHA256_BYTES]; /* when not in_blocks */
} m31ri_hash_job;

/* Who is told how far it is, as m31r_verify_options says. `told` may be NULL. */
typedef struct m31ri_hash_listener {
    void (*told)(void *context, uint64_t done, uint64_t total);
    void *context;
} m31ri_hash_listener;

/* One thread for little, else as many as there are processors, at most 4.
 * Errors: M31R_E_NOMEM. What cannot be read is said in `err` of the job. */
m31r_err m31ri_hash_jobs_run(int run, m31ri_hash_job *jobs, size_t n,
                             const m31ri_hash_listener *listener, m31r_error *e);
void m31ri_hash_job_release(m31ri_hash_job *job);

/* The leaf of `bytes` bytes at `offset`; errno. */
int m31ri_hash_block(int fd, uint64_t offset, uint64_t bytes, uint8_t out[M31RI_SHA256_BYTES]);

#endif
