/* What a model writes behind a prompt, up to where a task's completion ends. */
#ifndef PIPELINE_COMPLETION_H
#define PIPELINE_COMPLETION_H

#include "generator.h"
#include "lm.h"
#include "task.h"

typedef struct {
    double temperature;
    int max_tokens;
    uint64_t seed;
} completion_plan;

/* Fills `out`, whatever it held; `*n_tokens` is how many tokens were drawn.
 * Errors: FAULT_RUNTIME (memory). */
bool completion_make(lm *l, generator *g, const task *t, const completion_plan *plan, bytes *out,
                     int *n_tokens, fault *error);

#endif
