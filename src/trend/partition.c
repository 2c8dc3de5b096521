/* partition.c - dynamic programming over all partitions; partition.h says which is the best.
 *
 *     D[k][b] = min over a of D[k-1][a] + cost(a, b)
 *
 * is the least sum of squares with which the values before b are cut at k places. The cost of a
 * piece [a, b) is its squares less what its fit explains; both come from prefix sums, so no matrix
 * of costs is kept. What the pieces that end at b explain is computed once for all k. Work is
 * changes x n^2 for each of the two families, memory changes x n; most of it is saved by bounds:
 * where the lowest D of a block less the largest gain in it is above what is known already, the
 * block is not looked into.
 */
#include "trend/partition.h"

#include <math.h>

#include "base/alloc.h"

#define LINE_PENALTY 4.0 /* of choosing lines, in log n */

/* Everything the search holds. */
typedef struct search {
    size_t n, most;                /* values; changes */
    double *sum, *square, *moment; /* of the values before i: y, y^2, t y; t counts from n / 2 */
    double *by_count, *by_spread;  /* 1 / m, 1 / sum of (t - mean t)^2 of m values, at n - m */
    double *gain;                  /* squares that the fit of [a, b) explains, of one b */
    double *open;                  /* [k][b]: D[k][b] less the squares before b */
    size_t n_blocks;               /* of BLOCK places each */
    double *gain_bounds;           /* [block]: the largest gain */
    double *open_bounds;           /* [k][block]: the lowest open */
    uint16_t *from;                /* [k][b]: where the last piece of D[k][b] starts */
    double *memory;
} search;

#define BLOCK 16 /* places that one bound is kept for */
#define ROWS 6   /* of n + 1 numbers, before those of `open` */

static m31r_err prepare(search *s, const double *y, size_t n, size_t most)
{
    size_t row = n + 1, n_blocks = n / BLOCK + 1;
    *s = (search){.n = n, .most = most, .n_blocks = n_blocks};
    s->memory = m31ri_calloc((ROWS + most + 1) * row + (most + 2) * n_blocks, sizeof *s->memory);
    s->from = m31ri_calloc((most + 1) * row, sizeof *s->from);
    if (s->memory == NULL || s->from == NULL) {
        return M31R_E_NOMEM;
    }
    double **rows[ROWS + 1] = {&s->sum,       &s->square, &s->moment, &s->by_count,
                               &s->by_spread, &s->gain,   &s->open};
    for (size_t i = 0; i <= ROWS; i++) {
        *rows[i] = s->memory + i * row;
    }
    s->gain_bounds = s->open + (most + 1) * row;
    s->open_bounds = s->gain_bounds + n_blocks;
    for (size_t i = 0; i < n; i++) {
        double t = (double)i - (double)n / 2;
        s->sum[i + 1] = s->sum[i] + y[i];
        s->square[i + 1] = s->square[i] + y[i] * y[i];
        s->moment[i + 1] = s->moment[i] + t * y[i];
    }
    for (size_t m = 1; m <= n; m++) {
        double count = (double)m;
        s->by_count[n - m] = 1 / count;
        s->by_spread[n - m] = m > 1 ? 12 / (count * count * count - count) : 0;
    }
    return M31R_OK;
}

/* gain[a] for every a below `high`. */
static void fill_constants(const search *s, size_t high, size_t b)
{
    const double *restrict sum = s->sum, *restrict by_count = s->by_count + (s->n - b);
    double *restrict gain = s->gain;
    double sum_b = sum[b];
    for (size_t a = 0; a < high; a++) {
        double y = sum_b - sum[a];
        gain[a] = y * y * by_count[a];
    }
}

static void fill_lines(const search *s, size_t high, size_t b)
{
    const double *restrict sum = s->sum, *restrict moment = s->moment;
    const double *restrict by_count = s->by_count + (s->n - b);
    const double *restrict by_spread = s->by_spread + (s->n - b);
    double *restrict gain = s->gain;
    double sum_b = sum[b], moment_b = moment[b];
    double middle = ((double)b - 1 - (double)s->n) / 2; /* of t in [a, b), less a / 2 */
    for (size_t a = 0; a < high; a++) {
        double y = sum_b - sum[a];
        double tilt = moment_b - moment[a] - (middle + 0.5 * (double)(int)a) * y;
        gain[a] = y * y * by_count[a] + tilt * tilt * by_spread[a];
    }
}

/* The largest gain of each block that lies wholly below `high`. */
static void bound_gains(const search *s, size_t high)
{
    for (size_t block = 0; (block + 1) * BLOCK <= high; block++) {
        const double *gain = s->gain + block * BLOCK;
        double m[2] = {gain[0], gain[1]};
        for (size_t i = 2; i < BLOCK; i += 2) {
            m[0] = gain[i] > m[0] ? gain[i] : m[0];
            m[1] = gain[i + 1] > m[1] ? gain[i + 1] : m[1];
        }
        s->gain_bounds[block] = m[0] > m[1] ? m[0] : m[1];
    }
}

/* Place of the first of the lowest open[a] - gain[a], a < high, of row `k`. `guess` is any place; a
 * good one saves looking into blocks whose bound is above it. */
static size_t find_lowest(const search *s, size_t k, size_t high, size_t guess)
{
    const double *open = s->open + k * (s->n + 1), *gain = s->gain;
    const double *bounds = s->open_bounds + k * s->n_blocks;
    double lowest = open[guess] - gain[guess];
    for (size_t from = 0, block = 0; from < high; from += BLOCK, block++) {
        size_t to = from + BLOCK;
        if (to <= high && bounds[block] - s->gain_bounds[block] > lowest) {
            continue;
        }
        to = to < high ? to : high;
        for (size_t a = from; a < to; a++) {
            double x = open[a] - gain[a];
            if (x < lowest || (x == lowest && a < guess)) {
                lowest = x;
                guess = a;
            }
        }
    }
    return guess;
}

static void put(search *s, size_t k, size_t b, double open)
{
    double *bound = &s->open_bounds[k * s->n_blocks + b / BLOCK];
    s->open[k * (s->n + 1) + b] = open;
    *bound = open < *bound ? open : *bound;
}

/* D[k][b] for every k. */
static void extend(search *s, bool is_line, size_t b)
{
    size_t row = s->n + 1, high = b - M31RI_PIECE_LEAST + 1;
    if (is_line) {
        fill_lines(s, high, b);
    } else {
        fill_constants(s, high, b);
    }
    bound_gains(s, high);
    put(s, 0, b, -s->gain[0]); /* one piece from 0 */
    for (size_t k = 1; k <= s->most && (k + 1) * M31RI_PIECE_LEAST <= b; k++) {
        size_t least = k * M31RI_PIECE_LEAST, last = s->from[k * row + b - 1];
        size_t at = find_lowest(s, k - 1, high, last > least ? last : least);
        put(s, k, b, s->open[(k - 1) * row + at] - s->gain[at]);
        s->from[k * row + b] = (uint16_t)at;
    }
}

static void trace(const search *s, size_t k, m31ri_partition *out)
{
    size_t b = s->n;
    out->n_cuts = k;
    for (; k > 0; k--) {
        b = s->from[k * (s->n + 1) + b];
        out->cuts[k - 1] = (uint16_t)b;
    }
}

static void try_family(search *s, bool is_line, double floor, m31ri_partition *best)
{
    double n = (double)s->n, parameters = is_line ? 2 : 1;
    double change = M31RI_PARTITION_PENALTY * (parameters + 1) / 2 * log(n);
    double lowest = INFINITY;
    size_t lowest_k = 0;
    for (size_t i = 0; i < (s->most + 1) * (s->n + 1); i++) {
        s->open[i] = INFINITY; /* no such cut */
    }
    for (size_t i = 0; i < (s->most + 1) * s->n_blocks; i++) {
        s->open_bounds[i] = INFINITY;
    }
    for (size_t b = M31RI_PIECE_LEAST; b <= s->n; b++) {
        extend(s, is_line, b);
    }
    for (size_t k = 0; k <= s->most && (k + 1) * M31RI_PIECE_LEAST <= s->n; k++) {
        double rss = s->open[k * (s->n + 1) + s->n] + s->square[s->n];
        double criterion = n * log((rss > 0 ? rss : 0) / n + floor * floor) + (double)k * change +
                           (is_line ? LINE_PENALTY * log(n) : 0);
        if (criterion < lowest) {
            lowest = criterion;
            lowest_k = k;
        }
    }
    if (lowest < best->criterion) {
        best->criterion = lowest;
        best->is_line = is_line;
        trace(s, lowest_k, best);
    }
}

m31r_err m31ri_partition_find(const double *y, size_t n, size_t most, double floor,
                              m31ri_partition *out)
{
    search s;
    m31ri_partition best = {.criterion = INFINITY};
    most = most < M31RI_CHANGES_LIMIT ? most : M31RI_CHANGES_LIMIT;
    m31r_err err = prepare(&s, y, n, most);
    if (err == M31R_OK) {
        try_family(&s, false, floor, &best);
        try_family(&s, true, floor, &best);
        *out = best;
    }
    m31ri_free(s.memory);
    m31ri_free(s.from);
    return err;
}
