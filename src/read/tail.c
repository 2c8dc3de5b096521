/* tail.c - the last records that pass, or those around a place: a ring of copies, filled by reading
 * everything, or all up to the place, once.
 *
 * Reading backwards would be faster, but merged lanes have no common end to start from; the sidecar
 * index (another issue) is the place for that.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "read/merge.h"

struct m31ri_tail {
    m31r_record *records; /* ring of `capacity`; each line is a copy of its own */
    size_t capacity, n, first;
    bool is_filled;
    int64_t n_after; /* around: records still to give behind the place */
};

m31ri_tail *m31ri_tail_new(size_t n)
{
    m31ri_tail *t = m31ri_calloc(1, sizeof *t);
    m31r_record *records = m31ri_calloc(n, sizeof *records);
    if (t == NULL || records == NULL) {
        m31ri_free(t);
        m31ri_free(records);
        return NULL;
    }
    t->records = records;
    t->capacity = n;
    return t;
}

void m31ri_tail_free(m31ri_tail *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < t->capacity; i++) {
        m31ri_free((char *)t->records[i].line);
    }
    m31ri_free(t->records);
    m31ri_free(t);
}

static const char *moved(const char *p, const char *from, const char *to)
{
    return p != NULL ? to + (p - from) : NULL;
}

static bool keep(m31ri_tail *t, const m31r_record *record)
{
    size_t at = (t->first + t->n) % t->capacity;
    m31r_record *slot = &t->records[at];
    m31ri_free((char *)slot->line);
    *slot = *record;
    slot->line = m31ri_strndup(record->line, record->length);
    if (slot->line == NULL) {
        return false;
    }
    slot->module = moved(record->module, record->line, slot->line);
    slot->message = moved(record->message, record->line, slot->line);
    if (t->n == t->capacity) {
        t->first = (t->first + 1) % t->capacity;
    } else {
        t->n++;
    }
    return true;
}

static m31r_err keep_or_fail(m31ri_tail *t, const m31r_record *record, m31r_error *e)
{
    return keep(t, record)
               ? M31R_OK
               : m31ri_fail(e, M31R_E_NOMEM, "out of memory for the last %zu records", t->capacity);
}

static m31r_err give(m31ri_tail *t, m31r_record *out)
{
    if (t->n == 0) {
        return M31R_EOF;
    }
    *out = t->records[t->first];
    t->first = (t->first + 1) % t->capacity;
    t->n--;
    return M31R_OK;
}

m31r_err m31ri_tail_next(m31ri_tail *t, m31r_scan *s, m31r_record *out, m31r_error *e)
{
    m31r_record record;
    m31r_err err = M31R_EOF;
    while (!t->is_filled && (err = m31ri_merge_next(s, &record, e)) == M31R_OK) {
        err = keep_or_fail(t, &record, e);
        if (err != M31R_OK) {
            return err;
        }
    }
    if (!t->is_filled && err != M31R_EOF) {
        return err;
    }
    t->is_filled = true;
    return give(t, out);
}

static bool is_place(const m31r_around *around, const m31r_record *record)
{
    if (around->has_step) {
        return record->has_step && record->step >= around->step;
    }
    bool is_file =
        around->file != NULL ? strcmp(record->file, around->file) == 0 : record->lane[0] == '\0';
    return is_file && record->line_number >= around->line;
}

m31r_err m31ri_around_next(m31ri_tail *t, m31r_scan *s, m31r_record *out, m31r_error *e)
{
    m31r_record record;
    while (!t->is_filled) {
        m31r_err err = m31ri_merge_next(s, &record, e);
        if (err == M31R_OK) {
            err = keep_or_fail(t, &record, e);
        }
        if (err != M31R_OK) {
            return err; /* M31R_EOF: there is no such place, and nothing around it */
        }
        if (is_place(&s->options.around, &record)) {
            t->is_filled = true;
            t->n_after = s->options.around.n;
        }
    }
    if (give(t, out) == M31R_OK) {
        return M31R_OK;
    }
    return t->n_after-- > 0 ? m31ri_merge_next(s, out, e) : M31R_EOF;
}
