/* number.c - numbers as text and back, without locale and without loss.
 *
 * Printing finds the shortest decimal that reads back to the same value, and among those the
 * closest, by the method of R. Giulietti, "The Schubfach way to render doubles" (2020): scale the
 * value and the two ends of its rounding interval by one 128-bit power of ten, then choose among at
 * most four candidates. Both float sizes go through one function, since the wide table is more than
 * enough for the narrow one. The text form is Python's repr().
 *
 * Reading has an exact fast path (at most 15 digits, a power of ten up to 22: one correctly rounded
 * operation); all else is handed to strtod as "<digits>e<exponent>": without a decimal point in the
 * text no locale can change its meaning, and the C library rounds exactly. Not more code of our
 * own, because reading is not on the emit path.
 */
#include "format/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format/pow10_table.h"

__extension__ typedef unsigned __int128 wide;

/* A decimal: digits * 10^exponent. */
typedef struct decimal {
    uint64_t digits;
    int exponent;
} decimal;

static const char two_digits[] = "00010203040506070809101112131415161718192021222324"
                                 "25262728293031323334353637383940414243444546474849"
                                 "50515253545556575859606162636465666768697071727374"
                                 "75767778798081828384858687888990919293949596979899";

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

/* The shortest decimal in the rounding interval of c * 2^q. `irregular`: the value below is half as
 * far as the one above (c is a power of two). Names follow the paper: vb is four times the scaled
 * value. */
static decimal shortest(uint64_t c, int q, bool irregular)
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

/* Writes the digits of x before `end`; returns where they start. Eight at a time are cut off first,
 * since 32-bit division is the quick one. */
static char *digits_before(uint64_t x, char *end)
{
    while (x >= 100000000) {
        uint32_t eight = (uint32_t)(x % 100000000);
        x /= 100000000;
        for (int i = 0; i < 4; i++) {
            end -= 2;
            memcpy(end, two_digits + eight % 100 * 2, 2);
            eight /= 100;
        }
    }
    uint32_t rest = (uint32_t)x;
    while (rest >= 100) {
        end -= 2;
        memcpy(end, two_digits + rest % 100 * 2, 2);
        rest /= 100;
    }
    if (rest >= 10) {
        end -= 2;
        memcpy(end, two_digits + rest * 2, 2);
        return end;
    }
    *--end = (char)('0' + rest);
    return end;
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
    memcpy(p, two_digits + u * 2, 2);
    return (size_t)(p + 2 - out);
}

/* A decimal in Python's form: fixed when 1e-4 <= value < 1e16, else with an exponent of at least
 * two digits. */
static size_t write_decimal(decimal d, char *out)
{
    if (d.digits % 100000000 == 0) { /* short decimals come with many zeros: most in one step */
        d.digits /= 100000000;
        d.exponent += 8;
    }
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    char text[20];
    char *end = text + sizeof text;
    const char *first = digits_before(d.digits, end);
    int n = (int)(end - first);
    int point = n + d.exponent; /* digits before the decimal point */
    char *p = out;
    if (point <= -4 || point > 16) {
        *p++ = *first;
        if (n > 1) {
            *p++ = '.';
            memcpy(p, first + 1, (size_t)n - 1);
            p += n - 1;
        }
        return (size_t)(p - out) + write_exponent(point - 1, p);
    }
    if (point <= 0) {
        memcpy(p, "0.000", 5);
        p += 2 - point;
        memcpy(p, first, (size_t)n);
        return (size_t)(p + n - out);
    }
    if (point >= n) {
        memcpy(p, first, (size_t)n);
        memset(p + n, '0', (size_t)(point - n));
        p += point;
        memcpy(p, ".0", 2);
        return (size_t)(p + 2 - out);
    }
    memcpy(p, first, (size_t)point);
    p[point] = '.';
    memcpy(p + point + 1, first + point, (size_t)(n - point));
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
    if (negative) {
        *p++ = '-';
        x = -x;
    }
    if (x < 0x1p53 && x == (double)(uint64_t)x) {
        return (size_t)(p - out) + write_whole((uint64_t)x, p);
    }
    uint64_t c = exponent == 0 ? fraction : fraction | (uint64_t)1 << 52;
    int q = (exponent == 0 ? 1 : exponent) - 1075;
    decimal d = shortest(c, q, fraction == 0 && exponent > 1);
    return (size_t)(p - out) + write_decimal(d, p);
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
    if (negative) {
        *p++ = '-';
        x = -x;
    }
    if (x < 0x1p24f && x == (float)(uint32_t)x) {
        return (size_t)(p - out) + write_whole((uint32_t)x, p);
    }
    uint32_t c = exponent == 0 ? fraction : fraction | (uint32_t)1 << 23;
    int q = (exponent == 0 ? 1 : exponent) - 150;
    decimal d = shortest(c, q, fraction == 0 && exponent > 1);
    return (size_t)(p - out) + write_decimal(d, p);
}

size_t m31ri_number_write_uint(uint64_t x, char *out)
{
    char text[20];
    char *end = text + sizeof text;
    const char *first = digits_before(x, end);
    size_t n = (size_t)(end - first);
    memcpy(out, first, n);
    return n;
}

size_t m31ri_number_write_int(int64_t x, char *out)
{
    if (x >= 0) {
        return m31ri_number_write_uint((uint64_t)x, out);
    }
    *out = '-';
    return 1 + m31ri_number_write_uint(0 - (uint64_t)x, out + 1);
}

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

bool m31ri_number_read_double(const char *text, size_t length, double *out)
{
    static const double exact_power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                         1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                         1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (length == 3 && memcmp(text, "NaN", 3) == 0) {
        *out = (double)NAN;
        return true;
    }
    bool negative = length != 0 && *text == '-';
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
