/* line_walk_sse2.c - line_walk.h with SSE2, which every x86-64 has: 16 bytes at once. */
#include "read/line_walk.h"

#ifdef __SSE2__
#include <emmintrin.h>

#define LANES 16
#define STRIDE 1

typedef struct lanes_constants {
    __m128i quote, backslash, space, to_digits, nine;
} lanes_constants;

static inline lanes_constants make_constants(void)
{
    return (lanes_constants){_mm_set1_epi8('"'), _mm_set1_epi8('\\'), _mm_set1_epi8(0x20),
                             _mm_set1_epi8((char)(0x80 - '0')), _mm_set1_epi8((char)(0x80 + 9))};
}

static inline __m128i bytes_at(const void *p)
{
    return _mm_loadu_si128(p);
}

static inline uint64_t mask_of(__m128i lanes)
{
    return (uint16_t)_mm_movemask_epi8(lanes);
}

static inline uint64_t equals_of(const char *p, char c)
{
    __m128i wanted = _mm_set1_epi8(c);
    uint64_t mask = 0;
    for (unsigned i = 0; i < 4; i++) {
        mask |= mask_of(_mm_cmpeq_epi8(bytes_at(p + 16 * i), wanted)) << 16 * i;
    }
    return mask;
}

static inline uint64_t strings_of(const char *p, char letter, size_t n)
{
    uint64_t first = equals_of(p + 1, letter) | equals_of(p + 1, (char)(letter ^ 0x20));
    return first & equals_of(p, '"') & equals_of(p + n + 1, '"');
}

static inline __m128i misfits_at(const char *p)
{
    __m128i x = bytes_at(p), next = bytes_at(p + 1);
    __m128i newline = _mm_set1_epi8('\n'), is_newline = _mm_cmpeq_epi8(x, newline);
    __m128i opens = _mm_cmpeq_epi8(next, _mm_set1_epi8('{'));
    __m128i closes = _mm_cmpeq_epi8(x, _mm_set1_epi8('}'));
    __m128i control = _mm_cmpgt_epi8(_mm_set1_epi8(0x20), x);
    __m128i escape = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    __m128i misfits = _mm_xor_si128(is_newline, opens);
    closes = _mm_xor_si128(closes, _mm_cmpeq_epi8(next, newline));
    control = _mm_andnot_si128(is_newline, control);
    return _mm_or_si128(_mm_or_si128(misfits, closes), _mm_or_si128(control, escape));
}

static inline uint64_t misfits_of(const char *p)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 4; i++) {
        mask |= mask_of(misfits_at(p + 16 * i)) << 16 * i;
    }
    return mask;
}

/* Signed, the bytes of UTF-8 sequences are below 0x20 like control characters. */
static inline uint64_t string_stops(const char *p, const lanes_constants *c)
{
    __m128i x = bytes_at(p);
    __m128i stops = _mm_or_si128(_mm_cmpeq_epi8(x, c->quote), _mm_cmpeq_epi8(x, c->backslash));
    return mask_of(_mm_or_si128(stops, _mm_cmpgt_epi8(c->space, x)));
}

static inline uint64_t other_than_digits(const char *p, const lanes_constants *c)
{
    return mask_of(_mm_cmpgt_epi8(_mm_add_epi8(bytes_at(p), c->to_digits), c->nine));
}

static inline bool is_same(const char *p, const m31ri_shape_node *node)
{
    for (unsigned i = 0; i < node->length; i += 16) {
        __m128i x = bytes_at(p + i);
        __m128i y = _mm_min_epu8(x, bytes_at(node->highest + i));
        y = _mm_max_epu8(y, bytes_at(node->lowest + i));
        if (mask_of(_mm_cmpeq_epi8(x, y)) != UINT16_MAX) {
            return false;
        }
    }
    return true;
}

#include "read/line_walk_each.h"

const m31ri_walk m31ri_walk_sse2 = {"sse2", find_newlines, find_sieved, walk};
#else
const m31ri_walk m31ri_walk_sse2 = {0};
#endif
