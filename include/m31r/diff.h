/* diff.h - are two runs equal, and if not, where do they part first?
 *
 * Each lane of one run is held against the lane of the same name in the other, record by record in
 * program order, then the points by name, step and segment. What may differ between equal runs is
 * set aside and told apart: ts, measurement fields (times, rates, memory), the lane `observer`,
 * captured stdout and stderr, and the identity in `run_start`, which is told first. It is not a
 * comparison of configs or results (see compare.h), and it reads no payload but its digest in the
 * records.
 *
 * Invariants: equal means byte for byte but for what was set aside, unless a tolerance was given.
 * Within a string, each run's own id counts as the same text. What could not be read is never
 * called equal: the verdict is then `unproved`.
 *
 *     m31r_diff_options options = M31R_DIFF_OPTIONS_INIT;
 *     m31r_diff_open(&diff, reader_a, reader_b, &options, &e);
 *     const m31r_diff_part *first = m31r_diff_first(diff);
 *     if (first != NULL) {
 *         printf("%s:%llu\n", first->first.file_a, (unsigned long long)first->first.line_a);
 *     }
 *     m31r_diff_close(diff);
 *
 * One thread at a time while it opens; an open one may be read by several.
 */
#ifndef M31R_DIFF_H
#define M31R_DIFF_H

#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Records shown before the first difference, and at most as many after it. */
#define M31R_DIFF_CONTEXT 3

typedef struct m31r_diff m31r_diff;

typedef enum m31r_diff_verdict {
    M31R_DIFF_EQUAL = 0,
    M31R_DIFF_UNPROVED = 1, /* nothing differs, but not all could be read, or a run goes on */
    M31R_DIFF_DIFFERS = 2
} m31r_diff_verdict;

/* Start from M31R_DIFF_OPTIONS_INIT. */
typedef struct m31r_diff_options {
    size_t size; /* sizeof(m31r_diff_options): lets the struct grow */
    double rtol; /* numbers with a point: |a - b| <= atol + rtol * max(|a|, |b|) is the same */
    double atol;
    bool ignores_debug; /* DEBUG records are set aside */
} m31r_diff_options;

#define M31R_DIFF_OPTIONS_INIT                                                                     \
    {                                                                                              \
        .size = sizeof(m31r_diff_options)                                                          \
    }

/* A fact of the identity or the environment that is not the same. "" when not known. */
typedef struct m31r_diff_fact {
    const char *what; /* "seed", "config", "commit", ... */
    const char *a, *b;
} m31r_diff_fact;

/* A record near the first difference. */
typedef struct m31r_diff_line {
    char side; /* '=' in both, as in the first run; 'a' or 'b' */
    uint64_t line;
    const char *text;
} m31r_diff_line;

/* Where two runs part. */
typedef struct m31r_diff_place {
    const char *file_a, *file_b; /* "" when the run has no such file */
    uint64_t line_a, line_b;     /* 0: the run has no such record or point */
    const char *field;           /* "" when the whole record is missing */
    const char *a, *b;           /* as they stand in the file; NULL when absent */
    int64_t step;                /* M31R_UNKNOWN when it has none */
    const m31r_diff_line *context;
    size_t n_context;
} m31r_diff_place;

/* A lane, or a file of points, held against its counterpart. */
typedef struct m31r_diff_part {
    const char *name;      /* "train.log"; "metrics.csv" */
    bool is_points;        /* points, not records */
    const char *set_aside; /* why it does not count, such as "captured text"; "" when it counts */
    bool differs;          /* `first` is filled */
    bool is_aligned;       /* false: after `first` records no longer stood in pairs */
    uint64_t n_a, n_b;     /* records or points */
    uint64_t n_same, n_differ; /* pairs; when not aligned, up to where they stood in pairs */
    uint64_t n_debug;          /* DEBUG records that were set aside */
    uint64_t n_unread;         /* lines that could not be read, in both */
    m31r_diff_place first;
} m31r_diff_part;

/* How one number parts, step by step. Relative difference: |a - b| / max(|a|, |b|). */
typedef struct m31r_divergence {
    const char *name; /* of a metric or of a field */
    bool is_measured; /* set aside: never a difference */
    uint64_t n, n_differ;
    int64_t first_step, max_step, last_step; /* M31R_UNKNOWN for none */
    double max_relative, last_relative;      /* infinity when only one of the two is finite */
    const double *course;                    /* means of the relative difference, in order */
    size_t n_course;
} m31r_divergence;

/* Reads both runs and holds them against each other. Memory grows with the number of points, not
 * with that of records.
 *
 * Returns: M31R_OK and the difference in `*out`, whatever the verdict.
 * Errors:  M31R_E_ARG (options, a tolerance that is negative or not finite), M31R_E_IO,
 *          M31R_E_NOMEM.
 * Owns:    the caller closes it; both readers must stay open as long.
 * Thread:  any.
 */
M31R_API m31r_err m31r_diff_open(m31r_diff **out, const m31r_reader *a, const m31r_reader *b,
                                 const m31r_diff_options *options, m31r_error *e);

/* When one of the two runs continues the other (`resumes`), only records and points of the steps
 * that both have are held against each other; those without a step are left out.
 *
 * Returns: true, and the steps in `*out_first` and `*out_last` (1 and 0 when there are none); false
 *          when the runs are compared whole.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API bool m31r_diff_overlap(const m31r_diff *d, int64_t *out_first, int64_t *out_last);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `d`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_diff_close(m31r_diff *d);

/* The verdict, and in `*out_why` (NULL allowed) why it is not proved; "" otherwise.
 *
 * Returns: the verdict.
 * Owns:    the difference owns `*out_why`.
 * Thread:  any.
 */
M31R_API m31r_diff_verdict m31r_diff_result(const m31r_diff *d, const char **out_why);

/* The part that differs first by the time since each run's start.
 *
 * Returns: the part, or NULL when nothing differs.
 * Owns:    the difference.
 * Thread:  any.
 */
M31R_API const m31r_diff_part *m31r_diff_first(const m31r_diff *d);

/* The i-th fact of identity or environment that is not the same, from 0.
 *
 * Returns: the fact, or NULL after the last.
 * Owns:    the difference.
 * Thread:  any.
 */
M31R_API const m31r_diff_fact *m31r_diff_identity(const m31r_diff *d, size_t i);

/* The i-th part, from 0: lanes in the order of the readers, then files of points.
 *
 * Returns: the part, or NULL after the last.
 * Owns:    the difference.
 * Thread:  any.
 */
M31R_API const m31r_diff_part *m31r_diff_part_at(const m31r_diff *d, size_t i);

/* The i-th number that both runs have and that differs somewhere, from 0.
 *
 * Returns: M31R_OK and how it parts in `*out`.
 * Errors:  M31R_E_NOTFOUND after the last.
 * Owns:    the difference.
 * Thread:  any.
 */
M31R_API m31r_err m31r_diff_divergence(const m31r_diff *d, size_t i, m31r_divergence *out);

/* Name of a verdict, such as "equal".
 *
 * Returns: the name; "?" for a number that is none.
 * Owns:    nothing; a constant string.
 * Thread:  any.
 */
M31R_API const char *m31r_diff_verdict_name(m31r_diff_verdict verdict);

#ifdef __cplusplus
}
#endif
#endif
