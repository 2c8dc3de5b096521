/* series_watch.h - the rules that fit a series, by what the series is.
 *
 * A role says what a metric measures; it brings the rules that make sense for it. Non-finite values
 * are asked about in every role and given to no other rule.
 *
 * Not thread-safe. Memory: at most 30 KiB a series, whatever its length.
 */
#ifndef M31RI_SERIES_WATCH_H
#define M31RI_SERIES_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "stat/anomaly_kinds.h"

typedef enum m31ri_metric_role {
    M31RI_METRIC_OTHER,      /* nonfinite only */
    M31RI_METRIC_LOSS,       /* lower is better, noisy, falls: spike, diverge, stuck, plateau */
    M31RI_METRIC_DURATION,   /* of a step or request: slow, outlier */
    M31RI_METRIC_THROUGHPUT, /* of work per time: as the duration that is its inverse */
    M31RI_METRIC_MEMORY,     /* leak */
    M31RI_METRIC_BUSY,       /* percent of a GPU: gpu_idle */
    M31RI_METRIC_ROLES
} m31ri_metric_role;

typedef struct m31ri_series_watch m31ri_series_watch;

/* NULL when memory is out. */
m31ri_series_watch *m31ri_series_watch_new(m31ri_metric_role role);
/* NULL is fine. */
void m31ri_series_watch_free(m31ri_series_watch *w);

#define M31RI_SERIES_CHANGES 5 /* of one value at most */

typedef struct m31ri_series_change {
    m31ri_anomaly_event verdict; /* OPENED or CLEARED */
    m31ri_anomaly anomaly;       /* of CLEARED the kind only */
} m31ri_series_change;

/* The next value; how many changes are in `out`. */
size_t m31ri_series_watch_add(m31ri_series_watch *w, double x,
                              m31ri_series_change out[M31RI_SERIES_CHANGES]);

/* What a metric of this name measures: "loss" and names that end in it, "step_ms",
 * "tokens_per_sec", "memory_mb", "system.gpu0.util_percent", ... docs/anomalies.md has the list. */
m31ri_metric_role m31ri_metric_role_of_name(const char *name, size_t length);

/* What it measures by its definition (m31r_metric_define()): lower is better and s, ms, us or ns is
 * a duration, nats or bits a loss; higher is better and something a second is a throughput. NULL:
 * not known. */
m31ri_metric_role m31ri_metric_role_of_definition(const char *unit, const char *better);

#endif
