/* A checkpoint: everything that is needed to go on as if training had never stopped.
 *
 * The file, in the byte order of the machine (another order fails the test of the first word):
 *
 *     header        words of 64 bits: mark, version, shape, step, place in the text, random state
 *     parameters    n_parameters numbers
 *     optimiser     n_parameters means, n_parameters squares
 *     checksum      FNV-1a of all bytes before it
 *
 * It is written beside its place and moved there, so that a file with its final name is always
 * whole.
 */
#ifndef TRAIN_SAVEPOINT_H
#define TRAIN_SAVEPOINT_H

#include "adamw.h"
#include "feed.h"

typedef struct {
    model_shape shape;
    uint64_t step;
    uint64_t tokens_total;
    uint64_t seed;
    uint64_t corpus_digest;
    feed_state feed;
} savepoint;

/* The vectors that a checkpoint holds, each as long as the model's parameters. */
typedef struct {
    real *parameters;
    adamw_state optimiser;
} savepoint_vectors;

/* Errors: FAULT_RUNTIME, with what the system said. What was there before is then unchanged. */
bool savepoint_write(const char *path, const savepoint *point, const model *m,
                     savepoint_vectors vectors, fault *error);

/* Reads the shape of the model that a checkpoint holds; the rest of the file is not looked at.
 * Errors: FAULT_USER (missing, not a checkpoint of this version). */
bool savepoint_shape(const char *path, model_shape *out, fault *error);

/* Reads a checkpoint of the same shape as `m`. With an optimiser of NULL only the parameters are
 * taken, which is all that using a model needs.
 * Errors: FAULT_USER (missing, not a checkpoint, truncated or changed), FAULT_CONFIG (another
 *         shape), FAULT_RUNTIME (no memory). Outputs are then untouched. */
bool savepoint_read(const char *path, savepoint *point, const model *m, savepoint_vectors vectors,
                    fault *error);

#endif
