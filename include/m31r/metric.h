/* metric.h - numbers over steps, stored apart from the logs.
 *
 * A point is a name, a step and a value; points go to metrics.csv, every one of them, in the order
 * given, and their summary to metrics.json. A metric is not a log field: it can be summarised,
 * compared and gated. NaN and infinities are kept and counted. A step that goes back starts a new
 * segment.
 *
 *     m31r_metric_define(run, "val_loss", "nats", M31R_BETTER_LOWER);
 *     m31r_metric(run, "val_loss", loss, step);
 *     m31r_metric(run, "load_seconds", 3.2, M31R_NO_STEP);
 *
 * Every function here may be called from any thread at once. None is signal-safe.
 */
#ifndef M31R_METRIC_H
#define M31R_METRIC_H

#include "m31r/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The point belongs to no step. */
#define M31R_NO_STEP INT64_MIN

typedef enum m31r_better {
    M31R_BETTER_UNKNOWN = 0,
    M31R_BETTER_LOWER = 1,
    M31R_BETTER_HIGHER = 2
} m31r_better;

/* Adds one point. `name` is UTF-8, 1 to 128 bytes, no control characters; otherwise the point is
 * counted as lost with reason `bad_name`. `step` is 0 or more, or M31R_NO_STEP.
 *
 * Owns:   nothing.
 * Thread: any. errno is kept.
 */
M31R_API void m31r_metric(m31r_run *run, const char *name, double value, int64_t step);

/* States the unit of a metric (such as "nats", "ms", "MiB", "1" for a ratio; NULL when unknown) and
 * which direction is better. The last definition stands. Points do not need one.
 *
 * Owns:   nothing.
 * Thread: any.
 */
M31R_API void m31r_metric_define(m31r_run *run, const char *name, const char *unit,
                                 m31r_better better);

#ifdef __cplusplus
}
#endif
#endif
