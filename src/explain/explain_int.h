/* explain_int.h - an explanation while it is made: what records and points tell. */
#ifndef M31RI_EXPLAIN_INT_H
#define M31RI_EXPLAIN_INT_H

#include "analyse/kept.h"
#include "m31r/explain.h"
#include "m31r/scan.h"
#include "read/reader_int.h"

/* Where something stands; `file` "" when it was not met. */
typedef struct m31ri_place {
    char file[160];
    uint64_t line;
} m31ri_place;

/* The record `crash` of a process of the program. */
typedef struct m31ri_crash_facts {
    m31ri_place place; /* file "": none */
    char signal[16], code[32], address[32], thread[32];
    int64_t pid, step;
    const char *stack; /* kept; NULL: none */
} m31ri_crash_facts;

typedef struct m31ri_explain_facts {
    m31ri_crash_facts crash;
    m31ri_place end, error, lost, torn, checkpoint, step, bad;
    char error_text[512]; /* level, module and msg of the last ERROR or CRITICAL */
    const char *bad_class;
    uint64_t n_errors, n_bad, n_torn_records;
    int64_t last_step;
    m31ri_place torn_tail; /* a file that ends in the middle of a line */
    m31ri_place last;      /* the program's last record */
    int64_t last_ns;
} m31ri_explain_facts;

/* A rank that failed, or had an error. */
typedef struct m31ri_rank_facts {
    int64_t rank;
    int64_t failed_ns; /* M31R_UNKNOWN: it did not */
    bool has_end;      /* `failed_ns` is that of its end, else of its first error */
    m31ri_place place;
    char text[256];
} m31ri_rank_facts;

struct m31r_explanation {
    const m31r_reader *reader;
    m31ri_kept kept;
    m31ri_explain_facts facts;
    m31r_statement *statements;
    size_t n, capacity;
    m31r_explain_record records[M31R_EXPLAIN_RECORDS];
    size_t n_records;
    m31ri_rank_facts *ranks;
    size_t n_ranks;
};

/* explain_say.c: adds a statement; `place.file` "" stands for metadata.json as a whole. */
void m31ri_explain_say(m31r_explanation *x, const char *topic, m31ri_place place,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* explain_say.c: the line of a top key of metadata.json; line 0 when it is not there. */
m31ri_place m31ri_explain_metadata_at(const m31r_reader *reader, const char *key);

/* explain_records.c: fills x->facts and x->records. */
m31r_err m31ri_explain_records(m31r_explanation *x, m31r_error *e);

/* explain_crash.c: takes note of a record `crash`; says it: crash, stack; whether it is that of the
 * process that the run's end is about. */
void m31ri_explain_take_crash(m31r_explanation *x, const m31r_record *r, m31ri_place place);
void m31ri_explain_crash(m31r_explanation *x);
bool m31ri_explain_is_cause(const m31r_explanation *x);

/* explain_ranks.c: takes note of a record of level ERROR or of a rank's end. */
void m31ri_explain_take_rank(m31r_explanation *x, const m31r_record *r, bool is_end);

/* Says which rank failed first and what followed: root, followed. */
void m31ri_explain_ranks(m31r_explanation *x, m31ri_place metadata);

/* explain_chain.c: says what the attempts before tell: attempt, overlap, changed. */
m31r_err m31ri_explain_chain(m31r_explanation *x, m31ri_place metadata, m31r_error *e);

/* explain_points.c: says what the points tell: healthy, nonfinite, memory. */
m31r_err m31ri_explain_points(m31r_explanation *x, m31r_error *e);

/* explain_anomalies.c: says what went wrong before the end: spike, warned. */
m31r_err m31ri_explain_anomalies(m31r_explanation *x, m31r_error *e);

#endif
