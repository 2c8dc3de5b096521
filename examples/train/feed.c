#include "feed.h"

#include <string.h>

/* Windows that fit whatever the cut is: a window's bytes are left for it and the last target. */
static uint64_t window_count(const corpus_part *part, int context)
{
    return part->size / (uint64_t)context - 1;
}

static uint64_t common_factor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void epoch_begin(feed_state *state, uint64_t windows, int context)
{
    state->position = 0;
    state->cut = xoshiro_below(&state->rng, (uint64_t)context);
    state->start = xoshiro_below(&state->rng, windows);
    do {
        state->stride = 1 + xoshiro_below(&state->rng, windows);
    } while (common_factor(state->stride, windows) != 1);
}

bool feed_check(const corpus_part *part, const char *what, int context, fault *error)
{
    if (part->size < 2 * (size_t)context + 1) {
        return fault_set(error, FAULT_USER, "corpus_too_small",
                         "%s part has %zu bytes, expected %d or more for context %d", what,
                         part->size, 2 * context + 1, context);
    }
    return true;
}

void feed_init(feed_state *state, const corpus_part *part, int context, uint64_t seed)
{
    *state = (feed_state){0};
    xoshiro_init(&state->rng, seed);
    epoch_begin(state, window_count(part, context), context);
}

static void window_copy(const uint8_t *from, feed_batch *batch, int sequence)
{
    size_t context = (size_t)batch->context;
    memcpy(batch->tokens + (size_t)sequence * context, from, context);
    memcpy(batch->targets + (size_t)sequence * context, from + 1, context);
}

void feed_next(feed_state *state, const corpus_part *part, feed_batch *batch)
{
    uint64_t windows = window_count(part, batch->context);
    for (int i = 0; i < batch->n_sequences; i++) {
        if (state->position >= windows) {
            state->epoch++;
            epoch_begin(state, windows, batch->context);
        }
        uint64_t window = (state->start + state->position * state->stride) % windows;
        window_copy(part->bytes + state->cut + window * (uint64_t)batch->context, batch, i);
        state->position++;
    }
}

void feed_sample(const corpus_part *part, feed_batch *batch, long index, long count)
{
    uint64_t windows = window_count(part, batch->context);
    uint64_t total = (uint64_t)count * (uint64_t)batch->n_sequences;
    for (int i = 0; i < batch->n_sequences; i++) {
        uint64_t number = (uint64_t)index * (uint64_t)batch->n_sequences + (uint64_t)i;
        uint64_t window = number * windows / total;
        window_copy(part->bytes + window * (uint64_t)batch->context, batch, i);
    }
}
