/* places_each.h - the code of places.h, compiled once for each kind of processor.
 *
 * A block of text is made bit sets, one bit a byte, lowest first: a byte's two halves are looked up
 * in two tables of sixteen (a byte is of a class when both have its bit), or it is compared with
 * the ends of ranges where the processor cannot look up. The last bytes of a text are read so that
 * they end with it: what was seen before is shifted out, so no byte outside is touched and the last
 * block costs no loop. A text of less than sixteen bytes is put together of two overlapping loads.
 */
#ifndef M31RI_PLACES_EACH_H
#define M31RI_PLACES_EACH_H

#include <string.h>

#include "rules/places.h"

typedef struct sets {
    uint64_t alnum, digit;
    uint64_t mark;  /* $ % + : = > @ \ ~ ESC, and ^ | 0x14 0x15, which no rule begins with */
    uint64_t inner; /* A J: marks of keys that stand inside of words */
    uint64_t join;  /* - _ */
} sets;

static inline sets joined(sets a, sets b, unsigned gone, unsigned to)
{
    return (sets){.alnum = a.alnum | b.alnum >> gone << to,
                  .digit = a.digit | b.digit >> gone << to,
                  .mark = a.mark | b.mark >> gone << to,
                  .inner = a.inner | b.inner >> gone << to,
                  .join = a.join | b.join >> gone << to};
}

#ifdef __SSE2__
#include <emmintrin.h>

static inline uint64_t bits(__m128i lanes)
{
    return (uint32_t)_mm_movemask_epi8(lanes);
}

static inline __m128i is(__m128i bytes, char c)
{
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

/* Less than sixteen bytes. */
static inline __m128i load_short(const char *s, size_t n)
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
    return _mm_set_epi64x((long long)high, (long long)low);
}

static inline __m128i load(const char *s)
{
    return _mm_loadu_si128((const __m128i *)(const void *)s);
}

#ifdef __AVX2__
#include <immintrin.h>

/* Bits of the classes. A letter's and a digit's are over 0x0F, those of marks below, so that either
 * is found by comparing; 0x80 and 0x40 are taken as they are. */
enum {
    INNER = 0x80,   /* 41 4A */
    DIGIT = 0x40,   /* 30 to 39 */
    LETTER = 0x20,  /* 41 to 4F, 61 to 6F */
    LETTER2 = 0x10, /* 50 to 5A, 70 to 7A */
    AT = 0x08,      /* 40 */
    COLON = 0x04,   /* 3A 3D 3E */
    SLASH = 0x02,   /* 5C 5E 7C 7E */
    DOLLAR = 0x01,  /* 24 25 2B 14 15 1B */
    BOTH = DIGIT | LETTER | LETTER2
};

static inline __m256i classes_of(__m256i bytes)
{
    static const uint8_t by_low[16] = {DIGIT | LETTER2 | AT,
                                       BOTH | INNER,
                                       BOTH,
                                       BOTH,
                                       BOTH | DOLLAR,
                                       BOTH | DOLLAR,
                                       BOTH,
                                       BOTH,
                                       BOTH,
                                       BOTH,
                                       LETTER | LETTER2 | INNER | COLON,
                                       LETTER | DOLLAR,
                                       LETTER | SLASH,
                                       LETTER | COLON,
                                       LETTER | SLASH | COLON,
                                       LETTER};
    static const uint8_t by_high[16] = {
        0,      DOLLAR,         DOLLAR, DIGIT | COLON, LETTER | INNER | AT, LETTER2 | SLASH,
        LETTER, LETTER2 | SLASH};
    __m256i low = _mm256_broadcastsi128_si256(load((const char *)by_low));
    __m256i high = _mm256_broadcastsi128_si256(load((const char *)by_high));
    __m256i upper = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
    return _mm256_and_si256(_mm256_shuffle_epi8(low, bytes), _mm256_shuffle_epi8(high, upper));
}

static inline uint64_t bits32(__m256i lanes)
{
    return (uint32_t)_mm256_movemask_epi8(lanes);
}

static inline sets sets_of32(__m256i bytes)
{
    __m256i c = classes_of(bytes);
    __m256i join = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('-')),
                                   _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('_')));
    uint64_t alnum = bits32(_mm256_cmpeq_epi8(_mm256_max_epu8(c, _mm256_set1_epi8(0x10)), c));
    return (sets){.alnum = alnum,
                  .digit = bits32(_mm256_slli_epi16(c, 1)),
                  .mark = bits32(_mm256_cmpgt_epi8(c, _mm256_setzero_si256())) & ~alnum,
                  .inner = bits32(c),
                  .join = bits32(join)};
}

static inline __m256i load32(const char *s)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)s);
}

/* The first and the last sixteen of `n` bytes, 16 to 31, in the place that they have. */
static inline uint64_t folded(uint64_t two, size_t n)
{
    return (two & 0xFFFF) | two >> 16 << (n - 16);
}

/* The sets of `n` bytes at `s`, at most 64; `before`: so many bytes of the text stand before. */
static inline sets sets_find(const char *s, size_t n, size_t before)
{
    if (n >= 32) {
        sets low = sets_of32(load32(s));
        return n == 32 ? low : joined(low, sets_of32(load32(s + n - 32)), (unsigned)(64 - n), 32);
    }
    if (n >= 16) {
        sets x = sets_of32(_mm256_set_m128i(load(s + n - 16), load(s)));
        return (sets){folded(x.alnum, n), folded(x.digit, n), folded(x.mark, n), folded(x.inner, n),
                      folded(x.join, n)};
    }
    if (before + n < 16) {
        return sets_of32(_mm256_zextsi128_si256(load_short(s, n)));
    }
    sets last = sets_of32(_mm256_zextsi128_si256(load(s + n - 16)));
    return joined((sets){0}, last, (unsigned)(16 - n), 0);
}

#else

static inline __m128i within(__m128i bytes, char low, char high)
{
    /* moved so that the range ends at 127: all that is greater than the bound is in it */
    __m128i moved = _mm_add_epi8(bytes, _mm_set1_epi8((char)(127 - high)));
    return _mm_cmpgt_epi8(moved, _mm_set1_epi8((char)(126 - (high - low))));
}

static inline __m128i either(__m128i a, __m128i b)
{
    return _mm_or_si128(a, b);
}

static inline sets sets_of16(__m128i b)
{
    __m128i digit = within(b, '0', '9');
    __m128i alpha = within(either(b, _mm_set1_epi8(0x20)), 'a', 'z');
    __m128i mark = either(either(within(b, '$', '%'), within(b, 0x14, 0x15)), is(b, '+'));
    mark = either(mark,
                  either(either(is(b, ':'), within(b, '=', '>')), either(is(b, '@'), is(b, 0x1B))));
    mark = either(mark, either(either(is(b, '\\'), is(b, '^')), either(is(b, '|'), is(b, '~'))));
    return (sets){.alnum = bits(either(digit, alpha)),
                  .digit = bits(digit),
                  .mark = bits(mark),
                  .inner = bits(either(is(b, 'A'), is(b, 'J'))),
                  .join = bits(either(is(b, '-'), is(b, '_')))};
}

static inline sets sets_find(const char *s, size_t n, size_t before)
{
    if (before + n < 16) {
        return sets_of16(load_short(s, n));
    }
    if (n < 16) {
        return joined((sets){0}, sets_of16(load(s + n - 16)), (unsigned)(16 - n), 0);
    }
    sets all = sets_of16(load(s));
    size_t i = 16;
    for (; i + 16 <= n; i += 16) {
        all = joined(all, sets_of16(load(s + i)), 0, (unsigned)i);
    }
    return i < n ? joined(all, sets_of16(load(s + n - 16)), (unsigned)(16 - (n - i)), (unsigned)i)
                 : all;
}

#endif

#else

static inline sets sets_find(const char *s, size_t n, size_t before)
{
    static const char marks[] = "$%+:=>@\\^|~\x1B\x14\x15";
    sets all = {0};
    (void)before;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        uint64_t bit = (uint64_t)1 << i;
        all.alnum |= m31ri_is_alnum(c) ? bit : 0;
        all.digit |= m31ri_is_digit(c) ? bit : 0;
        all.mark |= memchr(marks, c, sizeof marks - 1) != NULL ? bit : 0;
        all.inner |= c == 'A' || c == 'J' ? bit : 0;
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

/* Of `words`, those by whose four bytes a rule may begin; the last three bytes begin none. */
static inline uint64_t worth_a_look(const m31ri_rule_index *x, const char *s, size_t left,
                                    uint64_t words)
{
    uint64_t found = 0;
    words &= left < M31RI_BLOCK + 3 ? ((uint64_t)1 << (left - 3)) - 1 : ~(uint64_t)0;
    for (; words != 0; words &= words - 1) {
        if (m31ri_rule_index_may(x, four_of(s + __builtin_ctzll(words)))) {
            found |= words & -words;
        }
    }
    return found;
}

/* Of `glued`, the '_' and '-' that end what a rule inside of a word may begin with. */
static inline uint64_t worth_a_look_back(const m31ri_rule_index *x, const char *s, uint64_t glued)
{
    uint64_t found = 0;
    for (; glued != 0; glued &= glued - 1) {
        const char *at = s + __builtin_ctzll(glued);
        if (m31ri_rule_index_may_line(x, four_of(at - 3) >> 8 | 0x202020u)) {
            found |= glued & -glued;
        }
    }
    return found;
}

/* What stands around each byte. Of a block that has text before or behind it, what is not seen is
 * taken to fit: it is looked at again. */
typedef struct edges {
    uint64_t before, behind; /* all bits: there is more text */
} edges;

static inline uint64_t next(uint64_t set, unsigned k, edges e)
{
    return set >> k | (e.behind & ~(uint64_t)0 << (64 - k));
}

static inline uint64_t last(uint64_t set, unsigned k, edges e)
{
    return set << k | (e.before & (((uint64_t)1 << k) - 1));
}

/* Where numbers begin by which something may be told: the second group of a national id ("123-45-")
 * or of a card ("4111 1111"), a code behind a state (", IL 62704"); and an IBAN: two letters, two
 * digits. */
static inline uint64_t numbers(const sets *c, uint64_t starts, edges e)
{
    const edges none = {0, 0};
    uint64_t d = c->digit, letter = c->alnum & ~d, pair = d & next(d, 1, e);
    uint64_t three = last(d, 2, e) & last(d, 3, e) & last(d, 4, e), fifth = last(d, 5, e);
    uint64_t id = three & ~last(d, 5, none) & pair & last(c->join, 1, e);
    uint64_t four = pair & next(pair, 2, e);
    uint64_t state = last(letter, 2, e) & last(letter, 3, e) & ~last(c->alnum, 4, none);
    uint64_t country = letter & next(letter, 1, e) & next(pair, 2, e);
    return starts & (id | (four & ((three & fifth) | state)) | country);
}

/* The words that begin here with one of MNO and have M31RI_LONG_WORD letters and digits or more:
 * what the tokens of Discord begin with. */
static inline uint64_t long_words(uint64_t alnum, uint64_t starts, const char *s, size_t left)
{
    uint64_t run = alnum & alnum >> 1, found = 0;
    run &= run >> 2;
    run &= run >> 4;
    run &= run >> (M31RI_LONG_WORD - 8);
    if ((int64_t)alnum < 0 && ~alnum != 0) { /* the block's last word may go on */
        unsigned at = 64 - (unsigned)__builtin_clzll(~alnum);
        bool fits = at + M31RI_LONG_WORD <= left && m31ri_is_alnum(s[at + M31RI_LONG_WORD - 1]);
        run |= (uint64_t)fits << at;
    }
    for (run &= starts; run != 0; run &= run - 1) {
        const char *at = s + __builtin_ctzll(run);
        bool escape =
            *at == 'n' || *at == 't' || *at == 'r'; /* "\nMT...": a word to the eye only */
        found |= (*at >= 'M' && *at <= 'O') || escape ? run & -run : 0;
    }
    return found;
}

__attribute__((always_inline)) static inline uint64_t places_of(const m31ri_rule_index *x,
                                                                m31ri_text_view text, size_t block,
                                                                sets c, edges e)
{
    const char *s = text.s + block;
    size_t left = text.n - block;
    if (left < 16 && block == 0 && (c.digit | ~(c.alnum | c.join) << (64 - left)) == 0) {
        return 0; /* a short name: what has no blank, mark or digit is longer */
    }
    /* the byte before is a letter or a digit */
    uint64_t behind = c.alnum << 1 | (e.before & m31ri_is_alnum(s[-(int)(block > 0)]));
    uint64_t starts = c.alnum & ~behind;
    uint64_t found = c.mark | (c.join & next(starts, 1, e) & ~behind);
    uint64_t glued = c.join & behind & (block < 3 ? ~(uint64_t)7 : ~(uint64_t)0);
    if (glued != 0) {
        found |= worth_a_look_back(x, s, glued);
    }
    if ((c.digit | e.behind) != 0) { /* "DE" may end a block, and the digits begin the next */
        found |= numbers(&c, starts, e);
    }
    if (text.n >= M31RI_LONG_TEXT) {
        found |= long_words(c.alnum, starts, s, left);
    }
    return left >= M31RI_SHORTEST ? found | worth_a_look(x, s, left, starts | (c.inner & behind))
                                  : found;
}

static inline uint64_t places_find(const m31ri_rule_index *x, m31ri_text_view text, size_t block)
{
    size_t left = text.n - block;
    sets c = sets_find(text.s + block, left < M31RI_BLOCK ? left : M31RI_BLOCK, block);
    if (block == 0 && text.n <= M31RI_BLOCK) {
        return places_of(x, text, 0, c, (edges){0, 0}); /* inlined: without edges much falls away */
    }
    edges e = {block > 0 ? ~(uint64_t)0 : 0, left > M31RI_BLOCK ? ~(uint64_t)0 : 0};
    return places_of(x, text, block, c, e);
}

#endif
