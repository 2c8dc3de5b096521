/* point.c - a metric point as one line of metrics.csv, written and read.
 *
 * The reader takes exactly what the writer makes (RFC 4180 quoting, one form of each number), so
 * that a torn or edited line is seen, not guessed at.
 */
#include "format/point.h"

#include <string.h>

#include "format/json_text.h"
#include "format/number.h"
#include "format/timestamp.h"
#include "m31r/metric.h"

bool m31ri_point_name_is_valid(const char *name, size_t length)
{
    if (length == 0 || length > M31RI_POINT_NAME_LIMIT || !m31ri_utf8_is_valid(name, length)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        bool is_c1 = c == 0xc2 && (unsigned char)name[i + 1] < 0xa0; /* valid UTF-8: one follows */
        if (c < 0x20 || c == 0x7f || is_c1) {
            return false;
        }
    }
    return true;
}

static void write_name(m31ri_buf *out, const char *name, size_t length)
{
    bool quoted = memchr(name, ',', length) != NULL || memchr(name, '"', length) != NULL;
    if (!quoted) {
        m31ri_buf_add(out, name, length);
        return;
    }
    m31ri_buf_add_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '"') {
            m31ri_buf_add_char(out, '"');
        }
        m31ri_buf_add_char(out, name[i]);
    }
    m31ri_buf_add_char(out, '"');
}

void m31ri_point_write(m31ri_buf *out, const m31ri_point *p)
{
    char text[3 * M31RI_NUMBER_BYTES + M31RI_TIMESTAMP_BYTES + 8];
    char *q = text;
    *q++ = ',';
    if (p->step != M31R_NO_STEP) {
        q += m31ri_number_write_int(p->step, q);
    }
    *q++ = ',';
    q += p->is_float ? m31ri_number_write_float((float)p->value, q)
                     : m31ri_number_write_double(p->value, q);
    *q++ = ',';
    m31ri_timestamp_write(p->wall_ns, q);
    q += M31RI_TIMESTAMP_BYTES;
    *q++ = ',';
    q += m31ri_number_write_uint(p->segment, q);
    *q++ = '\n';
    if (m31ri_buf_reserve(out, 2 * p->name_length + 2 + (size_t)(q - text))) {
        write_name(out, p->name, p->name_length);
        m31ri_buf_add(out, text, (size_t)(q - text));
    }
}

/* Reads a quoted name that starts at `p`; returns what follows its closing quote, NULL when it has
 * none. */
static const char *read_quoted(const char *p, const char *end, m31ri_point *out, m31ri_buf *scratch)
{
    m31ri_buf_clear(scratch);
    p++;
    while (p < end) {
        if (*p == '"' && (p + 1 == end || p[1] != '"')) {
            out->name = m31ri_buf_str(scratch);
            out->name_length = scratch->length;
            return m31ri_buf_ok(scratch) ? p + 1 : NULL;
        }
        p += *p == '"'; /* a quote inside is doubled */
        m31ri_buf_add_char(scratch, *p++);
    }
    return NULL;
}

/* The next field: from `*p`, which stands on its leading comma, to the next comma or the end. */
static bool next_field(const char **p, const char *end, const char **field, size_t *length)
{
    if (*p == end || **p != ',') {
        return false;
    }
    *field = *p + 1;
    const char *comma = memchr(*field, ',', (size_t)(end - *field));
    *p = comma != NULL ? comma : end;
    *length = (size_t)(*p - *field);
    return true;
}

static bool read_numbers(const char *p, const char *end, m31ri_point *out)
{
    const char *field;
    size_t length;
    if (!next_field(&p, end, &field, &length)) {
        return false;
    }
    out->step = M31R_NO_STEP;
    if (length != 0 &&
        (!m31ri_number_read_int(field, length, &out->step) || out->step == M31R_NO_STEP)) {
        return false;
    }
    if (!next_field(&p, end, &field, &length) ||
        !m31ri_number_read_double(field, length, &out->value)) {
        return false;
    }
    if (!next_field(&p, end, &field, &length) || length != M31RI_TIMESTAMP_BYTES ||
        !m31ri_timestamp_read(field, length, &out->wall_ns)) {
        return false;
    }
    int64_t segment;
    if (!next_field(&p, end, &field, &length) || !m31ri_number_read_int(field, length, &segment) ||
        segment < 0 || segment > UINT32_MAX || p != end) {
        return false;
    }
    out->segment = (uint32_t)segment;
    return true;
}

bool m31ri_point_read(const char *line, size_t length, m31ri_point *out, m31ri_buf *scratch)
{
    const char *end = line + length;
    m31ri_point p = {0};
    const char *after = NULL;
    if (length != 0 && line[0] == '"') {
        after = read_quoted(line, end, &p, scratch);
    } else {
        after = memchr(line, ',', length);
        p.name = line;
        p.name_length = after != NULL ? (size_t)(after - line) : 0;
    }
    bool bare_quote = p.name == line && memchr(line, '"', p.name_length) != NULL;
    if (after == NULL || bare_quote || !m31ri_point_name_is_valid(p.name, p.name_length) ||
        !read_numbers(after, end, &p)) {
        return false;
    }
    *out = p;
    return true;
}
