/* series_int.h - what the rest of analyse asks of points and series. */
#ifndef M31RI_SERIES_INT_H
#define M31RI_SERIES_INT_H

#include "format/point.h"
#include "m31r/series.h"

/* Lines so far that are no points, and files that end in a line without a newline. */
uint64_t m31ri_points_bad(const m31r_points *p);
uint64_t m31ri_points_torn(const m31r_points *p);
uint64_t m31ri_series_torn(const m31r_series *s);

/* Number of the name of `last`, the point given out last: names count from 0 as they first come.
 * M31RI_NO_NAME when memory is out. */
size_t m31ri_points_name(m31r_points *p, const m31r_point_view *last);

/* The next point of the file that the last one came from, when it needs nothing to be read or
 * looked at more closely; and the number of its name. False says nothing of what follows. */
bool m31ri_points_next_here(m31r_points *p, m31ri_point *out);
size_t m31ri_points_name_here(const m31r_points *p);

/* The points of the i-th file of points alone, and the rank that writes it. M31R_EOF when there is
 * no such file; else as m31r_points_open(). */
m31r_err m31ri_points_open_file(m31r_points **out, const m31r_reader *reader, size_t i,
                                int *out_rank, m31r_error *e);

/* Direction that the specification gives a mandatory metric; M31R_BETTER_UNKNOWN for any other
 * name. */
m31r_better m31ri_better_of(const char *name);

#endif
