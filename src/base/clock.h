/* clock.h - the two clocks: wall time for what people read, monotonic time for ids, order and
 * durations. */
#ifndef M31RI_CLOCK_H
#define M31RI_CLOCK_H

#include <stdint.h>

/* Nanoseconds since 1970-01-01T00:00:00Z. */
int64_t m31ri_wall_ns(void);

/* Nanoseconds since some moment before this process; never goes back. */
int64_t m31ri_mono_ns(void);

#endif
