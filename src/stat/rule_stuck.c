/* rule_stuck.c - a series that does not move: the same bits again and again (a frozen input, a
 * reader of a stale value, a dead model), or no progress for half of all steps. */
#include "stat/series_rules.h"

#include <math.h>
#include <stddef.h>

#define EQUAL_VALUES 15
#define WINDOW 64
#define PROGRESS 0.001
#define PLATEAU_VALUES 1000

void m31ri_stuck_init(m31ri_stuck_rule *r)
{
    *r = (m31ri_stuck_rule){.n_equal = 0};
}

m31ri_anomaly_event m31ri_stuck_add(m31ri_stuck_rule *r, double x, m31ri_anomaly *out)
{
    bool is_equal = r->n_equal > 0 && x == r->last;
    r->n_equal = is_equal ? r->n_equal + 1 : 1;
    r->last = x;
    if (!is_equal && r->is_open) {
        r->is_open = false;
        return M31RI_CLEARED;
    }
    if (r->n_equal < EQUAL_VALUES || r->is_open) {
        return M31RI_NOTHING;
    }
    r->is_open = true;
    *out = (m31ri_anomaly){.kind = M31RI_ANOMALY_STUCK,
                           .severity = M31RI_SEVERITY_ERROR,
                           .value = x,
                           .usual = x,
                           .limit = x,
                           .n = EQUAL_VALUES,
                           .rank = -1};
    return M31RI_OPENED;
}

void m31ri_plateau_init(m31ri_plateau_rule *r)
{
    m31ri_history_init(&r->part, WINDOW);
    r->best = INFINITY;
    r->best_at = 0;
    r->n = 0;
    r->is_open = false;
}

m31ri_anomaly_event m31ri_plateau_add(m31ri_plateau_rule *r, double x, m31ri_anomaly *out)
{
    m31ri_history_add(&r->part, x);
    r->n++;
    if (!m31ri_history_is_full(&r->part)) {
        return M31RI_NOTHING;
    }
    double median = m31ri_history_median(&r->part);
    m31ri_history_init(&r->part, WINDOW);
    if (r->best == INFINITY || median < r->best - PROGRESS * fabs(r->best)) {
        bool was_open = r->is_open;
        r->best = median;
        r->best_at = r->n;
        r->is_open = false;
        return was_open ? M31RI_CLEARED : M31RI_NOTHING;
    }
    int64_t since = r->n - r->best_at;
    if (r->is_open || since < PLATEAU_VALUES || since < r->n / 2) {
        return M31RI_NOTHING;
    }
    r->is_open = true;
    *out = (m31ri_anomaly){.kind = M31RI_ANOMALY_PLATEAU,
                           .severity = M31RI_SEVERITY_INFO,
                           .value = median,
                           .usual = r->best,
                           .limit = r->best - PROGRESS * fabs(r->best),
                           .n = since,
                           .rank = -1};
    return M31RI_OPENED;
}
