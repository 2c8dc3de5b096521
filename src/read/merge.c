/* merge.c - lines of several sources as one order of records.
 *
 * Each source keeps one parsed record ready; the one with the smallest time is given out. A
 * source's time never goes back (a record without a time, or with an earlier one, counts as the
 * time before it), so each lane's own order is kept whatever its clock did; equal times go to the
 * earlier source. A handful of lanes needs no heap.
 */
#include "read/merge.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/record.h"

_Static_assert((int)M31R_LINE_LONE_SURROGATE == (int)M31RI_JSON_LONE_SURROGATE &&
                   (int)M31R_LINE_NOT_JSON == (int)M31RI_JSON_NOT_JSON,
               "line classes are those of json_read.h, in its order");

m31r_err m31ri_merge_add(m31r_scan *s, m31ri_bytes *bytes, const char *const names[2],
                         m31r_error *e)
{
    bytes->filter = &s->options.filter;
    m31ri_source *source = m31ri_alloc(sizeof *source);
    m31ri_source **grown = m31ri_realloc(s->sources, (s->n_sources + 1) * sizeof(m31ri_source *));
    if (grown != NULL) {
        s->sources = grown;
    }
    if (source == NULL || grown == NULL) {
        m31ri_free(source);
        bytes->kind->free(bytes);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for reading %s", names[0]);
    }
    m31r_err err = m31ri_source_init(source, bytes, names[0], names[1], e);
    if (err != M31R_OK) {
        m31ri_free(source);
        return err;
    }
    s->sources[s->n_sources++] = source;
    return M31R_OK;
}

void m31ri_merge_note_bad(m31r_scan *s, const m31ri_source *source, uint64_t line,
                          m31r_line_class class)
{
    if (s->first_bad_file == NULL) {
        s->first_bad_file = m31ri_strdup(source->file);
        s->counts.first_bad_file = s->first_bad_file != NULL ? s->first_bad_file : "";
        s->counts.first_bad_line = line;
        s->counts.first_bad_class = class;
    }
}

static void count_line(m31r_scan *s, const m31ri_source *source, m31r_line_class class)
{
    s->counts.lines[class]++;
    if (class != M31R_LINE_OK && class != M31R_LINE_EMPTY) {
        s->counts.n_skipped++;
        m31ri_merge_note_bad(s, source, source->line_number, class);
    }
}

/* A piece of a compressed file that cannot be read. */
static void count_lost(m31r_scan *s, const m31ri_source *source, const m31r_error *cause)
{
    uint64_t n = source->bytes->n_lost_lines;
    s->counts.lines[M31R_LINE_UNREADABLE] += n;
    s->counts.n_skipped += n;
    if (s->counts.n_skipped == n) {
        s->first_bad_file = m31ri_strdup(source->file);
        s->first_bad_why = m31ri_strdup(cause->message);
        s->counts.first_bad_file = s->first_bad_file != NULL ? s->first_bad_file : "";
        s->counts.first_bad_why = s->first_bad_why != NULL ? s->first_bad_why : "";
        s->counts.first_bad_line = source->line_number - n + 1;
        s->counts.first_bad_class = M31R_LINE_UNREADABLE;
    }
}

/* Reads on until the source has a record that passes, or nothing more (now). */
static m31r_err advance(m31r_scan *s, m31ri_source *source, m31r_error *e)
{
    bool takes_last = s->options.takes_last_line && !s->options.is_following;
    m31r_record *record = &source->record;
    source->has_record = false;
    /* Merging takes the times of all lines, also of those that do not pass. */
    s->judge.is_strict = s->options.is_strict || s->n_sources > 1;
    for (;;) {
        const char *line;
        size_t length;
        m31r_error cause;
        m31r_err err = m31ri_source_line(source, takes_last, &line, &length, &cause);
        if (err == M31R_E_CORRUPT) {
            count_lost(s, source, &cause);
            continue;
        }
        if (err == M31R_E_LIMIT) {
            count_line(s, source, M31R_LINE_TOO_LONG);
            continue;
        }
        if (err != M31R_OK) {
            if (e != NULL && err != M31R_EOF) {
                *e = cause;
            }
            return err;
        }
        record->line_number = source->line_number;
        m31ri_verdict verdict = m31ri_judge_line(&s->judge, line, length, record);
        count_line(s, source, s->judge.class);
        if (verdict == M31RI_BAD) {
            continue;
        }
        if (verdict == M31RI_KEEP || s->judge.is_strict) {
            m31ri_judge_record(&s->judge, line, length, record);
        }
        if (record->wall_ns != M31R_UNKNOWN && record->wall_ns > source->order_ns) {
            source->order_ns = record->wall_ns;
        }
        source->has_record = verdict == M31RI_KEEP;
        if (source->has_record) {
            return M31R_OK;
        }
    }
}

m31r_err m31ri_merge_next(m31r_scan *s, m31r_record *out, m31r_error *e)
{
    m31ri_source *first = NULL;
    if (s->last != NULL) {
        s->last->has_record = false;
        s->last = NULL;
    }
    for (size_t i = 0; i < s->n_sources; i++) {
        m31ri_source *source = s->sources[i];
        if (!source->has_record && (!source->at_end || s->options.is_following)) {
            m31r_err err = advance(s, source, e);
            if (err != M31R_OK && err != M31R_EOF) {
                return err;
            }
        }
        if (source->has_record && (first == NULL || source->order_ns < first->order_ns)) {
            first = source;
        }
    }
    if (first == NULL) {
        return M31R_EOF;
    }
    *out = first->record;
    s->last = first;
    s->counts.n_kept++;
    return M31R_OK;
}
