/* yaml_scalar.c - the bytes before the parser, and the types of scalars after it.
 *
 * The bytes are checked first because a parser that meets invalid UTF-8 or a stray ESC may repair
 * it silently, and a config that was repaired is not the config that was hashed. Types follow the
 * YAML 1.2 core schema and nothing else: no sexagesimals, no yes/no, no dates, so that what a user
 * typed is what the record says. An integer that fits unsigned but not signed 64 bits (a hash, a
 * mask) becomes a float whose text is still exact; beyond that it is refused, because every program
 * would read another number.
 */
#include "format/yaml_int.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

#define BRACKETS_AT_MOST 20000 /* unclosed at any place */

m31r_err m31ri_yaml_fail(m31r_error *e, const char *path, uint32_t line, uint32_t column,
                         const char *hint, const char *format, ...)
{
    char text[M31R_ERROR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    m31ri_fail(e, M31R_E_CONFIG, "%s", text);
    m31ri_fail_at(e, path, line, column);
    m31ri_fail_hint(e, "%s", hint);
    return M31R_E_CONFIG;
}

void m31ri_yaml_locate(m31ri_yaml_cursor *c, size_t at, uint32_t *line, uint32_t *column)
{
    if (at > c->length) {
        at = c->length;
    }
    if (at < c->line_start) {
        c->at = 0;
        c->line_start = 0;
        c->line = 1;
    }
    while (c->at < at) {
        const char *newline = memchr(c->bytes + c->at, '\n', at - c->at);
        if (newline == NULL) {
            c->at = at;
            break;
        }
        c->at = (size_t)(newline - c->bytes) + 1;
        c->line_start = c->at;
        c->line++;
    }
    *line = c->line;
    *column = (uint32_t)(at - c->line_start) + 1;
}

/* Length of the well-formed UTF-8 sequence at s, its code point in *code; 0 when it is ill-formed.
 */
static size_t utf8_sequence(const unsigned char *s, size_t left, uint32_t *code)
{
    if (s[0] < 0x80) {
        *code = s[0];
        return 1;
    }
    size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || n > left) {
        return 0;
    }
    *code = s[0] & (0xFFU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
        *code = *code << 6 | (s[i] & 0x3FU);
    }
    bool overlong = (n == 3 && *code < 0x800) || (n == 4 && *code < 0x10000);
    bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return overlong || surrogate || *code > 0x10FFFF ? 0 : n;
}

/* YAML 1.2 section 5.1 less NEL, which some readers take for a line end and some do not; a byte
 * order mark only at the very start, which the caller has passed over. */
static bool is_printable(uint32_t c)
{
    if (c < 0x80) {
        return (c >= 0x20 && c != 0x7F) || c == '\t' || c == '\n' || c == '\r';
    }
    return c >= 0xA0 && c != 0xFEFF && c != 0xFFFE && c != 0xFFFF;
}

size_t m31ri_yaml_first_bad_byte(const char *s, size_t length, bool *is_utf8)
{
    size_t at = 0;
    while (at < length) {
        uint32_t code = 0;
        size_t n = utf8_sequence((const unsigned char *)s + at, length - at, &code);
        if (n == 0 || !is_printable(code)) {
            *is_utf8 = n != 0;
            return at;
        }
        at += n;
    }
    *is_utf8 = true;
    return length;
}

/* True when far more brackets open than close. The depth itself is counted while parsing, quotes
 * and comments known; but the parser looks ahead through all opening brackets before its first
 * event, in more than linear time. */
static bool is_bracket_bomb(const char *bytes, size_t length)
{
    size_t open = 0;
    for (size_t i = 0; i < length && open < BRACKETS_AT_MOST; i++) {
        open += bytes[i] == '[' || bytes[i] == '{';
        open -= open > 0 && (bytes[i] == ']' || bytes[i] == '}');
    }
    return open >= BRACKETS_AT_MOST;
}

m31r_err m31ri_yaml_check_bytes(const char *bytes, size_t length, const char *path, m31r_error *e)
{
    if (length > M31RI_YAML_BYTES) {
        return m31ri_yaml_fail(
            e, path, 1, 1, "Keep data out of the config: name a file in it instead.",
            "the config has %zu bytes, more than the limit of %d", length, M31RI_YAML_BYTES);
    }
    if (length >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0)) {
        return m31ri_yaml_fail(e, path, 1, 1, "Save the file as UTF-8.",
                               "the config is UTF-16, not UTF-8");
    }
    if (is_bracket_bomb(bytes, length)) {
        return m31ri_yaml_fail(e, path, 1, 1, "Flatten the config, and close what is open.",
                               "the config nests deeper than %d levels", M31RI_YAML_DEPTH);
    }
    size_t start = length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    bool is_utf8 = true;
    size_t at = start + m31ri_yaml_first_bad_byte(bytes + start, length - start, &is_utf8);
    if (at >= length) {
        return M31R_OK;
    }
    m31ri_yaml_cursor c = {.bytes = bytes, .length = length, .line = 1};
    uint32_t line, column;
    m31ri_yaml_locate(&c, at, &line, &column);
    if (!is_utf8) {
        return m31ri_yaml_fail(e, path, line, column, "Save the file as UTF-8.",
                               "byte 0x%02x is not UTF-8", (unsigned char)bytes[at]);
    }
    return m31ri_yaml_fail(
        e, path, line, column,
        "Remove the character, or write it as an escape in double quotes, such as \"\\x1b\".",
        "a control character (first byte 0x%02x) is not allowed in a config",
        (unsigned char)bytes[at]);
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(text, *words) == 0) {
            return true;
        }
    }
    return false;
}

static size_t span_digits(const char *s)
{
    return strspn(s, "0123456789");
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_decimal(const char *s, bool *is_integer)
{
    s += *s == '-' || *s == '+';
    size_t whole = span_digits(s);
    s += whole;
    size_t fraction = 0;
    *is_integer = true;
    if (*s == '.') {
        s++;
        fraction = span_digits(s);
        s += fraction;
        *is_integer = false;
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        size_t exponent = span_digits(s);
        *is_integer = false;
        if (exponent == 0) {
            return false;
        }
        s += exponent;
    }
    return *s == '\0';
}

/* strtod with the C locale's point, whatever the program has set. */
static double read_double(const char *s)
{
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    locale_t before = c != (locale_t)0 ? uselocale(c) : (locale_t)0;
    double x = strtod(s, NULL);
    if (c != (locale_t)0) {
        uselocale(before);
        freelocale(c);
    }
    return x;
}

static bool has_nonzero_digit(const char *s)
{
    for (; *s != '\0' && *s != 'e' && *s != 'E'; s++) {
        if (*s >= '1' && *s <= '9') {
            return true;
        }
    }
    return false;
}

static bool set_float(m31ri_yaml_node *n)
{
    n->type = M31RI_YAML_FLOAT;
    n->f = read_double(n->text);
    return isfinite(n->f) && (n->f != 0 || !has_nonzero_digit(n->text));
}

static bool set_integer(m31ri_yaml_node *n, const char *digits, int base)
{
    errno = 0;
    long long value = strtoll(digits, NULL, base);
    if (errno != ERANGE) {
        n->type = M31RI_YAML_INT;
        n->i = value;
        n->f = (double)value;
        return true;
    }
    errno = 0;
    unsigned long long big = *digits == '-' ? 0 : strtoull(digits, NULL, base);
    n->type = M31RI_YAML_FLOAT;
    n->f = (double)big;
    return errno != ERANGE && *digits != '-';
}

bool m31ri_yaml_resolve(m31ri_yaml_node *n)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const infs[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", NULL};
    static const char *const negative_infs[] = {"-.inf", "-.Inf", "-.INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    const char *s = n->text;
    bool is_integer = false;
    n->type = M31RI_YAML_STRING;
    if (strlen(s) != n->text_length) {
        return true;
    }
    if (is_one_of(s, nulls)) {
        n->type = M31RI_YAML_NULL;
    } else if (is_one_of(s, trues) || is_one_of(s, falses)) {
        n->type = M31RI_YAML_BOOL;
        n->b = s[0] == 't' || s[0] == 'T';
    } else if (is_one_of(s, infs) || is_one_of(s, negative_infs) || is_one_of(s, nans)) {
        n->type = M31RI_YAML_FLOAT;
        n->f = is_one_of(s, nans) ? (double)NAN : *s == '-' ? -(double)INFINITY : (double)INFINITY;
    } else if (s[0] == '0' && s[1] == 'o' && s[2] != '\0' &&
               s[2 + strspn(s + 2, "01234567")] == '\0') {
        return set_integer(n, s + 2, 8);
    } else if (s[0] == '0' && s[1] == 'x' && s[2] != '\0' &&
               s[2 + strspn(s + 2, "0123456789abcdefABCDEF")] == '\0') {
        return set_integer(n, s + 2, 16);
    } else if (is_decimal(s, &is_integer)) {
        return is_integer ? set_integer(n, s, 10) : set_float(n);
    }
    return true;
}
