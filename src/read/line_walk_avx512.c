/* line_walk_avx512.c - line_walk.h with AVX-512: 64 bytes at once. CMake compiles this file alone
 * for it. */
#include "read/line_walk.h"

#ifdef __AVX512BW__
#include <immintrin.h>

#define LANES 64
#define STRIDE 1

typedef struct lanes_constants {
    __m512i quote, backslash, space, zero;
} lanes_constants;

static inline lanes_constants make_constants(void)
{
    return (lanes_constants){_mm512_set1_epi8('"'), _mm512_set1_epi8('\\'), _mm512_set1_epi8(0x20),
                             _mm512_set1_epi8('0')};
}

static inline uint64_t equals_of(const char *p, char c)
{
    return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8(c));
}

static inline uint64_t strings_of(const char *p, char letter, size_t n)
{
    uint64_t first = equals_of(p + 1, letter) | equals_of(p + 1, (char)(letter ^ 0x20));
    return first & equals_of(p, '"') & equals_of(p + n + 1, '"');
}

static inline uint64_t misfits_of(const char *p)
{
    __m512i x = _mm512_loadu_si512(p);
    uint64_t newlines = equals_of(p, '\n');
    return (newlines ^ equals_of(p + 1, '{')) | (equals_of(p, '}') ^ equals_of(p + 1, '\n')) |
           equals_of(p, '\\') | (_mm512_cmplt_epi8_mask(x, _mm512_set1_epi8(0x20)) & ~newlines);
}

/* Signed, the bytes of UTF-8 sequences are below 0x20 like control characters. */
static inline uint64_t string_stops(const char *p, const lanes_constants *c)
{
    __m512i x = _mm512_loadu_si512(p);
    return _mm512_cmpeq_epi8_mask(x, c->quote) | _mm512_cmpeq_epi8_mask(x, c->backslash) |
           _mm512_cmplt_epi8_mask(x, c->space);
}

static inline uint64_t other_than_digits(const char *p, const lanes_constants *c)
{
    __m512i x = _mm512_sub_epi8(_mm512_loadu_si512(p), c->zero);
    return _mm512_cmpgt_epu8_mask(x, _mm512_set1_epi8(9));
}

static inline bool is_same(const char *p, const m31ri_shape_node *node)
{
    __m512i x = _mm512_loadu_si512(p);
    return (_mm512_cmplt_epu8_mask(x, _mm512_loadu_si512(node->lowest)) |
            _mm512_cmpgt_epu8_mask(x, _mm512_loadu_si512(node->highest))) == 0;
}

#include "read/line_walk_each.h"

const m31ri_walk m31ri_walk_avx512 = {"avx512", find_newlines, find_sieved, walk};
#else
const m31ri_walk m31ri_walk_avx512 = {0};
#endif
