/* source.c - lines out of a descriptor.
 *
 * One buffer that slides: what is given out is forgotten at the next read, a line that does not fit
 * makes it grow up to the line limit, and a line beyond that is passed over without being kept.
 * Pipes, files that grow and files that are torn while they are read are all the same case.
 */
#include "read/source.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "read/line_walk.h"

#define FIRST_BYTES (128 * 1024)

m31r_err m31ri_source_init(m31ri_source *s, m31ri_bytes *bytes, const char *file, const char *lane,
                           m31r_error *e)
{
    memset(s, 0, sizeof *s);
    s->bytes = bytes;
    s->order_ns = M31R_UNKNOWN;
    s->file = m31ri_strdup(file);
    s->lane = m31ri_strdup(lane);
    s->record.file = s->file;
    s->record.lane = s->lane;
    s->buffer = m31ri_alloc(FIRST_BYTES + M31RI_READ_BEYOND);
    s->capacity = FIRST_BYTES;
    if (s->file == NULL || s->lane == NULL || s->buffer == NULL) {
        m31ri_source_release(s);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for reading %s", file);
    }
    bytes->name = s->file; /* lives as long */
    return M31R_OK;
}

void m31ri_source_release(m31ri_source *s)
{
    if (s->bytes != NULL) {
        s->bytes->kind->free(s->bytes);
    }
    m31ri_free(s->file);
    m31ri_free(s->lane);
    m31ri_free(s->buffer);
    memset(s, 0, sizeof *s);
}

/* Room for more bytes behind `end`: slides, then grows. False when memory is out. */
static bool make_room(m31ri_source *s)
{
    size_t n = s->end - s->start;
    size_t shift = m31ri_bytes_shift(s->buffer, n);
    if (s->start > shift) {
        memmove(s->buffer + shift, s->buffer + s->start, n);
        s->start = shift;
        s->end = shift + n;
    }
    if (s->end < s->capacity) {
        return true;
    }
    char *grown = m31ri_realloc(s->buffer, s->capacity * 2 + M31RI_READ_BEYOND);
    if (grown == NULL) {
        return false;
    }
    s->buffer = grown;
    s->capacity *= 2;
    return true;
}

static m31r_err fill(m31ri_source *s, m31r_error *e)
{
    if (!make_room(s)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a line of %s", s->file);
    }
    size_t n;
    m31ri_bytes *b = s->bytes;
    m31r_err err = b->kind->next(b, s->buffer + s->end, s->capacity - s->end, &n, e);
    if (b->n_lines_left_out > 0) {
        s->line_number += b->n_lines_left_out;
        s->n_left_out += b->n_lines_left_out;
        s->order_ns = b->ns_left_out > s->order_ns ? b->ns_left_out : s->order_ns;
        b->n_lines_left_out = 0;
    }
    if (err != M31R_OK) {
        s->line_number += err == M31R_E_CORRUPT ? b->n_lost_lines : 0;
        return err;
    }
    s->at_end = n == 0;
    s->end += n;
    memset(s->buffer + s->end, '\n', M31RI_READ_BEYOND);
    return M31R_OK;
}

/* Gives out the `length` bytes at the start as a line, with `used` bytes passed over. */
static m31r_err give(m31ri_source *s, size_t length, size_t used, const char **out,
                     size_t *out_length)
{
    bool is_too_long = s->is_skipping || length > M31R_SCAN_LINE_LIMIT;
    *out = s->buffer + s->start;
    *out_length = length;
    s->start += used;
    s->searched = 0;
    s->is_skipping = false;
    s->line_number++;
    return is_too_long ? M31R_E_LIMIT : M31R_OK;
}

m31r_err m31ri_source_line(m31ri_source *s, bool takes_last, const char **out_line,
                           size_t *out_length, m31r_error *e)
{
    for (;;) {
        const char *from = s->buffer + s->start + s->searched;
        size_t left = s->end - s->start - s->searched;
        const char *newline = left > 0 ? memchr(from, '\n', left) : NULL;
        if (newline != NULL) {
            size_t length = (size_t)(newline - s->buffer) - s->start;
            return give(s, length, length + 1, out_line, out_length);
        }
        s->searched = s->end - s->start;
        if (s->searched > M31R_SCAN_LINE_LIMIT) {
            s->is_skipping = true;
        }
        if (s->is_skipping) {
            s->start = s->end;
            s->searched = 0;
        }
        m31r_err err = fill(s, e);
        if (err != M31R_OK) {
            return err;
        }
        if (s->at_end && takes_last && s->searched > 0) {
            return give(s, s->searched, s->searched, out_line, out_length);
        }
        if (s->at_end) {
            return M31R_EOF;
        }
    }
}

bool m31ri_source_has_grown(m31ri_source *s)
{
    bool is_anew;
    bool has_grown = s->bytes->kind->has_grown(s->bytes, &is_anew);
    if (is_anew) {
        s->start = s->end = s->searched = 0;
        s->line_number = 0;
    }
    return has_grown;
}

void m31ri_source_set_ended(m31ri_source *s, bool is_torn)
{
    s->at_end = true;
    s->is_skipping = is_torn;
}

bool m31ri_source_is_torn(const m31ri_source *s)
{
    return s->at_end && (s->end > s->start || s->is_skipping);
}
