/* robust.h - medians, and how sure a difference of means is. */
#ifndef M31RI_ROBUST_H
#define M31RI_ROBUST_H

#include <stddef.h>

/* The median of `n` finite values, the mean of the middle two for an even n; NaN for none. `values`
 * are put in another order. */
double m31ri_median(double *values, size_t n);

/* The value of rank ceil(q n), at least 1, of `n` finite values; NaN for none. Reorders them. */
double m31ri_quantile(double *values, size_t n, double q);

/* What makes a median distance the deviation of a normal distribution. */
#define M31RI_MAD_SIGMA 1.4826

/* Probability that Student's t of `freedom` (> 0) degrees is beyond +-|t|. */
double m31ri_student_p(double t, double freedom);

/* The t that it is beyond with probability 0.05, within 1e-9. */
double m31ri_student_95(double freedom);

#endif
