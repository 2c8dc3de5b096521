/* pair.c - points of two runs by metric, and the intervals of their ratios (resample.h). */
#include "m31r/pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/measured.h"
#include "trend/resample.h"
#include "trend/robust.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "m31r/series.h"

#define METRICS_LIMIT 256

/* The finite points of a metric in one run: the newest at most 2 x M31R_PAIR_POINTS. */
typedef struct column {
    double *points;
    size_t n, capacity;
    uint64_t n_finite, n_nonfinite;
} column;

typedef struct metric {
    char *name;
    column columns[2];
    m31r_pair_metric out;
} metric;

struct m31r_pair {
    metric metrics[METRICS_LIMIT];
    size_t n;
};

static m31r_err no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the points of two runs");
}

static bool add_point(column *c, double value)
{
    if (!isfinite(value)) {
        c->n_nonfinite++;
        return true;
    }
    if (c->n == 2 * M31R_PAIR_POINTS) { /* the older half goes */
        memmove(c->points, c->points + M31R_PAIR_POINTS, M31R_PAIR_POINTS * sizeof *c->points);
        c->n = M31R_PAIR_POINTS;
    }
    if (c->n == c->capacity) {
        size_t capacity = c->capacity == 0 ? 256 : c->capacity * 2;
        double *points = m31ri_realloc(c->points, capacity * sizeof *points);
        if (points == NULL) {
            return false;
        }
        c->points = points;
        c->capacity = capacity;
    }
    c->points[c->n++] = value;
    c->n_finite++;
    return true;
}

/* Names of what both runs measured. */
static m31r_err choose(m31r_pair *p, const m31r_reader *a, const m31r_reader *b, m31r_error *e)
{
    m31r_series *first = NULL, *second = NULL;
    m31r_metric_facts m, other;
    m31r_err err = m31r_series_open(&first, a, e);
    if (err == M31R_OK) {
        err = m31r_series_open(&second, b, e);
    }
    for (size_t i = 0;
         err == M31R_OK && p->n < METRICS_LIMIT && m31r_series_get(first, i, &m) == M31R_OK; i++) {
        if (m31ri_is_measured(m.name, strlen(m.name)) &&
            m31r_series_find(second, m.name, &other) == M31R_OK) {
            metric *x = &p->metrics[p->n];
            x->name = m31ri_strdup(m.name);
            x->out.better = m.better;
            p->n += x->name != NULL;
            err = x->name != NULL ? err : no_memory(e);
        }
    }
    m31r_series_close(first);
    m31r_series_close(second);
    return err;
}

static m31r_err read_points(m31r_pair *p, const m31r_reader *run, size_t side, m31r_error *e)
{
    m31r_points *points = NULL;
    m31r_point_view v;
    size_t last = 0; /* points of one name come in rows */
    m31r_err err = m31r_points_open(&points, run, e);
    while (err == M31R_OK && (err = m31r_points_next(points, &v, e)) == M31R_OK) {
        for (size_t k = 0; k < p->n; k++) {
            metric *x = &p->metrics[(last + k) % p->n];
            if (strlen(x->name) == v.name_length && memcmp(x->name, v.name, v.name_length) == 0) {
                err = add_point(&x->columns[side], v.value) ? M31R_OK : no_memory(e);
                last = (last + k + 1) % p->n;
                break;
            }
        }
    }
    m31r_points_close(points);
    return err == M31R_EOF ? M31R_OK : err;
}

/* Cuts the warm-up off a column and describes what is left, which starts at `*out`. */
static void describe(column *c, m31r_pair_side *side, double *work, const double **out)
{
    size_t n = c->n < M31R_PAIR_POINTS ? c->n : M31R_PAIR_POINTS;
    const double *points = c->points + (c->n - n);
    side->n_older = (size_t)(c->n_finite - n);
    side->n_nonfinite = (size_t)c->n_nonfinite;
    side->n_warm_up = side->n_older == 0 ? m31ri_warm_up(points, n, work) : 0;
    side->n = n - side->n_warm_up;
    *out = points + side->n_warm_up;
    side->median = side->p99 = NAN;
    if (side->n < M31R_PAIR_LEAST) {
        return;
    }
    side->block = m31ri_block_length(*out, side->n, work);
    memcpy(work, *out, side->n * sizeof *work);
    side->median = m31ri_median(work, side->n);
    side->p99 = side->n < M31R_PAIR_P99_LEAST ? NAN : m31ri_quantile(work, side->n, 0.99);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The ratio with the interval of its resamples: `a` is overwritten. */
static m31r_pair_ratio ratio_of(double first, double second, double a[M31RI_RESAMPLES],
                                const double b[M31RI_RESAMPLES])
{
    m31r_pair_ratio r = {NAN, NAN, NAN};
    if (!(first > 0) || !(second > 0)) {
        return r;
    }
    for (size_t i = 0; i < M31RI_RESAMPLES; i++) {
        if (!(a[i] > 0)) {
            return r;
        }
        a[i] = b[i] / a[i];
    }
    qsort(a, M31RI_RESAMPLES, sizeof *a, by_value);
    r.ratio = second / first;
    r.low = fmin(a[(M31RI_RESAMPLES + 1) / 40 - 1], r.ratio);
    r.high = fmax(a[M31RI_RESAMPLES - (M31RI_RESAMPLES + 1) / 40], r.ratio);
    return r;
}

/* Failed when none of the resampled ratios, which are in order, is within the gate: p < 0.001. */
static m31r_gate_verdict judge(m31r_better better, const m31r_pair_ratio *r, double gate,
                               const double ratios[M31RI_RESAMPLES])
{
    if (better == M31R_BETTER_UNKNOWN || isnan(r->ratio)) {
        return M31R_GATE_NONE;
    }
    bool is_lower = better == M31R_BETTER_LOWER;
    double least = is_lower ? ratios[0] - 1 : 1 - ratios[M31RI_RESAMPLES - 1];
    double most = is_lower ? r->high - 1 : 1 - r->low;
    return least > gate ? M31R_GATE_FAILED : most < gate ? M31R_GATE_PASSED : M31R_GATE_UNDECIDED;
}

/* Resamples both sides; `work` has room for a side, `samples` for four rows of resamples. */
static void compare(metric *x, double gate, double *work, double (*samples)[M31RI_RESAMPLES])
{
    const double *a, *b;
    m31r_pair_metric *out = &x->out;
    out->name = x->name;
    describe(&x->columns[0], &out->a, work, &a);
    describe(&x->columns[1], &out->b, work, &b);
    out->median = out->p99 = (m31r_pair_ratio){NAN, NAN, NAN};
    if (isnan(out->a.median) || isnan(out->b.median)) {
        return;
    }
    m31ri_resample(a, out->a.n, out->a.block, 1, work, samples[0], samples[1]);
    m31ri_resample(b, out->b.n, out->b.block, 2, work, samples[2], samples[3]);
    out->median = ratio_of(out->a.median, out->b.median, samples[0], samples[2]);
    out->p99 = ratio_of(out->a.p99, out->b.p99, samples[1], samples[3]);
    m31r_gate_verdict of_median = judge(out->better, &out->median, gate, samples[0]);
    m31r_gate_verdict of_p99 = judge(out->better, &out->p99, gate, samples[1]);
    out->verdict = of_median > of_p99 ? of_median : of_p99;
}

static m31r_err compare_all(m31r_pair *p, double gate, m31r_error *e)
{
    double *work = m31ri_calloc(M31R_PAIR_POINTS, sizeof *work);
    double(*samples)[M31RI_RESAMPLES] = m31ri_calloc(4, sizeof *samples);
    m31r_err err = work == NULL || samples == NULL ? no_memory(e) : M31R_OK;
    for (size_t i = 0; err == M31R_OK && i < p->n; i++) {
        compare(&p->metrics[i], gate, work, samples);
    }
    m31ri_free(work);
    m31ri_free(samples);
    return err;
}

m31r_err m31r_pair_open(m31r_pair **out, const m31r_reader *a, const m31r_reader *b, double gate,
                        m31r_error *e)
{
    m31r_pair *p = m31ri_calloc(1, sizeof *p);
    m31r_err err = p == NULL ? no_memory(e) : choose(p, a, b, e);
    if (err == M31R_OK) {
        err = read_points(p, a, 0, e);
    }
    if (err == M31R_OK) {
        err = read_points(p, b, 1, e);
    }
    if (err == M31R_OK) {
        err = compare_all(p, gate, e);
    }
    if (err != M31R_OK) {
        m31r_pair_close(p);
        return err;
    }
    *out = p;
    return M31R_OK;
}

m31r_err m31r_pair_at(const m31r_pair *p, size_t i, m31r_pair_metric *out)
{
    if (i >= p->n) {
        return M31R_E_NOTFOUND;
    }
    *out = p->metrics[i].out;
    return M31R_OK;
}

void m31r_pair_close(m31r_pair *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < p->n; i++) {
        m31ri_free(p->metrics[i].name);
        m31ri_free(p->metrics[i].columns[0].points);
        m31ri_free(p->metrics[i].columns[1].points);
    }
    m31ri_free(p);
}
