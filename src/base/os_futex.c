/* os_futex.c - futex(2), not private: the word lies in memory that processes share. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os_futex.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void m31ri_futex_wait(const atomic_uint *word, uint32_t seen, int64_t timeout_us)
{
    const struct timespec timeout = {timeout_us / 1000000, timeout_us % 1000000 * 1000};
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAIT, seen, &timeout, NULL, 0);
    errno = saved;
}

void m31ri_futex_wake(atomic_uint *word)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    errno = saved;
}
