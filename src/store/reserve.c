/* reserve.c - blocks put by; reserve.h.
 *
 * The end comes before the records: on a disk that is nearly full already, what is left goes into
 * the reserve first. Where a file system cannot allocate, zeros are written, and fewer.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "store/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/os_file.h"
#include "store/run_dir_int.h"

#define NAME "reserve"
#define BLOCK_BYTES 4096u
#define END_BYTES (48u * 1024)   /* what an end needs, with room for a long metadata.json */
#define LEAST_BYTES (16u * 1024) /* less is of no use: metadata.json alone has half of it */

static bool free_room(int dir, uint64_t *out)
{
    struct statvfs v;
    if (fstatvfs(dir, &v) != 0 || v.f_blocks == 0) {
        return false; /* a file system that has no size */
    }
    *out = (uint64_t)v.f_bavail * v.f_frsize;
    return true;
}

static uint64_t wanted(int dir)
{
    uint64_t room;
    if (!free_room(dir, &room) || room / 4 >= M31RI_RESERVE_BYTES) {
        return M31RI_RESERVE_BYTES;
    }
    uint64_t part = room / 4 / BLOCK_BYTES * BLOCK_BYTES;
    return part > END_BYTES ? part : END_BYTES;
}

/* errno. */
static int allocate(int fd, uint64_t bytes)
{
    static const char zeros[BLOCK_BYTES];
    int err;
    do {
        err = fallocate(fd, 0, 0, (off_t)bytes) == 0 ? 0 : errno;
    } while (err == EINTR);
    if (err == EOPNOTSUPP || err == ENOSYS) {
        err = 0;
        for (uint64_t at = 0; err == 0 && at < bytes && at < END_BYTES; at += sizeof zeros) {
            err = m31ri_write_all(fd, zeros, sizeof zeros, NULL);
        }
    }
    return err;
}

void m31ri_reserve_put(const m31ri_run_dir *d)
{
    int fd = m31ri_open(m31ri_run_dir_gate(d), NAME, O_WRONLY | O_CREAT | O_EXCL, M31RI_FILE_MODE);
    uint64_t bytes = fd >= 0 ? wanted(m31ri_run_dir_gate(d)) : 0;
    while (fd >= 0 && bytes >= LEAST_BYTES && allocate(fd, bytes) != 0) {
        bytes = bytes > END_BYTES ? END_BYTES : bytes - BLOCK_BYTES;
        if (ftruncate(fd, 0) != 0) {
            bytes = 0;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    if (bytes < LEAST_BYTES) {
        m31ri_reserve_free(d);
    }
}

void m31ri_reserve_free(const m31ri_run_dir *d)
{
    unlinkat(m31ri_run_dir_gate(d), NAME, 0);
}

bool m31ri_reserve_give(const m31ri_run_dir *d, size_t bytes)
{
    struct stat st;
    int fd = m31ri_open(m31ri_run_dir_gate(d), NAME, O_WRONLY, 0);
    uint64_t wanted_bytes =
        (bytes / BLOCK_BYTES + 2) * BLOCK_BYTES; /* and what the file system needs */
    bool is_given =
        fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_blocks * 512 >= wanted_bytes + END_BYTES;
    /* Blocks are given from the end of the file: it may be longer than what could be allocated. */
    is_given = is_given && ftruncate(fd, (off_t)((uint64_t)st.st_blocks * 512 - wanted_bytes)) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is_given;
}

bool m31ri_reserve_look(const m31ri_run_dir *d, m31ri_room *out)
{
    struct stat st;
    uint64_t room;
    if (!free_room(d->fd, &room)) {
        return false;
    }
    out->free_bytes = room;
    bool is_there = fstatat(m31ri_run_dir_gate(d), NAME, &st, AT_SYMLINK_NOFOLLOW) == 0;
    out->reserved_bytes = is_there ? (uint64_t)st.st_blocks * 512 : 0;
    return room < M31RI_DISK_LOW_BYTES || out->reserved_bytes < END_BYTES;
}
