/* refine.c - which changes of a partition hold for measurements, and the pieces they are between.
 *
 * The criterion of the partition takes values for independent and any step for one that matters.
 * What it does not know is said here: bursts, correlated noise, steps too small to care about, and
 * the newest four values. Nothing here is tried over and over: each rule looks once, the weakest
 * change first.
 */
#include <math.h>
#include <string.h>

#include "trend/changes_int.h"

#define PERF_LEAST 0.005 /* changes of a smaller part of the level are dropped */
#define CORRELATION_MOST 0.95
#define CORRELATION_SURE 3.0 /* standard errors above none */
#define WANDER_SIGMAS 1.5    /* deviations of one value */
#define END_VALUES 4         /* a level at the end of a series has at least */

double m31ri_changes_median(m31r_changes *c, const double *values, size_t from, size_t to)
{
    memcpy(c->work, values + from, (to - from) * sizeof *values);
    return m31ri_median(c->work, to - from);
}

double m31ri_changes_noise(m31r_changes *c, const double *values, size_t from, size_t to,
                           double level)
{
    for (size_t i = from; i < to; i++) {
        c->work[i - from] = fabs(values[i] - level);
    }
    return M31RI_MAD_SIGMA * m31ri_median(c->work, to - from);
}

void m31ri_piece_measure(m31r_changes *c, m31ri_piece *p)
{
    double n = (double)(p->to - p->from), sum = 0, square = 0, tilt = 0, t_square = 0;
    double t_mean = (n - 1) / 2;
    p->level = m31ri_changes_median(c, c->values, p->from, p->to);
    for (size_t i = p->from; i < p->to; i++) {
        sum += c->clipped[i];
    }
    p->mean = sum / n;
    for (size_t i = p->from; i < p->to; i++) {
        double t = (double)(i - p->from) - t_mean, y = c->clipped[i] - p->mean;
        square += y * y;
        tilt += t * y;
        t_square += t * t;
    }
    p->slope = tilt / t_square;
    p->spread = fmax(square - tilt * p->slope, 0);
    p->spread_of_fit = c->facts.is_trend ? p->spread : square;
    p->at_from = p->mean - p->slope * t_mean;
    p->at_to = p->mean + p->slope * t_mean;
}

static double change_share(const m31ri_piece *before, const m31ri_piece *after)
{
    double step = fabs(after->level - before->level);
    return step == 0 ? 0 : step / fabs(before->level);
}

/* Makes one of the i-th piece and the next. */
static void join(m31r_changes *c, size_t i)
{
    m31ri_piece *p = &c->pieces[i];
    p->to = p[1].to;
    memmove(p + 1, p + 2, (c->n_pieces - i - 2) * sizeof *p);
    c->n_pieces--;
    m31ri_piece_measure(c, p);
}

/* Joins the two pieces whose levels differ least, until all differ by PERF_LEAST of the level. */
static void drop_small(m31r_changes *c)
{
    while (c->n_pieces > 1) {
        size_t weakest = 0;
        for (size_t i = 1; i + 1 < c->n_pieces; i++) {
            if (change_share(&c->pieces[i], &c->pieces[i + 1]) <
                change_share(&c->pieces[weakest], &c->pieces[weakest + 1])) {
                weakest = i;
            }
        }
        if (change_share(&c->pieces[weakest], &c->pieces[weakest + 1]) >= PERF_LEAST) {
            return;
        }
        join(c, weakest);
    }
}

static bool is_nearer(double x, const m31ri_piece *to, const m31ri_piece *than)
{
    return fabs(x - to->level) < fabs(x - than->level);
}

/* A burst of four and one value beside it are no level: takes out pieces of the least length whose
 * first or last value lies nearer to the level it touches. */
static void drop_bursts(m31r_changes *c)
{
    for (size_t i = 0; i < c->n_pieces && c->n_pieces > 1;) {
        const m31ri_piece *p = &c->pieces[i];
        bool is_least = p->to - p->from == M31RI_PIECE_LEAST;
        if (is_least && i > 0 && is_nearer(c->values[p->from], p - 1, p)) {
            join(c, --i);
        } else if (is_least && i + 1 < c->n_pieces && is_nearer(c->values[p->to - 1], p + 1, p)) {
            join(c, i);
        } else {
            i++;
        }
    }
}

static double fit_at(const m31r_changes *c, const m31ri_piece *p, size_t i)
{
    return c->facts.is_trend ? p->at_from + p->slope * (double)(i - p->from) : p->mean;
}

double m31ri_changes_correlation(const m31r_changes *c)
{
    double products = 0, squares = 0;
    for (size_t j = 0; j < c->n_pieces; j++) {
        const m31ri_piece *p = &c->pieces[j];
        double last = 0;
        for (size_t i = p->from; i < p->to; i++) {
            double rest = c->clipped[i] - fit_at(c, p, i);
            products += last * rest;
            squares += rest * rest;
            last = rest;
        }
    }
    double r = squares > 0 ? products / squares : 0;
    return fmin(fmax(r, 0), CORRELATION_MOST);
}

double m31ri_changes_squares(const m31r_changes *c)
{
    double squares = 0;
    for (size_t i = 0; i < c->n_pieces; i++) {
        squares += c->pieces[i].spread_of_fit;
    }
    return squares;
}

/* The deviation of a value within its piece. */
static double deviation(const m31r_changes *c)
{
    return sqrt(m31ri_changes_squares(c) / (double)(c->n - c->n_pieces));
}

/* Correlated noise wanders, and the squares take a long wander for a level. Where what the pieces
 * leave is surely correlated, a step that is hardly more than the deviation of one value is none.
 */
static void drop_wanders(m31r_changes *c)
{
    while (c->n_pieces > 1 &&
           m31ri_changes_correlation(c) * sqrt((double)c->n) > CORRELATION_SURE) {
        double least = INFINITY;
        size_t weakest = 0;
        for (size_t i = 0; i + 1 < c->n_pieces; i++) {
            double step = fabs(c->pieces[i + 1].mean - c->pieces[i].mean);
            weakest = step < least ? i : weakest;
            least = fmin(step, least);
        }
        if (least >= WANDER_SIGMAS * deviation(c)) {
            return;
        }
        join(c, weakest);
    }
}

/* The newest four values, each held within the clip of their median: their mean and squares. False
 * where one of them lies nearer to the level before. */
static bool clip_newest(m31r_changes *c, const m31ri_piece *before, double reach, m31ri_piece *out)
{
    double level = m31ri_changes_median(c, c->values, out->from, out->to), squares = 0, sum = 0;
    out->level = level;
    for (size_t i = out->from; i < out->to; i++) {
        if (is_nearer(c->values[i], before, out)) {
            return false;
        }
        c->work[i] = fmin(fmax(c->values[i], level - reach), level + reach);
        sum += c->work[i];
    }
    out->mean = sum / END_VALUES;
    for (size_t i = out->from; i < out->to; i++) {
        squares += (c->work[i] - out->mean) * (c->work[i] - out->mean);
    }
    out->spread_of_fit = squares;
    return true;
}

/* A new level is confirmed with its fourth value where the criterion of the partition says so. The
 * search itself cannot: among the nine values at the end four are outvoted by five, so that bursts
 * which are over are clipped away. Here the four are clipped to their own median. */
static void split_end(m31r_changes *c)
{
    m31ri_piece *last = &c->pieces[c->n_pieces - 1];
    size_t cut = c->n - END_VALUES;
    if (c->facts.is_trend || c->n_pieces > M31RI_CHANGES_LIMIT ||
        cut < last->from + M31RI_PIECE_LEAST) {
        return;
    }
    double n = (double)c->n, n_before = (double)(cut - last->from);
    m31ri_piece before = {.from = last->from, .to = cut}, newest = {.from = cut, .to = c->n};
    m31ri_piece_measure(c, &before);
    double squares = m31ri_changes_squares(c) - last->spread_of_fit + before.spread_of_fit;
    double sigma = sqrt(squares / (n - END_VALUES - (double)c->n_pieces));
    if (!clip_newest(c, &before, M31RI_PERF_CLIP * sigma, &newest)) {
        return;
    }
    double two = squares + newest.spread_of_fit, step = newest.mean - before.mean;
    double one = two + step * step * n_before * END_VALUES / (n_before + END_VALUES);
    double floor = M31RI_PERF_FLOOR * before.level;
    if (n * log((one / n + floor * floor) / (two / n + floor * floor)) <=
        M31RI_PARTITION_PENALTY * log(n)) {
        return;
    }
    memcpy(c->clipped + cut, c->work + cut, END_VALUES * sizeof *c->clipped);
    *last = before;
    last[1] = newest;
    m31ri_piece_measure(c, &last[1]);
    c->n_pieces++;
}

void m31ri_changes_refine(m31r_changes *c)
{
    drop_bursts(c);
    split_end(c);
    drop_wanders(c);
    drop_small(c);
}
