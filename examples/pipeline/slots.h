/* A few generators for many requests: who finds none free waits in a queue of limited length. */
#ifndef PIPELINE_SLOTS_H
#define PIPELINE_SLOTS_H

#include "generator.h"

typedef struct slots slots;

typedef enum { SLOTS_TAKEN, SLOTS_QUEUE_FULL, SLOTS_WAITED_TOO_LONG } slots_answer;

/* `n` generators and at most `queue` that wait. Returns NULL when memory is short. */
slots *slots_new(const model *m, const real *parameters, int n, int queue);

/* No generator may be taken any more. */
void slots_free(slots *s);

/* Takes a generator, waiting up to `wait_s` for one. `*depth` is how many waited already. */
slots_answer slots_take(slots *s, double wait_s, generator **out, int *depth);
void slots_give(slots *s, generator *g);

#endif
