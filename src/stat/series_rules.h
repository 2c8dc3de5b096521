/* series_rules.h - streaming rules over one series, a family a file.
 *
 * Each rule is a struct of fixed size that its caller zeroes by `_init` and feeds by `_add`;
 * anomaly_kinds.h says what the answer means. `out` is written when the answer is M31RI_OPENED.
 * Values that are not finite are for the rule of non-finite values alone: the others must not be
 * given any.
 *
 * Not thread-safe. Nothing is allocated.
 */
#ifndef M31RI_SERIES_RULES_H
#define M31RI_SERIES_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "stat/anomaly_kinds.h"
#include "stat/window.h"

/* rule_nonfinite.c: a value is NaN or infinite. Over after 16 finite ones.
 * value: it; usual: the last finite one; n: 1. */
typedef struct m31ri_nonfinite_rule {
    double last_finite;
    uint32_t n_finite_since; /* while open */
    bool is_open;
} m31ri_nonfinite_rule;

void m31ri_nonfinite_init(m31ri_nonfinite_rule *r);
m31ri_anomaly_event m31ri_nonfinite_add(m31ri_nonfinite_rule *r, double x, m31ri_anomaly *out);

/* rule_spike.c: one value far above the last 64 that were none. Over with the next usual value.
 * value: it; usual: the median of the 64; limit: what it passed; n: 64. Info, or a warning when it
 * is the third within 100 values. */
typedef struct m31ri_spike_rule {
    m31ri_window accepted;
    int64_t n;            /* values so far */
    int64_t opened_at[2]; /* the last two, newest first; INT64_MIN */
    uint32_t n_refused;   /* in a row */
    bool is_open;
} m31ri_spike_rule;

void m31ri_spike_init(m31ri_spike_rule *r);
m31ri_anomaly_event m31ri_spike_add(m31ri_spike_rule *r, double x, m31ri_anomaly *out);

/* rule_diverge.c: the level of a series that should fall has risen for good.
 * value: the median of the last `n`; usual: the lowest such median before; limit: what it passed.
 */
#define M31RI_DIVERGE_PARTS 8
typedef struct m31ri_diverge_rule {
    m31ri_window recent;              /* 32 */
    m31ri_history before;             /* the 128 before them */
    double sigma;                     /* of those, as long as n < sigma_until */
    m31ri_window newest;              /* 8, for a series that has only begun */
    double lows[M31RI_DIVERGE_PARTS]; /* the lowest medians of the last parts of 64 values */
    double part_low, first_low, first;
    int64_t n; /* values so far */
    int64_t sigma_until, opened_at;
    uint32_t n_lows, part_n;
    double clear_below; /* while open */
    bool is_open;
} m31ri_diverge_rule;

void m31ri_diverge_init(m31ri_diverge_rule *r);
m31ri_anomaly_event m31ri_diverge_add(m31ri_diverge_rule *r, double x, m31ri_anomaly *out);

/* rule_stuck.c: the very same value 15 times in a row. Over with another value.
 * value, usual: it; n: 15. */
typedef struct m31ri_stuck_rule {
    double last;
    uint64_t n_equal;
    bool is_open;
} m31ri_stuck_rule;

void m31ri_stuck_init(m31ri_stuck_rule *r);
m31ri_anomaly_event m31ri_stuck_add(m31ri_stuck_rule *r, double x, m31ri_anomaly *out);

/* rule_stuck.c: of the medians of each 64 values none has been lower than the best by a thousandth
 * during half of all values, and a thousand at least. Info. Over with a lower one.
 * value: the median now; usual: the best; n: since when. */
typedef struct m31ri_plateau_rule {
    m31ri_history part;
    double best;
    int64_t best_at;
    int64_t n;
    bool is_open;
} m31ri_plateau_rule;

void m31ri_plateau_init(m31ri_plateau_rule *r);
m31ri_anomaly_event m31ri_plateau_add(m31ri_plateau_rule *r, double x, m31ri_anomaly *out);

/* rule_slow.c: durations of steps have become longer for good; or one is of another order.
 * Slow: value: the median of the last `n`; usual: that of the baseline; limit: what it passed.
 * Outlier, which is info and over with the next usual one: value: it; usual: the median of the last
 * 64; limit: 20 times that; n: 1. */
typedef struct m31ri_slow_rule {
    m31ri_window recent; /* 64 */
    m31ri_history wide;  /* 256; first of all the baseline */
    double base;         /* 0 until it is known */
    double spread;       /* of the baseline, relative */
    int64_t n;           /* values so far */
    double wander;       /* how far above it its parts are, relative */
    int64_t n_since;     /* the baseline was known, or an episode was over */
    double clear_below;
    bool is_open, is_outlier;
} m31ri_slow_rule;

void m31ri_slow_init(m31ri_slow_rule *r);
m31ri_anomaly_event m31ri_slow_add(m31ri_slow_rule *r, double seconds, m31ri_anomaly *out);
/* To be asked before m31ri_slow_add() of the same value. */
m31ri_anomaly_event m31ri_outlier_check(m31ri_slow_rule *r, double seconds, m31ri_anomaly *out);

/* rule_leak.c: what is used at least grows and grows.
 * value: the last low; usual: the first one; limit: what it passed; n: values from first to last.
 */
#define M31RI_LEAK_PARTS 32
typedef struct m31ri_leak_rule {
    double lows[M31RI_LEAK_PARTS]; /* the lowest value of each part, in order */
    uint32_t n_lows;
    int64_t part_size; /* doubled, and neighbours joined, whenever all parts are full */
    int64_t part_n;
    double part_low;
    double clear_below;
    bool is_open;
} m31ri_leak_rule;

void m31ri_leak_init(m31ri_leak_rule *r);
m31ri_anomaly_event m31ri_leak_add(m31ri_leak_rule *r, double used, m31ri_anomaly *out);

/* rule_idle.c: a processor that was busy has nothing to do. Percents.
 * value: the median of the last 32; usual: the highest such median; limit: 5; n: 32. */
typedef struct m31ri_idle_rule {
    m31ri_window recent;
    double busiest;
    bool is_open;
} m31ri_idle_rule;

void m31ri_idle_init(m31ri_idle_rule *r);
m31ri_anomaly_event m31ri_idle_add(m31ri_idle_rule *r, double percent, m31ri_anomaly *out);

/* rule_stall.c: no step for much longer than any step took. Fed the instant of each step, and asked
 * in between what the time is. Seconds.
 * value: since the last step; usual: the median of the last 64 steps; limit: what it passed; n: 1.
 */
typedef struct m31ri_stall_rule {
    m31ri_window intervals;
    double longest; /* interval but the stalled ones */
    double last_s;
    bool has_last;
    bool is_open;
} m31ri_stall_rule;

void m31ri_stall_init(m31ri_stall_rule *r);
/* A step: M31RI_CLEARED when it ends a stall that was told. */
m31ri_anomaly_event m31ri_stall_step(m31ri_stall_rule *r, double now_s);
m31ri_anomaly_event m31ri_stall_check(m31ri_stall_rule *r, double now_s, m31ri_anomaly *out);

#endif
