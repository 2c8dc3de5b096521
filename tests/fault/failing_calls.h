/* failing_calls.h - system calls that can be made to fail: the real ones but for that, which the
 * program that includes this has under the same names, before the C library's. Included once in a
 * program.
 */
#ifndef FAILING_CALLS_H
#define FAILING_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    CALL_WRITE,
    CALL_SYNC,
    CALL_OPEN,
    CALL_RENAME,
    CALL_TRUNCATE,
    CALL_ALLOCATE,
    CALL_MAP,
    CALL_PWRITE,
    CALLS
};

static const char *const call_names[] = {"write",     "fdatasync", "open", "rename",
                                         "ftruncate", "fallocate", "mmap", "pwrite"};

/* What is to fail: calls of `call` from number `first` on, `n` of them. */
static struct {
    atomic_bool is_armed;
    int call, error;
    bool from_start; /* also while the run is opened, which may then be refused */
    bool is_short;   /* half of what was to be written is, and then it fails */
    long first, n;
    atomic_long seen, failed;
} plan;

static bool fails(int call)
{
    if (!atomic_load(&plan.is_armed) || plan.call != call) {
        return false;
    }
    long i = atomic_fetch_add(&plan.seen, 1) + 1;
    bool is_hit = i >= plan.first && i - plan.first < plan.n;
    if (is_hit) {
        atomic_fetch_add(&plan.failed, 1);
        errno = plan.error;
    }
    return is_hit;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    if (fd > 2 && fails(CALL_WRITE)) {
        return plan.is_short && length > 1 ? syscall(SYS_write, fd, bytes, length / 2) : -1;
    }
    return syscall(SYS_write, fd, bytes, length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    if (fails(CALL_PWRITE)) {
        return plan.is_short && length > 1 ? syscall(SYS_pwrite64, fd, bytes, length / 2, at) : -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, length, at);
}

int fdatasync(int fd)
{
    return fails(CALL_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fails(CALL_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int openat(int dir, const char *name, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int mode = (flags & O_CREAT) != 0 ? va_arg(more, int) : 0;
    va_end(more);
    return fails(CALL_OPEN) ? -1 : (int)syscall(SYS_openat, dir, name, flags, mode);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fails(CALL_RENAME) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return fails(CALL_RENAME) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int ftruncate(int fd, off_t length)
{
    return fails(CALL_TRUNCATE) ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    return fails(CALL_ALLOCATE) ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
    return fails(CALL_ALLOCATE)                                 ? plan.error
           : syscall(SYS_fallocate, fd, 0, offset, length) == 0 ? 0
                                                                : errno;
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    if (fd >= 0 && fails(CALL_MAP)) { /* memory without a file is the C library's own */
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}

#endif
