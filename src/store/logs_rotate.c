/* logs_rotate.c - logs/ outside of runs: rotated by whoever comes by when it is large. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "store/segment.h"

/* With the lock held: still the file of that name, large, and whole to its last line? */
static bool is_due(int dir, const char *file, int fd, uint64_t rotate_bytes)
{
    struct stat held, named;
    char last = '\0';
    return fstat(fd, &held) == 0 && (uint64_t)held.st_size >= rotate_bytes &&
           fstatat(dir, file, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == held.st_ino &&
           pread(fd, &last, 1, held.st_size - 1) == 1 && last == '\n';
}

/* Renames the file; `*out_ordinal` stays 0 when there was nothing to do. */
static m31r_err rotate(int dir, const char *file, uint64_t rotate_bytes, uint32_t *out_ordinal,
                       m31r_error *e)
{
    char name[M31RI_SEGMENT_NAME_BYTES];
    uint32_t ordinal = 0;
    int fd = m31ri_open(dir, file, O_RDWR | O_NONBLOCK, 0);
    if (fd < 0) {
        return M31R_OK;
    }
    m31r_err err = M31R_OK;
    if (m31ri_lock(fd, 0) && is_due(dir, file, fd, rotate_bytes)) {
        err = m31ri_segment_next_ordinal(dir, file, &ordinal, e);
        m31ri_segment_name_write(file, ordinal, m31ri_wall_ns(), name);
        if (err == M31R_OK && renameat(dir, file, dir, name) != 0) {
            err = m31ri_fail_sys(e, errno, file, "rotating %s", file);
        }
        *out_ordinal = err == M31R_OK ? ordinal : 0;
    }
    close(fd);
    return err;
}

m31r_err m31ri_logs_keep_small(int dir, const char *file, const m31ri_logs_limits *limits,
                               m31ri_cap_report *report, m31r_error *e)
{
    m31ri_segment_list l = {0};
    uint32_t ordinal = 0;
    struct stat st;
    *report = (m31ri_cap_report){0};
    if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
        (uint64_t)st.st_size < limits->rotate_bytes) {
        return M31R_OK;
    }
    m31r_err err = rotate(dir, file, limits->rotate_bytes, &ordinal, e);
    if (err != M31R_OK || ordinal == 0) {
        return err;
    }
    err = m31ri_segment_list_read(dir, file, &l, e);
    for (size_t i = 0; err == M31R_OK && i < l.n; i++) {
        if (l.segments[i].has_plain && l.segments[i].ordinal < ordinal) {
            /* One that cannot be compressed stays as it is, and is tried again. */
            (void)m31ri_segment_compress(dir, l.segments[i].file, NULL, NULL);
        }
    }
    m31ri_segment_list_release(&l);
    return err == M31R_OK ? m31ri_segments_cap(dir, limits->cap_bytes, report, e) : err;
}
