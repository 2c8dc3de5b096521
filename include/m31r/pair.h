/* pair.h - two runs by the points inside them: is the second slower, and how sure is that?
 *
 * For each measured metric that both runs have (times, rates, memory) the points are taken in their
 * order, a warm-up at the start is looked for and cut, and the ratio of medians and that of p99
 * (second run by first) get a 95 % interval by a circular block bootstrap: blocks as long as the
 * points stay correlated, so that neighbours that are alike do not count as many. The resampling
 * has a fixed seed: the same points give the same interval.
 *
 * The interval says what the points say. How much equal runs differ from one another is not in
 * them: that is what a history of runs is for (m31r/trend.h).
 *
 *     m31r_pair_open(&pair, a, b, 0.1, &e);
 *     for (size_t i = 0; m31r_pair_at(pair, i, &metric) == M31R_OK; i++) { ... }
 *     m31r_pair_close(pair);
 */
#ifndef M31R_PAIR_H
#define M31R_PAIR_H

#include "m31r/reader.h"
#include "m31r/trend.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_PAIR_POINTS 16384  /* of a metric and run: the newest */
#define M31R_PAIR_LEAST 30      /* points behind the warm-up, without which nothing is said */
#define M31R_PAIR_P99_LEAST 500 /* the same for p99 */

typedef struct m31r_pair m31r_pair;

/* The points of one run. */
typedef struct m31r_pair_side {
    size_t n;           /* finite points looked at, the warm-up not among them */
    size_t n_warm_up;   /* cut from the start */
    size_t n_nonfinite; /* left out */
    size_t n_older;     /* beyond the limit: left out */
    size_t block;       /* points that are resampled together */
    double median, p99; /* NaN when there are too few */
} m31r_pair_side;

/* Second run by first; NaN when not known. */
typedef struct m31r_pair_ratio {
    double ratio, low, high;
} m31r_pair_ratio;

typedef struct m31r_pair_metric {
    const char *name;
    m31r_better better;
    m31r_pair_side a, b;
    m31r_pair_ratio median, p99;
    m31r_gate_verdict verdict; /* of both: failed when either is worse by more than the gate in
                                * every resample (p < 0.001), passed when neither interval reaches
                                * the gate; NONE when the direction is not known */
} m31r_pair_metric;

/* Compares what was measured in two runs. `gate` is a share above 0.
 *
 * Returns: M31R_OK and the pair in `*out`.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it; the readers are not kept.
 * Thread:  any.
 */
M31R_API m31r_err m31r_pair_open(m31r_pair **out, const m31r_reader *a, const m31r_reader *b,
                                 double gate, m31r_error *e);

/* The i-th metric, in the order of the first run.
 *
 * Returns: M31R_OK and the metric in `*out`.
 * Errors:  M31R_E_NOTFOUND after the last.
 * Owns:    the pair.
 * Thread:  any.
 */
M31R_API m31r_err m31r_pair_at(const m31r_pair *p, size_t i, m31r_pair_metric *out);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `p`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_pair_close(m31r_pair *p);

#ifdef __cplusplus
}
#endif
#endif
