/* segment.c - a plain segment becomes a compressed one; a kill at any instant loses nothing.
 *
 * Order: temporary file, sync, read back and compare digests, rename, sync of the directory, remove
 * the plain one. So `file`.zst is whole whenever it has its name, and the plain one goes only when
 * the other is on the disk. A second run of the same call after a kill finds one of three states:
 * only the plain one (and perhaps a temporary, written again), both (compared, the plain one
 * removed), or only the compressed one (nothing to do).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "store/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "format/seekable.h"

#define NAME_BYTES (M31RI_SEGMENT_NAME_BYTES + 16)

/* One compression under way. */
typedef struct job {
    int dir, plain_fd, packed_fd;
    const char *file;
    char packed_name[NAME_BYTES], temporary[NAME_BYTES];
    m31ri_frame_writer *writer;
    m31ri_zones zones;
    m31ri_sha256 *sha256;
    m31ri_buf plain, packed;
    m31ri_segment_report report;
} job;

m31r_err m31ri_segment_next_ordinal(int dir, const char *lane_file, uint32_t *out, m31r_error *e)
{
    m31ri_segment_list l = {0};
    m31r_err err = m31ri_segment_list_read(dir, lane_file, &l, e);
    if (err == M31R_OK) {
        *out = l.n > 0 ? l.segments[l.n - 1].ordinal + 1 : 1;
        m31ri_segment_list_release(&l);
    }
    return err;
}

static m31r_err write_packed(job *j, m31r_error *e)
{
    int err = m31ri_write_all(j->packed_fd, m31ri_buf_str(&j->packed), j->packed.length, NULL);
    j->report.bytes += j->packed.length;
    m31ri_buf_clear(&j->packed);
    return err == 0 ? M31R_OK : m31ri_fail_sys(e, err, j->temporary, "writing %s", j->temporary);
}

/* The first `length` of the bytes that were read become a frame. */
static m31r_err end_frame(job *j, size_t length, m31r_error *e)
{
    m31r_err err = m31ri_frame_write(j->writer, j->plain.data, length, &j->packed, e);
    if (err == M31R_OK) {
        err = m31ri_zones_add(&j->zones, j->plain.data, length, e);
    }
    if (err == M31R_OK) {
        err = write_packed(j, e);
    }
    if (err == M31R_OK) {
        m31ri_sha256_add(j->sha256, j->plain.data, length);
        memmove(j->plain.data, j->plain.data + length, j->plain.length - length);
        j->plain.length -= length;
        j->report.n_frames++;
        j->report.plain_bytes += length;
    }
    return err;
}

/* Bytes for a frame: up to the last newline; without one it is read on, up to the limit. 0: more is
 * needed. */
static size_t frame_length(const job *j, bool is_last)
{
    const char *newline =
        j->plain.length >= M31RI_FRAME_BYTES ? memrchr(j->plain.data, '\n', j->plain.length) : NULL;
    if (newline != NULL) {
        return (size_t)(newline - j->plain.data) + 1;
    }
    return is_last || j->plain.length >= M31RI_FRAME_MOST_BYTES / 2 ? j->plain.length : 0;
}

static m31r_err write_frames(job *j, m31r_error *e)
{
    m31r_err err = M31R_OK;
    for (bool is_last = false; !is_last && err == M31R_OK;) {
        if (!m31ri_buf_reserve(&j->plain, M31RI_FRAME_BYTES)) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory compressing %s", j->file);
        }
        size_t room = j->plain.length < M31RI_FRAME_BYTES ? M31RI_FRAME_BYTES - j->plain.length
                                                          : M31RI_FRAME_BYTES;
        ssize_t n = read(j->plain_fd, j->plain.data + j->plain.length, room);
        if (n < 0 && errno != EINTR) {
            return m31ri_fail_sys(e, errno, j->file, "reading %s", j->file);
        }
        j->plain.length += n > 0 ? (size_t)n : 0;
        is_last = n == 0;
        size_t length = frame_length(j, is_last);
        if (length > 0) {
            err = end_frame(j, length, e);
        }
    }
    while (err == M31R_OK && j->plain.length > 0) {
        err = end_frame(j, j->plain.length, e);
    }
    return err;
}

/* Digest of all plain bytes of a compressed file, in hexadecimal. */
static m31r_err digest_packed(int fd, char out[M31RI_SHA256_HEX], m31r_error *e)
{
    m31ri_seekable s;
    m31ri_buf plain = M31RI_BUF_INIT;
    uint8_t digest[M31RI_SHA256_BYTES];
    m31ri_sha256 *sha256 = m31ri_sha256_new();
    if (sha256 == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a digest");
    }
    m31r_err err = m31ri_seekable_init(&s, fd, e);
    for (size_t i = 0; err == M31R_OK && i < s.list.n; i++) {
        err = m31ri_seekable_read(&s, i, &plain, e);
        m31ri_sha256_add(sha256, m31ri_buf_str(&plain), plain.length);
    }
    if (err == M31R_OK && !s.has_zones) {
        err = m31ri_fail(e, M31R_E_CORRUPT, "the index of the segment does not hold");
    }
    if (err == M31R_OK) {
        m31ri_sha256_end(sha256, digest);
        m31ri_sha256_hex(digest, out);
    }
    m31ri_seekable_release(&s);
    m31ri_buf_release(&plain);
    m31ri_sha256_free(sha256);
    return err;
}

static m31r_err write_and_check(job *j, m31r_error *e)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    struct stat st;
    m31r_err err = write_frames(j, e);
    if (err != M31R_OK) {
        return err;
    }
    m31ri_sha256_end(j->sha256, digest);
    m31ri_sha256_hex(digest, j->zones.plain_sha256);
    err = m31ri_frame_write_end(j->writer, &j->zones, &j->packed, e);
    if (err == M31R_OK) {
        err = write_packed(j, e);
    }
    if (err == M31R_OK && fsync(j->packed_fd) != 0) {
        err = m31ri_fail_sys(e, errno, j->temporary, "syncing %s", j->temporary);
    }
    if (err == M31R_OK) {
        err = digest_packed(j->packed_fd, hex, e);
    }
    if (err == M31R_OK && strcmp(hex, j->zones.plain_sha256) != 0) {
        err = m31ri_fail(e, M31R_E_CORRUPT, "%s reads back as other bytes than %s", j->temporary,
                         j->file);
    }
    if (err == M31R_OK &&
        (fstat(j->plain_fd, &st) != 0 || (uint64_t)st.st_size != j->report.plain_bytes)) {
        err = m31ri_fail(e, M31R_E_BUSY, "%s changed while it was compressed", j->file);
    }
    return err;
}

/* A file that is there under the final name: true when it holds the plain one's bytes. */
static bool is_same(job *j)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    char plain[M31RI_SHA256_HEX];
    char packed[M31RI_SHA256_HEX];
    int fd = m31ri_open(j->dir, j->packed_name, O_RDONLY | O_NONBLOCK, 0);
    bool is_fine = fd >= 0 && m31ri_sha256_fd(j->plain_fd, digest, NULL, NULL) == M31R_OK &&
                   digest_packed(fd, packed, NULL) == M31R_OK;
    if (fd >= 0) {
        close(fd);
    }
    m31ri_sha256_hex(digest, plain);
    return is_fine && strcmp(plain, packed) == 0;
}

static m31r_err make_packed(job *j, m31r_error *e)
{
    struct stat st;
    unlinkat(j->dir, j->temporary, 0); /* one left by a compressor that was killed */
    j->packed_fd = m31ri_open(j->dir, j->temporary, O_RDWR | O_CREAT | O_EXCL, M31RI_FILE_MODE);
    if (j->packed_fd < 0) {
        return m31ri_fail_sys(e, errno, j->temporary, "creating %s", j->temporary);
    }
    j->writer = m31ri_frame_writer_new();
    j->sha256 = m31ri_sha256_new();
    m31r_err err = j->writer != NULL && j->sha256 != NULL && lseek(j->plain_fd, 0, SEEK_SET) == 0
                       ? write_and_check(j, e)
                       : m31ri_fail(e, M31R_E_NOMEM, "out of memory compressing %s", j->file);
    if (err == M31R_OK && fstat(j->plain_fd, &st) == 0) {
        const struct timespec times[2] = {st.st_atim, st.st_mtim};
        fchmod(j->packed_fd, st.st_mode & 0777);
        futimens(j->packed_fd, times); /* "newest change" of a run stays what it was */
    }
    if (err == M31R_OK && renameat(j->dir, j->temporary, j->dir, j->packed_name) != 0) {
        err = m31ri_fail_sys(e, errno, j->packed_name, "renaming to %s", j->packed_name);
    }
    if (err != M31R_OK) {
        unlinkat(j->dir, j->temporary, 0);
    }
    close(j->packed_fd);
    m31ri_frame_writer_free(j->writer);
    m31ri_sha256_free(j->sha256);
    m31ri_zones_release(&j->zones);
    m31ri_buf_release(&j->plain);
    m31ri_buf_release(&j->packed);
    return err;
}

/* With the plain file open and locked. */
static m31r_err replace_plain(job *j, m31r_error *e)
{
    m31r_err err = is_same(j) ? M31R_OK : make_packed(j, e);
    if (err != M31R_OK) {
        return err;
    }
    fsync(j->dir); /* the new name before the old one goes; refused by some file systems */
    if (unlinkat(j->dir, j->file, 0) != 0 && errno != ENOENT) {
        return m31ri_fail_sys(e, errno, j->file, "removing %s", j->file);
    }
    fsync(j->dir);
    return M31R_OK;
}

m31r_err m31ri_segment_compress(int dir, const char *file, m31ri_segment_report *report,
                                m31r_error *e)
{
    m31ri_segment_name name;
    struct stat st;
    job j = {.dir = dir, .file = file};
    if (!m31ri_segment_name_read(file, &name) || name.is_compressed ||
        strlen(file) >= M31RI_SEGMENT_NAME_BYTES) {
        return m31ri_fail(e, M31R_E_ARG, "%s is not the name of a plain segment", file);
    }
    snprintf(j.packed_name, sizeof j.packed_name, "%s.zst", file);
    snprintf(j.temporary, sizeof j.temporary, "%s.zst.tmp", file);
    j.plain_fd = m31ri_open(dir, file, O_RDONLY | O_NONBLOCK, 0);
    if (j.plain_fd < 0 && errno == ENOENT &&
        fstatat(dir, j.packed_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        return M31R_OK;
    }
    if (j.plain_fd < 0) {
        return m31ri_fail_sys(e, errno, file, "opening %s", file);
    }
    m31r_err err = M31R_OK;
    if (!m31ri_lock(j.plain_fd, 0)) {
        err = m31ri_fail(e, M31R_E_BUSY, "%s is held by another process", file);
    } else {
        err = replace_plain(&j, e);
    }
    close(j.plain_fd);
    if (err == M31R_OK && report != NULL) {
        *report = j.report;
    }
    return err;
}
