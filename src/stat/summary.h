/* summary.h - what metrics.json says of each metric, computed in one pass over the points.
 *
 * For each name, in order of first appearance: count, non-finite count, first, last, min and its
 * step, max and its step, mean (Welford), std (sample), p50 p90 p99. Non-finite values are counted
 * and left out of the statistics; `first` and `last` are the points as they came and may be one. A
 * quantile q is the smallest value that at least q of the values do not exceed (nearest rank):
 * exact while a metric has at most 256 finite values, after that from a sketch with 1 % relative
 * error (sketch.h); the file says which: "quantiles":"exact"|"sketch".
 *
 * Not thread-safe.
 */
#ifndef M31RI_SUMMARY_H
#define M31RI_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "format/point.h"
#include "m31r/error.h"

typedef struct m31ri_summary m31ri_summary;

typedef struct m31ri_metric_summary {
    const char *name; /* NUL-terminated, owned by the summary */
    uint64_t count;   /* all points */
    uint64_t n_nonfinite;
    uint64_t n_superseded; /* points that gave again a step which an earlier segment had reached */
    double first, last;
    double min, max, mean, p50, p90, p99;              /* NaN without a finite value */
    double std;                                        /* NaN with less than two finite values */
    int64_t first_step, last_step, min_step, max_step; /* INT64_MIN: none */
    bool quantiles_are_exact;
    uint32_t segments;
} m31ri_metric_summary;

/* NULL when memory is out. */
m31ri_summary *m31ri_summary_new(void);
void m31ri_summary_free(m31ri_summary *s);

/* False when memory is out: the point is then not in the summary. */
bool m31ri_summary_add(m31ri_summary *s, const m31ri_point *p);

/* The same of a point whose metric, by its index, is known to be in. */
bool m31ri_summary_add_to(m31ri_summary *s, size_t index, const m31ri_point *p);

/* Who hears of each point that m31ri_summary_add_lines() adds. */
typedef struct m31ri_point_listener {
    void (*point)(void *context, int rank, const m31ri_point *p);
    void *context;
} m31ri_point_listener;

/* `listener` must live as long as `s`; NULL: nobody. `rank` is passed on. */
void m31ri_summary_listen(m31ri_summary *s, const m31ri_point_listener *listener, int rank);

/* Reads whole lines of a metrics.csv's bytes; returns the bytes used: up to the last newline, or to
 * the line at which memory ran out (call again). The header line is skipped wherever it stands. Bad
 * lines are counted. */
size_t m31ri_summary_add_lines(m31ri_summary *s, const char *bytes, size_t length);

/* Adds what `other` has seen, as if its points had come after those of `s`; but `last` is that with
 * the higher step, and that of `s` when they are equal. False when memory is out: `s` is then of no
 * further use. */
bool m31ri_summary_merge(m31ri_summary *s, const m31ri_summary *other);

/* The same of points that came later: `last` is theirs, whatever its step. */
bool m31ri_summary_append(m31ri_summary *s, const m31ri_summary *later);

/* Number of metrics; the i-th. */
size_t m31ri_summary_count(const m31ri_summary *s);
void m31ri_summary_get(const m31ri_summary *s, size_t i, m31ri_metric_summary *out);
uint64_t m31ri_summary_bad_lines(const m31ri_summary *s);

/* Points of all metrics. */
uint64_t m31ri_summary_points(const m31ri_summary *s);

/* Index of the metric of a name; SIZE_MAX when there is none. */
size_t m31ri_summary_find(const m31ri_summary *s, const char *name);

/* Appends the text of metrics.json (docs/FORMAT.md):
 *     {"format_version":1,"run_id":...,"updated":ts,"points":n,"bad_lines":0,
 *      "mandatory":{"loss":...,"compile_rate":null,"pass_at_k":null,"tokens_per_sec":...,
 *                   "latency":null,"memory":...},
 *      "metrics":{"loss":{"count":...,...},...}}
 * Values that are not finite are strings, what does not exist is null. The mandatory block holds
 * the last value of the first metric there is of: loss "loss", "train_loss"; compile_rate;
 * pass_at_k, "pass@k", "pass@1"; tokens_per_sec, "tokens/s", "tok/s"; latency, "latency_ms",
 * "latency_s"; memory, "memory_mb", "system.rss_mb". `out` says whether memory ran out. */
void m31ri_summary_write_json(const m31ri_summary *s, const char *run_id, const char *updated_ts,
                              m31ri_buf *out);

#endif
