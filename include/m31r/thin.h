/* thin.h - a metric's points thinned out for a plot, in one pass and bounded memory.
 *
 * What it is not: an average. Of each of `limit` / 2 stretches of equally many points the smallest
 * and the largest value are kept, so that no peak is lost; besides these the first point of a
 * stretch that is not finite, and the first and the last point of all. What is kept are points of
 * the run, in its order. A metric with at most `limit` points is kept whole.
 *
 *     m31r_thin *thin = NULL;
 *     m31r_err err = m31r_thin_new(&thin, 1000, &e);
 *     while (err == M31R_OK && (err = m31r_points_next(points, &p, &e)) == M31R_OK) {
 *         err = m31r_thin_add(thin, &p, &e);
 *     }
 *     while (m31r_thin_next(thin, &p) == M31R_OK) {
 *         plot(p.name, p.step, p.value);
 *     }
 *     m31r_thin_free(thin);
 */
#ifndef M31R_THIN_H
#define M31R_THIN_H

#include <stddef.h>

#include "m31r/error.h"
#include "m31r/series.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_THIN_LEAST 4
#define M31R_THIN_MOST 1000000

typedef struct m31r_thin m31r_thin;

/* Starts with no points.
 *
 * Returns: M31R_OK and the thinner in `*out`.
 * Errors:  M31R_E_ARG (`limit` is not M31R_THIN_LEAST..M31R_THIN_MOST), M31R_E_NOMEM.
 * Owns:    the caller frees it with m31r_thin_free().
 * Thread:  any.
 */
M31R_API m31r_err m31r_thin_new(m31r_thin **out, size_t limit, m31r_error *e);

/* Takes a point; those of one metric come in their order.
 *
 * Returns: M31R_OK.
 * Errors:  M31R_E_NOMEM.
 * Owns:    nothing; `point` is copied.
 * Thread:  one at a time per `t`.
 */
M31R_API m31r_err m31r_thin_add(m31r_thin *t, const m31r_point_view *point, m31r_error *e);

/* Gives the next point that is kept: metric after metric in order of first appearance. Nothing may
 * be added after the first call. `out->line` is the point as a line of metrics.csv, `out->file` is
 * empty.
 *
 * Returns: M31R_OK, or M31R_EOF when there is none.
 * Errors:  M31R_E_NOMEM.
 * Owns:    nothing; the view dies at the next call on `t`.
 * Thread:  one at a time per `t`.
 */
M31R_API m31r_err m31r_thin_next(m31r_thin *t, m31r_point_view *out);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `t`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_thin_free(m31r_thin *t);

#ifdef __cplusplus
}
#endif
#endif
