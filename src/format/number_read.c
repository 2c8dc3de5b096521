/* number_read.c - numbers from text, exactly rounded, without locale.
 *
 * There is an exact fast path (at most 19 digits and a small power of ten: one rounding that is
 * known to be right); all else is handed to strtod as "<digits>e<exponent>": without a decimal
 * point in the text no locale can change its meaning, and the C library rounds exactly.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format/digits.h"
#include "format/number.h"

/* What a JSON number says, before rounding. No double needs more than 767 digits to be told from
 * its neighbours; of longer ones the rest only says "a little more", which one more digit can say.
 */
#define DIGITS_KEPT 800
typedef struct scanned {
    bool negative;
    char digits[DIGITS_KEPT + 2];
    size_t n;         /* digits kept, leading zeros left out */
    int64_t exponent; /* of the last digit kept */
    bool more;        /* a digit other than 0 was left out */
} scanned;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void keep_digit(scanned *s, char c, bool after_point)
{
    if (s->n == DIGITS_KEPT) {
        s->more |= c != '0';
        s->exponent += !after_point;
        return;
    }
    s->exponent -= after_point;
    if (s->n != 0 || c != '0') {
        s->digits[s->n++] = c;
    }
}

/* Reads the grammar of RFC 8259 section 6; false when `text` is not wholly a number. */
static bool scan_number(const char *p, const char *end, scanned *s)
{
    s->negative = p < end && *p == '-';
    p += s->negative;
    if (p == end || !is_digit(*p) || (*p == '0' && p + 1 < end && is_digit(p[1]))) {
        return false;
    }
    while (p < end && is_digit(*p)) {
        keep_digit(s, *p++, false);
    }
    if (p < end && *p == '.') {
        if (++p == end || !is_digit(*p)) {
            return false;
        }
        while (p < end && is_digit(*p)) {
            keep_digit(s, *p++, true);
        }
    }
    if (p == end || (*p != 'e' && *p != 'E')) {
        return p == end;
    }
    p++;
    bool minus = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    if (p == end) {
        return false;
    }
    int64_t e = 0;
    for (; p < end && is_digit(*p); p++) {
        e = e < INT64_MAX / 16 ? e * 10 + (*p - '0')
                               : e; /* saturates: far beyond any text's length */
    }
    s->exponent += minus ? -e : e;
    return p == end;
}

static double round_slowly(scanned *s)
{
    if (s->more) {
        s->digits[s->n++] = '1';
        s->exponent--;
    }
    int64_t e = s->exponent;
    e = e > 100000 ? 100000 : e < -100000 ? -100000 : e; /* infinity and 0 either way */
    char text[DIGITS_KEPT + 16];
    memcpy(text, s->digits, s->n);
    char *p = text + s->n;
    *p++ = 'e';
    p += m31ri_number_write_int(e, p);
    *p = '\0';
    int saved = errno;
    double x = strtod(text, NULL);
    errno = saved;
    return x;
}

/* Powers of ten that a double holds exactly. */
static const double exact_power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const uint64_t whole_power[] = {1,      10,      100,      1000,     10000,
                                       100000, 1000000, 10000000, 100000000};

/* A decimal of at most 19 digits: digits * 10^exponent. False when it is longer, or no number. */
static bool read_short(const char *p, const char *end, uint64_t *out_digits, int *out_exponent)
{
    uint64_t digits = 0;
    const char *whole = p;
    if (end - p > 24) {
        return false;
    }
    for (; p < end && is_digit(*p); p++) {
        digits = digits * 10 + (uint64_t)(*p - '0');
    }
    ptrdiff_t n = p - whole;
    if (n == 0 || (*whole == '0' && n > 1)) {
        return false;
    }
    *out_exponent = 0;
    if (p < end && *p == '.') {
        const char *fraction = ++p;
        for (; p < end && is_digit(*p); p++) {
            digits = digits * 10 + (uint64_t)(*p - '0');
        }
        if (p == fraction) {
            return false;
        }
        *out_exponent = -(int)(p - fraction);
        n += p - fraction;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        int sign = p + 1 < end && p[1] == '-' ? -1 : 1;
        p += 1 + (p + 1 < end && (p[1] == '-' || p[1] == '+'));
        if (end - p < 1 || end - p > 3 || !is_digit(*p) || !is_digit(end[-1]) ||
            !is_digit(p[(end - p) / 2])) {
            return false;
        }
        int e = 0;
        for (; p < end; p++) {
            e = e * 10 + (*p - '0');
        }
        *out_exponent += sign * e;
    }
    *out_digits = digits;
    return p == end && n <= 19;
}

/* Both operands and their powers are exact, so that there is one rounding. In a double that is the
 * right one; in a long double of 64 bits it is, when it does not decide how the 11 bits beyond a
 * double's are rounded. False when it may. */
static bool round_quickly(uint64_t digits, int exponent, double *out)
{
    if (digits <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) {
        *out = exponent < 0 ? (double)digits / exact_power[-exponent]
                            : (double)digits * exact_power[exponent];
        return true;
    }
#if LDBL_MANT_DIG == 64
    static const long double power[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,
                                        1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
                                        1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L,
                                        1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
    if (exponent >= -27 && exponent <= 27 && digits != 0) {
        long double x = exponent < 0 ? (long double)digits / power[-exponent]
                                     : (long double)digits * power[exponent];
        uint64_t mantissa;
        memcpy(&mantissa, &x, sizeof mantissa);
        *out = (double)x;
        return (mantissa & 0x7ff) - 0x3ff > 2;
    }
#endif
    return false;
}

bool m31ri_number_read_double(const char *text, size_t length, double *out)
{
    if (length == 3 && memcmp(text, "NaN", 3) == 0) {
        *out = (double)NAN;
        return true;
    }
    bool negative = length != 0 && *text == '-';
    uint64_t short_digits;
    int short_exponent;
    double quick;
    if (read_short(text + negative, text + length, &short_digits, &short_exponent) &&
        round_quickly(short_digits, short_exponent, &quick)) {
        *out = negative ? -quick : quick;
        return true;
    }
    if (length - negative == 8 && memcmp(text + negative, "Infinity", 8) == 0) {
        *out = negative ? -HUGE_VAL : HUGE_VAL;
        return true;
    }
    scanned s;
    s.n = 0;
    s.exponent = 0;
    s.more = false;
    if (!scan_number(text, text + length, &s)) {
        return false;
    }
    double x = 0.0;
    if (s.n > 15 || s.exponent < -22 || s.exponent > 22) {
        x = s.n == 0 ? 0.0 : round_slowly(&s);
    } else {
        uint64_t digits = 0;
        for (size_t i = 0; i < s.n; i++) {
            digits = digits * 10 + (uint64_t)(s.digits[i] - '0');
        }
        x = s.exponent < 0 ? (double)digits / exact_power[-s.exponent]
                           : (double)digits * exact_power[s.exponent];
    }
    *out = s.negative ? -x : x;
    return true;
}

const char *m31ri_number_walk(const char *text, double *out)
{
    const char *p = text + (*text == '-');
    uint64_t word = m31ri_load_word(p);
    size_t n_whole = m31ri_digits_count(word);
    if (n_whole == 0 || n_whole == 8 || p[n_whole] != '.' || (*p == '0' && n_whole > 1)) {
        return NULL;
    }
    uint64_t digits = m31ri_digits_value(m31ri_digits_fill(word, n_whole));
    p += n_whole + 1;
    word = m31ri_load_word(p);
    size_t n = m31ri_digits_count(word), n_rest = 0;
    if (n == 0) {
        return NULL;
    }
    digits = digits * whole_power[n] + m31ri_digits_value(m31ri_digits_fill(word, n));
    if (n == 8) {
        word = m31ri_load_word(p + 8);
        n_rest = m31ri_digits_count(word);
        if (n_rest == 8) {
            return NULL;
        }
        if (n_rest > 0) {
            word = m31ri_digits_fill(word, n_rest);
            digits = digits * whole_power[n_rest] + m31ri_digits_value(word);
        }
    }
    p += n + n_rest;
    double x;
    if (n_whole + n + n_rest > 17 || (*p | 0x20) == 'e' ||
        !round_quickly(digits, -(int)(n + n_rest), &x)) {
        return NULL;
    }
    *out = *text == '-' ? -x : x;
    return p;
}

bool m31ri_number_read_int(const char *text, size_t length, int64_t *out)
{
    bool negative = length != 0 && *text == '-';
    const char *p = text + negative;
    const char *end = text + length;
    if (p == end || end - p > 19 || (*p == '0' && end - p > 1)) {
        return false;
    }
    uint64_t x = 0;
    for (; p < end; p++) {
        if (!is_digit(*p)) {
            return false;
        }
        x = x * 10 + (uint64_t)(*p - '0'); /* 19 digits cannot overflow 64 bits unsigned */
    }
    if (x > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *out = negative ? (int64_t)(0 - x) : (int64_t)x;
    return true;
}
