#include "lm.h"

#include <stdlib.h>
#include <string.h>

#include "../train/savepoint.h"

static const size_t CHECKPOINT_MAX_BYTES = (size_t)1 << 34;

/* The digest is taken before a byte is believed. */
static bool digest_check(lm *l, const char *checkpoint, const char *sha256, fault *error)
{
    bytes file = {0};
    uint8_t digest[32];
    fault cause;
    if (!bytes_read_file(&file, checkpoint, CHECKPOINT_MAX_BYTES, &cause)) {
        bytes_release(&file);
        return fault_set(error, cause.exit_code, "checkpoint_unreadable", "%s", cause.text);
    }
    bytes_sha256(file.data, file.size, digest);
    bytes_hex(digest, l->checkpoint_sha256);
    bytes_release(&file);
    if (sha256 != NULL && strcmp(sha256, l->checkpoint_sha256) != 0) {
        return fault_set(error, FAULT_USER, "checkpoint_changed",
                         "%s: SHA-256 %.16s, expected %.16s: it is not the file that was asked for",
                         checkpoint, l->checkpoint_sha256, sha256);
    }
    return true;
}

static bool parameters_read(lm *l, const char *checkpoint, fault *error)
{
    model_shape shape;
    savepoint point;
    if (!savepoint_shape(checkpoint, &shape, error) || !model_plan(&l->plan, shape, error)) {
        return false;
    }
    l->parameters = calloc(l->plan.n_parameters, sizeof *l->parameters);
    if (l->parameters == NULL) {
        return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for %zu parameters",
                         l->plan.n_parameters);
    }
    savepoint_vectors vectors = {.parameters = l->parameters};
    if (!savepoint_read(checkpoint, &point, &l->plan, vectors, error)) {
        return false;
    }
    l->step = point.step;
    return true;
}

bool lm_load(lm *out, const char *checkpoint, const char *tokenizer, const char *sha256,
             fault *error)
{
    *out = (lm){0};
    bool ok = digest_check(out, checkpoint, sha256, error) &&
              parameters_read(out, checkpoint, error) &&
              (out->tokenizer = bpe_load(tokenizer, error)) != NULL;
    if (ok && bpe_vocab(out->tokenizer) != (size_t)out->plan.shape.vocab) {
        ok = fault_set(error, FAULT_USER, "model_mismatch",
                       "%s has %zu tokens, %s was trained with %d", tokenizer,
                       bpe_vocab(out->tokenizer), checkpoint, out->plan.shape.vocab);
    }
    if (!ok) {
        lm_release(out);
    }
    return ok;
}

void lm_release(lm *l)
{
    free(l->parameters);
    bpe_free(l->tokenizer);
    *l = (lm){0};
}
