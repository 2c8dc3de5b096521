/* robust.c - quickselect, and Student's distribution by the continued fraction of the incomplete
 * beta function (Lentz's method), exact to about 14 digits. */
#include "trend/robust.h"

#include <math.h>

#define FRACTION_STEPS 300 /* it converges in about sqrt(max(a, b)) */
#define TINY 1e-300

static void swap(double *a, double *b)
{
    double x = *a;
    *a = *b;
    *b = x;
}

/* Brings the k-th smallest to values[k], smaller ones before it, larger ones behind. */
static void select_kth(double *values, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (values[i] < pivot) {
                i++;
            }
            while (values[j] > pivot) {
                j--;
            }
            if (i >= j) {
                break;
            }
            swap(&values[i++], &values[j--]);
        }
        if (k <= j) {
            high = j;
        } else {
            low = j + 1;
        }
    }
}

double m31ri_median(double *values, size_t n)
{
    if (n == 0) {
        return NAN;
    }
    select_kth(values, n, n / 2);
    double upper = values[n / 2];
    if (n % 2 == 1) {
        return upper;
    }
    double lower = values[0];
    for (size_t i = 1; i < n / 2; i++) {
        lower = values[i] > lower ? values[i] : lower;
    }
    return lower + (upper - lower) / 2;
}

double m31ri_quantile(double *values, size_t n, double q)
{
    if (n == 0) {
        return NAN;
    }
    double rank = ceil(q * (double)n);
    size_t k = rank < 1 ? 0 : rank > (double)n ? n - 1 : (size_t)rank - 1;
    select_kth(values, n, k);
    return values[k];
}

/* The continued fraction of the incomplete beta function. */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < TINY ? TINY : d);
    double fraction = d;
    for (int i = 1; i <= FRACTION_STEPS; i++) {
        double m = i;
        double terms[2] = {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                           -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))};
        double change = 1;
        for (int half = 0; half < 2; half++) {
            d = 1 + terms[half] * d;
            d = 1 / (fabs(d) < TINY ? TINY : d);
            c = 1 + terms[half] / c;
            c = fabs(c) < TINY ? TINY : c;
            change = d * c;
            fraction *= change;
        }
        if (fabs(change - 1) < 1e-15) {
            break;
        }
    }
    return fraction;
}

/* The regularised incomplete beta function I_x(a, b). */
static double beta(double a, double b, double x)
{
    if (x <= 0 || x >= 1) {
        return x <= 0 ? 0 : 1;
    }
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) {
        return front * beta_fraction(a, b, x) / a;
    }
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double m31ri_student_p(double t, double freedom)
{
    if (isinf(t)) {
        return 0;
    }
    return beta(freedom / 2, 0.5, freedom / (freedom + t * t));
}

double m31ri_student_95(double freedom)
{
    double low = 0, high = 2;
    while (m31ri_student_p(high, freedom) > 0.05) {
        high *= 2;
    }
    while (high - low > 1e-9 * high) {
        double middle = (low + high) / 2;
        if (m31ri_student_p(middle, freedom) > 0.05) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (low + high) / 2;
}
