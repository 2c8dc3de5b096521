/* Causal attention with several heads and rotary positions: the one layer that looks at other
 * positions.
 *
 * One row of `qkv` is a position's query, key and value, one after the other; a head takes a slice
 * of width / heads from each:
 *
 *     | q: head 0 | head 1 | ... | k: head 0 | head 1 | ... | v: head 0 | head 1 | ... |
 *
 * Rotary positions turn each pair of numbers of q and k by an angle that grows with the position,
 * so that their product depends on the distance only. Turning back by the same angle is the
 * gradient.
 */
#ifndef TRAIN_ATTENTION_H
#define TRAIN_ATTENTION_H

#include "real.h"

typedef struct {
    int batch;
    int context;
    int heads;
    int width;
    const real *turns;   /* context x (width / heads), from attention_turns_set() */
    real *qkv;           /* batch*context x 3*width; the forward step turns q and k in place */
    real *probabilities; /* batch x heads x context x context; kept for the way back */
} attention;

/* Fills `turns` with the cosine and sine of every pair at every position. */
void attention_turns_set(int context, int head_width, real *turns);

/* `out` is batch*context x width. */
void attention_forward(const attention *a, real *out);

/* `scratch` holds context x context numbers. `d_qkv` is written, not added to. */
void attention_backward(const attention *a, const real *d_out, real *d_qkv, real *scratch);

#endif
