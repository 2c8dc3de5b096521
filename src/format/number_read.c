/* number_read.c - numbers from text, exactly rounded, without locale.
 *
 * There is an exact fast path (at most 15 digits, a power of ten up to 22: one correctly rounded
 * operation); all else is handed to strtod as "<digits>e<exponent>": without a decimal point in the
 * text no locale can change its meaning, and the C library rounds exactly. Not more code of our
 * own, because reading is not on the emit path.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
