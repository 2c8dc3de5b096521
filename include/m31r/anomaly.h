/* anomaly.h - what went wrong inside a run, found in its points or recorded while it ran.
 *
 * An anomaly is one thing that began at one place of a series: a loss that is no number, a spike, a
 * divergence, steps that became slower, memory that leaks, a rank behind the others. It is told
 * once, where it was noticed, and is open until the series is as usual again. What is noticed at a
 * value rests on that value and those before it only. The rules, their formulas and what they
 * reach: docs/anomalies.md.
 *
 * Of a run:
 *
 *     m31r_anomalies_open(&anomalies, reader, &e);
 *     for (size_t i = 0; m31r_anomalies_get(anomalies, i, &a) == M31R_OK; i++) {
 *         printf("%s %s %s\n", a.kind, a.metric, a.evidence);
 *     }
 *     m31r_anomalies_close(anomalies);
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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/error.h"
#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_ANOMALIES_LIMIT 10000 /* that are told; further ones are counted */

typedef struct m31r_anomalies m31r_anomalies;

/* One anomaly of a run. Strings are "" and numbers NaN where there is nothing to say. */
typedef struct m31r_anomaly_facts {
    const char *kind;     /* as in m31r_anomaly_row, or "stalled" */
    const char *severity; /* "info", "warning", "error" */
    const char *metric;   /* "" of a stall */
    int rank;             /* -1 in a job of one */
    int64_t step;         /* at which it was noticed; M31R_NO_STEP */
    const char *ts;       /* of the point, as in records */
    int64_t wall_ns;
    bool is_open;         /* it was not over at the last point */
    int64_t cleared_step; /* at which it was over; M31R_NO_STEP */
    const char *evidence; /* the figures it rests on, in words */
    double value, usual, limit;
    int64_t n;
    const char *file;        /* of the point, in the run's directory */
    uint64_t line;           /* 0: of the file as a whole */
    const char *record_file; /* of the record that was made while it ran; "" when there is none */
    uint64_t record_line;
} m31r_anomaly_facts;

/* Judges all points of a run, those of all ranks in the order of time, and adds what was recorded
 * while it ran. A run that lives is judged as far as it is.
 *
 * Returns: M31R_OK and the anomalies in `*out`, in the order in which they were noticed.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it; `reader` must stay open as long.
 * Thread:  any.
 */
M31R_API m31r_err m31r_anomalies_open(m31r_anomalies **out, const m31r_reader *reader,
                                      m31r_error *e);

/* Only what was recorded while the run lasted, in the lane "observer"; the points are not
 * read.
 *
 * Returns: M31R_OK and the anomalies in `*out`, in the order of the records.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    as m31r_anomalies_open().
 * Thread:  any.
 */
M31R_API m31r_err m31r_anomalies_open_recorded(m31r_anomalies **out, const m31r_reader *reader,
                                               m31r_error *e);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `a`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_anomalies_close(m31r_anomalies *a);

/* How many there are, also beyond M31R_ANOMALIES_LIMIT.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API size_t m31r_anomalies_count(const m31r_anomalies *a);

/* The i-th, from 0.
 *
 * Returns: M31R_OK and the anomaly in `*out`.
 * Errors:  M31R_E_NOTFOUND after the last, and beyond M31R_ANOMALIES_LIMIT.
 * Owns:    the anomalies.
 * Thread:  any.
 */
M31R_API m31r_err m31r_anomalies_get(const m31r_anomalies *a, size_t i, m31r_anomaly_facts *out);

typedef struct m31r_anomaly_csv m31r_anomaly_csv;

/* An anomaly in a table. */
typedef struct m31r_anomaly_row {
    uint64_t row;         /* of the data, from 0, at which it was noticed */
    const char *kind;     /* "nonfinite", "spike", "diverge", "stuck", "plateau", "slow", "outlier",
                             "leak", "straggler", "flaky", "gpu_idle" */
    const char *severity; /* "info", "warning", "error" */
    const char *column;   /* by the header; of ranks that of the rank */
    const char *evidence; /* the figures it rests on, in words; dies at the next call */
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
