/* archive.c - m31r_archive(): a run verified, copied, read back, and only then gone from here.
 *
 * The copy grows under a hidden name and gets its own by one rename when everything in it is on
 * disk and equal. Killed at any moment, the run is whole where it was, or in both places.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "base/os_remove.h"
#include "base/os_rename.h"
#include "base/sha256.h"
#include "keep/keep_int.h"
#include "verify/manifest_read.h"
#include "m31r/verify.h"

#define PREFIX ".archiving-"
#define COPY_BYTES (1024 * 1024)
#define DEPTH_LIMIT 64

typedef struct copying {
    m31r_archived *out;
    char *bytes;
    m31r_error *e;
} copying;

static m31r_err copy_directory(copying *c, int from, int to, int depth);

static void keep_times(int fd, const struct stat *st)
{
    const struct timespec times[2] = {st->st_atim, st->st_mtim};
    (void)fchmod(fd, st->st_mode & 07777);
    (void)futimens(fd, times);
}

/* Copies all bytes and takes their digest on the way; 0 or errno. */
static int copy_bytes(copying *c, int in, int out, uint8_t digest[M31RI_SHA256_BYTES])
{
    m31ri_sha256 *h = m31ri_sha256_new();
    ssize_t n = 0;
    int err = h != NULL ? 0 : ENOMEM;
    while (err == 0 && (n = read(in, c->bytes, COPY_BYTES)) != 0) {
        if (n < 0) {
            err = errno == EINTR ? 0 : errno;
            continue;
        }
        m31ri_sha256_add(h, c->bytes, (size_t)n);
        err = m31ri_write_all(out, c->bytes, (size_t)n, NULL);
        c->out->bytes += (uint64_t)n;
    }
    if (h != NULL) {
        m31ri_sha256_end(h, digest);
    }
    m31ri_sha256_free(h);
    return err == 0 && fsync(out) != 0 ? errno : err;
}

/* What was written, read back from the file. */
static bool is_equal(int fd, const uint8_t digest[M31RI_SHA256_BYTES])
{
    uint8_t now[M31RI_SHA256_BYTES];
    return lseek(fd, 0, SEEK_SET) == 0 && m31ri_sha256_fd(fd, now, NULL, NULL) == M31R_OK &&
           memcmp(now, digest, sizeof now) == 0;
}

static m31r_err copy_file(copying *c, int from, int to, const char *name)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    struct stat st = {0};
    m31r_err err = M31R_OK;
    int in = m31ri_open(from, name, O_RDONLY | O_NONBLOCK, 0);
    int out = in >= 0 ? m31ri_open(to, name, O_RDWR | O_CREAT | O_EXCL, 0600) : -1;
    int error = out < 0 || fstat(in, &st) != 0 ? errno : copy_bytes(c, in, out, digest);
    if (error != 0) {
        err = m31ri_fail_sys(c->e, error, name, "copying %s", name);
    } else if (!is_equal(out, digest)) {
        err = m31ri_fail(c->e, M31R_E_INVALID, "the copy of %s is not equal", name);
    } else {
        keep_times(out, &st);
        c->out->n_files++;
    }
    if (in >= 0) {
        close(in);
    }
    if (out >= 0) {
        close(out);
    }
    return err;
}

static m31r_err copy_link(copying *c, int from, int to, const char *name)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(from, name, target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    c->out->n_files++;
    return n > 0 && symlinkat(target, to, name) == 0
               ? M31R_OK
               : m31ri_fail_sys(c->e, errno, name, "copying the link %s", name);
}

static m31r_err copy_below(copying *c, int from, int to, const char *name, int depth)
{
    m31r_err err = M31R_OK;
    int in = m31ri_open_dir(from, name, false);
    int out = in >= 0 && mkdirat(to, name, 0700) == 0 ? m31ri_open_dir(to, name, false) : -1;
    struct stat st;
    if (out < 0 || fstat(in, &st) != 0) {
        err = m31ri_fail_sys(c->e, errno, name, "copying the directory %s", name);
    } else {
        err = copy_directory(c, in, out, depth + 1);
        keep_times(out, &st);
    }
    if (in >= 0) {
        close(in);
    }
    if (out >= 0) {
        close(out);
    }
    return err;
}

static m31r_err copy_directory(copying *c, int from, int to, int depth)
{
    m31ri_dir_list list = {0};
    if (depth > DEPTH_LIMIT) {
        return m31ri_fail(c->e, M31R_E_LIMIT, "directories are nested deeper than %d", DEPTH_LIMIT);
    }
    m31r_err err = m31ri_dir_list_fd(from, &list, c->e);
    for (size_t i = 0; i < list.n && err == M31R_OK; i++) {
        const char *name = list.entries[i].name;
        switch (list.entries[i].type) {
        case 'f':
            err = copy_file(c, from, to, name);
            break;
        case 'd':
            err = copy_below(c, from, to, name, depth);
            break;
        case 'l':
            err = copy_link(c, from, to, name);
            break;
        default: /* a socket or FIFO holds nothing */
            break;
        }
    }
    m31ri_dir_list_release(&list);
    if (err == M31R_OK && fsync(to) != 0) {
        err = m31ri_fail_sys(c->e, errno, NULL, "syncing a directory");
    }
    return err;
}

/* The copy under its hidden name, then under its own. */
static m31r_err make_copy(const m31r_reader *r, int to, const char *run_id, m31r_archived *out,
                          m31r_error *e)
{
    char hidden[NAME_MAX + 1];
    copying c = {out, m31ri_alloc(COPY_BYTES), e};
    int n = snprintf(hidden, sizeof hidden, PREFIX "%s", run_id);
    if (c.bytes == NULL || n < 0 || (size_t)n >= sizeof hidden) {
        m31ri_free(c.bytes);
        return m31ri_fail(e, c.bytes == NULL ? M31R_E_NOMEM : M31R_E_LIMIT,
                          "no room for the copy of %s", run_id);
    }
    (void)m31ri_remove_tree(to, hidden, NULL); /* of an archiving that was killed */
    m31r_err err = M31R_OK;
    struct stat st;
    int fd = mkdirat(to, hidden, 0700) == 0 ? m31ri_open_dir(to, hidden, false) : -1;
    if (fd < 0 || fstat(r->fd, &st) != 0) {
        err = m31ri_fail_sys(e, errno, hidden, "making %s", hidden);
    } else {
        err = copy_directory(&c, r->fd, fd, 0);
        keep_times(fd, &st);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (err == M31R_OK && renameat2(to, hidden, to, run_id, RENAME_NOREPLACE) != 0) {
        err = m31ri_fail_sys(e, errno, run_id, "naming the copy %s", run_id);
    }
    if (err == M31R_OK) {
        (void)fsync(to);
    } else {
        (void)m31ri_remove_tree(to, hidden, NULL);
        m31ri_fail_hint(e, "the run is where it was, and what was copied of it is removed; make "
                           "room there, or name another directory");
    }
    m31ri_free(c.bytes);
    return err;
}

static m31r_err verify(const m31r_reader *r, m31r_archived *out, m31r_error *e)
{
    m31r_verification *v = NULL;
    const m31r_verify_options options = {.is_complete = true, .seal_only = true};
    m31r_err err = m31r_verify(&v, r, &options, e);
    if (err == M31R_OK) {
        m31r_verdict verdict = m31r_verification_verdict(v);
        snprintf(out->verdict, sizeof out->verdict, "%s", m31r_verdict_name(verdict));
        err = verdict == M31R_VERDICT_VERIFIED
                  ? M31R_OK
                  : m31ri_fail(e, M31R_E_INVALID, "%s does not verify (%s): m31r verify says more",
                               r->facts.run_id, out->verdict);
    }
    m31r_verification_free(v);
    return err;
}

/* What an archiving that was killed behind its last rename left: the same seal, and whole. */
static bool is_there_whole(const m31r_reader *r, const m31r_archive_options *o)
{
    m31r_reader *copy = NULL;
    m31ri_manifest here, there;
    m31r_archived ignored;
    m31ri_buf path = M31RI_BUF_INIT;
    bool is_whole = false;
    m31ri_buf_add_format(&path, "%s/%s", o->directory, r->facts.run_id);
    if (m31ri_buf_ok(&path) && m31ri_reader_open_path(&copy, path.data, NULL) == M31R_OK &&
        m31ri_manifest_read(r->fd, &here, NULL) == M31R_OK) {
        if (m31ri_manifest_read(copy->fd, &there, NULL) == M31R_OK) {
            is_whole = here.has_seal && strcmp(here.seal.digest, there.seal.digest) == 0 &&
                       verify(copy, &ignored, NULL) == M31R_OK;
            m31ri_manifest_release(&there);
        }
        m31ri_manifest_release(&here);
    }
    m31r_reader_close(copy);
    m31ri_buf_release(&path);
    return is_whole;
}

static m31r_err check(const m31r_reader *r, const m31r_archive_options *o, m31r_error *e)
{
    char why[320];
    m31ri_removal_check(r, o->is_copy, why, sizeof why);
    if (why[0] == '\0') {
        return M31R_OK;
    }
    m31ri_fail(e, M31R_E_ARG, "%s is not archived: %s", r->facts.run_id, why);
    if (r->facts.release[0] != '\0') {
        m31ri_fail_hint(e, "--copy leaves it where it is");
    }
    return M31R_E_ARG;
}

/* Tombstone, then away. */
static m31r_err leave(const m31r_reader *r, const char *run_id, const char *moved_to, m31r_error *e)
{
    char *real = realpath(r->path, NULL);
    char *slash = real != NULL ? strrchr(real, '/') : NULL;
    int root = -1;
    if (slash != NULL) {
        *slash = '\0';
        root = m31ri_open_dir(AT_FDCWD, real[0] != '\0' ? real : "/", true);
    }
    m31r_err err = root >= 0 ? m31ri_tombstone_write(root, r, "archived", moved_to, e)
                             : m31ri_fail_sys(e, errno, r->path, "opening the directory of runs");
    err = err == M31R_OK ? m31ri_remove_run(root, run_id, r->fd, e) : err;
    if (root >= 0) {
        close(root);
    }
    free(real);
    return err;
}

static m31r_err archive(const m31r_reader *r, const m31r_archive_options *o, m31r_archived *out,
                        m31r_error *e)
{
    struct stat st;
    const char *slash = strrchr(r->path, '/');
    const char *run_id = slash != NULL ? slash + 1 : r->path;
    m31r_err err = check(r, o, e);
    err = err == M31R_OK ? verify(r, out, e) : err;
    if (err != M31R_OK || o->is_dry) {
        return err;
    }
    err = m31ri_make_dirs(o->directory, e);
    int to = err == M31R_OK ? m31ri_open_dir(AT_FDCWD, o->directory, true) : -1;
    if (err == M31R_OK && to < 0) {
        err = m31ri_fail_sys(e, errno, o->directory, "opening %s", o->directory);
    }
    bool is_there = err == M31R_OK && fstatat(to, run_id, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there && (o->is_copy || !S_ISDIR(st.st_mode) || !is_there_whole(r, o))) {
        err = m31ri_fail(e, M31R_E_EXISTS, "%s is in %s already", run_id, o->directory);
    }
    err = err == M31R_OK && !is_there ? make_copy(r, to, run_id, out, e) : err;
    if (err == M31R_OK && !o->is_copy) {
        err = leave(r, run_id, o->directory, e);
    }
    out->is_done = err == M31R_OK;
    if (to >= 0) {
        close(to);
    }
    return err;
}

m31r_err m31r_archive(const m31r_archive_options *o, m31r_archived *out, m31r_error *e)
{
    m31r_reader *r = NULL;
    m31r_archived done = {0};
    m31r_err err = m31r_reader_open(&r, o->root, o->run, e);
    if (err == M31R_OK) {
        snprintf(done.run_id, sizeof done.run_id, "%s", r->facts.run_id);
        snprintf(done.to, sizeof done.to, "%.3900s/%.150s", o->directory, r->facts.run_id);
        err = archive(r, o, &done, e);
    }
    m31r_reader_close(r);
    if (err == M31R_OK) {
        *out = done;
    }
    return err;
}
