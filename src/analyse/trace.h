/* trace.h - the course of a metric in a bounded number of values, made in one pass of unknown
 * length. */
#ifndef M31RI_TRACE_H
#define M31RI_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "m31r/series.h"

/* Slots of `stride` points each; when all are full, neighbours are joined and the stride doubles.
 */
typedef struct m31ri_trace {
    double sum[M31R_TRACE_LIMIT];
    uint32_t n_finite[M31R_TRACE_LIMIT];
    size_t n_slots;
    uint64_t stride, in_last; /* points in the last slot, finite or not */
} m31ri_trace;

void m31ri_trace_add(m31ri_trace *t, double value);

/* Means of the slots into `out`; returns how many. */
size_t m31ri_trace_read(const m31ri_trace *t, double out[M31R_TRACE_LIMIT]);

#endif
