/* compare_int.h - what the rest of analyse asks of a comparison. */
#ifndef M31RI_COMPARE_INT_H
#define M31RI_COMPARE_INT_H

#include "m31r/compare.h"

/* As m31r_comparison_open(), of what the runs were given alone: no point is read. */
m31r_err m31ri_comparison_open_given(m31r_comparison **out, const m31r_reader *const *readers,
                                     size_t n, m31r_error *e);

#endif
