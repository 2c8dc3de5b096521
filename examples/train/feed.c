#include "feed.h"

#include <string.h>

static uint64_t token_count(const corpus_part *part)
{
    return part->size / (uint64_t)part->token_bytes;
}

/* Windows that fit whatever the cut is: a window's tokens are left for it and the last target. */
static uint64_t window_count(const corpus_part *part, int context)
{
    return token_count(part) / (uint64_t)context - 1;
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
    if (token_count(part) < 2 * (uint64_t)context + 1) {
        return fault_set(error, FAULT_USER, "corpus_too_small",
                         "%s part has %llu tokens, expected %d or more for context %d", what,
                         (unsigned long long)token_count(part), 2 * context + 1, context);
    }
    return true;
}

void feed_init(feed_state *state, const corpus_part *part, int context, uint64_t seed)
{
    *state = (feed_state){0};
    xoshiro_init(&state->rng, seed);
    epoch_begin(state, window_count(part, context), context);
}

/* Copies the window that begins at token `first`, and the same moved on by one as targets. */
static void window_copy(const corpus_part *part, uint64_t first, feed_batch *batch, int sequence)
{
    size_t context = (size_t)batch->context;
    uint16_t *tokens = batch->tokens + (size_t)sequence * context;
    uint16_t *targets = batch->targets + (size_t)sequence * context;
    if (part->token_bytes == 2) {
        memcpy(tokens, part->bytes + 2 * first, 2 * context);
        memcpy(targets, part->bytes + 2 * (first + 1), 2 * context);
        return;
    }
    for (size_t i = 0; i < context; i++) {
        tokens[i] = part->bytes[first + i];
        targets[i] = part->bytes[first + i + 1];
    }
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
        window_copy(part, state->cut + window * (uint64_t)batch->context, batch, i);
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
        window_copy(part, window * (uint64_t)batch->context, batch, i);
    }
}
