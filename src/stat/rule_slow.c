/* rule_slow.c - steps take longer than they did, and stay so; or one is of another order.
 *
 * The baseline is the median of 200 steps after a warm-up of 50. Against it stand the median of the
 * last 64 steps, for what is plain (8 %), and of the last 256, looked at once in 64 steps, for what
 * is small but lasting (4 %); both limits give way to the noise: a median of n values has a
 * standard error of 1.25 spread/sqrt(n), and a limit is never nearer than 4 of them, nor than 3
 * times what the second highest median of its four parts is above it: a machine that others use
 * wanders. A few slow steps in hundreds move no median. When a run gets faster for good, that is
 * the new baseline.
 *
 * Steps with an evaluation, a checkpoint or a hiccup of the network take a few times as long in
 * every real run, and nobody wants to hear of them; 20 times as long is told.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "stat/series_rules.h"

#define WARM_UP 50
#define BASE_STEPS 200
#define RECENT 64
#define WIDE 256
#define WIDE_EVERY 64
#define RECENT_SHARE 0.08
#define WIDE_SHARE 0.04
#define ERRORS 5.0 /* spread / sqrt(n): 4 standard errors of a median */
#define BASE_PARTS 4
#define WANDERS 3.0 /* times what the parts of the baseline differ */
#define OUTLIER_TIMES 20.0

void m31ri_slow_init(m31ri_slow_rule *r)
{
    m31ri_window_init(&r->recent, RECENT);
    m31ri_history_init(&r->wide, BASE_STEPS);
    r->base = r->spread = r->wander = r->clear_below = 0;
    r->n = r->n_since = 0;
    r->is_open = r->is_outlier = false;
}

/* The second highest median of a part: one part alone may be what the rule is to find. */
static double high_part(const m31ri_slow_rule *r)
{
    double part[WIDE / BASE_PARTS];
    double highest = 0;
    double second = 0;
    uint32_t n = r->wide.n / BASE_PARTS;
    for (uint32_t i = 0; i < BASE_PARTS; i++) {
        memcpy(part, r->wide.values + (size_t)i * n, n * sizeof *part);
        double median = m31ri_median_of(part, n);
        second = median > highest ? highest : fmax(second, median);
        highest = fmax(highest, median);
    }
    return second;
}

static void set_base(m31ri_slow_rule *r)
{
    r->base = m31ri_history_median(&r->wide);
    bool is_known = r->base > 0;
    r->spread = is_known ? m31ri_history_sigma(&r->wide, r->base) / r->base : 0;
    r->wander = is_known ? fmax(0, high_part(r) / r->base - 1) : 0;
}

/* Opens when the median of the last `n` steps is past its limit. */
static bool opens(m31ri_slow_rule *r, double median, double share, int64_t n, m31ri_anomaly *out)
{
    double noise = fmax(ERRORS * r->spread / sqrt((double)n), WANDERS * r->wander);
    double limit = r->base * (1 + fmax(share, noise));
    if (median <= limit) {
        return false;
    }
    r->is_open = true;
    r->clear_below = r->base + (limit - r->base) / 2;
    *out = (m31ri_anomaly){.kind = M31RI_ANOMALY_SLOW,
                           .severity = M31RI_SEVERITY_WARNING,
                           .value = median,
                           .usual = r->base,
                           .limit = limit,
                           .n = n,
                           .rank = -1};
    return true;
}

/* The first steps: thrown away, then the baseline. */
static void begin(m31ri_slow_rule *r, double seconds)
{
    if (r->n > WARM_UP) {
        m31ri_history_add(&r->wide, seconds);
    }
    if (r->n == WARM_UP + BASE_STEPS) {
        set_base(r);
        m31ri_history_init(&r->wide, WIDE);
    }
}

static m31ri_anomaly_event end_if_over(m31ri_slow_rule *r)
{
    if (m31ri_window_median(&r->recent) > r->clear_below) {
        return M31RI_NOTHING;
    }
    r->is_open = false;
    r->n_since = 0;
    m31ri_history_init(&r->wide, WIDE); /* what was slow is told */
    return M31RI_CLEARED;
}

static m31ri_anomaly_event judge_wide(m31ri_slow_rule *r, m31ri_anomaly *out)
{
    if (!m31ri_history_is_full(&r->wide) || r->n_since % WIDE_EVERY != 0) {
        return M31RI_NOTHING;
    }
    double median = m31ri_history_median(&r->wide);
    if (opens(r, median, WIDE_SHARE, WIDE, out)) {
        return M31RI_OPENED;
    }
    if (median < r->base * (1 - WIDE_SHARE)) {
        set_base(r);
    }
    return M31RI_NOTHING;
}

m31ri_anomaly_event m31ri_slow_add(m31ri_slow_rule *r, double seconds, m31ri_anomaly *out)
{
    m31ri_window_add(&r->recent, seconds, NULL);
    if (r->n < WARM_UP + BASE_STEPS) {
        r->n++;
        begin(r, seconds);
        return M31RI_NOTHING;
    }
    m31ri_history_add(&r->wide, seconds);
    r->n_since++;
    if (r->is_open) {
        return end_if_over(r);
    }
    if (r->base <= 0) {
        return M31RI_NOTHING;
    }
    double median = m31ri_window_median(&r->recent);
    if (r->n_since >= RECENT && opens(r, median, RECENT_SHARE, RECENT, out)) {
        return M31RI_OPENED;
    }
    return judge_wide(r, out);
}

m31ri_anomaly_event m31ri_outlier_check(m31ri_slow_rule *r, double seconds, m31ri_anomaly *out)
{
    double median = m31ri_window_median(&r->recent);
    bool was_one = r->is_outlier;
    r->is_outlier =
        m31ri_window_is_full(&r->recent) && median > 0 && seconds > OUTLIER_TIMES * median;
    if (was_one || !r->is_outlier) {
        return was_one && !r->is_outlier ? M31RI_CLEARED : M31RI_NOTHING;
    }
    *out = (m31ri_anomaly){.kind = M31RI_ANOMALY_OUTLIER,
                           .severity = M31RI_SEVERITY_INFO,
                           .value = seconds,
                           .usual = median,
                           .limit = OUTLIER_TIMES * median,
                           .n = 1,
                           .rank = -1};
    return M31RI_OPENED;
}
