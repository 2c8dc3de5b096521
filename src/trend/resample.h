/* resample.h - what a correlated sequence of points says of its own median and p99. */
#ifndef M31RI_RESAMPLE_H
#define M31RI_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "m31r/pair.h"

#define M31RI_RESAMPLES 999

/* Points at the start that are a warm-up: their level is far off that of the rest (MSER, White
 * 1997, on medians of five). 0 when there is none, or when the points never settle. `work`: n
 * numbers. */
size_t m31ri_warm_up(const double *points, size_t n, double *work);

/* Points that are resampled together: twice the lag from which on they are not correlated, at least
 * the cube root of n. `work`: n numbers. */
size_t m31ri_block_length(const double *points, size_t n, double *work);

/* Fills `medians` and `p99s` with those of M31RI_RESAMPLES resamples in blocks. The seed is the
 * stream's number: different streams are independent, one is always the same. `work`: n numbers. */
void m31ri_resample(const double *points, size_t n, size_t block, uint64_t stream, double *work,
                    double medians[M31RI_RESAMPLES], double p99s[M31RI_RESAMPLES]);

#endif
