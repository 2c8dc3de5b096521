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

static inline __m256i strings_at(const char *p, char letter, size_t n)
{
    const __m256i quote = _mm256_set1_epi8('"'), lower = _mm256_set1_epi8(0x20);
    __m256i first = _mm256_or_si256(bytes_at(p + 1), lower);
    __m256i quotes = _mm256_and_si256(_mm256_cmpeq_epi8(bytes_at(p), quote),
                                      _mm256_cmpeq_epi8(bytes_at(p + n + 1), quote));
    return _mm256_and_si256(quotes, _mm256_cmpeq_epi8(first, _mm256_set1_epi8(letter)));
}

static inline uint64_t strings_of(const char *p, char letter, size_t n)
{
    return mask_of(strings_at(p, letter, n)) | mask_of(strings_at(p + 32, letter, n)) << 32;
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
