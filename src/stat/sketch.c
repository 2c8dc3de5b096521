/* sketch.c - log buckets; sketch.h says what they promise.
 *
 * A row grows towards the value that does not fit, and by at least as much as it has, so that a
 * million values cost a handful of allocations. Counting is one logarithm and one increment.
 */
#include "stat/sketch.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

#define ACCURACY 0.01
#define FIRST_BUCKETS 64

/* ln((1 + a) / (1 - a)) for a = 0.01. */
static const double log_gamma = 0.020000666706669435;

/* The definition. */
static int32_t bucket_exactly(double magnitude)
{
    return (int32_t)ceil(log(magnitude) / log_gamma);
}

/* ln(m) / log_gamma for m in [1, 2), off by less than 1.3e-5: the polynomial of degree 7 through
 * the Chebyshev points. No division and no branch, so that the next values need not wait. */
static double buckets_of_mantissa(double m)
{
    double m2 = m * m, m4 = m2 * m2;
    double low = (-112.14244711119719 + 245.5785720632877 * m) +
                 (-256.2439478414237 + 196.35842077776195 * m) * m2;
    double high = (-100.70770270070284 + 32.78159382947911 * m) +
                  (-6.124924042494968 + 0.5004477982292883 * m) * m2;
    return low + high * m4;
}

/* The same with a logarithm that is nearly right, which decides unless it is near the end of a
 * bucket. */
static int32_t bucket_of(double magnitude)
{
    static const double per_doubling = 0.6931471805599453 / 0.020000666706669435;
    static const double near_end = 1e-4;
    static const int32_t lowest = 100000; /* no bucket is below -lowest */
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffff) | (uint64_t)1023 << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (exponent == -1023) {
        return bucket_exactly(magnitude); /* subnormal */
    }
    double bucket = exponent * per_doubling + buckets_of_mantissa(m) + lowest;
    int32_t below = (int32_t)bucket;
    double within = bucket - below;
    bool is_clear = within > near_end && within < 1 - near_end;
    return is_clear ? below + 1 - lowest : bucket_exactly(magnitude);
}

/* The value whose distance from both ends of the bucket is the same share of them. */
static double value_of(int32_t bucket)
{
    return exp(bucket * log_gamma) * (1.0 - ACCURACY);
}

/* Makes the row span `bucket`. */
static bool widen(m31ri_sketch_row *row, int32_t bucket)
{
    if (row->n != 0 && bucket >= row->first && bucket - row->first < row->n) {
        return true;
    }
    int32_t slack = row->n > FIRST_BUCKETS ? row->n / 2 : FIRST_BUCKETS / 2;
    int32_t low = row->n != 0 && row->first <= bucket ? row->first : bucket - slack;
    int32_t high =
        row->n != 0 && row->first + row->n > bucket ? row->first + row->n : bucket + slack + 1;
    uint64_t *counts = m31ri_calloc((size_t)(high - low), sizeof *counts);
    if (counts == NULL) {
        return false;
    }
    if (row->n != 0) {
        memcpy(counts + (row->first - low), row->counts, (size_t)row->n * sizeof *counts);
    }
    m31ri_free(row->counts);
    row->counts = counts;
    row->first = low;
    row->n = high - low;
    return true;
}

bool m31ri_sketch_add(m31ri_sketch *s, double x)
{
    if (x == 0) {
        s->n_zero++;
        return true;
    }
    m31ri_sketch_row *row = x > 0 ? &s->positive : &s->negative;
    int32_t bucket = bucket_of(fabs(x));
    bool is_spanned = (uint32_t)(bucket - row->first) < (uint32_t)row->n;
    if (!is_spanned && !widen(row, bucket)) {
        return false;
    }
    row->counts[bucket - row->first]++;
    row->total++;
    return true;
}

static bool merge_row(m31ri_sketch_row *row, const m31ri_sketch_row *other)
{
    for (int32_t i = 0; i < other->n; i++) {
        int32_t bucket = other->first + i;
        if (other->counts[i] == 0) {
            continue;
        }
        if (!widen(row, bucket)) {
            return false;
        }
        row->counts[bucket - row->first] += other->counts[i];
        row->total += other->counts[i];
    }
    return true;
}

bool m31ri_sketch_merge(m31ri_sketch *s, const m31ri_sketch *other)
{
    s->n_zero += other->n_zero;
    return merge_row(&s->positive, &other->positive) && merge_row(&s->negative, &other->negative);
}

/* Magnitude of the value of `rank` (1 is the smallest magnitude) in a row that holds at least that
 * many. */
static double value_at(const m31ri_sketch_row *row, uint64_t rank)
{
    uint64_t seen = 0;
    for (int32_t i = 0; i < row->n; i++) {
        seen += row->counts[i];
        if (seen >= rank) {
            return value_of(row->first + i);
        }
    }
    return 0;
}

double m31ri_sketch_quantile(const m31ri_sketch *s, double q)
{
    uint64_t total = s->negative.total + s->n_zero + s->positive.total;
    if (total == 0) {
        return 0;
    }
    double wanted = ceil(q * (double)total);
    uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted;
    rank = rank > total ? total : rank;
    if (rank <= s->negative.total) {
        return -value_at(&s->negative, s->negative.total - rank + 1);
    }
    rank -= s->negative.total;
    if (rank <= s->n_zero) {
        return 0;
    }
    return value_at(&s->positive, rank - s->n_zero);
}

void m31ri_sketch_release(m31ri_sketch *s)
{
    m31ri_free(s->positive.counts);
    m31ri_free(s->negative.counts);
    *s = (m31ri_sketch)M31RI_SKETCH_INIT;
}
