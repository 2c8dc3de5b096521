/* hash_queue.h - large files that were registered, hashed one after another in a thread of their
 * own, while the program goes on.
 *
 * The thread is started with the first file. A file is read through the descriptor that was opened
 * at its registration, so it may be renamed or removed meanwhile; one that is overwritten meanwhile
 * gets no digest, and a WARNING says so. After a second of reading, and each five from then on, a
 * record says how far it is.
 */
#ifndef M31RI_HASH_QUEUE_H
#define M31RI_HASH_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sha256.h"
#include "m31r/run.h"

/* What is registered. */
typedef struct m31ri_artifact {
    const char *role;    /* "checkpoint", "input", or what the program calls it */
    const char *message; /* of its record */
    const char *path;
    int64_t step;
} m31ri_artifact;

typedef struct m31ri_artifact_facts {
    uint64_t bytes;
    int64_t mtime_ns;
    int64_t hashed_ns;             /* wall time before the hashing */
    char sha256[M31RI_SHA256_HEX]; /* "": not known yet */
    char shown_path[512];          /* relative to the run's directory when it is below it */
} m31ri_artifact_facts;

typedef struct m31ri_hash_queue m31ri_hash_queue;

/* Takes over `fd`. False when memory is out or no thread can be had: the caller keeps it. */
bool m31ri_hash_queue_add(m31r_run *run, const m31ri_artifact *a, const m31ri_artifact_facts *f,
                          int fd);

/* Ends it: what is left is hashed first when that is a matter of a second, else it is left to the
 * seal. */
void m31ri_hash_queue_stop(m31r_run *run);

/* artifacts.c: the notice and the record of a file whose digest is known now. */
void m31ri_artifact_hashed(m31r_run *run, const m31ri_artifact *a, const m31ri_artifact_facts *f);

#endif
