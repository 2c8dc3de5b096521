/* partition.c - dynamic programming over all partitions; partition.h says which is the best.
 *
 *     D[k][b] = min over a of D[k-1][a] + cost(a, b)
 *
 * is the least sum of squares with which the values before b are cut at k places. The cost of a
 * piece [a, b) is its squares less what its fit explains; both come from prefix sums, so no matrix
 * of costs is kept. What the pieces that end at b explain is computed once for all k. Work is
 * changes x n^2 for each of the two families, memory changes x n. Two bounds save most of it, and
 * neither changes an answer.
 *
 * Places: where the lowest D of a block less the largest gain in it is above what is known already,
 * the block is not looked into.
 *
 * Changes: the cheapest partition whose changes have a price each is found without counting them,
 * in one row. When it costs P, no partition with k changes leaves less than P - k x price, whatever
 * k is. A few prices bound the criterion of every k from below, and their own partitions bound the
 * lowest from above: D is needed only for the k that can win, mostly one more than there are, and
 * mostly for none of the lines.
 */
#include "trend/partition.h"

#include <math.h>

#include "base/alloc.h"

#define LINE_PENALTY 4.0 /* of choosing lines, in log n */
#define PRICES 5 /* a change is tried at, each half the one before, from its worth in noise */
#define LEAST_SURE 1e-12 /* of a value's square: what rounding may make of the sums */

/* Everything the search holds. A row has n + 1 numbers: of D for one k, or of one price. */
typedef struct search {
    size_t n;
    double *sum, *square, *moment; /* of the values before i: y, y^2, t y; t counts from n / 2 */
    double *by_count, *by_spread;  /* 1 / m, 1 / sum of (t - mean t)^2 of m values, at n - m */
    double *gain;                  /* squares that the fit of [a, b) explains, of one b */
    double *open;                  /* [row][b]: the least squares less those before b */
    size_t n_blocks;               /* of BLOCK places each */
    double *gain_bounds;           /* [block]: the largest gain */
    double *open_bounds;           /* [row][block]: the lowest open */
    uint16_t *from;                /* [row][b]: where the last piece starts */
    double *memory;
} search;

/* What pieces are modelled by, and what it costs in the criterion. */
typedef struct family {
    bool is_line;
    double floor;    /* deviation below which a better fit is worth nothing */
    double change;   /* of one change */
    double choosing; /* of this family */
} family;

#define BLOCK 16 /* places that one bound is kept for */
#define ROWS 6   /* before those of `open` */

static m31r_err prepare(search *s, const double *y, size_t n, size_t most)
{
    size_t row = n + 1, n_blocks = n / BLOCK + 1, n_rows = most + 1 > PRICES ? most + 1 : PRICES;
    *s = (search){.n = n, .n_blocks = n_blocks};
    s->memory = m31ri_calloc((ROWS + n_rows) * row + (1 + n_rows) * n_blocks, sizeof *s->memory);
    s->from = m31ri_calloc(n_rows * row, sizeof *s->from);
    if (s->memory == NULL || s->from == NULL) {
        return M31R_E_NOMEM;
    }
    double **rows[ROWS + 1] = {&s->sum,       &s->square, &s->moment, &s->by_count,
                               &s->by_spread, &s->gain,   &s->open};
    for (size_t i = 0; i <= ROWS; i++) {
        *rows[i] = s->memory + i * row;
    }
    s->gain_bounds = s->open + n_rows * row;
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

static void clear(search *s, size_t n_rows)
{
    for (size_t i = 0; i < n_rows * (s->n + 1); i++) {
        s->open[i] = INFINITY; /* no such cut */
    }
    for (size_t i = 0; i < n_rows * s->n_blocks; i++) {
        s->open_bounds[i] = INFINITY;
    }
}

/* What each piece explains that ends at b. Returns where none can start any more. */
static size_t fill(search *s, bool is_line, size_t b)
{
    size_t high = b - M31RI_PIECE_LEAST + 1;
    if (is_line) {
        fill_lines(s, high, b);
    } else {
        fill_constants(s, high, b);
    }
    bound_gains(s, high);
    return high;
}

/* The squares that row `r` leaves of all values; rounding may have taken them below 0. */
static double squares_left(const search *s, size_t r)
{
    double left = s->open[r * (s->n + 1) + s->n] + s->square[s->n];
    return left > 0 ? left : 0;
}

static double criterion(const search *s, const family *f, double left, double k)
{
    double n = (double)s->n;
    return n * log(left / n + f->floor * f->floor) + k * f->change + f->choosing;
}

/* Half the mean square of neighbours' differences: the variance of what is no level. */
static double noise(const search *s)
{
    double squares = 0;
    for (size_t i = 1; i < s->n; i++) {
        double step = s->sum[i + 1] - 2 * s->sum[i] + s->sum[i - 1];
        squares += step * step;
    }
    return squares / (2 * (double)s->n);
}

/* Row r: the cheapest way to cut the values before each b at any number of places, which cost
 * prices[r] each. */
static void find_cheapest(search *s, bool is_line, const double prices[PRICES])
{
    size_t row = s->n + 1;
    clear(s, PRICES);
    for (size_t r = 0; r < PRICES; r++) {
        put(s, r, 0, -prices[r]); /* the first piece is no change */
    }
    for (size_t b = M31RI_PIECE_LEAST; b <= s->n; b++) {
        size_t high = fill(s, is_line, b);
        for (size_t r = 0; r < PRICES; r++) {
            size_t at = find_lowest(s, r, high, s->from[r * row + b - 1]);
            put(s, r, b, s->open[r * row + at] - s->gain[at] + prices[r]);
            s->from[r * row + b] = (uint16_t)at;
        }
    }
}

/* Changes of the partition that row `r` found. */
static double count_changes(const search *s, size_t r)
{
    double k = 0;
    for (size_t b = s->from[r * (s->n + 1) + s->n]; b > 0; k++) {
        b = s->from[r * (s->n + 1) + b];
    }
    return k;
}

/* A bound below the criterion of every partition with k changes. */
static double criterion_least(const search *s, const family *f, const double prices[PRICES],
                              double k)
{
    double left = 0;
    for (size_t r = 0; r < PRICES; r++) {
        left = fmax(left, squares_left(s, r) - k * prices[r] - LEAST_SURE * (double)s->n);
    }
    return criterion(s, f, left, k) - LEAST_SURE * (double)s->n;
}

/* One more than the most changes, up to `most`, with which this family can be below `lowest`, the
 * criterion of a partition that is known. 0: it cannot. */
static size_t bound_changes(search *s, const family *f, size_t most, double lowest)
{
    double prices[PRICES], price = f->change * (noise(s) + f->floor * f->floor);
    for (size_t r = 0; r < PRICES; r++, price /= 2) {
        prices[r] = price;
    }
    find_cheapest(s, f->is_line, prices);
    for (size_t r = 0; r < PRICES; r++) {
        double k = (double)count_changes(s, r), left = fmax(squares_left(s, r) - k * prices[r], 0);
        if (k <= (double)most) {
            lowest = fmin(lowest, criterion(s, f, left + LEAST_SURE * (double)s->n, k));
        }
    }
    size_t n = most + 1;
    while (n > 0 && criterion_least(s, f, prices, (double)(n - 1)) > lowest) {
        n--;
    }
    return n;
}

/* D[k][b] for every k below `n_rows`. */
static void extend(search *s, bool is_line, size_t n_rows, size_t b)
{
    size_t row = s->n + 1, high = fill(s, is_line, b);
    put(s, 0, b, -s->gain[0]); /* one piece from 0 */
    for (size_t k = 1; k < n_rows && (k + 1) * M31RI_PIECE_LEAST <= b; k++) {
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

static void try_family(search *s, const family *f, size_t most, m31ri_partition *best)
{
    double lowest = INFINITY;
    size_t lowest_k = 0, n_rows = bound_changes(s, f, most, best->criterion);
    clear(s, n_rows);
    for (size_t b = M31RI_PIECE_LEAST; n_rows > 0 && b <= s->n; b++) {
        extend(s, f->is_line, n_rows, b);
    }
    for (size_t k = 0; k < n_rows && (k + 1) * M31RI_PIECE_LEAST <= s->n; k++) {
        double x = criterion(s, f, squares_left(s, k), (double)k);
        if (x < lowest) {
            lowest = x;
            lowest_k = k;
        }
    }
    if (lowest < best->criterion) {
        best->criterion = lowest;
        best->is_line = f->is_line;
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
        double change = M31RI_PARTITION_PENALTY * log((double)n);
        const family constants = {.floor = floor, .change = change};
        const family lines = {.is_line = true,
                              .floor = floor,
                              .change = 1.5 * change,
                              .choosing = LINE_PENALTY * log((double)n)};
        try_family(&s, &constants, most, &best);
        try_family(&s, &lines, most, &best);
        *out = best;
    }
    m31ri_free(s.memory);
    m31ri_free(s.from);
    return err;
}
