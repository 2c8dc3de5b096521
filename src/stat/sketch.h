/* sketch.h - quantiles of any number of values in bounded memory, each within 1 % of the exact
 * value.
 *
 * DDSketch (Masson, Rim, Lee: VLDB 2019) without its collapsing: bucket i counts the values in
 * (g^(i-1), g^i], with g = 1.01 / 0.99; one row of buckets for positive values, one for negative
 * ones, a counter for zero. A row spans the buckets that were used; the range of a double bounds it
 * at 72,600 buckets, usual metrics use some hundred. Two sketches add up to the sketch of both,
 * whatever the order.
 */
#ifndef M31RI_SKETCH_H
#define M31RI_SKETCH_H

#include <stdbool.h>
#include <stdint.h>

typedef struct m31ri_sketch_row {
    uint64_t *counts; /* of buckets first .. first + n - 1 */
    int32_t first;
    int32_t n;
    uint64_t total;
} m31ri_sketch_row;

typedef struct m31ri_sketch {
    m31ri_sketch_row positive, negative;
    uint64_t n_zero;
} m31ri_sketch;

#define M31RI_SKETCH_INIT                                                                          \
    {                                                                                              \
        0                                                                                          \
    }

/* `x` is finite. False when memory is out: the value is then not counted. */
bool m31ri_sketch_add(m31ri_sketch *s, double x);

/* Adds what `other` has counted. False when memory is out: some of it may then be in. */
bool m31ri_sketch_merge(m31ri_sketch *s, const m31ri_sketch *other);

/* The smallest value that at least `q` (0 to 1) of the values do not exceed, within 1 %. 0 when
 * there are none. */
double m31ri_sketch_quantile(const m31ri_sketch *s, double q);

void m31ri_sketch_release(m31ri_sketch *s);

#endif
