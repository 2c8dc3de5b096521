/* compare.h - what differs between runs: config, code, data, environment, results.
 *
 * A comparison is a table: a row for each thing that is known of any of the runs, a value for each
 * run. It holds what a run was given and what came of it, not its records (see diff.h). The first
 * run is the one that the others are measured against.
 *
 * Invariant: rows stand by group, in the order in which the runs have them.
 *
 *     m31r_comparison_open(&comparison, readers, 2, &e);
 *     for (size_t i = 0; m31r_comparison_row(comparison, i, &row) == M31R_OK; i++) {
 *         if (row.differs) { ... row.cells[1].text ... }
 *     }
 *     m31r_comparison_close(comparison);
 *
 * One thread at a time while it opens; an open one may be read by several.
 */
#ifndef M31R_COMPARE_H
#define M31R_COMPARE_H

#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_COMPARE_LIMIT 16 /* runs */

typedef struct m31r_comparison m31r_comparison;

typedef struct m31r_compare_cell {
    const char *text; /* NULL when the run has no such thing */
    double number;    /* NaN when it is none */
    double delta;     /* number less that of the first run; NaN when there is none */
    double relative;  /* delta by the size of the first; NaN when there is none */
} m31r_compare_cell;

typedef struct m31r_compare_row {
    const char *group; /* "run", "config", "code", "data", "environment", "metric" */
    const char *key;   /* "train.batch", "seed", "loss.last" */
    bool differs;
    bool is_measured; /* a measurement: differs between equal runs too */
    const m31r_compare_cell *cells;
    size_t n_cells; /* one for each run */
} m31r_compare_row;

/* Reads what is known of the runs, 2 to M31R_COMPARE_LIMIT of them. A config snapshot that cannot
 * be read gives no rows but one that says so.
 *
 * Returns: M31R_OK and the comparison in `*out`.
 * Errors:  M31R_E_ARG (too few or too many runs), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it.
 * Thread:  any.
 */
M31R_API m31r_err m31r_comparison_open(m31r_comparison **out, const m31r_reader *const *readers,
                                       size_t n, m31r_error *e);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `c`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_comparison_close(m31r_comparison *c);

/* The i-th row, from 0.
 *
 * Returns: M31R_OK and the row in `*out`.
 * Errors:  M31R_E_NOTFOUND after the last.
 * Owns:    the comparison.
 * Thread:  any.
 */
M31R_API m31r_err m31r_comparison_row(const m31r_comparison *c, size_t i, m31r_compare_row *out);

#ifdef __cplusplus
}
#endif
#endif
