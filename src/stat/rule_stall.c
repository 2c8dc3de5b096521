/* rule_stall.c - nothing comes any more: 20 times the usual interval, twice the longest one there
 * was (an evaluation, a checkpoint), and 10 seconds at least. */
#include "stat/series_rules.h"

#include <math.h>
#include <stddef.h>

#define WINDOW 64
#define FEWEST 8
#define TIMES_USUAL 20.0
#define TIMES_LONGEST 2.0
#define LEAST_S 10.0

void m31ri_stall_init(m31ri_stall_rule *r)
{
    m31ri_window_init(&r->intervals, WINDOW);
    r->longest = r->last_s = 0;
    r->has_last = r->is_open = false;
}

m31ri_anomaly_event m31ri_stall_step(m31ri_stall_rule *r, double now_s)
{
    bool was_open = r->is_open;
    double interval_s = now_s - r->last_s;
    if (r->has_last && !was_open && interval_s >= 0) {
        m31ri_window_add(&r->intervals, interval_s, NULL);
        r->longest = fmax(r->longest, interval_s);
    }
    r->last_s = now_s;
    r->has_last = true;
    r->is_open = false;
    return was_open ? M31RI_CLEARED : M31RI_NOTHING;
}

m31ri_anomaly_event m31ri_stall_check(m31ri_stall_rule *r, double now_s, m31ri_anomaly *out)
{
    double waited_s = now_s - r->last_s;
    if (r->is_open || r->intervals.n < FEWEST || waited_s <= LEAST_S) {
        return M31RI_NOTHING;
    }
    double usual_s = m31ri_window_median(&r->intervals);
    double limit_s = fmax(LEAST_S, fmax(TIMES_USUAL * usual_s, TIMES_LONGEST * r->longest));
    if (waited_s <= limit_s) {
        return M31RI_NOTHING;
    }
    r->is_open = true;
    *out = (m31ri_anomaly){.kind = M31RI_ANOMALY_STALLED,
                           .severity = M31RI_SEVERITY_ERROR,
                           .value = waited_s,
                           .usual = usual_s,
                           .limit = limit_s,
                           .n = 1,
                           .rank = -1};
    return M31RI_OPENED;
}
