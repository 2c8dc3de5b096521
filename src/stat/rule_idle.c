/* rule_idle.c - a GPU that worked and now waits. One that never worked is no anomaly: not every
 * program uses the GPUs of its machine. */
#include "stat/series_rules.h"

#include <math.h>
#include <stddef.h>

#define WINDOW 32
#define BUSY_PERCENT 50.0
#define IDLE_PERCENT 5.0
#define BACK_PERCENT 25.0

void m31ri_idle_init(m31ri_idle_rule *r)
{
    m31ri_window_init(&r->recent, WINDOW);
    r->busiest = 0;
    r->is_open = false;
}

m31ri_anomaly_event m31ri_idle_add(m31ri_idle_rule *r, double percent, m31ri_anomaly *out)
{
    m31ri_window_add(&r->recent, percent, NULL);
    if (!m31ri_window_is_full(&r->recent)) {
        return M31RI_NOTHING;
    }
    double median = m31ri_window_median(&r->recent);
    r->busiest = fmax(r->busiest, median);
    if (r->is_open) {
        r->is_open = median < BACK_PERCENT;
        return r->is_open ? M31RI_NOTHING : M31RI_CLEARED;
    }
    if (r->busiest < BUSY_PERCENT || median >= IDLE_PERCENT) {
        return M31RI_NOTHING;
    }
    r->is_open = true;
    *out = (m31ri_anomaly){.kind = M31RI_ANOMALY_GPU_IDLE,
                           .severity = M31RI_SEVERITY_WARNING,
                           .value = median,
                           .usual = r->busiest,
                           .limit = IDLE_PERCENT,
                           .n = WINDOW,
                           .rank = -1};
    return M31RI_OPENED;
}
