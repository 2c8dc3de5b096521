/* line_walk_avx2.c - line_walk.h with AVX2: 32 bytes at once. CMake compiles this file alone for
 * it. */
#include "read/line_walk.h"

#ifdef __AVX2__
#include <immintrin.h>

#define LANES 32
#define STRIDE 1

static inline __m256i bytes_at(const char *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline uint64_t mask_of(__m256i lanes)
{
    return (uint32_t)_mm256_movemask_epi8(lanes);
}

static inline uint64_t equals_of(const char *p, char c)
{
    __m256i wanted = _mm256_set1_epi8(c);
    return mask_of(_mm256_cmpeq_epi8(bytes_at(p), wanted)) |
           mask_of(_mm256_cmpeq_epi8(bytes_at(p + 32), wanted)) << 32;
}

#define HAS_PAIRS

static inline __m256i pairs_at(const char *p, char c, const char *q, char d)
{
    return _mm256_and_si256(_mm256_cmpeq_epi8(bytes_at(p), _mm256_set1_epi8(c)),
                            _mm256_cmpeq_epi8(bytes_at(q), _mm256_set1_epi8(d)));
}

static inline uint64_t pairs_of(const char *p, char c, const char *q, char d)
{
    return mask_of(pairs_at(p, c, q, d)) | mask_of(pairs_at(p + 32, c, q + 32, d)) << 32;
}

static inline __m256i table_of(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
}

/* A quote with the first two letters of a word behind it: both are looked up by the lower half of
 * the first. */
static inline __m256i words_at(const char *p, const m31ri_sieve *s)
{
    const __m256i quote = _mm256_set1_epi8('"'), lower = _mm256_set1_epi8(0x20);
    __m256i first = _mm256_or_si256(bytes_at(p + 1), lower);
    __m256i second = _mm256_or_si256(bytes_at(p + 2), lower);
    __m256i is_first = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table_of(s->first), first), first);
    __m256i is_second = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table_of(s->second), first), second);
    __m256i is_quote = _mm256_cmpeq_epi8(bytes_at(p), quote);
    return _mm256_and_si256(_mm256_and_si256(is_quote, is_first), is_second);
}

static inline uint64_t words_of(const char *p, const m31ri_sieve *s)
{
    return mask_of(words_at(p, s)) | mask_of(words_at(p + 32, s)) << 32;
}

static inline __m256i misfits_at(const char *p)
{
    __m256i x = bytes_at(p), next = bytes_at(p + 1);
    __m256i newline = _mm256_set1_epi8('\n'), is_newline = _mm256_cmpeq_epi8(x, newline);
    __m256i opens = _mm256_cmpeq_epi8(next, _mm256_set1_epi8('{'));
    __m256i closes = _mm256_cmpeq_epi8(x, _mm256_set1_epi8('}'));
    __m256i control = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), x);
    __m256i escape = _mm256_cmpeq_epi8(x, _mm256_set1_epi8('\\'));
    __m256i misfits = _mm256_xor_si256(is_newline, opens);
    closes = _mm256_xor_si256(closes, _mm256_cmpeq_epi8(next, newline));
    control = _mm256_andnot_si256(is_newline, control);
    return _mm256_or_si256(_mm256_or_si256(misfits, closes), _mm256_or_si256(control, escape));
}

static inline uint64_t misfits_of(const char *p)
{
    return mask_of(misfits_at(p)) | mask_of(misfits_at(p + 32)) << 32;
}

/* Hidden from the compiler, which would else make them anew for each value. */
typedef struct lanes_constants {
    __m256i quote, backslash, space, to_digits, nine;
} lanes_constants;

static inline __m256i hidden(char c)
{
    __m256i lanes = _mm256_set1_epi8(c);
    __asm__("" : "+x"(lanes));
    return lanes;
}

static inline lanes_constants make_constants(void)
{
    return (lanes_constants){hidden('"'), hidden('\\'), hidden(0x20), hidden((char)(0x80 - '0')),
                             hidden((char)(0x80 + 9))};
}

/* Signed, the bytes of UTF-8 sequences are below 0x20 like control characters. */
static inline uint64_t string_stops(const char *p, const lanes_constants *c)
{
    __m256i x = bytes_at(p);
    __m256i stops =
        _mm256_or_si256(_mm256_cmpeq_epi8(x, c->quote), _mm256_cmpeq_epi8(x, c->backslash));
    return mask_of(_mm256_or_si256(stops, _mm256_cmpgt_epi8(c->space, x)));
}

static inline uint64_t other_than_digits(const char *p, const lanes_constants *c)
{
    return mask_of(_mm256_cmpgt_epi8(_mm256_add_epi8(bytes_at(p), c->to_digits), c->nine));
}

static inline bool is_within(const char *p, const uint8_t *lowest, const uint8_t *highest)
{
    __m256i x = bytes_at(p);
    __m256i y = _mm256_min_epu8(x, bytes_at((const char *)highest));
    y = _mm256_max_epu8(y, bytes_at((const char *)lowest));
    return mask_of(_mm256_cmpeq_epi8(x, y)) == UINT32_MAX;
}

static inline bool is_same(const char *p, const m31ri_shape_node *node)
{
    return is_within(p, node->lowest, node->highest) &&
           (node->length <= 32 || is_within(p + 32, node->lowest + 32, node->highest + 32));
}

#include "read/line_walk_each.h"

const m31ri_walk m31ri_walk_avx2 = {"avx2", find_newlines, find_sieved, walk};
#else
const m31ri_walk m31ri_walk_avx2 = {0};
#endif
