/* series.h - the metrics of a run, computed from its points.
 *
 * metrics.csv is the truth; metrics.json is derived from it and not trusted here. A series is the
 * summary of one metric over all points and its course in a bounded number of steps, enough to draw
 * it. It is not the points: those are streamed by m31r_points_next().
 *
 * Invariants: NaN and infinities are counted and left out of the statistics. `best` follows the
 * direction that was defined for the metric, else that of the specification's mandatory metrics
 * (loss, latency, memory: lower; compile_rate, pass_at_k, tokens_per_sec: higher), else there is no
 * best.
 *
 *     m31r_series_open(&series, reader, &e);
 *     for (size_t i = 0; i < m31r_series_count(series); i++) {
 *         m31r_metric_facts metric;
 *         m31r_series_get(series, i, &metric);
 *     }
 *     m31r_series_close(series);
 */
#ifndef M31R_SERIES_H
#define M31R_SERIES_H

#include "m31r/metric.h"
#include "m31r/pattern.h"
#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_TRACE_LIMIT 256 /* values that draw a metric's course */

typedef struct m31r_series m31r_series;
typedef struct m31r_points m31r_points;

/* One metric. Numbers that are not known are NaN; steps M31R_NO_STEP. */
typedef struct m31r_metric_facts {
    const char *name, *unit; /* unit "" when not defined */
    m31r_better better;
    uint64_t n, n_nonfinite, n_segments;
    double first, last, min, max, mean, std, p50, p90, p99, best;
    int64_t first_step, last_step, min_step, max_step, best_step;
    bool quantiles_are_exact;
    const double *trace; /* means of equal numbers of points, in order; NaN where none was finite */
    size_t n_trace;
} m31r_metric_facts;

/* One point. The name is not NUL-terminated. */
typedef struct m31r_point_view {
    const char *name;
    size_t name_length;
    int64_t step; /* M31R_NO_STEP for none */
    double value;
    int64_t wall_ns;
    uint32_t segment;
    const char *line; /* as in the file, without its newline */
    size_t length;
    const char *file;     /* where it stands, such as "metrics.csv" */
    uint64_t line_number; /* 1-based */
} m31r_point_view;

/* Reads all points of a run (metrics.csv and those of other ranks). A run without points has no
 * series.
 *
 * Returns: M31R_OK and the series in `*out`.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it; `reader` must stay open as long.
 * Thread:  any.
 */
M31R_API m31r_err m31r_series_open(m31r_series **out, const m31r_reader *reader, m31r_error *e);

/* As m31r_series_open(), of the points that `patterns` find in the printed lines the run has kept;
 * the run's own points are left out, and nothing is written.
 *
 * `counts` has an entry for each pattern and is added to. See m31r_points_open_lines().
 *
 * Returns: M31R_OK and the series in `*out`.
 * Errors:  M31R_E_ARG when a pattern's name is no metric's name; M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it; `reader` must stay open as long, `patterns` and `counts` are not
 *          kept.
 * Thread:  one at a time per `patterns`.
 */
M31R_API m31r_err m31r_series_open_lines(m31r_series **out, const m31r_reader *reader,
                                         m31r_patterns *patterns, m31r_pattern_count *counts,
                                         m31r_error *e);

/* Frees a series. NULL is fine.
 *
 * Owns:   frees `s`.
 * Thread: excludes every other call on the same series.
 */
M31R_API void m31r_series_close(m31r_series *s);

/* Number of metrics, in the order of first appearance, those of the observer (`system.`) last.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API size_t m31r_series_count(const m31r_series *s);

/* The i-th metric.
 *
 * Returns: M31R_OK and the facts in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    the series; valid until m31r_series_close().
 * Thread:  any.
 */
M31R_API m31r_err m31r_series_get(const m31r_series *s, size_t i, m31r_metric_facts *out);

/* The metric of that name.
 *
 * Returns: M31R_OK and the facts in `*out`.
 * Errors:  M31R_E_NOTFOUND when the run has none of it.
 * Owns:    the series; valid until m31r_series_close().
 * Thread:  any.
 */
M31R_API m31r_err m31r_series_find(const m31r_series *s, const char *name, m31r_metric_facts *out);

/* Lines of the points' files that are no points.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API uint64_t m31r_series_bad_lines(const m31r_series *s);

/* Largest step of any point; M31R_NO_STEP when no point has one.
 *
 * Returns: the step.
 * Thread:  any.
 */
M31R_API int64_t m31r_series_last_step(const m31r_series *s);

/* Starts streaming the points of a run, file after file.
 *
 * Returns: M31R_OK and the points in `*out`.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it; `reader` must stay open as long.
 * Thread:  any.
 */
M31R_API m31r_err m31r_points_open(m31r_points **out, const m31r_reader *reader, m31r_error *e);

/* Starts streaming the points that `patterns` find in the lines of the lanes stdout and stderr.
 *
 * They were kept as text: invalid bytes are U+FFFD, secrets are gone, of progress bars one a second
 * is left, and lines that were JSON objects are records with fields of their own and not tried. A
 * run that was captured with `patterns` or `off` has none. `counts` has an entry for each pattern
 * and is added to. Every point is of segment 0.
 *
 * Returns: M31R_OK and the points in `*out`.
 * Errors:  M31R_E_ARG when a pattern's name is no metric's name; M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it; `reader`, `patterns` and `counts` must stay as long.
 * Thread:  one at a time per `patterns`.
 */
M31R_API m31r_err m31r_points_open_lines(m31r_points **out, const m31r_reader *reader,
                                         m31r_patterns *patterns, m31r_pattern_count *counts,
                                         m31r_error *e);

/* Gives the next point in `*out`; lines that are no points are skipped and counted by
 * m31r_series_bad_lines().
 *
 * Returns: M31R_OK, or M31R_EOF when there is none.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing; the view dies at the next call on `p`.
 * Thread:  one at a time.
 */
M31R_API m31r_err m31r_points_next(m31r_points *p, m31r_point_view *out, m31r_error *e);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `p`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_points_close(m31r_points *p);

#ifdef __cplusplus
}
#endif
#endif
