/* places_each.h - the code of places.h, compiled once for each kind of processor.
 *
 * The bytes at the end of a text are read so that they end with it: what was seen before is shifted
 * out, so no byte outside is touched and the last block costs no loop. A text of less than sixteen
 * bytes is copied by two overlapping loads.
 */
#ifndef M31RI_PLACES_EACH_H
#define M31RI_PLACES_EACH_H

#include <string.h>

#include "rules/places.h"

typedef struct classes {
    uint64_t alnum, digit;
    uint64_t mark; /* $ % + , : ; < = > ? @ \ ~ and ESC */
    uint64_t join; /* - _ */
} classes;

#ifdef __SSE2__
#include <emmintrin.h>

static inline __m128i within(__m128i bytes, char low, char high)
{
    /* moved so that the range ends at 127: all that is greater than the bound is in it */
    __m128i moved = _mm_add_epi8(bytes, _mm_set1_epi8((char)(127 - high)));
    return _mm_cmpgt_epi8(moved, _mm_set1_epi8((char)(126 - (high - low))));
}

static inline __m128i is(__m128i bytes, char c)
{
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

static inline uint64_t bits(__m128i lanes)
{
    return (uint32_t)_mm_movemask_epi8(lanes);
}

static inline classes classes_of(__m128i b)
{
    __m128i digit = within(b, '0', '9');
    __m128i alpha = within(_mm_or_si128(b, _mm_set1_epi8(0x20)), 'a', 'z');
    __m128i mark = _mm_or_si128(within(b, '$', '%'), within(b, '+', ','));
    mark = _mm_or_si128(mark, within(b, ':', '@'));
    mark = _mm_or_si128(mark, _mm_or_si128(is(b, '\\'), _mm_or_si128(is(b, '~'), is(b, 0x1B))));
    return (classes){.alnum = bits(_mm_or_si128(digit, alpha)),
                     .digit = bits(digit),
                     .mark = bits(mark),
                     .join = bits(_mm_or_si128(is(b, '-'), is(b, '_')))};
}

static inline classes classes_at(const char *s)
{
    return classes_of(_mm_loadu_si128((const __m128i *)(const void *)s));
}

/* Less than sixteen bytes. */
static inline classes classes_short(const char *s, size_t n)
{
    uint64_t low = 0, high = 0;
    uint32_t first, last;
    if (n >= 8) {
        memcpy(&low, s, 8);
        memcpy(&high, s + n - 8, 8);
        high = n > 8 ? high >> 8 * (16 - n) : 0;
    } else if (n >= 4) {
        memcpy(&first, s, 4);
        memcpy(&last, s + n - 4, 4);
        low = (uint64_t)first | (uint64_t)last << 8 * (n - 4);
    }
    return classes_of(_mm_set_epi64x((long long)high, (long long)low));
}

static inline classes joined(classes a, classes b, unsigned gone, unsigned to)
{
    return (classes){.alnum = a.alnum | b.alnum >> gone << to,
                     .digit = a.digit | b.digit >> gone << to,
                     .mark = a.mark | b.mark >> gone << to,
                     .join = a.join | b.join >> gone << to};
}

#ifdef __AVX2__
#include <immintrin.h>

static inline __m256i within32(__m256i bytes, char low, char high)
{
    __m256i moved = _mm256_add_epi8(bytes, _mm256_set1_epi8((char)(127 - high)));
    return _mm256_cmpgt_epi8(moved, _mm256_set1_epi8((char)(126 - (high - low))));
}

static inline __m256i is32(__m256i bytes, char c)
{
    return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c));
}

static inline uint64_t bits32(__m256i lanes)
{
    return (uint32_t)_mm256_movemask_epi8(lanes);
}

static inline classes classes_at32(const char *s)
{
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)s);
    __m256i digit = within32(b, '0', '9');
    __m256i alpha = within32(_mm256_or_si256(b, _mm256_set1_epi8(0x20)), 'a', 'z');
    __m256i mark = _mm256_or_si256(within32(b, '$', '%'), within32(b, '+', ','));
    mark = _mm256_or_si256(mark, within32(b, ':', '@'));
    mark = _mm256_or_si256(
        mark, _mm256_or_si256(is32(b, '\\'), _mm256_or_si256(is32(b, '~'), is32(b, 0x1B))));
    return (classes){.alnum = bits32(_mm256_or_si256(digit, alpha)),
                     .digit = bits32(digit),
                     .mark = bits32(mark),
                     .join = bits32(_mm256_or_si256(is32(b, '-'), is32(b, '_')))};
}
#endif

/* The classes of `n` bytes at `s`, at most 64; `before`: so many bytes of the text stand before. */
static inline classes classes_find(const char *s, size_t n, size_t before)
{
    if (before + n < 16) {
        return classes_short(s, n);
    }
#ifdef __AVX2__
    if (n >= 32) {
        unsigned gone = (unsigned)(64 - n);
        classes low = classes_at32(s);
        return n == 32 ? low : joined(low, classes_at32(s + n - 32), gone, 32);
    }
#endif
    if (n < 16) {
        return joined((classes){0}, classes_at(s + n - 16), (unsigned)(16 - n), 0);
    }
    classes all = classes_at(s);
    size_t i = 16;
    for (; i + 16 <= n; i += 16) {
        all = joined(all, classes_at(s + i), 0, (unsigned)i);
    }
    return i < n ? joined(all, classes_at(s + n - 16), (unsigned)(16 - (n - i)), (unsigned)i) : all;
}

#else

static inline classes classes_find(const char *s, size_t n, size_t before)
{
    classes all = {0};
    (void)before;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        uint64_t bit = (uint64_t)1 << i;
        uint8_t class = m31ri_class_of(c);
        bool mark = (c >= ':' && c <= '@') || c == '$' || c == '%' || c == '+' || c == ',' ||
                    c == '\\' || c == '~' || c == 0x1B;
        all.alnum |= (class & M31RI_ALNUM) != 0 ? bit : 0;
        all.digit |= (class & M31RI_DIGIT) != 0 ? bit : 0;
        all.mark |= mark ? bit : 0;
        all.join |= c == '-' || c == '_' ? bit : 0;
    }
    return all;
}

#endif

static inline uint32_t four_of(const char *s)
{
    unsigned char b[4];
    memcpy(b, s, 4);
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Of `words`, those by whose four bytes a rule may begin. */
static inline uint64_t worth_a_look(const m31ri_subject *t, size_t block, uint64_t words)
{
    const m31ri_rule_index *x = t->index;
    const char *s = t->s + block;
    size_t last = t->n - M31RI_SHORTEST - block; /* the last three bytes begin no rule */
    uint64_t found = 0;
    words &= last < M31RI_BLOCK - 1 ? ((uint64_t)2 << last) - 1 : ~(uint64_t)0;
    for (; words != 0; words &= words - 1) {
        unsigned i = (unsigned)__builtin_ctzll(words);
        uint32_t four = four_of(s + i);
        uint64_t hit = m31ri_rule_index_may(x, four) | m31ri_is_country_code(four);
        found |= hit << i;
    }
    return found;
}

/* Of `glued`, the '_' and '-' that end what a rule inside of a word may begin with. */
static inline uint64_t worth_a_look_back(const m31ri_subject *t, size_t block, uint64_t glued)
{
    uint64_t found = 0;
    for (; glued != 0; glued &= glued - 1) {
        unsigned i = (unsigned)__builtin_ctzll(glued);
        const char *at = t->s + block + i;
        if (block + i >= 3) {
            uint32_t gram = four_of(at - 3) >> 8 | 0x202020u;
            found |= (uint64_t)m31ri_rule_index_may_line(t->index, gram) << i;
        }
    }
    return found;
}

/* Where long words are: their first letters among them; one that reaches over the block's end is
 * taken for long. */
static inline uint64_t long_words(uint64_t alnum, bool goes_on)
{
    uint64_t beyond = goes_on ? ~(uint64_t)0 : 0, run = alnum;
    for (unsigned k = 1; k < 8; k *= 2) {
        run &= run >> k | beyond << (64 - k);
    }
    run &= run >> (M31RI_LONG_WORD - 8) | beyond << (64 - (M31RI_LONG_WORD - 8));
    return run;
}

static inline uint64_t places_find(const m31ri_subject *t, size_t block)
{
    size_t left = t->n - block;
    classes c = classes_find(t->s + block, left < M31RI_BLOCK ? left : M31RI_BLOCK, block);
    if (left < 16 && block == 0 && c.digit == 0 &&
        (c.alnum | c.join) == ((uint64_t)1 << left) - 1) {
        return 0; /* a short name: what has no blank, mark or digit is longer */
    }
    uint64_t before = block > 0 && m31ri_is_alnum(t->s[block - 1]);
    uint64_t behind = c.alnum << 1 | before; /* the byte before is a letter or a digit */
    uint64_t starts = c.alnum & ~behind;
    /* what reaches over the block's ends is taken to fit: it is looked at again */
    uint64_t option = c.join & (starts >> 1 | (uint64_t)1 << 63) & ~behind;
    uint64_t pairs =
        starts & c.digit & (c.digit << 2 | 3) & (c.digit << 3 | 7) & (c.digit << 4 | 15);
    uint64_t found = c.mark | option | pairs | worth_a_look_back(t, block, c.join & behind);
    if (left >= M31RI_LONG_WORD) {
        found |= starts & long_words(c.alnum, left > M31RI_BLOCK);
    }
    return left >= M31RI_SHORTEST ? found | worth_a_look(t, block, starts) : found;
}

#endif
