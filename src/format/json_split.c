/* json_split.c - json_split.h: since the text is known to be good, only its ends are looked for:
 * quotes, backslashes, and the depth of brackets. */
#include "format/json_split.h"

#include <string.h>

#define LOW_BITS 0x0101010101010101U
#define HIGH_BITS 0x8080808080808080U

/* High bits where a byte of `word` is the one that `pattern` repeats; the lowest of them is right.
 */
static uint64_t bytes_like(uint64_t word, uint64_t pattern)
{
    uint64_t x = word ^ pattern;
    return (x - LOW_BITS) & ~x & HIGH_BITS;
}

/* The next quote or backslash, or `end`. */
static const char *find_mark(const char *p, const char *end)
{
    uint64_t word;
    while (end - p >= (ptrdiff_t)sizeof word) {
        memcpy(&word, p, sizeof word);
        if ((bytes_like(word, '"' * LOW_BITS) | bytes_like(word, '\\' * LOW_BITS)) != 0) {
            break;
        }
        p += sizeof word;
    }
    while (p < end && *p != '"' && *p != '\\') {
        p++;
    }
    return p;
}

/* The quote that ends the string whose body begins at `p`. */
static const char *find_quote(const char *p, const char *end, bool *escaped)
{
    *escaped = false;
    while ((p = find_mark(p, end)) < end && *p == '\\') {
        *escaped = true;
        p = end - p > 2 ? p + 2 : end;
    }
    return p;
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
        p++;
    }
    return p;
}

/* Behind the object or array that begins at `p`. */
static const char *skip_nested(const char *p, const char *end)
{
    size_t depth = 0;
    bool escaped;
    while (p < end) {
        char c = *p++;
        if (c == '"') {
            p = find_quote(p, end, &escaped);
            p += p < end;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            break;
        }
    }
    return p;
}

static const char *skip_word(const char *p, const char *end)
{
    while (p < end && *p != ',' && *p != '}' && (unsigned char)*p > ' ') {
        p++;
    }
    return p;
}

/* The value that begins at `p`, into `m`; returns what is behind it. */
static const char *take_value(const char *p, const char *end, m31ri_json_member *m)
{
    const char *stop;
    m->value_escaped = false;
    if (*p == '"') {
        m->type = 's';
        m->value = p + 1;
        stop = find_quote(m->value, end, &m->value_escaped);
        m->value_length = (size_t)(stop - m->value);
        return stop + (stop < end);
    }
    m->type = *p == '{' ? 'o' : *p == '[' ? 'a' : *p == 't' || *p == 'f' ? *p : 'n';
    m->type = *p == 'n' ? '0' : m->type;
    stop = m->type == 'o' || m->type == 'a' ? skip_nested(p, end) : skip_word(p, end);
    m->value = p;
    m->value_length = (size_t)(stop - p);
    return stop;
}

size_t m31ri_json_split(const char *text, size_t length, m31ri_json_member *out, size_t limit)
{
    const char *end = text + length;
    const char *p = skip_space(text, end);
    size_t n = 0;
    p += p < end; /* the brace */
    for (;;) {
        m31ri_json_member m;
        p = skip_space(p, end);
        if (p < end && *p == ',') {
            p = skip_space(p + 1, end);
        }
        if (p == end || *p != '"') {
            return n;
        }
        m.key = p + 1;
        p = find_quote(m.key, end, &m.key_escaped);
        m.key_length = (size_t)(p - m.key);
        p = skip_space(p + (p < end), end);
        p = skip_space(p + (p < end), end); /* behind the colon */
        if (p == end) {
            return n;
        }
        p = take_value(p, end, &m);
        if (n < limit) {
            out[n] = m;
        }
        n++;
    }
}
