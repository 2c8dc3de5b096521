/* changes.c - from a series to its regimes: clip, cut (partition.h), drop what is too small, test.
 *
 * Clipping to a running median is what makes the squares of the search safe: a burst shorter than
 * half the window cannot move the median, and is pulled to within four deviations of it. A level
 * that stays moves the median and is left alone. What is reported of a change (levels, interval,
 * p value) does not decide whether there is one: the criterion of the partition does.
 */
#include "m31r/changes.h"

#include <math.h>
#include <string.h>

#include "trend/changes_int.h"
#include "base/alloc.h"

#define REACH 5            /* values to each side that the running median takes */
#define END_WINDOW 9       /* values that it has at least */
#define GENERIC_CLIP 6.0   /* deviations from it that a value may be away */
#define NINE_IN_TEN 1.645  /* deviations that nine in ten of a normal distribution are within */
#define GENERIC_CHANGES 15 /* at most */
#define GENERIC_FLOOR 0.15 /* of the series' deviation: finer fits are worth nothing */
#define LEAST_FLOOR 1e-6   /* keeps the criterion finite */
#define SHARED_VALUES 10.0 /* values that the noise of all regimes counts for in that of one */
#define SUSPECTS_LIMIT 4   /* newest values: one more and the search sees them as a m31ri_piece */
#define SUSPECT_SIGMAS 4.0
#define SUSPECT_SHARE 0.05 /* of the level: half the gate of a measurement */

/* Keeps the newest finite values and counts the others. */
static void gather(m31r_changes *c, const double *values, size_t n)
{
    size_t n_finite = 0;
    c->facts.n = n;
    for (size_t i = 0; i < n; i++) {
        c->facts.n_nan += isnan(values[i]) != 0;
        c->facts.n_infinite += isinf(values[i]) != 0;
        n_finite += isfinite(values[i]) != 0;
    }
    c->facts.n_older = n_finite > M31R_CHANGES_VALUES ? n_finite - M31R_CHANGES_VALUES : 0;
    size_t skip = c->facts.n_older;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            continue;
        }
        if (skip > 0) {
            skip--;
            continue;
        }
        c->values[c->n] = values[i];
        c->index[c->n++] = i;
    }
}

/* Divides by a power of two, which is exact, so that squares neither overflow nor vanish. */
static void scale(m31r_changes *c)
{
    double largest = 0;
    for (size_t i = 0; i < c->n; i++) {
        largest = fmax(largest, fabs(c->values[i]));
    }
    (void)frexp(largest, &c->exponent);
    for (size_t i = 0; i < c->n; i++) {
        c->values[i] = ldexp(c->values[i], -c->exponent);
    }
}

static double unscaled(const m31r_changes *c, double x)
{
    return ldexp(x, c->exponent);
}

/* What a value's distance from the running median is where nothing happens. Of measurements that
 * were rounded so far that most are equal, the median distance is 0: then nine in ten decide. */
static double usual_distance(m31r_changes *c)
{
    for (size_t i = 0; i < c->n; i++) {
        c->work[i] = c->clipped[i];
    }
    double sigma = M31RI_MAD_SIGMA * m31ri_median(c->work, c->n);
    return sigma > 0 ? sigma : m31ri_quantile(c->work, c->n, 0.9) / NINE_IN_TEN;
}

/* The middle values of the window around the i-th: one, or the two between which the median is. At
 * the ends of the series the window has END_WINDOW values, so that four of them are no majority. */
static void find_middle(m31r_changes *c, size_t i, double *out_low, double *out_high)
{
    size_t from = i < REACH ? 0 : i - REACH;
    size_t to = i + REACH + 1 < c->n ? i + REACH + 1 : c->n;
    to = to < END_WINDOW ? END_WINDOW : to;
    from = from > c->n - END_WINDOW ? c->n - END_WINDOW : from;
    memcpy(c->work, c->values + from, (to - from) * sizeof *c->work);
    *out_low = m31ri_quantile(c->work, to - from, 0.5);
    double high = m31ri_median(c->work, to - from);
    *out_high = high + (high - *out_low);
}

static void clip(m31r_changes *c, double sigmas)
{
    double low, high;
    for (size_t i = 0; i < c->n; i++) {
        find_middle(c, i, &low, &high);
        c->clipped[i] = fmax(fmax(low - c->values[i], c->values[i] - high), 0);
    }
    double reach = sigmas * usual_distance(c);
    for (size_t i = 0; i < c->n; i++) {
        find_middle(c, i, &low, &high);
        c->clipped[i] = fmin(fmax(c->values[i], low - reach), high + reach);
    }
}

/* Variance of a piece's mean. The noise of a regime of few values is known badly: that of all
 * regimes counts for SHARED_VALUES more. Of n values, n (1 - r) / (1 + r) count when they are
 * correlated. */
static double mean_variance(const m31r_changes *c, const m31ri_piece *p, double *out_freedom)
{
    double n = (double)(p->to - p->from), counts = (1 - c->correlation) / (1 + c->correlation);
    double variance = (SHARED_VALUES * c->shared + p->spread_of_fit) / (SHARED_VALUES + n - 1);
    *out_freedom = fmax((SHARED_VALUES + n - 1) * counts, 1);
    return variance / fmax(n * counts, 1);
}

/* Welch's test, and the interval of the ratio by the delta method on its logarithm. */
static void test_change(const m31r_changes *c, const m31ri_piece *a, const m31ri_piece *b,
                        m31r_change *out)
{
    double free_a, free_b;
    double var_a = mean_variance(c, a, &free_a), var_b = mean_variance(c, b, &free_b);
    double var = var_a + var_b, step = b->mean - a->mean;
    *out = (m31r_change){.at = c->index[b->from],
                         .n_before = a->to - a->from,
                         .n_after = b->to - b->from,
                         .before = unscaled(c, a->level),
                         .after = unscaled(c, b->level),
                         .ratio = a->mean != 0 ? b->mean / a->mean : NAN};
    double freedom = var > 0 ? var * var / (var_a * var_a / free_a + var_b * var_b / free_b) : 1;
    out->p = var > 0 ? m31ri_student_p(step / sqrt(var), freedom) : 0;
    double share = var_a / (a->mean * a->mean) + var_b / (b->mean * b->mean);
    double width = share > 0 ? m31ri_student_95(freedom) * sqrt(share) : 0;
    bool has_ratio = isfinite(out->ratio) && out->ratio > 0;
    out->ratio = has_ratio ? out->ratio : NAN;
    out->ratio_low = has_ratio ? out->ratio * exp(-width) : NAN;
    out->ratio_high = has_ratio ? out->ratio * exp(width) : NAN;
}

/* Student's test of the slope of a line, with as many values as their correlation leaves. */
static double slope_p(const m31r_changes *c, const m31ri_piece *p)
{
    double n = (double)(p->to - p->from), counts = (1 - c->correlation) / (1 + c->correlation);
    double t_square = (n * n * n - n) / 12 * counts;
    if (p->spread <= 0) {
        return p->slope == 0 ? 1 : 0;
    }
    double variance = p->spread / (n - 2);
    return m31ri_student_p(p->slope * sqrt(t_square / variance), fmax(n * counts - 2, 1));
}

/* The newest values that are all beyond the reach of the regime before them, on one side. Of a
 * trend it is what its line leaves that is looked at. */
static void find_suspects(m31r_changes *c, const m31ri_piece *regime)
{
    double *rest = c->clipped; /* of no further use */
    double slope = c->facts.is_trend ? regime->slope : 0;
    for (size_t i = regime->from; i < c->n; i++) {
        rest[i] = c->values[i] - slope * (double)(i - regime->from);
    }
    for (size_t m = SUSPECTS_LIMIT; m > 0; m--) {
        size_t to = c->n - m, n_above = 0, n_below = 0;
        if (to < regime->from + M31RI_PIECE_LEAST) {
            continue;
        }
        double level = m31ri_changes_median(c, rest, regime->from, to);
        double reach = fmax(SUSPECT_SIGMAS * m31ri_changes_noise(c, rest, regime->from, to, level),
                            SUSPECT_SHARE * fabs(level));
        for (size_t i = to; i < c->n; i++) {
            n_above += rest[i] > level + reach;
            n_below += rest[i] < level - reach;
        }
        if (n_above == m || n_below == m) {
            c->facts.n_suspects = m;
            c->facts.suspect_level = unscaled(c, m31ri_changes_median(c, c->values, to, c->n));
            return;
        }
    }
}

static void report(m31r_changes *c)
{
    m31r_changes_facts *facts = &c->facts;
    const m31ri_piece *newest = &c->pieces[c->n_pieces - 1];
    c->correlation = m31ri_changes_correlation(c);
    c->shared = m31ri_changes_squares(c) / (double)(c->n - c->n_pieces);
    facts->n_changes = c->n_pieces - 1;
    for (size_t i = 0; i < facts->n_changes; i++) {
        test_change(c, &c->pieces[i], &c->pieces[i + 1], &c->changes[i]);
    }
    facts->has_verdict = true;
    facts->regime_at = c->index[newest->from];
    facts->n_regime = newest->to - newest->from;
    facts->level = unscaled(c, newest->level);
    facts->noise =
        unscaled(c, m31ri_changes_noise(c, c->values, newest->from, newest->to, newest->level));
    if (facts->is_trend) {
        facts->slope = unscaled(c, newest->slope);
        facts->line_first = unscaled(c, newest->at_from);
        facts->line_last = unscaled(c, newest->at_to);
        facts->p_slope = slope_p(c, newest);
    }
    if (facts->n_regime >= 2 * M31R_CHANGES_RECENT) {
        c->recent[0] = (m31ri_piece){.from = newest->from, .to = c->n - M31R_CHANGES_RECENT};
        c->recent[1] = (m31ri_piece){.from = c->recent[0].to, .to = c->n};
        m31ri_piece_measure(c, &c->recent[0]);
        m31ri_piece_measure(c, &c->recent[1]);
    }
    find_suspects(c, newest);
}

/* Mean 0, deviation 1 into `work`. False: all values are one. */
static bool standardise(m31r_changes *c, double *out_sd)
{
    m31ri_piece all = {.from = 0, .to = c->n};
    double largest = 0;
    m31ri_piece_measure(c, &all);
    for (size_t i = 0; i < c->n; i++) {
        largest = fmax(largest, fabs(c->clipped[i]));
    }
    double sd = sqrt(all.spread_of_fit / (double)c->n);
    if (!(sd > 1e-14 * largest)) {
        return false;
    }
    for (size_t i = 0; i < c->n; i++) {
        c->work[i] = (c->clipped[i] - all.mean) / sd;
    }
    *out_sd = sd;
    return true;
}

static m31r_err cut(m31r_changes *c, m31r_preset preset)
{
    m31ri_partition best = {0};
    double sd, level = m31ri_changes_median(c, c->values, 0, c->n), floor = GENERIC_FLOOR;
    if (standardise(c, &sd)) {
        bool is_perf = preset == M31R_PRESET_PERF;
        floor = is_perf ? fmin(floor, M31RI_PERF_FLOOR * fabs(level) / sd) : floor;
        floor = fmax(floor, LEAST_FLOOR);
        m31r_err err = m31ri_partition_find(
            c->work, c->n, is_perf ? M31RI_CHANGES_LIMIT : GENERIC_CHANGES, floor, &best);
        if (err != M31R_OK) {
            return err;
        }
    }
    c->facts.is_trend = best.is_line;
    c->n_pieces = best.n_cuts + 1;
    for (size_t i = 0; i < c->n_pieces; i++) {
        c->pieces[i].from = i == 0 ? 0 : best.cuts[i - 1];
        c->pieces[i].to = i == best.n_cuts ? c->n : best.cuts[i];
        m31ri_piece_measure(c, &c->pieces[i]);
    }
    return M31R_OK;
}

m31r_err m31r_changes_find(m31r_changes **out, const double *values, size_t n, m31r_preset preset,
                           m31r_error *e)
{
    m31r_changes *c = m31ri_calloc(1, sizeof *c);
    m31r_err err = c == NULL ? M31R_E_NOMEM : M31R_OK;
    if (err == M31R_OK) {
        c->facts.level = c->facts.noise = c->facts.suspect_level = NAN;
        c->facts.slope = c->facts.line_first = c->facts.line_last = c->facts.p_slope = NAN;
        gather(c, values, n);
        scale(c);
        if (c->n >= M31R_CHANGES_LEAST) {
            clip(c, preset == M31R_PRESET_PERF ? M31RI_PERF_CLIP : GENERIC_CLIP);
            err = cut(c, preset);
        }
    }
    if (err != M31R_OK) {
        m31ri_free(c);
        if (e != NULL) {
            *e = (m31r_error){.code = err, .message = "out of memory for a series"};
        }
        return err;
    }
    if (c->n >= M31R_CHANGES_LEAST) {
        if (preset == M31R_PRESET_PERF) {
            m31ri_changes_refine(c);
        }
        report(c);
    }
    *out = c;
    return M31R_OK;
}

const m31r_changes_facts *m31r_changes_summary(const m31r_changes *c)
{
    return &c->facts;
}

m31r_err m31r_changes_get(const m31r_changes *c, size_t i, m31r_change *out)
{
    if (i >= c->facts.n_changes) {
        return M31R_E_NOTFOUND;
    }
    *out = c->changes[i];
    return M31R_OK;
}

/* A trend from the start of line `a` to the end of the newest: its squares are those of its slope.
 */
static void compare_lines(const m31r_changes *c, const m31ri_piece *a, m31r_change *out)
{
    const m31ri_piece *newest = &c->pieces[c->n_pieces - 1];
    double p = slope_p(c, newest), width = 0;
    test_change(c, a, newest, out);
    out->p = a == newest ? p : fmin(p, out->p);
    out->before = unscaled(c, a->at_from);
    out->after = unscaled(c, newest->at_to);
    if (a->at_from * newest->at_to > 0) {
        double n = (double)(newest->to - newest->from);
        double counts = n * (1 - c->correlation) / (1 + c->correlation);
        width = 4 * sqrt(c->shared / fmax(counts, 1)) / fabs(newest->at_to); /* 2 sd at an end */
        out->ratio = newest->at_to / a->at_from;
        out->ratio_low = out->ratio * exp(-width);
        out->ratio_high = out->ratio * exp(width);
    } else {
        out->ratio = out->ratio_low = out->ratio_high = NAN;
    }
}

m31r_err m31r_changes_compare(const m31r_changes *c, size_t before, m31r_change *out)
{
    if (!c->facts.has_verdict || before >= c->n_pieces) {
        return M31R_E_NOTFOUND;
    }
    const m31ri_piece *a = &c->pieces[before], *newest = &c->pieces[c->n_pieces - 1];
    if (c->facts.is_trend) {
        compare_lines(c, a, out);
        return M31R_OK;
    }
    if (a != newest) {
        test_change(c, a, newest, out);
        return M31R_OK;
    }
    if (newest->to - newest->from < 2 * M31R_CHANGES_RECENT) {
        return M31R_E_NOTFOUND;
    }
    test_change(c, &c->recent[0], &c->recent[1], out);
    return M31R_OK;
}

void m31r_changes_free(m31r_changes *c)
{
    m31ri_free(c);
}
