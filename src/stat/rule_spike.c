/* rule_spike.c - one value above the last 64 usual ones by 6 robust sigmas and by a tenth.
 *
 * A spike is not taken into the 64, so that a second one right after the first is measured by the
 * same past. After 16 in a row it is no spike any more but a new level, and the values are taken.
 */
#include "stat/series_rules.h"

#include <math.h>
#include <stddef.h>

#define WINDOW 64
#define SIGMAS 6.0
#define SHARE 0.10
#define REFUSED_LIMIT 16
#define MANY_WITHIN 100 /* three of them are a warning */

void m31ri_spike_init(m31ri_spike_rule *r)
{
    m31ri_window_init(&r->accepted, WINDOW);
    r->n = 0;
    r->opened_at[0] = r->opened_at[1] = INT64_MIN / 2;
    r->n_refused = 0;
    r->is_open = false;
}

/* The spread is asked for only by what is high enough to be a spike: one value in hundreds. */
static double limit_for(const m31ri_spike_rule *r, double median, double x)
{
    double limit = median + SHARE * fabs(median);
    if (x <= limit) {
        return limit;
    }
    return fmax(limit, median + SIGMAS * m31ri_window_sigma(&r->accepted, median));
}

static m31ri_anomaly_event open_at(m31ri_spike_rule *r, m31ri_anomaly *out)
{
    bool is_third = r->n - r->opened_at[1] < MANY_WITHIN;
    r->opened_at[1] = r->opened_at[0];
    r->opened_at[0] = r->n;
    r->is_open = true;
    out->kind = M31RI_ANOMALY_SPIKE;
    out->severity = is_third ? M31RI_SEVERITY_WARNING : M31RI_SEVERITY_INFO;
    return M31RI_OPENED;
}

m31ri_anomaly_event m31ri_spike_add(m31ri_spike_rule *r, double x, m31ri_anomaly *out)
{
    r->n++;
    if (!m31ri_window_is_full(&r->accepted)) {
        m31ri_window_add(&r->accepted, x, NULL);
        return M31RI_NOTHING;
    }
    double median = m31ri_window_median(&r->accepted);
    double limit = limit_for(r, median, x);
    if (x > limit) {
        if (++r->n_refused > REFUSED_LIMIT) {
            m31ri_window_add(&r->accepted, x, NULL);
        }
        if (r->is_open) {
            return M31RI_NOTHING;
        }
        *out =
            (m31ri_anomaly){.value = x, .usual = median, .limit = limit, .n = WINDOW, .rank = -1};
        return open_at(r, out);
    }
    r->n_refused = 0;
    m31ri_window_add(&r->accepted, x, NULL);
    bool was_open = r->is_open;
    r->is_open = false;
    return was_open ? M31RI_CLEARED : M31RI_NOTHING;
}
