/* line_points.h - points taken later, by patterns, from the printed lines that a run has kept. */
#ifndef M31RI_LINE_POINTS_H
#define M31RI_LINE_POINTS_H

#include "m31r/series.h"

typedef struct m31ri_line_points m31ri_line_points;

/* `counts` (one for each pattern) is added to while points are read. M31R_E_ARG when a pattern's
 * name is no metric's name. */
m31r_err m31ri_line_points_open(m31ri_line_points **out, const m31r_reader *reader,
                                m31r_patterns *patterns, m31r_pattern_count *counts, m31r_error *e);

/* The next point, in the order of the lines; M31R_EOF when there is none. */
m31r_err m31ri_line_points_next(m31ri_line_points *l, m31r_point_view *out, m31r_error *e);

/* NULL is fine. */
void m31ri_line_points_close(m31ri_line_points *l);

#endif
