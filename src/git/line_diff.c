/* line_diff.c - texts into numbered lines, and changed lines into hunks.
 *
 * Equal lines get one number by a table of hashes, so that the search compares numbers. Changes
 * with at most twice the context between them make one hunk.
 */
#include "git/line_diff.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "git/line_diff_int.h"

#define CONTEXT 3

static void release_lines(m31ri_lines *l)
{
    m31ri_free(l->starts);
    m31ri_free(l->ids);
    m31ri_free(l->is_changed);
}

static bool split(const m31ri_buf *text, m31ri_lines *out)
{
    size_t n = 0;
    const char *bytes = m31ri_buf_str(text);
    const char *end = bytes + text->length;
    for (const char *p = bytes; p < end; n++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        p = newline != NULL ? newline + 1 : end;
    }
    *out = (m31ri_lines){.bytes = bytes, .n = n};
    out->starts = m31ri_calloc(n + 1, sizeof *out->starts);
    out->ids = m31ri_calloc(n + 1, sizeof *out->ids);
    out->is_changed = m31ri_calloc(n + 1, sizeof *out->is_changed);
    if (out->starts == NULL || out->ids == NULL || out->is_changed == NULL) {
        return false;
    }
    size_t i = 0;
    for (const char *p = bytes; p < end; i++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        out->starts[i] = (uint32_t)(p - bytes);
        p = newline != NULL ? newline + 1 : end;
    }
    out->starts[n] = (uint32_t)text->length;
    return true;
}

static uint64_t hash(const char *bytes, size_t length)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) {
        h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    }
    return h ^ h >> 32;
}

/* Line `i` of the two texts in one row. */
static const char *line_at(const m31ri_lines sides[2], size_t i, size_t *length)
{
    const m31ri_lines *l = &sides[i >= sides[0].n];
    size_t at = i - (i >= sides[0].n ? sides[0].n : 0);
    *length = l->starts[at + 1] - l->starts[at];
    return l->bytes + l->starts[at];
}

/* Gives equal lines equal ids: the number of the first of them. */
static bool number(m31ri_lines sides[2])
{
    size_t n = sides[0].n + sides[1].n;
    size_t n_slots = 16;
    while (n_slots < 2 * n) {
        n_slots *= 2;
    }
    uint32_t *slots = m31ri_calloc(n_slots, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        size_t length;
        size_t other_length;
        const char *line = line_at(sides, i, &length);
        size_t slot = (size_t)hash(line, length) & (n_slots - 1);
        for (; slots[slot] != 0; slot = (slot + 1) & (n_slots - 1)) {
            const char *other = line_at(sides, slots[slot] - 1, &other_length);
            if (length == other_length && memcmp(line, other, length) == 0) {
                break;
            }
        }
        if (slots[slot] == 0) {
            slots[slot] = (uint32_t)i + 1;
        }
        m31ri_lines *l = &sides[i >= sides[0].n];
        l->ids[i - (i >= sides[0].n ? sides[0].n : 0)] = slots[slot];
    }
    m31ri_free(slots);
    return true;
}

static void add_lines(const m31ri_lines *l, size_t from, size_t to, char sign, m31ri_buf *out)
{
    for (size_t i = from; i < to; i++) {
        size_t length = l->starts[i + 1] - l->starts[i];
        const char *line = l->bytes + l->starts[i];
        m31ri_buf_add_char(out, sign);
        m31ri_buf_add(out, line, length);
        if (line[length - 1] != '\n') {
            m31ri_buf_add_str(out, "\n\\ No newline at end of file\n");
        }
    }
}

/* "12,3"; a range without lines names the line before it. */
static void add_range(m31ri_buf *out, char sign, size_t from, size_t to)
{
    size_t n = to - from;
    m31ri_buf_add_format(out, "%c%zu", sign, n > 0 ? from + 1 : from);
    if (n != 1) {
        m31ri_buf_add_format(out, ",%zu", n);
    }
}

typedef struct place {
    size_t a, b;
} place;

/* Over lines that both have, up to the next change or the end. */
static place skip_same(const m31ri_lines sides[2], place p)
{
    while (p.a < sides[0].n && p.b < sides[1].n && !sides[0].is_changed[p.a] &&
           !sides[1].is_changed[p.b]) {
        p.a++;
        p.b++;
    }
    return p;
}

static place skip_changed(const m31ri_lines sides[2], place p)
{
    while (p.a < sides[0].n && sides[0].is_changed[p.a]) {
        p.a++;
    }
    while (p.b < sides[1].n && sides[1].is_changed[p.b]) {
        p.b++;
    }
    return p;
}

static bool is_end(const m31ri_lines sides[2], place p)
{
    return p.a == sides[0].n && p.b == sides[1].n;
}

/* The hunk whose first change is at `first`; returns where it ends. */
static place add_hunk(const m31ri_lines sides[2], place first, m31ri_buf *out)
{
    size_t before = first.a < CONTEXT ? first.a : CONTEXT;
    place start = {first.a - before, first.b - before};
    place end = skip_changed(sides, first);
    for (;;) { /* take in the changes that are near */
        place next = skip_same(sides, end);
        if (is_end(sides, next) || next.a - end.a > 2 * CONTEXT) {
            size_t after = next.a - end.a < CONTEXT ? next.a - end.a : CONTEXT;
            end = (place){end.a + after, end.b + after};
            break;
        }
        end = skip_changed(sides, next);
    }
    m31ri_buf_add_str(out, "@@ ");
    add_range(out, '-', start.a, end.a);
    m31ri_buf_add_char(out, ' ');
    add_range(out, '+', start.b, end.b);
    m31ri_buf_add_str(out, " @@\n");
    for (place p = start; p.a < end.a || p.b < end.b;) {
        place changed = skip_changed(sides, p);
        add_lines(&sides[0], p.a, changed.a, '-', out);
        add_lines(&sides[1], p.b, changed.b, '+', out);
        p = skip_same(sides, changed);
        p = p.a <= end.a ? p : end;
        add_lines(&sides[0], changed.a, p.a, ' ', out);
    }
    return end;
}

m31r_err m31ri_line_diff(const m31ri_buf *before, const m31ri_buf *after, m31ri_buf *out,
                         m31r_error *e)
{
    m31ri_lines sides[2] = {0};
    if (before->length > M31RI_LINE_DIFF_BYTES || after->length > M31RI_LINE_DIFF_BYTES) {
        return m31ri_fail(e, M31R_E_LIMIT, "a text of more than %u bytes", M31RI_LINE_DIFF_BYTES);
    }
    bool ok = split(before, &sides[0]) && split(after, &sides[1]) && number(sides) &&
              m31ri_line_search(&sides[0], &sides[1]);
    place at = {0, 0};
    while (ok) {
        at = skip_same(sides, at);
        if (is_end(sides, at)) {
            break;
        }
        at = add_hunk(sides, at, out);
    }
    release_lines(&sides[0]);
    release_lines(&sides[1]);
    return ok && m31ri_buf_ok(out) ? M31R_OK
                                   : m31ri_fail(e, M31R_E_NOMEM, "out of memory comparing lines");
}
