/* rule_nonfinite.c - the one anomaly that needs no statistics. It is over only after some finite
 * values, so that a series that flickers is told once. */
#include "stat/series_rules.h"

#include <math.h>

#define FINITE_TO_CLEAR 16

void m31ri_nonfinite_init(m31ri_nonfinite_rule *r)
{
    *r = (m31ri_nonfinite_rule){.last_finite = NAN};
}

m31ri_anomaly_event m31ri_nonfinite_add(m31ri_nonfinite_rule *r, double x, m31ri_anomaly *out)
{
    if (isfinite(x)) {
        r->last_finite = x;
        if (r->is_open && ++r->n_finite_since == FINITE_TO_CLEAR) {
            r->is_open = false;
            return M31RI_CLEARED;
        }
        return M31RI_NOTHING;
    }
    r->n_finite_since = 0;
    if (r->is_open) {
        return M31RI_NOTHING;
    }
    r->is_open = true;
    *out = (m31ri_anomaly){.kind = M31RI_ANOMALY_NONFINITE,
                           .severity = M31RI_SEVERITY_ERROR,
                           .value = x,
                           .usual = r->last_finite,
                           .limit = NAN,
                           .n = 1,
                           .rank = -1};
    return M31RI_OPENED;
}
