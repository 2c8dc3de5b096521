/* renameat2(2) where the C library does not have it (musl).
 *
 * Thread: any. Errors: -1 and errno, as renameat(2). */
#ifndef M31RI_BASE_OS_RENAME_H
#define M31RI_BASE_OS_RENAME_H

#include <stdio.h>

#ifndef RENAME_NOREPLACE
#include <sys/syscall.h>
#include <unistd.h>

#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE 2u

static inline int renameat2(int from_dir, const char *from, int to_dir, const char *to,
                            unsigned flags)
{
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}
#endif

#endif
