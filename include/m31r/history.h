/* history.h - what is kept of runs when the runs themselves are not: one line of JSON each.
 *
 * A line holds the identity of a run, its config's scalars and its metrics' statistics: enough for
 * m31r/trend.h, and nothing of its records. Lines start with the run's id, so that sorting the
 * bytes of several files together (`sort -u`) merges them; a run that stands in a file already is
 * not written twice. Only runs whose end is known are written.
 *
 *     m31r_history_written done;
 *     m31r_err err = m31r_history_write("history.jsonl", NULL, NULL, &done, &e);
 */
#ifndef M31R_HISTORY_H
#define M31R_HISTORY_H

#include "m31r/expr.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What came of it. */
typedef struct m31r_history_written {
    size_t n_lines;   /* of the file now */
    size_t n_added;   /* runs that were not in it */
    size_t n_changed; /* runs whose line was another one */
    size_t n_open;    /* runs left out because they have no end yet */
} m31r_history_written;

/* Adds the runs below `root` (NULL: experiments) for which `expr` holds (NULL: all) to the file at
 * `path`, which is made when it is not there and replaced in one step; "-" writes them to standard
 * output.
 *
 * Returns: M31R_OK and the counts in `*out`.
 * Errors:  M31R_E_NOTFOUND (no such root), M31R_E_ARG (the file holds a line that is none of ours),
 *          M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  any; of two processes that write one file at once the later one wins.
 */
M31R_API m31r_err m31r_history_write(const char *path, const char *root, m31r_expr *expr,
                                     m31r_history_written *out, m31r_error *e);

#ifdef __cplusplus
}
#endif
#endif
