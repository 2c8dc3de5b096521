/* The order in which the training text is read.
 *
 * The text is cut into windows of `context` tokens; an epoch visits each window once, in an order
 * that looks random and needs no table: window number  start + position * stride  modulo their
 * count, where stride and count have no common factor. Each epoch draws a new start, stride and
 * cut, so the state is a few numbers, which a checkpoint keeps, and not a shuffled list.
 */
#ifndef TRAIN_FEED_H
#define TRAIN_FEED_H

#include "corpus.h"
#include "model.h"

typedef struct {
    uint64_t epoch;
    uint64_t position; /* windows taken in this epoch */
    uint64_t start;
    uint64_t stride;
    uint64_t cut; /* tokens left out at the beginning, less than a window */
    xoshiro rng;
} feed_state;

/* Tokens and targets of a batch; filled anew for each step. */
typedef struct {
    int n_sequences;
    int context;
    uint16_t *tokens;
    uint16_t *targets;
} feed_batch;

/* Whether `part` is long enough for one window after any cut.
 * Errors: FAULT_USER. */
bool feed_check(const corpus_part *part, const char *what, int context, fault *error);

/* Begins the first epoch. */
void feed_init(feed_state *state, const corpus_part *part, int context, uint64_t seed);

/* Fills `batch` and moves the state on, into the next epoch where one ends. */
void feed_next(feed_state *state, const corpus_part *part, feed_batch *batch);

/* Fills `batch` with the `index`-th of `count` evenly spaced groups of windows; takes no state. */
void feed_sample(const corpus_part *part, feed_batch *batch, long index, long count);

#endif
