/* rule_diverge.c - the median of 32 values stands above the lowest such median of the last 512 by
 * 8 % and by 2.5 robust sigmas of the 128 values before.
 *
 * Medians are deaf to spikes, whatever their height; 2.5 sigmas of single values are some ten of a
 * median of 32. The lowest medians are kept by parts of 64 values, so that 512 need 8 numbers.
 *
 * While a series has not 160 values yet there is no such past; then the median of 8 values at twice
 * the lowest one, or at four times the very first value, says that training never began to work. In
 * a noisy series a ratio means little: it counts from 5 or 7 sigmas of one value on, as logarithms.
 */
#include <math.h>
#include <stddef.h>

#include "stat/series_rules.h"

#define RECENT 32
#define BEFORE 128
#define NEWEST 8
#define FEWEST 16
#define PART 64
#define SHARE 0.08
#define SIGMAS 2.5
#define LOW_TIMES 2.0
#define LOW_SIGMAS 5.0
#define FIRST_TIMES 4.0
#define FIRST_SIGMAS 7.0

void m31ri_diverge_init(m31ri_diverge_rule *r)
{
    m31ri_window_init(&r->recent, RECENT);
    m31ri_history_init(&r->before, BEFORE);
    m31ri_window_init(&r->newest, NEWEST);
    r->part_low = r->first_low = INFINITY;
    r->n = r->sigma_until = r->opened_at = 0;
    r->sigma = r->first = 0;
    r->n_lows = r->part_n = 0;
    r->clear_below = 0;
    r->is_open = false;
}

static double lowest(const m31ri_diverge_rule *r)
{
    double low = r->part_low;
    for (uint32_t i = 0; i < r->n_lows; i++) {
        low = r->lows[i] < low ? r->lows[i] : low;
    }
    return low;
}

static void keep_median(m31ri_diverge_rule *r, double median)
{
    r->part_low = median < r->part_low ? median : r->part_low;
    if (++r->part_n < PART) {
        return;
    }
    if (r->n_lows == M31RI_DIVERGE_PARTS) {
        for (uint32_t i = 1; i < M31RI_DIVERGE_PARTS; i++) {
            r->lows[i - 1] = r->lows[i];
        }
        r->n_lows--;
    }
    r->lows[r->n_lows++] = r->part_low;
    r->part_low = INFINITY;
    r->part_n = 0;
}

static m31ri_anomaly_event open_above(m31ri_diverge_rule *r, m31ri_anomaly found,
                                      m31ri_anomaly *out)
{
    found.kind = M31RI_ANOMALY_DIVERGE;
    found.severity = M31RI_SEVERITY_ERROR;
    found.rank = -1;
    *out = found;
    r->clear_below = found.usual + (found.limit - found.usual) / 2;
    r->opened_at = r->n;
    r->is_open = true;
    return M31RI_OPENED;
}

/* How much a value differs from the one before, of the last 32, as logarithms: the noise of one
 * value, whatever the trend. All are above 0. */
static double log_sigma(const m31ri_diverge_rule *r)
{
    double steps[RECENT];
    uint32_t n = 0;
    for (uint32_t i = 1; i < r->recent.n; i++) {
        if (r->recent.n < RECENT || i != r->recent.at) { /* there the ring begins */
            steps[n++] = fabs(log(r->recent.arrived[i] / r->recent.arrived[i - 1]));
        }
    }
    return M31RI_SIGMAS_OF_MAD / sqrt(2) * m31ri_median_of(steps, n);
}

/* Before there is a past of 160 values. Of losses above 0 only: others have no ratios. */
static m31ri_anomaly_event judge_early(m31ri_diverge_rule *r, m31ri_anomaly *out)
{
    if (r->n < FEWEST || r->recent.sorted[0] <= 0 || r->first <= 0) {
        return M31RI_NOTHING;
    }
    double median = m31ri_window_median(&r->newest);
    double usual = 0;
    double limit = INFINITY;
    if (median > LOW_TIMES * r->first_low || median > FIRST_TIMES * r->first) {
        double sigma = log_sigma(r);
        double by_low = r->first_low * fmax(LOW_TIMES, exp(LOW_SIGMAS * sigma));
        double by_first = r->first * fmax(FIRST_TIMES, exp(FIRST_SIGMAS * sigma));
        usual = by_first < by_low ? r->first : r->first_low;
        limit = fmin(by_first, by_low);
    }
    if (median > limit) {
        return open_above(
            r, (m31ri_anomaly){.value = median, .usual = usual, .limit = limit, .n = NEWEST}, out);
    }
    r->first_low = median < r->first_low ? median : r->first_low;
    return M31RI_NOTHING;
}

/* Of single values before the last 32. It changes slowly: made anew after 32 values at the
 * earliest, so that a noisy series does not cost more than others. */
static double sigma_before(m31ri_diverge_rule *r)
{
    if (r->n >= r->sigma_until) {
        r->sigma = m31ri_history_sigma(&r->before, m31ri_history_median(&r->before));
        r->sigma_until = r->n + RECENT;
    }
    return r->sigma;
}

static m31ri_anomaly_event judge(m31ri_diverge_rule *r, double median, m31ri_anomaly *out)
{
    double low = lowest(r);
    double limit = low + SHARE * fabs(low);
    if (median > limit) {
        limit = fmax(limit, low + SIGMAS * sigma_before(r));
    }
    if (median > limit) {
        return open_above(
            r, (m31ri_anomaly){.value = median, .usual = low, .limit = limit, .n = RECENT}, out);
    }
    return M31RI_NOTHING;
}

m31ri_anomaly_event m31ri_diverge_add(m31ri_diverge_rule *r, double x, m31ri_anomaly *out)
{
    double oldest = 0;
    bool has_oldest = m31ri_window_add(&r->recent, x, &oldest);
    r->n++;
    r->first = r->n == 1 ? x : r->first;
    if (r->n <= RECENT + BEFORE) {
        m31ri_window_add(&r->newest, x, NULL);
    }
    double median = m31ri_window_median(&r->recent);
    if (r->is_open) {
        bool is_over = r->n - r->opened_at >= RECENT && median <= r->clear_below;
        r->is_open = !is_over;
        return is_over ? M31RI_CLEARED : M31RI_NOTHING;
    }
    if (has_oldest) {
        m31ri_history_add(&r->before, oldest);
    }
    if (!m31ri_window_is_full(&r->recent)) {
        return judge_early(r, out);
    }
    m31ri_anomaly_event verdict = m31ri_history_is_full(&r->before) ? judge(r, median, out)
                                  : r->n <= RECENT + BEFORE         ? judge_early(r, out)
                                                                    : M31RI_NOTHING;
    if (verdict == M31RI_NOTHING) {
        keep_median(r, median);
    }
    return verdict;
}
