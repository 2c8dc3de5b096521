/* measured.h - names of what may differ between two equal runs: times, rates, memory. */
#ifndef M31RI_MEASURED_H
#define M31RI_MEASURED_H

#include <stdbool.h>
#include <stddef.h>

/* True for the name of a field or metric that is measured, not computed. */
bool m31ri_is_measured(const char *name, size_t length);

#endif
