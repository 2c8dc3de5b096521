/* point_stream.c - see point_stream.h. What is expected of a line decides only how fast it is read:
 * each part is either the same bytes as before, or read by the function that the exact way uses.
 */
#include "format/point_stream.h"

#include <string.h>

#include "base/alloc.h"
#include "format/digits.h"
#include "m31r/metric.h"

#define FIRST_HEADS 16
#define USUAL_BYTES 192 /* longer lines are read exactly */

/* Learns how the names stand in lines. False when memory is out. */
static bool learn_heads(m31ri_point_stream *s)
{
    if (s->names.n > s->capacity) {
        size_t capacity = s->capacity != 0 ? s->capacity * 2 : FIRST_HEADS;
        m31ri_point_head *heads = m31ri_realloc(s->heads, capacity * sizeof *heads);
        if (heads == NULL) {
            return false;
        }
        s->heads = heads;
        s->capacity = capacity;
    }
    for (; s->n_heads < s->names.n; s->n_heads++) {
        m31ri_point_head *h = &s->heads[s->n_heads];
        const m31ri_table_name *name = &s->names.names[s->n_heads];
        *h = (m31ri_point_head){0};
        if (strpbrk(name->text, ",\"") == NULL) {
            memcpy(h->text, name->text, name->length);
            h->text[name->length] = ',';
            h->length = (uint32_t)name->length + 1;
        }
    }
    return true;
}

/* Keeps the texts of the step and of the segment of a line that was read. */
static void learn_numbers(m31ri_point_stream *s, const char *line, size_t length,
                          const m31ri_point *p)
{
    const char *end = line + length;
    const char *tail = end;
    while (*--tail != ',') {
    }
    s->segment = p->segment;
    s->tail_length = (size_t)(end - tail) + 1;
    memcpy(s->tail, tail, s->tail_length - 1);
    s->tail[s->tail_length - 1] = '\n';
    s->step = p->step;
    s->step_length = 0;
    if (line[0] != '"') {
        const char *step = line + p->name_length + 1;
        s->step_length = (size_t)((const char *)memchr(step, ',', (size_t)(end - step)) - step) + 1;
        memcpy(s->step_text, step, s->step_length);
    }
}

static m31ri_point_found read_exactly(m31ri_point_stream *s, const char *line, size_t length,
                                      m31ri_point *out)
{
    m31ri_buf_clear(&s->scratch);
    bool is_point = m31ri_point_read(line, length, out, &s->scratch);
    if (!m31ri_buf_ok(&s->scratch)) {
        return M31RI_POINT_NOMEM;
    }
    if (!is_point) {
        return M31RI_POINT_BAD;
    }
    size_t name = m31ri_name_table_add(&s->names, out->name, out->name_length);
    if (name == M31RI_NO_NAME || !learn_heads(s)) {
        return M31RI_POINT_NOMEM;
    }
    s->heads[s->last].next = (uint32_t)name;
    s->last = (uint32_t)name;
    learn_numbers(s, line, length, out);
    return M31RI_POINT_OK;
}

/* The first `length` bytes (1 or more) are those of `known`; 7 bytes behind both can be loaded. */
static inline bool begins_with(const char *p, const char *known, size_t length)
{
    for (; length > 8; p += 8, known += 8, length -= 8) {
        if (m31ri_load_word(p) != m31ri_load_word(known)) {
            return false;
        }
    }
    return (m31ri_load_word(p) ^ m31ri_load_word(known)) << (64 - 8 * length) == 0;
}

/* The step behind the name: the last one again, or another. NULL when it is none; else what stands
 * behind its comma. */
static const char *read_step(m31ri_point_stream *s, const char *p, const char *end)
{
    if (s->step_length != 0 && begins_with(p, s->step_text, s->step_length)) {
        return p + s->step_length;
    }
    const char *comma = p;
    while (comma < end && comma - p < M31RI_NUMBER_BYTES - 8 && *comma != ',') {
        comma++;
    }
    int64_t step;
    if (comma >= end || *comma != ',' || !m31ri_number_read_int(p, (size_t)(comma - p), &step) ||
        step == M31R_NO_STEP) {
        return NULL;
    }
    s->step = step;
    s->step_length = (size_t)(comma - p) + 1;
    memcpy(s->step_text, p, s->step_length);
    return comma + 1;
}

size_t m31ri_point_stream_walk(m31ri_point_stream *s, const char *text, size_t length,
                               m31ri_point *out)
{
    uint32_t name = s->n_heads != 0 ? s->heads[s->last].next : 0;
    const m31ri_point_head *h = &s->heads[name];
    if (s->n_heads == 0 || h->length == 0 || !begins_with(text, h->text, h->length)) {
        return 0;
    }
    const char *end = text + length;
    const char *value = read_step(s, text + h->length, end);
    const char *behind = value != NULL ? m31ri_number_walk(value, &out->value) : NULL;
    if (behind == NULL || *behind != ',' || end - behind <= 1 + M31RI_TIMESTAMP_BYTES ||
        !m31ri_timestamp_read_near(&s->minute, behind + 1, M31RI_TIMESTAMP_BYTES, &out->wall_ns)) {
        return 0;
    }
    const char *tail = behind + 1 + M31RI_TIMESTAMP_BYTES;
    if (!begins_with(tail, s->tail, s->tail_length) || end - tail < (ptrdiff_t)s->tail_length) {
        return 0;
    }
    out->name = s->names.names[name].text;
    out->name_length = s->names.names[name].length;
    out->step = s->step;
    out->is_float = false;
    out->segment = s->segment;
    s->last = name;
    return (size_t)(tail - text) + s->tail_length;
}

m31ri_point_found m31ri_point_stream_read(m31ri_point_stream *s, const char *line, size_t length,
                                          m31ri_point *out)
{
    char text[USUAL_BYTES + M31RI_POINT_BEYOND];
    if (length < USUAL_BYTES) {
        memcpy(text, line, length);
        memset(text + length, '\n', M31RI_POINT_BEYOND);
        if (m31ri_point_stream_walk(s, text, length + 1, out) == length + 1) {
            return M31RI_POINT_OK;
        }
    }
    return read_exactly(s, line, length, out);
}

size_t m31ri_point_stream_name(const m31ri_point_stream *s)
{
    return s->last;
}

void m31ri_point_stream_release(m31ri_point_stream *s)
{
    m31ri_name_table_release(&s->names);
    m31ri_free(s->heads);
    m31ri_buf_release(&s->scratch);
    *s = (m31ri_point_stream){0};
}
