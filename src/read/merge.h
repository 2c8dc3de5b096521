/* merge.h - a scan from the inside: its sources, merged by ts. */
#ifndef M31RI_MERGE_H
#define M31RI_MERGE_H

#include "m31r/scan.h"
#include "read/judge.h"
#include "read/source.h"

typedef struct m31ri_tail m31ri_tail;

struct m31r_scan {
    m31r_scan_options options;
    m31ri_source **sources; /* each on its own, so that adding one moves none */
    size_t n_sources;
    m31ri_judge judge;
    m31ri_source *last; /* whose record was given out at the last call */
    m31r_scan_counts counts;
    char *first_bad_file, *first_bad_why;
    char *run_path;   /* NULL when reading a file */
    m31ri_tail *tail; /* NULL when not asked for */
};

/* Adds a source of `bytes`, which is taken over, also on failure. `names`: of the file, the lane.
 */
m31r_err m31ri_merge_add(m31r_scan *s, m31ri_bytes *bytes, const char *const names[2],
                         m31r_error *e);

/* Keeps the place of the first line that is no record. */
void m31ri_merge_note_bad(m31r_scan *s, const m31ri_source *source, uint64_t line,
                          m31r_line_class class);

/* The next record that passes the filter, in merged order. */
m31r_err m31ri_merge_next(m31r_scan *s, m31r_record *out, m31r_error *e);

/* tail.c: reads everything that is there now and keeps the last `n` records; then gives them one
 * after another, M31R_EOF after the last one. */
m31ri_tail *m31ri_tail_new(size_t n);
void m31ri_tail_free(m31ri_tail *t);
m31r_err m31ri_tail_next(m31ri_tail *t, m31r_scan *s, m31r_record *out, m31r_error *e);

/* tail.c: reads up to the place of the options, gives what the ring of n + 1 holds, then n more. */
m31r_err m31ri_around_next(m31ri_tail *t, m31r_scan *s, m31r_record *out, m31r_error *e);

#endif
