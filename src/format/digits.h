/* digits.h - up to eight decimal digits at once, in one register.
 *
 * The digits stand in a word as in memory, the first in the lowest byte. "Is each byte a digit" and
 * the sum by pairs, fours and eights are those of D. Lemire, "Number parsing at a gigabyte per
 * second" (Software: Practice and Experience 51, 2021), section 5.
 */
#ifndef M31RI_DIGITS_H
#define M31RI_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t m31ri_load_word(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(w) : w;
}

/* The first `n` bytes (1 to 8) of `word`, behind zeros that fill it up. */
static inline uint64_t m31ri_digits_fill(uint64_t word, size_t n)
{
    return n == 8 ? word : word << (8 - n) * 8 | 0x3030303030303030 >> n * 8;
}

static inline bool m31ri_digits_are_all(uint64_t word)
{
    return (((word + 0x4646464646464646) | (word - 0x3030303030303030)) & 0x8080808080808080) == 0;
}

/* How many digits the word begins with. A byte that is none changes nothing of those before it. */
static inline size_t m31ri_digits_count(uint64_t word)
{
    uint64_t others =
        ((word + 0x4646464646464646) | (word - 0x3030303030303030)) & 0x8080808080808080;
    return others != 0 ? (size_t)__builtin_ctzll(others) / 8 : 8;
}

static inline uint32_t m31ri_digits_value(uint64_t word)
{
    word -= 0x3030303030303030;
    word = word * 10 + (word >> 8); /* pairs, in every second byte */
    return (uint32_t)(((word & 0x000000ff000000ff) * (100 + (1000000ULL << 32)) +
                       (word >> 16 & 0x000000ff000000ff) * (1 + (10000ULL << 32))) >>
                      32);
}

#endif
