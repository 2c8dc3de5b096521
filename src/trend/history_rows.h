/* history_rows.h - lines of a history as objects, whether runs or a file gave them. */
#ifndef M31RI_HISTORY_ROWS_H
#define M31RI_HISTORY_ROWS_H

#include <jansson.h>

#include "base/buf.h"
#include "m31r/expr.h"
#include "m31r/runs.h"

#define M31RI_INPUT_LIMIT ((size_t)1 << 30) /* bytes of a file */

typedef struct m31ri_history {
    json_t **rows; /* objects that each have the texts run_id and ts, in the order of the source */
    size_t n, capacity;
} m31ri_history;

/* Appends the line of the i-th run, with its newline. Directions and units of its metrics are in it
 * when `with_definitions`; they are not in the index and cost opening the run. */
m31r_err m31ri_history_line(m31r_runs *runs, size_t i, bool with_definitions, m31ri_buf *out,
                            m31r_error *e);

/* Adds the row of one line; M31R_E_ARG when it is none. */
m31r_err m31ri_history_add_line(m31ri_history *h, const char *line, size_t length, m31r_error *e);

/* Reads a whole file that a person named, "-" for standard input. */
m31r_err m31ri_input_read(const char *path, m31ri_buf *out, m31r_error *e);

/* Adds all lines of a file ("-": standard input); an error names the line. */
m31r_err m31ri_history_read(m31ri_history *h, const char *path, m31r_error *e);

/* Leaves out the rows for which an expression about runs does not hold. A line knows no step, kind
 * and cause: they are missing. */
void m31ri_history_keep(m31ri_history *h, m31r_expr *x);

void m31ri_history_release(m31ri_history *h);

/* Text of a member: of config.KEY a member of the object "config", else of the row itself; NULL
 * when there is none. What is no string is its JSON, kept in `scratch`. */
const char *m31ri_history_text(const json_t *row, const char *field, m31ri_buf *scratch);

/* A metric's statistic; NaN when the row has none. `*out_has`: whether the row has the metric. */
double m31ri_history_number(const json_t *row, const char *metric, const char *statistic,
                            bool *out_has);

#endif
