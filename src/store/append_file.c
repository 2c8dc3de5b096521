/* append_file.c - a file of whole lines that only grows; append_file.h says what is promised.
 *
 * Every write first asks fstat: it is the price of one small system call for seeing at once that
 * the file was deleted (links 0) or cut, so that no line goes where nobody finds it and none is
 * glued to half of another. The write itself goes through O_APPEND, because a position that we kept
 * would make a hole when an outside hand shortened the file.
 *
 * "The end" is always the byte after a newline. When a write fails part way the file is cut back to
 * where it began: only this writer can have written since (it holds the lock), so the new size less
 * what went in is that place.
 *
 * A lock is not waited for in flock(2) itself: a stopped process that holds it would block us for
 * ever.
 */
#include "store/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"

#define LOCK_WAIT_NS (5LL * 1000 * 1000 * 1000)
#define LOCK_FIRST_PAUSE_NS (20 * 1000)
#define LOCK_LONGEST_PAUSE_NS (2 * 1000 * 1000)
#define OPEN_ATTEMPTS 16

struct m31ri_append_file {
    int dir;
    int fd;
    m31ri_append_mode mode;
    m31ri_append_state unseen; /* found by a write, told by the next check */
    bool entry_unsynced;       /* this writer made the file: its name is not yet durable */
    bool is_held;              /* SHARED: locked over several writes */
    bool cut_back_failed;      /* EXCLUSIVE: bytes beyond `end` are a failed write's and go first */
    int sync_errno;
    uint64_t end;
    char *name;
    char *header;   /* "" for none */
    m31ri_buf torn; /* found after the opening */
};

static m31ri_append_hooks hooks; /* zero outside tests */

void m31ri_append_set_hooks(const m31ri_append_hooks *h)
{
    hooks = h != NULL ? *h : (m31ri_append_hooks){NULL, NULL};
}

/* Writes all or tells how far it came. */
static int write_fully(int fd, const char *bytes, size_t length, size_t *written)
{
    if (hooks.write == NULL) {
        return m31ri_write_all(fd, bytes, length, written);
    }
    *written = 0;
    while (*written < length) {
        ssize_t n = hooks.write(fd, bytes + *written, length - *written);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? errno : ENOSPC;
        }
        *written += (size_t)n;
    }
    return 0;
}

static int cut(int fd, uint64_t size)
{
    int result;
    do {
        result = ftruncate(fd, (off_t)size);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

/* Appends, or leaves the file as it was. `end` moves only when everything is in. */
static int append_or_undo(m31ri_append_file *f, const void *bytes, size_t length)
{
    size_t written = 0;
    int err = write_fully(f->fd, bytes, length, &written);
    if (err == 0) {
        f->end += length;
        return 0;
    }
    struct stat st;
    if (written > 0 && (fstat(f->fd, &st) != 0 || (uint64_t)st.st_size < written ||
                        cut(f->fd, (uint64_t)st.st_size - written) != 0)) {
        f->cut_back_failed = true;
    }
    return err;
}

/* Offset after the last newline within the last M31RI_APPEND_TORN_LIMIT bytes of a file of `size`
 * bytes; `size` itself when the tail is longer than that. -1 and errno when it cannot be read. */
static int64_t find_line_end(int fd, uint64_t size)
{
    char block[4096];
    uint64_t at = size;
    while (at > 0 && size - at <= M31RI_APPEND_TORN_LIMIT) {
        size_t length = at % sizeof block != 0 ? at % sizeof block : sizeof block;
        ssize_t n = pread(fd, block, length, (off_t)(at - length));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n != (ssize_t)length) {
            errno = n < 0 ? errno : EIO;
            return -1;
        }
        const char *newline = memrchr(block, '\n', length);
        if (newline != NULL) {
            return (int64_t)(at - length) + (newline - block) + 1;
        }
        at -= length;
    }
    return at == 0 ? 0 : (int64_t)size;
}

/* Takes [end, size) off the file, onto `torn` (NULL: dropped by the caller's wish). Bytes are
 * copied before they are cut: when memory is out nothing is lost. */
static int take_off(m31ri_append_file *f, uint64_t end, uint64_t size, m31ri_buf *torn)
{
    if (torn != NULL) {
        size_t length = (size_t)(size - end);
        if (!m31ri_buf_reserve(torn, length + 1)) {
            m31ri_buf_clear(torn);
            return ENOMEM;
        }
        ssize_t n = pread(f->fd, torn->data + torn->length, length, (off_t)end);
        if (n != (ssize_t)length) {
            torn->data[torn->length] = '\0';
            return n < 0 ? errno : EIO;
        }
    }
    int err = cut(f->fd, end);
    if (torn != NULL) {
        torn->length += err == 0 ? (size_t)(size - end) : 0;
        torn->data[torn->length] = '\0';
    }
    return err;
}

/* Makes the file of `size` bytes end after a newline and start with its header; sets `end`. The
 * lock is held. */
static int mend_tail(m31ri_append_file *f, uint64_t size, m31ri_buf *torn)
{
    if (f->cut_back_failed && f->mode != M31RI_APPEND_SHARED && size > f->end) {
        int err = cut(f->fd, f->end);
        if (err != 0) {
            return err;
        }
        size = f->end;
    }
    f->cut_back_failed = false;
    int64_t end = find_line_end(f->fd, size);
    if (end < 0) {
        return errno;
    }
    f->end = (uint64_t)end;
    if (f->end < size) {
        int err = take_off(f, f->end, size, torn);
        if (err != 0) {
            return err;
        }
    } else if (size > M31RI_APPEND_TORN_LIMIT) {
        char last = '\n';
        if (pread(f->fd, &last, 1, (off_t)size - 1) == 1 && last != '\n') {
            return append_or_undo(f, "\n", 1);
        }
    }
    size_t header_length = strlen(f->header);
    return f->end == 0 && header_length != 0 ? append_or_undo(f, f->header, header_length) : 0;
}

/* Takes the lock within LOCK_WAIT_NS. */
static int lock_patiently(int fd)
{
    long pause_ns = LOCK_FIRST_PAUSE_NS;
    for (int64_t waited_ns = 0; !m31ri_lock(fd, 0); waited_ns += pause_ns) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return errno;
        }
        if (waited_ns >= LOCK_WAIT_NS) {
            return EBUSY;
        }
        nanosleep(&(struct timespec){0, pause_ns}, NULL);
        pause_ns = pause_ns * 2 < LOCK_LONGEST_PAUSE_NS ? pause_ns * 2 : LOCK_LONGEST_PAUSE_NS;
    }
    return 0;
}

/* Opens the name as a regular file of its own. The look before the opening keeps devices from being
 * touched by it; the look after it is the one that counts. */
static int open_regular(int dir, const char *name, bool *made)
{
    struct stat st;
    *made = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0;
    if (!*made && !S_ISREG(st.st_mode)) {
        errno = S_ISLNK(st.st_mode) ? ELOOP : S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return -1;
    }
    int fd =
        m31ri_open(dir, name, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, M31RI_FILE_MODE);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

/* Opens and locks the file that has the name at the end of it: one that is deleted between the two
 * steps is let go. */
static int open_locked(m31ri_append_file *f, int *out_fd, bool *made)
{
    for (int attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
        int fd = open_regular(f->dir, f->name, made);
        if (fd < 0) {
            return errno;
        }
        int err = 0;
        if (f->mode == M31RI_APPEND_SHARED) {
            err = lock_patiently(fd);
        } else if (f->mode == M31RI_APPEND_EXCLUSIVE && !m31ri_lock(fd, 0)) {
            err = errno == EWOULDBLOCK ? EBUSY : errno;
        }
        struct stat st;
        if (err == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0) {
            *out_fd = fd;
            return 0;
        }
        close(fd);
        if (err != 0) {
            return err;
        }
    }
    return ESTALE;
}

static void unlock_shared(m31ri_append_file *f)
{
    if (f->mode == M31RI_APPEND_SHARED) {
        m31ri_unlock(f->fd);
    }
}

/* The file is deleted: goes on in a new one of its name, or in the one that has the name by now.
 * The old descriptor is given up only when the new one is locked and mended. */
static int make_again(m31ri_append_file *f)
{
    m31ri_append_file fresh = *f;
    fresh.cut_back_failed = false;
    bool made;
    int err = open_locked(&fresh, &fresh.fd, &made);
    if (err != 0) {
        return err;
    }
    struct stat st;
    err = fstat(fresh.fd, &st) == 0 ? mend_tail(&fresh, (uint64_t)st.st_size, &fresh.torn) : errno;
    f->torn = fresh.torn; /* may have moved */
    if (err != 0) {
        close(fresh.fd);
        return err;
    }
    close(f->fd);
    fresh.entry_unsynced = f->entry_unsynced || made;
    *f = fresh;
    return 0;
}

/* Before anything is written, with the lock held: the file is there, not cut, and ends after a
 * newline. */
static int make_ready(m31ri_append_file *f)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0) {
        return errno;
    }
    if (st.st_nlink == 0) {
        f->unseen = M31RI_APPEND_DELETED;
        return make_again(f);
    }
    uint64_t size = (uint64_t)st.st_size;
    if (size < f->end) {
        f->unseen = M31RI_APPEND_TRUNCATED;
        return mend_tail(f, size, &f->torn);
    }
    if (size == f->end && !f->cut_back_failed) {
        return 0;
    }
    return mend_tail(f, size, &f->torn);
}

/* What the name leads to, when the file itself still has links. */
static m31ri_append_state look_up_name(m31ri_append_file *f)
{
    struct stat mine;
    struct stat named;
    if (fstat(f->fd, &mine) != 0 || mine.st_nlink == 0) {
        return M31RI_APPEND_FINE; /* deletion is make_ready's to tell */
    }
    if (fstatat(f->dir, f->name, &named, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? M31RI_APPEND_DELETED : M31RI_APPEND_FINE;
    }
    bool same = named.st_dev == mine.st_dev && named.st_ino == mine.st_ino;
    return same ? M31RI_APPEND_FINE : M31RI_APPEND_REPLACED;
}

m31r_err m31ri_append_open(int dir, const char *name, m31ri_append_mode mode, const char *header,
                           m31ri_buf *torn, m31ri_append_file **out, m31r_error *e)
{
    m31ri_append_file *f = m31ri_calloc(1, sizeof *f);
    if (f == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    f->dir = dir;
    f->fd = -1;
    f->mode = mode;
    f->name = m31ri_strdup(name);
    f->header = m31ri_strdup(header != NULL ? header : "");
    if (f->name == NULL || f->header == NULL) {
        m31ri_append_close(f);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    int err = open_locked(f, &f->fd, &f->entry_unsynced);
    struct stat st;
    if (err == 0) {
        err = fstat(f->fd, &st) == 0 ? mend_tail(f, (uint64_t)st.st_size, torn) : errno;
    }
    if (err != 0) {
        m31r_err code = err == EBUSY ? m31ri_fail(e, M31R_E_BUSY, "another process writes %s", name)
                                     : m31ri_fail_sys(e, err, name, "opening %s to append", name);
        m31ri_append_close(f);
        return code;
    }
    unlock_shared(f);
    *out = f;
    return M31R_OK;
}

void m31ri_append_close(m31ri_append_file *f)
{
    if (f == NULL) {
        return;
    }
    if (f->fd >= 0) {
        close(f->fd);
    }
    m31ri_buf_release(&f->torn);
    m31ri_free(f->name);
    m31ri_free(f->header);
    m31ri_free(f);
}

void m31ri_append_forget(m31ri_append_file *f)
{
    if (f != NULL && f->fd >= 0) {
        close(f->fd);
    }
}

int m31ri_append_lock(m31ri_append_file *f, uint64_t *end)
{
    int err = lock_patiently(f->fd);
    if (err == 0) {
        err = make_ready(f);
        f->is_held = err == 0;
        *end = f->end;
        if (err != 0) {
            m31ri_unlock(f->fd);
        }
    }
    return err;
}

void m31ri_append_unlock(m31ri_append_file *f)
{
    f->is_held = false;
    unlock_shared(f);
}

int m31ri_append_write(m31ri_append_file *f, const void *lines, size_t length)
{
    if (f->is_held) {
        return append_or_undo(f, lines, length);
    }
    int err = f->mode == M31RI_APPEND_SHARED ? lock_patiently(f->fd) : 0;
    if (err != 0) {
        return err;
    }
    err = make_ready(f);
    if (err == 0) {
        err = append_or_undo(f, lines, length);
    }
    unlock_shared(f);
    return err;
}

int m31ri_append_rotate(m31ri_append_file *f, const char *segment)
{
    if (look_up_name(f) != M31RI_APPEND_FINE) {
        return ESTALE; /* somebody else's file has our name: m31ri_append_check tells of it */
    }
    int fd = m31ri_open(f->dir, segment, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NONBLOCK,
                        M31RI_FILE_MODE);
    if (fd < 0) {
        return errno;
    }
    bool is_ours = f->mode != M31RI_APPEND_EXCLUSIVE || m31ri_lock(fd, 0);
    int err = is_ours ? m31ri_exchange_names(f->dir, segment, f->name) : EBUSY;
    if (err != 0) {
        close(fd);
        unlinkat(f->dir, segment, 0);
        return err;
    }
    close(f->fd);
    f->fd = fd;
    f->end = 0;
    f->cut_back_failed = false;
    f->entry_unsynced = true;
    return 0;
}

bool m31ri_append_take_torn(m31ri_append_file *f, m31ri_buf *out)
{
    if (f->torn.length == 0) {
        return false;
    }
    m31ri_buf_add(out, f->torn.data, f->torn.length);
    m31ri_buf_add_char(out, '\n');
    if (m31ri_buf_ok(out)) {
        m31ri_buf_clear(&f->torn);
    }
    return true;
}

int m31ri_append_sync(m31ri_append_file *f)
{
    if (f->sync_errno != 0) {
        return f->sync_errno;
    }
    int result;
    do {
        result = hooks.sync != NULL ? hooks.sync(f->fd) : fdatasync(f->fd);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        /* The kernel may have dropped the dirty pages and say "fine" next time. */
        f->sync_errno = errno;
        return f->sync_errno;
    }
    if (f->entry_unsynced) {
        fsync(f->dir); /* some file systems refuse it for a directory: then nothing more can be done
                        */
        f->entry_unsynced = false;
    }
    return 0;
}

m31ri_append_state m31ri_append_check(m31ri_append_file *f)
{
    if (f->mode == M31RI_APPEND_SHARED && lock_patiently(f->fd) != 0) {
        return M31RI_APPEND_FINE;
    }
    make_ready(f);
    m31ri_append_state state = look_up_name(f);
    if (state == M31RI_APPEND_DELETED) {
        make_again(f);
    }
    unlock_shared(f);
    if (state == M31RI_APPEND_FINE) {
        state = f->unseen;
    }
    f->unseen = M31RI_APPEND_FINE;
    return state;
}

uint64_t m31ri_append_size(const m31ri_append_file *f)
{
    return f->end;
}
