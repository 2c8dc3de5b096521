/* trace.c - see trace.h. The means of equal numbers of points keep the shape whatever the length,
 * and need no second pass. */
#include "analyse/trace.h"

#include <math.h>

static void join_neighbours(m31ri_trace *t)
{
    for (size_t i = 0; i < M31R_TRACE_LIMIT / 2; i++) {
        t->sum[i] = t->sum[2 * i] + t->sum[2 * i + 1];
        t->n_finite[i] = t->n_finite[2 * i] + t->n_finite[2 * i + 1];
    }
    t->n_slots = M31R_TRACE_LIMIT / 2;
    t->stride *= 2;
    t->in_last = t->stride;
}

void m31ri_trace_add(m31ri_trace *t, double value)
{
    if (t->stride == 0) {
        t->stride = 1;
        t->in_last = 1;
    }
    if (t->in_last == t->stride) {
        if (t->n_slots == M31R_TRACE_LIMIT) {
            join_neighbours(t);
        }
        t->sum[t->n_slots] = 0;
        t->n_finite[t->n_slots] = 0;
        t->n_slots++;
        t->in_last = 0;
    }
    t->in_last++;
    if (isfinite(value)) {
        t->sum[t->n_slots - 1] += value;
        t->n_finite[t->n_slots - 1]++;
    }
}

size_t m31ri_trace_read(const m31ri_trace *t, double out[M31R_TRACE_LIMIT])
{
    for (size_t i = 0; i < t->n_slots; i++) {
        out[i] = t->n_finite[i] > 0 ? t->sum[i] / t->n_finite[i] : NAN;
    }
    return t->n_slots;
}
