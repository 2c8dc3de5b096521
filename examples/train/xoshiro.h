/* The only source of randomness: xoshiro256** (Blackman and Vigna, public domain), seeded by
 * splitmix64.
 *
 * Its whole state is four words, which a checkpoint keeps. libc's rand() is not used, because its
 * sequence is not the same on every system.
 */
#ifndef TRAIN_XOSHIRO_H
#define TRAIN_XOSHIRO_H

#include <stdint.h>

typedef struct {
    uint64_t word[4];
} xoshiro;

/* Any seed is good, 0 too. */
void xoshiro_init(xoshiro *rng, uint64_t seed);

uint64_t xoshiro_next(xoshiro *rng);

/* A whole number in [0, limit). `limit` must not be 0. */
uint64_t xoshiro_below(xoshiro *rng, uint64_t limit);

/* A normally distributed number, mean 0 and standard deviation 1. */
double xoshiro_normal(xoshiro *rng);

#endif
