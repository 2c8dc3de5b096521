/* os_file.c - files done carefully; os_file.h says what that means.
 *
 * Locks are flock(2): they belong to the open file description, so closing another descriptor of
 * the same file does not drop them (POSIX record locks would), and the kernel frees them when a
 * process dies.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_rename.h"

#define LOWEST_FD 3
#define READ_BYTES (64 * 1024)

int m31ri_fd_above_stdio(int fd)
{
    if (fd < 0 || fd >= LOWEST_FD) {
        return fd;
    }
    int high = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD);
    int saved = errno;
    close(fd);
    errno = saved;
    return high;
}

int m31ri_open(int dir, const char *name, int flags, mode_t mode)
{
    return m31ri_fd_above_stdio(openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW, mode));
}

int m31ri_open_input(const char *path)
{
    int fd = m31ri_fd_above_stdio(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat st;
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

int m31ri_open_dir(int dir, const char *name, bool follow)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
    return m31ri_fd_above_stdio(openat(dir, name, flags));
}

m31r_err m31ri_make_dirs(const char *path, m31r_error *e)
{
    char *copy = m31ri_strdup(path);
    if (copy == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    m31r_err err = M31R_OK;
    for (char *p = copy; err == M31R_OK && *p != '\0';) {
        p += strspn(p, "/");
        p += strcspn(p, "/");
        char end = *p;
        *p = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST) {
            err = m31ri_fail_sys(e, errno, path, "making directory %s", copy);
        }
        *p = end;
    }
    m31ri_free(copy);
    return err;
}

int m31ri_write_all(int fd, const void *bytes, size_t length, size_t *written)
{
    size_t done = 0;
    int err = 0;
    while (done < length) {
        ssize_t n = write(fd, (const char *)bytes + done, length - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0) {
            err = ENOSPC;
            break;
        } else if (errno != EINTR) {
            err = errno;
            break;
        }
    }
    if (written != NULL) {
        *written = done;
    }
    return err;
}

m31r_err m31ri_read_fd(int fd, size_t limit, m31ri_buf *out, m31r_error *e)
{
    size_t start = out->length;
    for (;;) {
        if (!m31ri_buf_reserve(out, READ_BYTES)) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory after %zu bytes",
                              out->length - start);
        }
        ssize_t n = read(fd, out->data + out->length, READ_BYTES);
        if (n == 0) {
            out->data[out->length] = '\0';
            return M31R_OK;
        }
        if (n < 0 && errno != EINTR) {
            return m31ri_fail_sys(e, errno, NULL, "reading");
        }
        out->length += n > 0 ? (size_t)n : 0;
        if (out->length - start > limit) {
            return m31ri_fail(e, M31R_E_LIMIT, "larger than %zu bytes", limit);
        }
    }
}

m31r_err m31ri_read_file(int dir, const char *name, size_t limit, m31ri_buf *out, m31r_error *e)
{
    int fd = m31ri_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, name, "opening %s", name);
    }
    m31r_err err = m31ri_read_fd(fd, limit, out, e);
    close(fd);
    if (err != M31R_OK) {
        m31ri_fail_at(e, name, 0, 0);
    }
    return err;
}

m31r_err m31ri_create_file(int dir, const char *name, const void *bytes, size_t length,
                           m31r_error *e)
{
    int fd = m31ri_open(dir, name, O_WRONLY | O_CREAT | O_EXCL, M31RI_FILE_MODE);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, name, "creating %s", name);
    }
    int err = m31ri_write_all(fd, bytes, length, NULL);
    if (close(fd) != 0 && err == 0) {
        err = errno;
    }
    if (err != 0) {
        unlinkat(dir, name, 0);
        return m31ri_fail_sys(e, err, name, "writing %s", name);
    }
    return M31R_OK;
}

static int write_temporary(int dir, const char *temporary, const void *bytes, size_t length,
                           bool sync)
{
    unlinkat(dir, temporary,
             0); /* one left by a process that died; O_EXCL then never follows a planted link */
    int fd = m31ri_open(dir, temporary, O_WRONLY | O_CREAT | O_EXCL, M31RI_FILE_MODE);
    if (fd < 0) {
        return errno;
    }
    int err = m31ri_write_all(fd, bytes, length, NULL);
    if (err == 0 && sync && fsync(fd) != 0) {
        err = errno;
    }
    if (close(fd) != 0 && err == 0) {
        err = errno;
    }
    return err;
}

m31r_err m31ri_replace_file(int dir, const char *name, const void *bytes, size_t length, bool sync,
                            m31r_error *e)
{
    char temporary[300];
    int n = snprintf(temporary, sizeof temporary, "%s.tmp", name);
    if (n < 0 || (size_t)n >= sizeof temporary) {
        return m31ri_fail_sys(e, ENAMETOOLONG, name, "replacing %s", name);
    }
    int err = write_temporary(dir, temporary, bytes, length, sync);
    if (err == 0 && renameat(dir, temporary, dir, name) != 0) {
        err = errno;
    }
    if (err != 0) {
        unlinkat(dir, temporary, 0);
        return m31ri_fail_sys(e, err, name, "replacing %s", name);
    }
    if (sync && dir >= 0) {
        fsync(dir); /* makes the rename durable; some file systems refuse it, which changes nothing
                       here */
    }
    return M31R_OK;
}

bool m31ri_lock(int fd, int wait_ms)
{
    const struct timespec pause = {0, 2 * 1000 * 1000};
    for (int waited_ms = 0;; waited_ms += 2) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            return true;
        }
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return false;
        }
        if (waited_ms >= wait_ms) {
            return false;
        }
        nanosleep(&pause, NULL);
    }
}

void m31ri_unlock(int fd)
{
    flock(fd, LOCK_UN);
}

int m31ri_exchange_names(int dir, const char *a, const char *b)
{
    return renameat2(dir, a, dir, b, RENAME_EXCHANGE) == 0 ? 0 : errno;
}
