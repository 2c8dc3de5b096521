/* rule_leak.c - the least that is used in a while grows from while to while.
 *
 * Memory goes up and down with batches, caches and collectors; a leak shows in the lows. The run so
 * far is cut into 16 to 32 parts of equal size, of which only the lows are kept; 8 neighbouring
 * ones (each of 2, 3 or 4 parts) that span half of the run or more are a leak when
 *   - nearly all pairs rise (Kendall's tau 0.85: 35 of 40,320 random orders do),
 *   - the line through them rises by 1.5 % of the level, and by ten times what its slope may be
 * out,
 *   - no single step makes half of it (an evaluation that allocates once, is no leak),
 *   - it does not fade: the later half has two fifths of it (a cache that fills, does),
 *   - and the memory was never used before and given back.
 */
#include "stat/series_rules.h"

#include <math.h>

#define FIRST_PART 8
#define FEWEST_VALUES 200
#define POINTS 8
#define FEWEST_RISING 26 /* of 28 pairs: tau 0.857 */
#define SHARE 0.015
#define SLOPE_ERRORS 10.0
#define BIGGEST_STEP 0.5
#define LATER_HALF 0.4

void m31ri_leak_init(m31ri_leak_rule *r)
{
    *r = (m31ri_leak_rule){.part_size = FIRST_PART, .part_low = INFINITY};
}

static void join_neighbours(m31ri_leak_rule *r)
{
    for (uint32_t i = 0; i < M31RI_LEAK_PARTS / 2; i++) {
        r->lows[i] = fmin(r->lows[2 * i], r->lows[2 * i + 1]);
    }
    r->n_lows = M31RI_LEAK_PARTS / 2;
    r->part_size *= 2;
}

/* The lows of the last `parts` * POINTS parts; `out_before`: the highest of those before. */
static void gather(const m31ri_leak_rule *r, uint32_t parts, double y[POINTS], double *out_before)
{
    uint32_t first = r->n_lows - parts * POINTS;
    *out_before = -INFINITY;
    for (uint32_t i = 0; i < first; i++) {
        *out_before = fmax(*out_before, r->lows[i]);
    }
    for (uint32_t i = 0; i < POINTS; i++) {
        y[i] = INFINITY;
        for (uint32_t k = 0; k < parts; k++) {
            y[i] = fmin(y[i], r->lows[first + i * parts + k]);
        }
    }
}

static bool rises(const double y[POINTS])
{
    uint32_t n_rising = 0;
    for (uint32_t i = 0; i < POINTS; i++) {
        for (uint32_t k = i + 1; k < POINTS; k++) {
            n_rising += y[k] > y[i];
        }
    }
    return n_rising >= FEWEST_RISING;
}

/* Least squares: what the line rises from the first to the last, and the error of that. */
static double rise_of(const double y[POINTS], double *out_error)
{
    const double middle = (POINTS - 1) / 2.0;
    double mean = 0;
    double products = 0;
    double squares = 0;
    double rest = 0;
    for (int i = 0; i < POINTS; i++) {
        mean += y[i] / POINTS;
    }
    for (int i = 0; i < POINTS; i++) {
        products += (i - middle) * (y[i] - mean);
        squares += (i - middle) * (i - middle);
    }
    double slope = products / squares;
    for (int i = 0; i < POINTS; i++) {
        double off = y[i] - mean - slope * (i - middle);
        rest += off * off;
    }
    *out_error = (POINTS - 1) * sqrt(rest / (POINTS - 2) / squares);
    return (POINTS - 1) * slope;
}

static bool is_steady(const double y[POINTS])
{
    double all = y[POINTS - 1] - y[0];
    double biggest = 0;
    for (int i = 1; i < POINTS; i++) {
        biggest = fmax(biggest, y[i] - y[i - 1]);
    }
    double later = y[POINTS - 1] + y[POINTS - 2] - y[POINTS / 2] - y[POINTS / 2 - 1];
    double earlier = y[POINTS / 2] + y[POINTS / 2 - 1] - y[0] - y[1];
    return biggest <= BIGGEST_STEP * all && later >= LATER_HALF * (later + earlier);
}

static bool is_leak(const m31ri_leak_rule *r, uint32_t parts, m31ri_anomaly *out)
{
    double y[POINTS];
    double before = 0;
    double error = 0;
    gather(r, parts, y, &before);
    double rise = rise_of(y, &error);
    if (y[0] <= 0 || y[POINTS - 1] <= before || !rises(y) || rise <= SHARE * y[0] ||
        rise <= SLOPE_ERRORS * error || !is_steady(y)) {
        return false;
    }
    *out = (m31ri_anomaly){.kind = M31RI_ANOMALY_LEAK,
                           .severity = M31RI_SEVERITY_WARNING,
                           .value = y[POINTS - 1],
                           .usual = y[0],
                           .limit = y[0] * (1 + SHARE),
                           .n = parts * POINTS * r->part_size,
                           .rank = -1};
    return true;
}

static m31ri_anomaly_event judge(m31ri_leak_rule *r, m31ri_anomaly *out)
{
    if (r->is_open) {
        r->is_open = r->lows[r->n_lows - 1] > r->clear_below;
        return r->is_open ? M31RI_NOTHING : M31RI_CLEARED;
    }
    if (r->n_lows * r->part_size < FEWEST_VALUES) {
        return M31RI_NOTHING;
    }
    for (uint32_t parts = 2; parts * POINTS <= r->n_lows; parts++) {
        if (is_leak(r, parts, out)) {
            r->is_open = true;
            r->clear_below = out->usual + (out->value - out->usual) / 2;
            return M31RI_OPENED;
        }
    }
    return M31RI_NOTHING;
}

m31ri_anomaly_event m31ri_leak_add(m31ri_leak_rule *r, double used, m31ri_anomaly *out)
{
    r->part_low = fmin(r->part_low, used);
    if (++r->part_n < r->part_size) {
        return M31RI_NOTHING;
    }
    if (r->n_lows == M31RI_LEAK_PARTS) {
        join_neighbours(r);
        /* The part just filled is half of one of the new size. */
        return M31RI_NOTHING;
    }
    r->lows[r->n_lows++] = r->part_low;
    r->part_low = INFINITY;
    r->part_n = 0;
    return judge(r, out);
}
