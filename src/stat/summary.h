/* summary.h - what metrics.json says of each metric, computed in one pass over the points.
 *
 * For each name, in order of first appearance: count, non-finite count, first, last, min and its
 * step, max and its step, mean (Welford), std (sample), p50 p90 p99. Non-finite values are counted
 * and left out of the statistics; the last value may be one. Quantiles come from a mergeable
 * log-bucket sketch with 1 % relative error (DDSketch: Masson, Rim, Lee, VLDB 2019), exact while a
 * metric has at most 256 points (the file says which: "quantiles":"exact"|"sketch").
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
    uint64_t count, n_nonfinite, n_superseded;
    double first, last, min, max, mean, std, p50, p90, p99;
    int64_t first_step, last_step, min_step, max_step; /* INT64_MIN: none */
    bool quantiles_are_exact;
    uint32_t segments;
} m31ri_metric_summary;

m31ri_summary *m31ri_summary_new(void);
void m31ri_summary_free(m31ri_summary *s);

/* False when memory is out. */
bool m31ri_summary_add(m31ri_summary *s, const m31ri_point *p);

/* Reads whole lines of a metrics.csv's bytes; returns the bytes used (up to the last newline). Bad
 * lines are counted. */
size_t m31ri_summary_add_lines(m31ri_summary *s, const char *bytes, size_t length);

size_t m31ri_summary_count(const m31ri_summary *s);
void m31ri_summary_get(const m31ri_summary *s, size_t i, m31ri_metric_summary *out);
uint64_t m31ri_summary_bad_lines(const m31ri_summary *s);

/* The text of metrics.json: {"format_version":1,"run_id":...,"updated":ts,"points":n,"bad_lines":0,
 *  "mandatory":{"loss":...|null,"compile_rate":null,"pass_at_k":null,"tokens_per_sec":...,"latency":null,"memory":...},
 *  "metrics":{"loss":{"count":..,...},...}}; values that are not finite as strings; the mandatory
 * block holds the last value of the metric of that name (loss: "loss" else "train_loss";
 * tokens_per_sec: "tokens_per_sec", "tokens/s"; memory: "memory_mb" else "system.rss_mb"; latency:
 * "latency_ms"...). */
void m31ri_summary_write_json(const m31ri_summary *s, const char *run_id, const char *updated_ts,
                              m31ri_buf *out);

#endif
