/* window.h - the last values of a series, in order of arrival and in order of size.
 *
 * What a rule asks of the recent past - its median, its spread - without keeping the past. Adding a
 * value moves at most `size` values in memory; nothing is allocated. A value that is not finite
 * must not be added.
 *
 * Not thread-safe.
 */
#ifndef M31RI_WINDOW_H
#define M31RI_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define M31RI_WINDOW_LIMIT 64
#define M31RI_HISTORY_LIMIT 256
#define M31RI_SIGMAS_OF_MAD 1.4826 /* of a normal distribution */

typedef struct m31ri_window {
    uint32_t size; /* 1 to M31RI_WINDOW_LIMIT */
    uint32_t n;
    uint32_t at; /* where the next one goes: the oldest, once n == size */
    double arrived[M31RI_WINDOW_LIMIT];
    double sorted[M31RI_WINDOW_LIMIT];
} m31ri_window;

void m31ri_window_init(m31ri_window *w, uint32_t size);

/* A full window forgets its oldest value; true then, with that value in `out_oldest` (may be NULL).
 */
bool m31ri_window_add(m31ri_window *w, double x, double *out_oldest);

bool m31ri_window_is_full(const m31ri_window *w);

/* The middle value, or the mean of the two in the middle; 0 of none. */
double m31ri_window_median(const m31ri_window *w);

/* The median of the distances to `middle`, times 1.4826: the standard deviation, were the values
 * normal, whatever a few of them are. */
double m31ri_window_sigma(const m31ri_window *w, double middle);

typedef struct m31ri_history {
    uint32_t size; /* 1 to M31RI_HISTORY_LIMIT */
    uint32_t n;
    uint32_t at; /* where the next one goes: the oldest, once n == size */
    double values[M31RI_HISTORY_LIMIT];
} m31ri_history;

/* As those of a window. */
void m31ri_history_init(m31ri_history *h, uint32_t size);
void m31ri_history_add(m31ri_history *h, double x);
bool m31ri_history_is_full(const m31ri_history *h);
double m31ri_history_median(const m31ri_history *h);
double m31ri_history_sigma(const m31ri_history *h, double middle);

/* The median of `n` values, which are put into another order; 0 of none. */
double m31ri_median_of(double *values, uint32_t n);

#endif
