/* timestamp.c - the civil calendar by arithmetic: days since 1970 to year, month, day and back.
 *
 * The C library's gmtime() is banned here (static buffer, and it is not ours to trust with years);
 * the proleptic Gregorian calendar is two short functions. They count from 1 March of year 0, so
 * that the leap day is the last of a year and a month's first day follows from (153 * month + 2)
 * / 5. Eras are 400 years, 146097 days.
 */
#include "format/timestamp.h"

#include <string.h>

#include "format/digits.h"

#define NS_PER_S 1000000000
#define S_PER_DAY 86400
#define DAYS_0000_TO_1970 719468 /* from 0000-03-01 */

typedef struct civil {
    int year, month, day;
} civil;

/* `days` since 1970-01-01, not before it. */
static civil civil_of_days(int64_t days)
{
    int64_t z = days + DAYS_0000_TO_1970;
    int64_t era = z / 146097;
    int64_t day_of_era = z % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    civil c;
    c.day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    c.month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    c.year = (int)(year_of_era + era * 400 + (c.month <= 2));
    return c;
}

static int64_t days_of_civil(civil c)
{
    int64_t year = c.year - (c.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t march_month = c.month > 2 ? c.month - 3 : c.month + 9;
    int64_t day_of_year = (153 * march_month + 2) / 5 + c.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - DAYS_0000_TO_1970;
}

static void put_digits(char *out, int n, int64_t x)
{
    while (n-- > 0) {
        out[n] = (char)('0' + x % 10);
        x /= 10;
    }
}

void m31ri_timestamp_write(int64_t wall_ns, char out[M31RI_TIMESTAMP_BYTES + 1])
{
    wall_ns = wall_ns < 0 ? 0 : wall_ns;
    int64_t seconds = wall_ns / NS_PER_S;
    int64_t in_day = seconds % S_PER_DAY;
    civil c = civil_of_days(seconds / S_PER_DAY);
    memcpy(out, "0000-00-00T00:00:00.000000Z", M31RI_TIMESTAMP_BYTES + 1);
    put_digits(out, 4, c.year);
    put_digits(out + 5, 2, c.month);
    put_digits(out + 8, 2, c.day);
    put_digits(out + 11, 2, in_day / 3600);
    put_digits(out + 14, 2, in_day / 60 % 60);
    put_digits(out + 17, 2, in_day % 60);
    put_digits(out + 20, 6, wall_ns % NS_PER_S / 1000);
}

void m31ri_timestamp_write_compact(int64_t wall_ns, char out[17])
{
    char text[M31RI_TIMESTAMP_BYTES + 1];
    m31ri_timestamp_write(wall_ns, text);
    memcpy(out, text, 4);
    memcpy(out + 4, text + 5, 2);
    memcpy(out + 6, text + 8, 3); /* the day and the T */
    memcpy(out + 9, text + 11, 2);
    memcpy(out + 11, text + 14, 2);
    memcpy(out + 13, text + 17, 2);
    out[15] = 'Z';
    out[16] = '\0';
}

/* Takes `n` digits whose value is in low..high; false when they are not there. */
static bool take_number(const char **p, const char *end, int n, int low, int high, int *out)
{
    if (end - *p < n) {
        return false;
    }
    int x = 0;
    for (int i = 0; i < n; i++) {
        char c = *(*p)++;
        if (c < '0' || c > '9') {
            return false;
        }
        x = x * 10 + (c - '0');
    }
    *out = x;
    return x >= low && x <= high;
}

static bool take_char(const char **p, const char *end, const char *any_of)
{
    if (*p == end || **p == '\0' || strchr(any_of, **p) == NULL) {
        return false;
    }
    (*p)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(const char **p, const char *end, civil *c)
{
    return take_number(p, end, 4, 0, 9999, &c->year) && take_char(p, end, "-") &&
           take_number(p, end, 2, 1, 12, &c->month) && take_char(p, end, "-") &&
           take_number(p, end, 2, 1, days_in_month(c->year, c->month), &c->day);
}

/* A leap second, 60, counts as the first of the next minute. */
static bool take_time(const char **p, const char *end, int64_t *seconds)
{
    int hour, minute, second;
    if (!take_number(p, end, 2, 0, 23, &hour) || !take_char(p, end, ":") ||
        !take_number(p, end, 2, 0, 59, &minute) || !take_char(p, end, ":") ||
        !take_number(p, end, 2, 0, 60, &second)) {
        return false;
    }
    *seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* ".123" as nanoseconds; no fraction is 0. */
static bool take_fraction(const char **p, const char *end, int64_t *ns)
{
    *ns = 0;
    if (!take_char(p, end, ".")) {
        return true;
    }
    int64_t unit = NS_PER_S;
    int digit;
    while (*p < end && **p >= '0' && **p <= '9') {
        if (unit == 1 || !take_number(p, end, 1, 0, 9, &digit)) {
            return false;
        }
        unit /= 10;
        *ns += digit * unit;
    }
    return unit < NS_PER_S;
}

static bool take_offset(const char **p, const char *end, int64_t *seconds)
{
    *seconds = 0;
    if (take_char(p, end, "Zz")) {
        return true;
    }
    bool west = *p < end && **p == '-';
    int hour, minute;
    if (!take_char(p, end, "+-") || !take_number(p, end, 2, 0, 23, &hour) ||
        !take_char(p, end, ":") || !take_number(p, end, 2, 0, 59, &minute)) {
        return false;
    }
    *seconds = (hour * 3600 + minute * 60) * (west ? -1 : 1);
    return true;
}

/* Two digits; more than 99 when they are none. */
static unsigned two_digits(const char *p)
{
    unsigned high = (unsigned)(unsigned char)p[0] - '0';
    unsigned low = (unsigned)(unsigned char)p[1] - '0';
    return high > 9 || low > 9 ? 100 : high * 10 + low;
}

/* The form that records have, YYYY-MM-DDTHH:MM:SS.ffffffZ. False also for one that has to be looked
 * at more closely. */
static bool read_ours(const char *t, int64_t *out_wall_ns)
{
    unsigned century = two_digits(t), year = two_digits(t + 2), month = two_digits(t + 5);
    unsigned day = two_digits(t + 8), hour = two_digits(t + 11), minute = two_digits(t + 14);
    unsigned second = two_digits(t + 17), a = two_digits(t + 20), b = two_digits(t + 22);
    unsigned c = two_digits(t + 24);
    bool is_form = t[4] == '-' && t[7] == '-' && t[10] == 'T' && t[13] == ':' && t[16] == ':' &&
                   t[19] == '.' && t[26] == 'Z';
    bool is_fine = is_form && century >= 17 && century <= 21 && year < 100 && month >= 1 &&
                   month <= 12 && day >= 1 && hour < 24 && minute < 60 && second < 60 && a < 100 &&
                   b < 100 && c < 100;
    civil date = {(int)(century * 100 + year), (int)month, (int)day};
    if (!is_fine || (day > 28 && date.day > days_in_month(date.year, date.month))) {
        return false;
    }
    int64_t seconds = days_of_civil(date) * S_PER_DAY + hour * 3600 + minute * 60 + second;
    *out_wall_ns = seconds * NS_PER_S + (int64_t)(a * 10000 + b * 100 + c) * 1000;
    return true;
}

bool m31ri_timestamp_read(const char *text, size_t length, int64_t *out_wall_ns)
{
    if (length == M31RI_TIMESTAMP_BYTES && read_ours(text, out_wall_ns)) {
        return true;
    }
    const char *p = text;
    const char *end = text + length;
    civil c;
    int64_t in_day, ns, offset;
    if (!take_date(&p, end, &c) || !take_char(&p, end, "Tt ") || !take_time(&p, end, &in_day) ||
        !take_fraction(&p, end, &ns) || !take_offset(&p, end, &offset) || p != end) {
        return false;
    }
    int64_t seconds = days_of_civil(c) * S_PER_DAY + in_day - offset;
    int64_t wall_ns;
    if (__builtin_mul_overflow(seconds, (int64_t)NS_PER_S, &wall_ns) ||
        __builtin_add_overflow(wall_ns, ns, &wall_ns)) {
        return false;
    }
    *out_wall_ns = wall_ns;
    return true;
}

/* Nanoseconds of "51.123456Z" within its minute; false when it has another form. */
static bool read_within(const char *t, int64_t *out_ns)
{
    unsigned second = two_digits(t);
    uint64_t word = m31ri_load_word(t + 2);
    uint64_t digits = word << 8 >> 16 << 16 | 0x3030; /* without '.' and 'Z' */
    bool is_form = (word & 0xff) == '.' && word >> 56 == 'Z' && m31ri_digits_are_all(digits);
    *out_ns = second * (int64_t)NS_PER_S + (int64_t)m31ri_digits_value(digits) * 1000;
    return is_form && second < 60;
}

/* The 17 bytes of its text stand there. */
static bool is_minute(const m31ri_minute *minute, const char *text)
{
    return ((m31ri_load_word(minute->text) ^ m31ri_load_word(text)) |
            (m31ri_load_word(minute->text + 8) ^ m31ri_load_word(text + 8))) == 0 &&
           minute->text[16] == text[16];
}

bool m31ri_timestamp_read_near(m31ri_minute *minute, const char *text, size_t length,
                               int64_t *out_wall_ns)
{
    int64_t within_ns = 0;
    bool is_ours =
        length == M31RI_TIMESTAMP_BYTES && read_within(text + sizeof minute->text, &within_ns);
    if (is_ours && minute->is_known && is_minute(minute, text)) {
        *out_wall_ns = minute->wall_ns + within_ns;
        return true;
    }
    if (!m31ri_timestamp_read(text, length, out_wall_ns)) {
        return false;
    }
    if (is_ours) {
        memcpy(minute->text, text, sizeof minute->text);
        minute->is_known = true;
        minute->wall_ns = *out_wall_ns - within_ns;
    }
    return true;
}
