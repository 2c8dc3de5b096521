/* Text out of a model, one token after the other.
 *
 * Keys and values of earlier positions are kept, so that a token costs one pass over the
 * parameters and not one over the whole text. When the context is full, its newer half is read
 * again as a new beginning. One generator is one text at a time; the model may be shared.
 *
 *     generator_begin(g, tokens, n);
 *     while (n_made++ < limit) { token = generator_next(g, 0.8, &rng); }
 */
#ifndef PIPELINE_GENERATOR_H
#define PIPELINE_GENERATOR_H

#include "../train/model.h"

typedef struct generator generator;

/* `m` and `parameters` must outlive it. Returns NULL when memory is short. */
generator *generator_new(const model *m, const real *parameters);
void generator_free(generator *g);

/* Begins a text with `n` tokens; of more than three quarters of the context the end is taken. An
 * empty beginning counts as one token 0. Returns how many tokens were taken. */
size_t generator_begin(generator *g, const uint16_t *tokens, size_t n);

/* Draws the next token and goes on behind it. Temperature 0 takes the likeliest one. */
uint16_t generator_next(generator *g, double temperature, xoshiro *rng);

/* Natural logarithm of the probability that the model gives to `token` as the next one. */
double generator_log_probability(const generator *g, uint16_t token);

/* Goes on behind a token that was not drawn. */
void generator_push(generator *g, uint16_t token);

#endif
