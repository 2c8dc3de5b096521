/* os_clock.c - the two clocks, from clock_gettime (no system call on Linux: vDSO). */
#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t m31ri_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t m31ri_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
