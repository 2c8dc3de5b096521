/* bytes.c - the bytes of a plain file, a pipe or a terminal.
 *
 * One system call a block. Blocks of some 100 KiB stay in the cache of the core that goes through
 * them, so reading costs no more than mapping the file would, and needs no guard against a file
 * that shrinks.
 */
#include "read/bytes.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"

typedef struct plain_bytes {
    m31ri_bytes base;
    int fd;
    bool owns_fd;
    uint64_t offset; /* read so far */
} plain_bytes;

static m31r_err judge(const m31ri_bytes *b, ssize_t n, size_t *out_n, m31r_error *e)
{
    if (n < 0) {
        return m31ri_fail_sys(e, errno, b->name, "cannot read %s", b->name);
    }
    *out_n = (size_t)n;
    return M31R_OK;
}

static m31r_err next(m31ri_bytes *b, char *to, size_t capacity, size_t *out_n, m31r_error *e)
{
    plain_bytes *p = (plain_bytes *)b;
    ssize_t n;
    do {
        n = read(p->fd, to, capacity);
    } while (n < 0 && errno == EINTR);
    p->offset += n > 0 ? (uint64_t)n : 0;
    return judge(b, n, out_n, e);
}

static m31r_err at(const m31ri_bytes *b, uint64_t offset, char *to, size_t capacity, size_t *out_n,
                   m31r_error *e)
{
    const plain_bytes *p = (const plain_bytes *)b;
    ssize_t n;
    do {
        n = pread(p->fd, to, capacity, (off_t)offset);
    } while (n < 0 && errno == EINTR);
    return judge(b, n, out_n, e);
}

static bool has_grown(m31ri_bytes *b, bool *out_is_anew)
{
    plain_bytes *p = (plain_bytes *)b;
    struct stat st;
    *out_is_anew = false;
    if (fstat(p->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return true;
    }
    if ((uint64_t)st.st_size < p->offset && lseek(p->fd, 0, SEEK_SET) == 0) {
        p->offset = 0;
        *out_is_anew = true;
        return st.st_size > 0;
    }
    return (uint64_t)st.st_size > p->offset;
}

static void release(m31ri_bytes *b)
{
    plain_bytes *p = (plain_bytes *)b;
    if (p->owns_fd) {
        close(p->fd);
    }
    m31ri_free(p);
}

static const m31ri_bytes_kind plain_stream = {next, NULL, has_grown, release};
static const m31ri_bytes_kind plain_file = {next, at, has_grown, release};

m31r_err m31ri_bytes_open(m31ri_bytes **out, int fd, bool owns_fd, const char *name, m31r_error *e)
{
    struct stat st;
    if (m31ri_bytes_is_zstd(fd, name)) {
        return m31ri_bytes_open_zstd(out, fd, owns_fd, name, e);
    }
    plain_bytes *p = m31ri_calloc(1, sizeof *p);
    if (p == NULL) {
        if (owns_fd) {
            close(fd);
        }
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for reading %s", name);
    }
    p->fd = fd;
    p->owns_fd = owns_fd;
    p->base.name = name;
    p->base.is_regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    /* Standard input may stand in the middle of its file: offsets count from there. */
    bool is_at_start = p->base.is_regular && lseek(fd, 0, SEEK_CUR) == 0;
    p->base.kind = is_at_start ? &plain_file : &plain_stream;
    p->base.size = p->base.is_regular && st.st_size > 0 ? (uint64_t)st.st_size : 0;
    if (is_at_start) {
        p->base.device = st.st_dev;
        p->base.inode = st.st_ino;
        p->base.changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    }
    *out = &p->base;
    return M31R_OK;
}
