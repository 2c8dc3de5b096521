/* json_text.c - escaping and unescaping of JSON strings, and UTF-8 well-formedness.
 *
 * Most text is plain ASCII, so every loop first skips eight bytes at a time with word arithmetic
 * that asks "is any byte special?" of all eight at once, then looks at single bytes, then at whole
 * UTF-8 sequences. One function, utf8_step(), knows what a well-formed sequence is (Unicode 15,
 * table 3-7); all others ask it.
 *
 * Invariant: what m31ri_json_escape() appends is always valid UTF-8 and a valid JSON string body,
 * whatever came in, and depends only on the characters that came in: equal text gives equal bytes.
 */
#include "format/json_text.h"

#include <string.h>

#include "format/json_text_int.h"

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

static uint64_t load_eight(const char *s)
{
    uint64_t x;
    memcpy(&x, s, sizeof x);
    return x;
}

/* Non-zero when one of the eight bytes is 0 (in x). May also flag bytes above a true hit: only
 * "any" is asked. */
static uint64_t has_zero(uint64_t x)
{
    return (x - ONES) & ~x & HIGHS;
}

/* Non-zero when one of the eight bytes cannot be copied as it is: control, quote, backslash, DEL,
 * not ASCII. */
static uint64_t has_special(uint64_t x)
{
    uint64_t control = (x - ONES * 0x20) & ~x;
    return (control | x | has_zero(x ^ ONES * '"') | has_zero(x ^ ONES * '\\') |
            has_zero(x ^ ONES * 0x7f)) &
           HIGHS;
}

size_t m31ri_json_plain_prefix(const char *s, size_t length)
{
    size_t i = 0;
    while (length - i >= 8 && has_special(load_eight(s + i)) == 0) {
        i += 8;
    }
    for (; i < length; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < 0x20 || c == '"' || c == '\\' || c >= 0x7f) {
            break;
        }
    }
    return i;
}

/* The range that the second byte of a sequence must be in depends on the first. */
static bool second_is_good(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf; /* no overlong forms */
    case 0xed:
        return second >= 0x80 && second <= 0x9f; /* no surrogates */
    case 0xf0:
        return second >= 0x90 && second <= 0xbf; /* no overlong forms */
    case 0xf4:
        return second >= 0x80 && second <= 0x8f; /* not above U+10FFFF */
    default:
        return second >= 0x80 && second <= 0xbf;
    }
}

size_t m31ri_utf8_step(const char *s, size_t length, uint32_t *code)
{
    const unsigned char *p = (const unsigned char *)s;
    if (p[0] < 0x80) {
        *code = p[0];
        return 1;
    }
    size_t need = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    *code = M31RI_NO_CODE;
    if (need == 0 || length < 2 || !second_is_good(p[0], p[1])) {
        return 1;
    }
    uint32_t x = (uint32_t)(p[0] & (0x7f >> need)) << 6 | (p[1] & 0x3f);
    for (size_t i = 2; i < need; i++) {
        if (i == length || (p[i] & 0xc0) != 0x80) {
            return i;
        }
        x = x << 6 | (p[i] & 0x3f);
    }
    *code = x;
    return need;
}

/* Characters that no log line should carry raw, above ASCII: see json_text.h. */
static bool is_hidden(uint32_t code)
{
    return code <= 0x9f || code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xfeff;
}

static size_t write_u_escape(uint32_t code, char *out)
{
    static const char hex[] = "0123456789abcdef";
    memcpy(out, "\\u", 2);
    out[2] = hex[code >> 12 & 15];
    out[3] = hex[code >> 8 & 15];
    out[4] = hex[code >> 4 & 15];
    out[5] = hex[code & 15];
    return 6;
}

/* Short forms by character; 0 for none. */
static char short_form(uint32_t code)
{
    switch (code) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '\n':
        return 'n';
    case '\t':
        return 't';
    case '\r':
        return 'r';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    default:
        return 0;
    }
}

size_t m31ri_json_escape_step(const char *s, size_t length, char out[6], size_t *used)
{
    uint32_t code;
    *used = m31ri_utf8_step(s, length, &code);
    if (code == M31RI_NO_CODE) {
        memcpy(out, "\xef\xbf\xbd", 3);
        return 3;
    }
    char letter = short_form(code);
    if (letter != 0) {
        out[0] = '\\';
        out[1] = letter;
        return 2;
    }
    if (code < 0x20 || (code >= 0x7f && is_hidden(code))) {
        return write_u_escape(code, out);
    }
    memcpy(out, s, *used);
    return *used;
}

size_t m31ri_json_escape_within(m31ri_buf *out, const char *s, size_t length, size_t limit)
{
    size_t at = 0;
    while (at < length) {
        size_t plain = m31ri_json_plain_prefix(s + at, length - at);
        plain = plain < limit ? plain : limit;
        m31ri_buf_add(out, s + at, plain);
        at += plain;
        limit -= plain;
        if (at == length || limit == 0) {
            break;
        }
        char text[6];
        size_t used;
        size_t n = m31ri_json_escape_step(s + at, length - at, text, &used);
        if (n > limit) {
            break;
        }
        m31ri_buf_add(out, text, n);
        at += used;
        limit -= n;
    }
    return at;
}

void m31ri_json_escape(m31ri_buf *out, const char *s, size_t length)
{
    (void)m31ri_json_escape_within(out, s, length, SIZE_MAX);
}

void m31ri_json_string(m31ri_buf *out, const char *s, size_t length)
{
    m31ri_buf_add_char(out, '"');
    m31ri_json_escape(out, s, length);
    m31ri_buf_add_char(out, '"');
}

/* Value of four hex digits; false when there are no four. */
bool m31ri_json_hex4(const char *p, const char *end, uint32_t *out)
{
    if (end - p < 4) {
        return false;
    }
    uint32_t x = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        char lower = (char)(c | 0x20);
        if (c >= '0' && c <= '9') {
            x = x << 4 | (uint32_t)(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            x = x << 4 | (uint32_t)(lower - 'a' + 10);
        } else {
            return false;
        }
    }
    *out = x;
    return true;
}

static size_t write_utf8(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* A \u escape that may be the first half of a pair. `p` stands after "\u"; returns where the text
 * goes on. */
static const char *unescape_u(const char *p, const char *end, uint32_t *code)
{
    uint32_t high;
    uint32_t low;
    *code = 0xfffd;
    if (!m31ri_json_hex4(p, end, &high)) {
        return p;
    }
    p += 4;
    if (high < 0xd800 || high > 0xdfff) {
        *code = high;
        return p;
    }
    if (high <= 0xdbff && end - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
        m31ri_json_hex4(p + 2, end, &low) && low >= 0xdc00 && low <= 0xdfff) {
        *code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        return p + 6;
    }
    return p;
}

size_t m31ri_json_unescape_step(const char *p, const char *end, char out[4], size_t *used)
{
    const char *start = p;
    char c = p + 1 < end ? p[1] : '\\';
    p += p + 1 < end ? 2 : 1;
    uint32_t code = (unsigned char)c;
    switch (c) {
    case 'n':
        code = '\n';
        break;
    case 't':
        code = '\t';
        break;
    case 'r':
        code = '\r';
        break;
    case 'b':
        code = '\b';
        break;
    case 'f':
        code = '\f';
        break;
    case 'u':
        p = unescape_u(p, end, &code);
        break;
    default:
        break;
    }
    *used = (size_t)(p - start);
    return write_utf8(code, out);
}

void m31ri_json_unescape(m31ri_buf *out, const char *body, size_t length)
{
    const char *p = body;
    const char *end = body + length;
    while (p < end) {
        const char *stop = memchr(p, '\\', (size_t)(end - p));
        stop = stop != NULL ? stop : end;
        m31ri_buf_add(out, p, (size_t)(stop - p));
        p = stop;
        if (p < end) {
            char text[4];
            size_t used;
            size_t n = m31ri_json_unescape_step(p, end, text, &used);
            m31ri_buf_add(out, text, n);
            p += used;
        }
    }
}

size_t m31ri_utf8_valid_prefix(const char *s, size_t length)
{
    size_t at = 0;
    while (at < length) {
        if (length - at >= 8 && (load_eight(s + at) & HIGHS) == 0) {
            at += 8;
            continue;
        }
        uint32_t code;
        size_t step = m31ri_utf8_step(s + at, length - at, &code);
        if (code == M31RI_NO_CODE) {
            break;
        }
        at += step;
    }
    return at;
}

bool m31ri_utf8_is_valid(const char *s, size_t length)
{
    return m31ri_utf8_valid_prefix(s, length) == length;
}

size_t m31ri_utf8_cut(const char *s, size_t length, size_t limit)
{
    if (length <= limit) {
        return length;
    }
    /* A sequence is at most four bytes: the one that crosses the limit starts at most three before
     * it. */
    for (size_t back = 1; back <= 3 && back <= limit; back++) {
        uint32_t code;
        size_t step = m31ri_utf8_step(s + limit - back, length - (limit - back), &code);
        if (code != M31RI_NO_CODE && step > back) {
            return limit - back;
        }
    }
    return limit;
}
