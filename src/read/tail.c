/* tail.c - the last records that pass: a ring of copies, filled by reading everything once.
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

m31r_err m31ri_tail_next(m31ri_tail *t, m31r_scan *s, m31r_record *out, m31r_error *e)
{
    m31r_record record;
    m31r_err err = M31R_EOF;
    while (!t->is_filled && (err = m31ri_merge_next(s, &record, e)) == M31R_OK) {
        if (!keep(t, &record)) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the last %zu records",
                              t->capacity);
        }
    }
    if (!t->is_filled && err != M31R_EOF) {
        return err;
    }
    t->is_filled = true;
    if (t->n == 0) {
        return M31R_EOF;
    }
    *out = t->records[t->first];
    t->first = (t->first + 1) % t->capacity;
    t->n--;
    return M31R_OK;
}
