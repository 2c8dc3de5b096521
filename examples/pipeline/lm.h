/* A trained model that can be used: parameters of a checkpoint and the tokenizer that belongs to
 * it. Read-only after loading but for the tokenizer, which is for one thread at a time. */
#ifndef PIPELINE_LM_H
#define PIPELINE_LM_H

#include "../train/model.h"
#include "bpe.h"

typedef struct {
    model plan;
    real *parameters;
    uint64_t step; /* that the checkpoint was written at */
    bpe *tokenizer;
    char checkpoint_sha256[BYTES_SHA256_HEX];
} lm;

/* Loads both files and checks that they fit. With `sha256` not
 * NULL the checkpoint must have that digest.
 * Errors: FAULT_USER "checkpoint_changed" (digest or checksum), "model_mismatch" (vocabularies of
 *         different size) and those of the two readers; FAULT_RUNTIME. `out` is then empty. */
bool lm_load(lm *out, const char *checkpoint, const char *tokenizer, const char *sha256,
             fault *error);
void lm_release(lm *l);

#endif
