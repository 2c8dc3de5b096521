#include "xoshiro.h"

#include <math.h>

static uint64_t rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

void xoshiro_init(xoshiro *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        rng->word[i] = z ^ (z >> 31);
    }
}

uint64_t xoshiro_next(xoshiro *rng)
{
    uint64_t *s = rng->word;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t xoshiro_below(xoshiro *rng, uint64_t limit)
{
    /* Values under 2^64 mod limit are drawn again: otherwise small results would be likelier. */
    uint64_t reject_below = (0 - limit) % limit;
    uint64_t value = xoshiro_next(rng);
    while (value < reject_below) {
        value = xoshiro_next(rng);
    }
    return value % limit;
}

/* Uniform in (0, 1]: never 0, because its logarithm is taken. */
static double uniform(xoshiro *rng)
{
    return (double)((xoshiro_next(rng) >> 11) + 1) * 0x1p-53;
}

double xoshiro_normal(xoshiro *rng)
{
    /* Box and Muller's second value is thrown away: keeping it would be state outside the four
     * words. */
    double radius = sqrt(-2.0 * log(uniform(rng)));
    return radius * cos(6.283185307179586 * uniform(rng));
}
