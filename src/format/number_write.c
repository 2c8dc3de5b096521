/* number_write.c - numbers as text, without locale: the shortest digits that read back to the same
 * value, and among those the closest.
 *
 * The value is scaled by a power of ten so that its rounding interval is between 1 and 10 wide:
 * then at most one multiple of ten lies in it, and if none does, the nearest integer is the answer
 * (R. Giulietti, "The Schubfach way to render doubles", 2020). One 64 by 128 bit product gives the
 * scaled value to 64 binary places, and half the interval's width stands in the same table entry; a
 * decision by a margin that the product's error cannot reach is final. What is closer (ends of the
 * interval, ties, powers of two, subnormal numbers: one value in 10^17 of the others) is decided
 * again by Schubfach's exact comparison. Both float sizes go through one function.
 *
 * Digits are made eight at a time in one register, and a short decimal's zeros at the end are
 * counted there too. The text form is Python's repr().
 */
#include <stdbool.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "format/number.h"
#include "format/pow10_table.h"

__extension__ typedef unsigned __int128 wide;

#define MARGIN 64 /* of 2^-60: what a product and a width may be wrong by, and much more */

/* A decimal: digits * 10^exponent. */
typedef struct decimal {
    uint64_t digits;
    int exponent;
} decimal;

/* Floors of logarithms by multiplication, exact for every exponent that can occur (shift of a
 * negative number is arithmetic in every compiler this is built with; a test walks the whole
 * range). */
static int floor_log10_pow2(int e)
{
    return (int)(((int64_t)e * 1262611) >> 22);
}

static int floor_log10_three_quarters_pow2(int e)
{
    return (int)(((int64_t)e * 1262611 - 524031) >> 22);
}

static int floor_log2_pow10(int e)
{
    return (int)(((int64_t)e * 1741647) >> 19);
}

/* High part of g * x / 2^128, its lowest bit set when anything was lost ("round to odd"):
 * comparisons with the true product then come out right. */
static uint64_t round_to_odd(const uint64_t g[2], uint64_t x)
{
    uint64_t low = (uint64_t)(((wide)g[1] * x) >> 64);
    wide y = (wide)g[0] * x + low;
    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/* The shortest decimal in the rounding interval of c * 2^q, by exact comparisons. `irregular`: the
 * value below is half as far as the one above (c is a power of two). Names follow the paper: vb is
 * four times the scaled value. */
static decimal decide_exactly(uint64_t c, int q, bool irregular)
{
    uint64_t odd = c & 1;
    int k = irregular ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    int h = q + floor_log2_pow10(-k) + 1;
    const uint64_t *g = m31ri_pow10_table[-k - M31RI_POW10_FIRST];
    uint64_t vb_low = round_to_odd(g, (4 * c - 2 + irregular) << h);
    uint64_t vb = round_to_odd(g, (4 * c) << h);
    uint64_t vb_high = round_to_odd(g, (4 * c + 2) << h);
    uint64_t lower = vb_low + odd; /* the ends belong to the interval only when c is even */
    uint64_t upper = vb_high - odd;

    uint64_t s = vb / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool below_inside = lower <= 40 * tens;
        bool above_inside = 40 * tens + 40 <= upper;
        if (below_inside != above_inside) {
            return (decimal){tens + above_inside, k + 1};
        }
    }
    bool below_inside = lower <= 4 * s;
    bool above_inside = 4 * s + 4 <= upper;
    if (below_inside != above_inside) {
        return (decimal){s + above_inside, k};
    }
    uint64_t middle = 4 * s + 2;
    bool up = vb > middle || (vb == middle && (s & 1) != 0);
    return (decimal){s + up, k};
}

/* The same for a c that is no power of two, of 24 bits or more: the digits stand for digits * 10^k,
 * and those that a shorter decimal does not need are zeros. No branch depends on the digits. */
static inline uint64_t shortest_at(uint64_t c, int q, int k)
{
    int h = q + floor_log2_pow10(-k) + 1;
    const uint64_t *g = m31ri_pow10_table[-k - M31RI_POW10_FIRST];
    uint64_t scaled = c << h;
    /* 64 bits before the point and 64 behind it */
    wide value = (wide)g[0] * scaled + (uint64_t)(((wide)g[1] * scaled) >> 64);
    uint64_t whole = (uint64_t)(value >> 64);
    uint64_t fraction = (uint64_t)value;
    uint64_t tens = whole / 10;
    /* distances to the tens around it, and half the interval: 4 bits before the point, 60 behind */
    uint64_t half = (uint64_t)(((wide)g[0] << h) >> 5);
    uint64_t below = (whole - tens * 10) << 60 | fraction >> 4;
    uint64_t above = ((uint64_t)10 << 60) - below;
    bool is_above = above < half;
    bool is_ten = is_above | (below < half);
    uint64_t rounded = (tens + is_above) * 10;
    uint64_t nearest = whole + (fraction >> 63);
    uint64_t from_tie = (fraction >> 4) - ((uint64_t)1 << 59);
    bool is_close = (below - half + MARGIN < 2 * MARGIN) | (above - half + MARGIN < 2 * MARGIN) |
                    (from_tie + MARGIN < 2 * MARGIN);
    if (__builtin_expect(is_close, 0)) {
        decimal d = decide_exactly(c, q, false);
        return d.exponent == k ? d.digits : d.digits * 10;
    }
    return is_ten ? rounded : nearest;
}

/* The digits of x < 10^8 as the bytes of a word, the first in the lowest byte: halved three times,
 * the divisions by multiplying with rounded-up reciprocals, exact in these ranges. */
static inline uint64_t eight_digits(uint32_t x)
{
    uint64_t fours = x / 10000 | (uint64_t)(x % 10000) << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & 0x0000007f0000007f;
    uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = (twos * 103 >> 10) & 0x000f000f000f000f;
    return tens | (twos - 10 * tens) << 8;
}

#define ZEROS 0x3030303030303030u /* eight of the character 0 */
#define DIGITS_ROOM 40            /* 20 digits, and copies of 16 and 24 bytes may run over */

/* Digits in a buffer: n of them from `first` on, the last `zeros` of which are 0. Bytes behind them
 * may be read, as copies have a fixed length. */
typedef struct digit_text {
    char bytes[24 + 24];
    int first, n, zeros;
} digit_text;

/* The digits of x, which is not 0. */
static inline void make_digits(uint64_t x, digit_text *out)
{
    uint64_t rest = x / 100000000;
    uint64_t low = eight_digits((uint32_t)(x % 100000000));
    uint64_t middle = eight_digits((uint32_t)(rest % 100000000));
    uint64_t high = eight_digits((uint32_t)(rest / 100000000));
    out->first = high != 0     ? __builtin_ctzll(high) / 8
                 : middle != 0 ? 8 + __builtin_ctzll(middle) / 8
                               : 16 + __builtin_ctzll(low) / 8;
    out->zeros = low != 0      ? __builtin_clzll(low) / 8
                 : middle != 0 ? 8 + __builtin_clzll(middle) / 8
                               : 16 + __builtin_clzll(high) / 8;
    out->n = 24 - out->first;
    high |= ZEROS;
    middle |= ZEROS;
    low |= ZEROS;
    memcpy(out->bytes, &high, 8);
    memcpy(out->bytes + 8, &middle, 8);
    memcpy(out->bytes + 16, &low, 8);
    memset(out->bytes + 24, '0', 24);
}

static size_t write_exponent(int e, char *out)
{
    char *p = out;
    *p++ = 'e';
    *p++ = e < 0 ? '-' : '+';
    unsigned u = (unsigned)(e < 0 ? -e : e);
    if (u >= 100) {
        *p++ = (char)('0' + u / 100);
        u %= 100;
    }
    *p++ = (char)('0' + u / 10);
    *p++ = (char)('0' + u % 10);
    return (size_t)(p - out);
}

/* One digit, the point when more follow, and the exponent. */
static size_t write_scientific(const char *digits, int n, int exponent, char *out)
{
    char *p = out;
    *p++ = *digits;
    if (n > 1) {
        *p++ = '.';
        memcpy(p, digits + 1, (size_t)n - 1);
        p += n - 1;
    }
    return (size_t)(p - out) + write_exponent(exponent, p);
}

/* A decimal in Python's form: fixed when 1e-4 <= value < 1e16, else with an exponent of at least
 * two digits. */
static inline size_t write_decimal(decimal d, char *out)
{
    digit_text t;
    make_digits(d.digits, &t);
    const char *digits = t.bytes + t.first;
    int point = t.n + d.exponent; /* digits before the decimal point */
    int n = t.n - t.zeros;
    if (point <= -4 || point > 16) {
        return write_scientific(digits, n, point - 1, out);
    }
    if (point <= 0) {
        memcpy(out, "0.000", 5);
        memcpy(out + 2 - point, digits, 24);
        return (size_t)(2 - point + n);
    }
    memcpy(out, digits, 16);
    if (point >= n) { /* the digits behind are zeros in `t` too */
        memcpy(out + point, ".0", 2);
        return (size_t)point + 2;
    }
    memcpy(out + point + 1, digits + point, 24);
    out[point] = '.';
    return (size_t)n + 1;
}

static size_t write_special(bool nan, bool negative, char *out)
{
    const char *text = nan ? "NaN" : negative ? "-Infinity" : "Infinity";
    size_t n = strlen(text);
    memcpy(out, text, n);
    return n;
}

/* A whole number below 2^53 is its own shortest decimal. */
static size_t write_whole(uint64_t x, char *out)
{
    size_t n = m31ri_number_write_uint(x, out);
    memcpy(out + n, ".0", 2);
    return n + 2;
}

/* Sixteen digits, two numbers below 10^8: their characters are stored at `out`, the first eight are
 * returned as well, before '0' was added. `*zeros`: how many at the end are 0. */
static inline uint64_t store_sixteen(uint32_t high, uint32_t low, char *out, int *zeros)
{
#if defined(__SSE2__)
    const __m128i x = _mm_set_epi64x(low, high);
    const __m128i fours = _mm_srli_epi64(_mm_mul_epu32(x, _mm_set1_epi64x(3518437209)), 45);
    const __m128i a = _mm_or_si128(
        fours, _mm_slli_epi64(_mm_sub_epi64(x, _mm_mul_epu32(fours, _mm_set1_epi64x(10000))), 32));
    const __m128i hundreds = _mm_srli_epi16(_mm_mulhi_epu16(a, _mm_set1_epi16(5243)), 3);
    const __m128i b = _mm_or_si128(
        hundreds,
        _mm_slli_epi32(_mm_sub_epi16(a, _mm_mullo_epi16(hundreds, _mm_set1_epi16(100))), 16));
    const __m128i tens = _mm_mulhi_epu16(b, _mm_set1_epi16(6554));
    const __m128i digits = _mm_or_si128(
        tens, _mm_slli_epi16(_mm_sub_epi16(b, _mm_mullo_epi16(tens, _mm_set1_epi16(10))), 8));
    unsigned is_zero = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(digits, _mm_setzero_si128()));
    *zeros = __builtin_clz(~(is_zero << 16));
    _mm_storeu_si128((__m128i *)(void *)out, _mm_or_si128(digits, _mm_set1_epi8('0')));
    return (uint64_t)_mm_cvtsi128_si64(digits);
#else
    uint64_t first = eight_digits(high), second = eight_digits(low);
    uint64_t text[2] = {first | ZEROS, second | ZEROS};
    memcpy(out, text, 16);
    *zeros = second != 0  ? __builtin_clzll(second) / 8
             : first != 0 ? 8 + __builtin_clzll(first) / 8
                          : 16;
    return first;
#endif
}

/* The decimal of a double that is no whole number, 16 or 17 digits and zeros. What is between 1e-4
 * and 10^7 is put together in registers: all digits one place behind where they belong, then the
 * first eight places once more, with the point. */
static inline size_t write_seventeen(uint64_t digits, int k, char *out)
{
    const uint64_t ten_16 = 10000000000000000;
    uint64_t lead = digits / ten_16;
    uint64_t rest = digits - lead * ten_16;
    int has_lead = lead != 0;
    int zeros, point = 16 + has_lead + k;
    if (point < -3 || point > 7) {
        return write_decimal((decimal){digits, k}, out);
    }
    char *at = point > 0 ? out + 1 : out + 2 - point;
    memcpy(out, "0.000000", 8);
    *at = (char)('0' + lead);
    uint64_t first = store_sixteen((uint32_t)(rest / 100000000), (uint32_t)(rest % 100000000),
                                   at + has_lead, &zeros);
    if (point > 0) {
        first = (first << (8 * has_lead) | lead) | ZEROS;
        uint64_t before = ((uint64_t)1 << (8 * point)) - 1;
        uint64_t dot = (uint64_t)'.' << (8 * point);
        uint64_t word = (first & before) | dot | ((first & ~before) << 8);
        memcpy(out, &word, 8);
        return (size_t)(17 + has_lead - zeros);
    }
    return (size_t)(2 - point + 16 + has_lead - zeros);
}

size_t m31ri_number_write_double(double x, char *out)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t fraction = bits & 0xfffffffffffff;
    int exponent = (int)(bits >> 52 & 0x7ff);
    bool negative = bits >> 63 != 0;
    if (exponent == 0x7ff) {
        return write_special(fraction != 0, negative, out);
    }
    char *p = out;
    *p = '-';
    p += negative;
    x = negative ? -x : x;
    if (x < 0x1p53 && x == (double)(int64_t)x) {
        return (size_t)(p - out) + write_whole((uint64_t)x, p);
    }
    uint64_t c = exponent == 0 ? fraction : fraction | (uint64_t)1 << 52;
    int q = (exponent == 0 ? 1 : exponent) - 1075;
    if (__builtin_expect(exponent != 0 && fraction != 0, 1)) {
        int k = floor_log10_pow2(q);
        return (size_t)(p - out) + write_seventeen(shortest_at(c, q, k), k, p);
    }
    return (size_t)(p - out) +
           write_decimal(decide_exactly(c, q, fraction == 0 && exponent > 1), p);
}

size_t m31ri_number_write_float(float x, char *out)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t fraction = bits & 0x7fffff;
    int exponent = (int)(bits >> 23 & 0xff);
    bool negative = bits >> 31 != 0;
    if (exponent == 0xff) {
        return write_special(fraction != 0, negative, out);
    }
    char *p = out;
    *p = '-';
    p += negative;
    x = negative ? -x : x;
    if (x < 0x1p24f && x == (float)(int32_t)x) {
        return (size_t)(p - out) + write_whole((uint32_t)x, p);
    }
    uint32_t c = exponent == 0 ? fraction : fraction | (uint32_t)1 << 23;
    int q = (exponent == 0 ? 1 : exponent) - 150;
    decimal d;
    if (exponent != 0 && fraction != 0) {
        int k = floor_log10_pow2(q);
        d = (decimal){shortest_at(c, q, k), k};
    } else {
        d = decide_exactly(c, q, fraction == 0 && exponent > 1);
    }
    return (size_t)(p - out) + write_decimal(d, p);
}

size_t m31ri_number_write_uint(uint64_t x, char *out)
{
    if (x < 10) {
        *out = (char)('0' + x);
        return 1;
    }
    if (x < 100000000) {
        uint64_t word = eight_digits((uint32_t)x);
        int first = __builtin_ctzll(word) / 8;
        word = (word | ZEROS) >> (8 * first);
        memcpy(out, &word, 8);
        return (size_t)(8 - first);
    }
    digit_text t;
    make_digits(x, &t);
    memcpy(out, t.bytes + t.first, 20);
    return (size_t)t.n;
}

size_t m31ri_number_write_int(int64_t x, char *out)
{
    if (x >= 0) {
        return m31ri_number_write_uint((uint64_t)x, out);
    }
    *out = '-';
    return 1 + m31ri_number_write_uint(0 - (uint64_t)x, out + 1);
}
