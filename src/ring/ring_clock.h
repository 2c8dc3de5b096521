/* ring_clock.h - what a counter value is in wall time.
 *
 * The table only grows: whoever writes the records adds a line when the last one no longer predicts
 * the clock, so a record's time depends on the lines before it and not on when it is asked for. A
 * jump of the wall clock is such a line too, and is told to the caller.
 */
#ifndef M31RI_RING_CLOCK_H
#define M31RI_RING_CLOCK_H

#include "ring/ring_file.h"

/* The first line, with a rate measured over about a millisecond. By the program, before the ring is
 * used. */
void m31ri_ring_clock_begin(m31ri_ring_file *f);

/* Adds a line when the last one is wrong by more than a microsecond. Returns by how many
 * nanoseconds the wall clock was set (against the monotonic one) when that is 10 ms or more; else
 * 0. `offset_ns` is the caller's memory of wall - monotonic between calls; 0 at first. */
int64_t m31ri_ring_clock_follow(m31ri_ring_file *f, int64_t *offset_ns);

/* Wall time of a counter value, by the first `n` lines ever made. */
int64_t m31ri_ring_clock_wall_ns(const m31ri_ring_live *live, uint32_t n, uint64_t counter);

#endif
