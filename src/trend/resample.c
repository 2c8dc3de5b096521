/* resample.c - warm-up, correlation, and the circular block bootstrap.
 *
 * All three look at medians or at values clipped around one, so that hiccups, which every machine
 * has, neither hide a warm-up nor look like correlation.
 */
#include "trend/resample.h"

#include <math.h>
#include <string.h>

#include "trend/robust.h"

#define BATCH 5
#define WARM_UP_SIGMAS 3.0 /* by which a warm-up is off */
#define CLIP_SIGMAS 3.0
#define QUIET_LAGS 5 /* lags in a row without correlation */
#define LAGS_LIMIT 500

static double median_of(const double *points, size_t n, double *work)
{
    memcpy(work, points, n * sizeof *points);
    return m31ri_median(work, n);
}

static double sigma_of(const double *points, size_t n, double middle, double *work)
{
    for (size_t i = 0; i < n; i++) {
        work[i] = fabs(points[i] - middle);
    }
    return M31RI_MAD_SIGMA * m31ri_median(work, n);
}

/* The number of batches whose removal makes the mean of the others surest; SIZE_MAX when that is
 * half of them: they never settle. */
static size_t settle(const double *batches, size_t n)
{
    double sum = 0, square = 0, lowest = INFINITY;
    size_t at = 0;
    for (size_t i = n; i > 0; i--) { /* removing the first i - 1 */
        double kept = (double)(n - i + 1), x = batches[i - 1] - batches[n - 1];
        sum += x;
        square += x * x;
        double spread = (square - sum * sum / kept) / (kept * kept);
        if (i - 1 <= n / 2 && spread <= lowest) {
            lowest = spread;
            at = i - 1;
        }
    }
    return at == n / 2 ? SIZE_MAX : at;
}

size_t m31ri_warm_up(const double *points, size_t n, double *work)
{
    size_t n_batches = n / BATCH;
    if (n_batches < 4) {
        return 0;
    }
    for (size_t i = 0; i < n_batches; i++) {
        double five[BATCH];
        memcpy(five, points + i * BATCH, sizeof five);
        work[i] = m31ri_median(five, BATCH);
    }
    size_t cut = settle(work, n_batches);
    if (cut == 0 || cut == SIZE_MAX) {
        return 0;
    }
    cut *= BATCH;
    double level = median_of(points + cut, n - cut, work);
    double sigma = sigma_of(points + cut, n - cut, level, work);
    double off = fabs(median_of(points, cut, work) - level);
    return off > WARM_UP_SIGMAS * sigma ? cut : 0;
}

static double correlation(const double *centred, size_t n, size_t lag)
{
    double sum = 0;
    for (size_t i = lag; i < n; i++) {
        sum += centred[i] * centred[i - lag];
    }
    return sum;
}

size_t m31ri_block_length(const double *points, size_t n, double *work)
{
    double middle = median_of(points, n, work);
    double reach = CLIP_SIGMAS * sigma_of(points, n, middle, work), mean = 0;
    size_t least = (size_t)ceil(cbrt((double)n)), most = n / 4 > 1 ? n / 4 : 1;
    for (size_t i = 0; i < n; i++) {
        work[i] = reach > 0 ? fmin(fmax(points[i] - middle, -reach), reach) : points[i] - middle;
        mean += work[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        work[i] -= mean;
    }
    double squares = correlation(work, n, 0);
    size_t quiet = 0, lag = 1, limit = most < LAGS_LIMIT ? most : LAGS_LIMIT;
    while (lag <= limit && quiet < QUIET_LAGS && squares > 0) {
        bool is_quiet = fabs(correlation(work, n, lag)) < 2 / sqrt((double)n) * squares;
        quiet = is_quiet ? quiet + 1 : 0;
        lag++;
    }
    size_t block = 2 * (lag - quiet);
    block = block < least ? least : block;
    return block < most ? block : most;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

void m31ri_resample(const double *points, size_t n, size_t block, uint64_t stream, double *work,
                    double medians[M31RI_RESAMPLES], double p99s[M31RI_RESAMPLES])
{
    uint64_t random = stream;
    for (size_t r = 0; r < M31RI_RESAMPLES; r++) {
        for (size_t filled = 0; filled < n;) {
            size_t at = (size_t)(next_random(&random) % n);
            size_t take = n - filled < block ? n - filled : block;
            size_t first = take < n - at ? take : n - at; /* the rest goes round the end */
            memcpy(work + filled, points + at, first * sizeof *points);
            memcpy(work + filled + first, points, (take - first) * sizeof *points);
            filled += take;
        }
        medians[r] = m31ri_median(work, n);
        p99s[r] = m31ri_quantile(work, n, 0.99);
    }
}
