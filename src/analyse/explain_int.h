/* explain_int.h - an explanation while it is made: what records and points tell. */
#ifndef M31RI_EXPLAIN_INT_H
#define M31RI_EXPLAIN_INT_H

#include "analyse/kept.h"
#include "m31r/explain.h"
#include "read/reader_int.h"

/* Where something stands; `file` "" when it was not met. */
typedef struct m31ri_place {
    char file[160];
    uint64_t line;
} m31ri_place;

typedef struct m31ri_explain_facts {
    m31ri_place end, error, lost, torn, checkpoint, step, bad;
    char error_text[512]; /* level, module and msg of the last ERROR or CRITICAL */
    const char *bad_class;
    uint64_t n_errors, n_bad, n_torn_records;
    int64_t last_step;
    m31ri_place torn_tail; /* a file that ends in the middle of a line */
    m31ri_place last;      /* the program's last record */
    int64_t last_ns;
} m31ri_explain_facts;

struct m31r_explanation {
    const m31r_reader *reader;
    m31ri_kept kept;
    m31ri_explain_facts facts;
    m31r_statement *statements;
    size_t n, capacity;
    m31r_explain_record records[M31R_EXPLAIN_RECORDS];
    size_t n_records;
};

/* Adds a statement; `place.file` "" stands for metadata.json as a whole. */
void m31ri_explain_say(m31r_explanation *x, const char *topic, m31ri_place place,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* explain_records.c: fills x->facts and x->records. */
m31r_err m31ri_explain_records(m31r_explanation *x, m31r_error *e);

/* explain_points.c: says what the points tell: healthy, nonfinite, spike, memory. */
m31r_err m31ri_explain_points(m31r_explanation *x, m31r_error *e);

#endif
