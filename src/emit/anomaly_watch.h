/* anomaly_watch.h - the rules on the points of a run, as its owner reads them.
 *
 * The owner reads the points of all processes about once a second, for metrics.json; the rules hear
 * of each then. The owner is the observer, or else the program's thread that writes what its rings
 * hold: no call waits for a rule. What they find waits here until the observer asks for it, or,
 * where there is none, until the owner's tick writes it.
 *
 * Not thread-safe: under the run's lock, or before the run is known to anybody.
 */
#ifndef M31RI_ANOMALY_WATCH_H
#define M31RI_ANOMALY_WATCH_H

#include "emit/run_int.h"
#include "stat/summary.h"

/* Makes run->anomalies when the config does not say `anomalies: false`.
 * False when memory is out: the run goes on unwatched. */
bool m31ri_anomaly_watch_open(m31r_run *run);
void m31ri_anomaly_watch_close(m31r_run *run);
/* In a forked child: what the rules find is the parent's to say, and so is its lane. */
void m31ri_anomaly_watch_forget(m31r_run *run);

/* Who is to hear of the points; NULL without a watch. */
const m31ri_point_listener *m31ri_anomaly_listener(const m31r_run *run);

/* All points that were heard of so far are of a dead observer's time. */
void m31ri_anomaly_watch_begin(m31r_run *run);

/* What time it is. */
void m31ri_anomaly_watch_check(m31r_run *run, int64_t wall_ns);

/* Without an observer: a record for each anomaly that waits. Under the run's lock. */
void m31ri_anomaly_watch_report(m31r_run *run);

#endif
