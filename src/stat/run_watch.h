/* run_watch.h - the rules over all points of a run, as they come.
 *
 * Each metric of each rank is a series with the rules of its role. Durations that several ranks
 * give for the same step are held against each other. The newest step of rank 0 is the run's clock:
 * when it stands still, the run has stalled.
 *
 * Points come in the order of their file; those of several ranks in any order within the last
 * M31RI_WATCH_STEPS steps. What is found is handed out at once, through a function.
 *
 *     m31ri_run_watch *w = m31ri_run_watch_new(&(m31ri_run_watch_options){.found = tell});
 *     m31ri_run_watch_add(w, 0, &point);
 *     m31ri_run_watch_check(w, m31ri_wall_ns());
 *     m31ri_run_watch_free(w);
 *
 * Not thread-safe. Memory: at most 7 KiB a series, 2,048 series; 5 KiB a rank for each duration.
 */
#ifndef M31RI_RUN_WATCH_H
#define M31RI_RUN_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "format/point.h"
#include "stat/anomaly_kinds.h"
#include "stat/series_watch.h"

#define M31RI_WATCH_SERIES 2048 /* further ones are not watched */
#define M31RI_WATCH_STEPS 512   /* of one duration that wait for all ranks */

typedef struct m31ri_run_watch m31ri_run_watch;

typedef struct m31ri_finding {
    m31ri_anomaly_event verdict; /* OPENED or CLEARED */
    m31ri_anomaly anomaly;       /* of CLEARED: kind and rank */
    m31ri_metric_role role;
    const char *metric; /* "" of a stall; dies with the watch */
    int64_t step;       /* at which it was noticed; INT64_MIN: none */
    int64_t wall_ns;    /* of the point, or of the check */
} m31ri_finding;

typedef struct m31ri_run_watch_options {
    int n_ranks; /* of the job; below 2: ranks are not compared */
    void (*found)(void *context, const m31ri_finding *finding);
    /* What a metric measures, where its name does not say it; NULL: by name only. */
    m31ri_metric_role (*role)(void *context, const char *name, size_t length);
    void *context;
} m31ri_run_watch_options;

/* NULL when memory is out. */
m31ri_run_watch *m31ri_run_watch_new(const m31ri_run_watch_options *options);
/* NULL is fine. */
void m31ri_run_watch_free(m31ri_run_watch *w);

/* The next point of a rank. Where memory is out a new series is not watched. */
void m31ri_run_watch_add(m31ri_run_watch *w, int rank, const m31ri_point *p);

/* What time it is, for the rule that needs no point. */
void m31ri_run_watch_check(m31ri_run_watch *w, int64_t wall_ns);

/* The evidence in words, as in records and tables: "3.41, median of 32; lowest before 2.9, limit
 * 3.13". */
void m31ri_anomaly_evidence(const m31ri_anomaly *a, m31ri_buf *out);

#endif
