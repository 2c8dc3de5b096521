/* counter.h - the cheapest clock a program can read: a counter of the processor that runs at one
 * rate.
 *
 * x86-64: the time stamp counter, where the processor promises that it neither stops nor changes
 * its rate; arm64: the virtual counter; elsewhere, and where that promise is missing, nanoseconds
 * of the monotonic clock. What a count is in time is learned beside it (src/ring/ring_clock.h).
 */
#ifndef M31RI_COUNTER_H
#define M31RI_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* True when the processor's own counter can be trusted; asked once, when a ring is made. */
bool m31ri_counter_is_steady(void);

/* The counter. Not ordered with the loads and stores around it: a few nanoseconds do not matter
 * here. */
static inline uint64_t m31ri_counter_read(bool is_steady)
{
#if defined(__x86_64__)
    if (__builtin_expect(is_steady, 1)) {
        return __builtin_ia32_rdtsc();
    }
#elif defined(__aarch64__)
    if (is_steady) {
        uint64_t count;
        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
        return count;
    }
#endif
    (void)is_steady;
    return (uint64_t)m31ri_mono_ns();
}

#endif
