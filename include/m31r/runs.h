/* runs.h - the runs below a root, as rows of a table.
 *
 * A row holds the facts of a run and the few numbers of its metrics that a list shows. They come
 * from metrics.json when it is newer than the points and the run has ended, else from the points
 * themselves. Runs that cannot be read are rows too, with their problem.
 *
 * What was read is remembered in the user's cache ($XDG_CACHE_HOME/m31r/runs.sqlite, else
 * ~/.cache), and not read again while size and times of a run's files stay the same. Without a
 * cache, or with a damaged one, the answers are the same and come slower. Runs without a recorded
 * end are looked at each time.
 *
 * Invariant: rows come newest first, by start of the id, then by id; the same directory gives the
 * same order.
 *
 *     m31r_runs_open(&runs, NULL, &e);
 *     for (size_t i = 0; i < m31r_runs_count(runs); i++) {
 *         m31r_run_row row;
 *         if (m31r_runs_get(runs, i, &row, &e) == M31R_OK) { ... }
 *     }
 *     m31r_runs_close(runs);
 */
#ifndef M31R_RUNS_H
#define M31R_RUNS_H

#include "m31r/expr.h"
#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct m31r_runs m31r_runs;

typedef struct m31r_run_row {
    const m31r_facts *facts; /* without `metadata` */
    int64_t last_step;       /* M31R_UNKNOWN when no point has one */
    const char
        *metric; /* whose numbers follow: "val_loss", else "loss", else "train_loss"; "" for none */
    double metric_last, metric_best; /* NaN when not known */
    int64_t metric_best_step;
    double tokens_per_sec; /* last value; NaN when not known */
} m31r_run_row;

/* One field of a run. `type`: 's' text, 'i' an integer, 'd' a double, '0' missing. */
typedef struct m31r_run_value {
    char type;
    const char *text; /* "" when it is no text */
    int64_t i;
    double d;
} m31r_run_value;

/* Lists the runs below `root`; NULL is "experiments" below the working directory. No run is read
 * yet.
 *
 * Returns: M31R_OK and the list in `*out`.
 * Errors:  M31R_E_NOTFOUND (no such directory), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it with m31r_runs_close().
 * Thread:  any.
 */
M31R_API m31r_err m31r_runs_open(m31r_runs **out, const char *root, m31r_error *e);

/* Frees the list. NULL is fine.
 *
 * Owns:   frees `runs`.
 * Thread: excludes every other call on the same list.
 */
M31R_API void m31r_runs_close(m31r_runs *runs);

/* Keeps only the runs for which `expr`, compiled for runs, holds now; each is read once for that. A
 * second filter takes the place of the first.
 *
 * Returns: M31R_OK; count and order of the list are those of the kept runs from here on.
 * Errors:  M31R_E_IO, M31R_E_NOMEM; the list is then as it was.
 * Thread:  one at a time per list and expression.
 */
M31R_API m31r_err m31r_runs_set_filter(m31r_runs *runs, m31r_expr *expr, m31r_error *e);

/* Number of runs.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API size_t m31r_runs_count(const m31r_runs *runs);

/* Reads the i-th run, 0 being the newest.
 *
 * Returns: M31R_OK and the row in `*out`.
 * Errors:  M31R_E_NOTFOUND (no such, or removed meanwhile), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the list; the row's pointers die at the next call on `runs`.
 * Thread:  one at a time per list.
 */
M31R_API m31r_err m31r_runs_get(m31r_runs *runs, size_t i, m31r_run_row *out, m31r_error *e);

/* Reads only the facts of the i-th run, without its metrics: what counting needs.
 *
 * Returns: M31R_OK and the facts in `*out`.
 * Errors:  M31R_E_NOTFOUND (no such, or removed meanwhile), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the list; they die at the next call on `runs`.
 * Thread:  one at a time per list.
 */
M31R_API m31r_err m31r_runs_facts(m31r_runs *runs, size_t i, const m31r_facts **out, m31r_error *e);

/* One field of the i-th run: as in expressions (id name stage kind state cause step seed dataset
 * tokenizer commit host resumes ts config.KEY metrics.NAME.last and so on, metrics.NAME being its
 * last value), and end duration_s attempt lost metric last best best_step tokens_per_sec path.
 *
 * Returns: M31R_OK and the value in `*out`; type '0' when the run does not have it.
 * Errors:  M31R_E_ARG (a field that no run has), M31R_E_NOTFOUND (no such run, or removed
 *          meanwhile), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the list; its text dies at the next call on `runs`.
 * Thread:  one at a time per list.
 */
M31R_API m31r_err m31r_runs_value(m31r_runs *runs, size_t i, const char *field, m31r_run_value *out,
                                  m31r_error *e);

/* Calls `each` for the name of every field that the i-th run has, those of its config and metrics
 * too, until it returns false.
 *
 * Returns: M31R_OK.
 * Errors:  M31R_E_NOTFOUND (no such run, or removed meanwhile), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing; a name dies when `each` returns, which makes no call on `runs`.
 * Thread:  one at a time per list.
 */
M31R_API m31r_err m31r_runs_each_field(m31r_runs *runs, size_t i,
                                       bool (*each)(void *context, const char *field),
                                       void *context, m31r_error *e);

/* Orders the list by a field of m31r_runs_value(): numbers before texts, the smallest first, or the
 * largest when `is_descending`; runs without the field come last, equal ones as they stood.
 *
 * Returns: M31R_OK.
 * Errors:  as m31r_runs_value(); the list is then as it was.
 * Thread:  one at a time per list.
 */
M31R_API m31r_err m31r_runs_sort(m31r_runs *runs, const char *field, bool is_descending,
                                 m31r_error *e);

/* Bytes of all files of the i-th run on disk; they are looked at now.
 *
 * Returns: M31R_OK and the bytes in `*out`.
 * Errors:  M31R_E_NOTFOUND (no such run, or removed meanwhile), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  one at a time per list.
 */
M31R_API m31r_err m31r_runs_bytes(m31r_runs *runs, size_t i, uint64_t *out, m31r_error *e);

/* What a person should know about the cache.
 *
 * Returns: a sentence, "" for nothing.
 * Owns:    nothing; a constant string.
 * Thread:  any.
 */
M31R_API const char *m31r_runs_note(const m31r_runs *runs);

#ifdef __cplusplus
}
#endif
#endif
