/* anomaly.h - what went wrong inside a run, found in its points.
 *
 * An anomaly is one thing that began at one place of a series: a loss that is no number, a spike, a
 * divergence, steps that became slower, memory that leaks, a rank behind the others. It is told
 * once, where it was noticed, and is open until the series is as usual again. What is noticed at a
 * value rests on that value and those before it only. The rules, their formulas and what they
 * reach: docs/anomalies.md.
 *
 * From a table of a run's figures:
 *
 *     m31r_anomaly_csv_open(&csv, "run.csv", &e);
 *     while (m31r_anomaly_csv_next(csv, &a, &e) == M31R_OK) {
 *         printf("%llu %s\n", (unsigned long long)a.row, a.kind);
 *     }
 *     m31r_anomaly_csv_close(csv);
 */
#ifndef M31R_ANOMALY_H
#define M31R_ANOMALY_H

#include <stdint.h>

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct m31r_anomaly_csv m31r_anomaly_csv;

/* An anomaly in a table. */
typedef struct m31r_anomaly_row {
    uint64_t row;         /* of the data, from 0, at which it was noticed */
    const char *kind;     /* "nonfinite", "spike", "diverge", "stuck", "plateau", "slow", "outlier",
                             "leak", "straggler", "flaky", "gpu_idle" */
    const char *severity; /* "info", "warning", "error" */
    const char *column;   /* by the header; of ranks that of the rank */
    double value, usual, limit;
    int64_t n;
} m31r_anomaly_row;

/* Opens a CSV table: a header, then a row a step. What a column measures is told by its name;
 * columns r0, r1, ... or rank0, rank1, ... are one figure of all ranks. An empty cell is missing;
 * NaN and infinities are values. `path` "-" is standard input.
 *
 * Returns: M31R_OK and the table in `*out`.
 * Errors:  M31R_E_NOTFOUND, M31R_E_IO; M31R_E_ARG (no header); M31R_E_NOMEM.
 * Owns:    the caller closes it.
 * Thread:  any.
 */
M31R_API m31r_err m31r_anomaly_csv_open(m31r_anomaly_csv **out, const char *path, m31r_error *e);

/* Reads on to the next anomaly. Rows are judged as they come, so a pipe may be followed.
 *
 * Returns: M31R_OK and the anomaly in `*out`, or M31R_EOF after the last row.
 * Errors:  M31R_E_IO; M31R_E_ARG (a cell that is judged is no number, a row with too many
 *          cells; `e->line` set); M31R_E_NOMEM.
 * Owns:    nothing; the texts die with `csv`.
 * Thread:  one at a time.
 */
M31R_API m31r_err m31r_anomaly_csv_next(m31r_anomaly_csv *csv, m31r_anomaly_row *out,
                                        m31r_error *e);

/* Closes it. NULL is fine.
 *
 * Owns:   frees `csv`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_anomaly_csv_close(m31r_anomaly_csv *csv);

#ifdef __cplusplus
}
#endif
#endif
