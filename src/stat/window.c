/* window.c - two arrays of the same values; window.h says what for.
 *
 * The sorted one is kept by moving what lies between the place of the value that leaves and the
 * place of the one that comes: one memmove. Behind its n values stand infinities, so that a place
 * is found in six steps without a branch: nobody could predict one.
 */
#include "stat/window.h"

#include <math.h>
#include <string.h>

void m31ri_window_init(m31ri_window *w, uint32_t size)
{
    w->size = size;
    w->n = 0;
    w->at = 0;
    for (uint32_t i = 0; i < M31RI_WINDOW_LIMIT; i++) {
        w->sorted[i] = INFINITY;
    }
}

/* The number of values below `x`. */
static uint32_t rank_of(const m31ri_window *w, double x)
{
    uint32_t below = 0;
    for (uint32_t half = M31RI_WINDOW_LIMIT / 2; half > 0; half /= 2) {
        below += half * (w->sorted[below + half - 1] < x);
    }
    return below + (w->sorted[below] < x);
}

static void put_at(m31ri_window *w, uint32_t place, double x)
{
    memmove(w->sorted + place + 1, w->sorted + place, (w->n - place) * sizeof *w->sorted);
    w->sorted[place] = x;
    w->n++;
}

static void replace(m31ri_window *w, double old, double x)
{
    uint32_t from = rank_of(w, old);
    uint32_t to = rank_of(w, x);
    if (to > from) {
        to--; /* the place once the old value is out */
        memmove(w->sorted + from, w->sorted + from + 1, (to - from) * sizeof *w->sorted);
    } else {
        memmove(w->sorted + to + 1, w->sorted + to, (from - to) * sizeof *w->sorted);
    }
    w->sorted[to] = x;
}

bool m31ri_window_add(m31ri_window *w, double x, double *out_oldest)
{
    bool is_full = m31ri_window_is_full(w);
    double oldest = w->arrived[w->at];
    if (is_full) {
        replace(w, oldest, x);
        if (out_oldest != NULL) {
            *out_oldest = oldest;
        }
    } else {
        put_at(w, rank_of(w, x), x);
    }
    w->arrived[w->at] = x;
    w->at = w->at + 1 < w->size ? w->at + 1 : 0;
    return is_full;
}

bool m31ri_window_is_full(const m31ri_window *w)
{
    return w->n == w->size;
}

double m31ri_window_median(const m31ri_window *w)
{
    if (w->n == 0) {
        return 0;
    }
    double upper = w->sorted[w->n / 2];
    return w->n % 2 != 0 ? upper : w->sorted[w->n / 2 - 1] / 2 + upper / 2;
}

/* Both halves are walked outwards from the middle, the nearer value first, to the middle of the
 * distances. */
double m31ri_window_sigma(const m31ri_window *w, double middle)
{
    uint32_t above = rank_of(w, middle);
    uint32_t below = above;
    double before = 0;
    double distance = 0;
    for (uint32_t taken = 0; taken < w->n / 2 + 1 && w->n > 0; taken++) {
        before = distance;
        bool is_below = above == w->n ||
                        (below > 0 && middle - w->sorted[below - 1] <= w->sorted[above] - middle);
        distance = is_below ? middle - w->sorted[--below] : w->sorted[above++] - middle;
    }
    return M31RI_SIGMAS_OF_MAD * (w->n % 2 != 0 ? distance : before / 2 + distance / 2);
}

void m31ri_history_init(m31ri_history *h, uint32_t size)
{
    h->size = size;
    h->n = 0;
    h->at = 0;
}

void m31ri_history_add(m31ri_history *h, double x)
{
    h->values[h->at] = x;
    h->at = h->at + 1 < h->size ? h->at + 1 : 0;
    h->n += h->n < h->size;
}

bool m31ri_history_is_full(const m31ri_history *h)
{
    return h->n == h->size;
}

double m31ri_history_median(const m31ri_history *h)
{
    double values[M31RI_HISTORY_LIMIT];
    memcpy(values, h->values, h->n * sizeof *values);
    return m31ri_median_of(values, h->n);
}

double m31ri_history_sigma(const m31ri_history *h, double middle)
{
    double values[M31RI_HISTORY_LIMIT];
    for (uint32_t i = 0; i < h->n; i++) {
        values[i] = fabs(h->values[i] - middle);
    }
    return M31RI_SIGMAS_OF_MAD * m31ri_median_of(values, h->n);
}

static void swap(double *a, double *b)
{
    double x = *a;
    *a = *b;
    *b = x;
}

/* Hoare's selection: afterwards values[k] is where sorting would put it, none before it is larger,
 * none behind it smaller. */
static void select_kth(double *values, uint32_t n, uint32_t k)
{
    int64_t low = 0;
    int64_t high = (int64_t)n - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        int64_t i = low;
        int64_t j = high;
        while (i <= j) {
            while (values[i] < pivot) {
                i++;
            }
            while (values[j] > pivot) {
                j--;
            }
            if (i <= j) {
                swap(&values[i++], &values[j--]);
            }
        }
        if ((int64_t)k <= j) {
            high = j;
        } else if ((int64_t)k >= i) {
            low = i;
        } else {
            return;
        }
    }
}

double m31ri_median_of(double *values, uint32_t n)
{
    if (n == 0) {
        return 0;
    }
    select_kth(values, n, n / 2);
    double upper = values[n / 2];
    if (n % 2 != 0) {
        return upper;
    }
    double lower = values[0];
    for (uint32_t i = 1; i < n / 2; i++) {
        lower = values[i] > lower ? values[i] : lower;
    }
    return lower / 2 + upper / 2;
}
