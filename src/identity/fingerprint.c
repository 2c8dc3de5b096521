/* fingerprint.c - SHA-256 of a file, or of a directory as (path, content digest) in byte order of
 * path.
 *
 * The walk goes down directory by directory; a directory is sorted as if its name ended in '/',
 * which makes the order of the walk the byte order of whole paths ("a-b" before "a/b"). Everything
 * is reached from the pinned top directory without following symlinks, so loops cannot be entered.
 * Files are read, never mapped: one that is truncated meanwhile is a change to be noted, not a
 * SIGBUS.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "identity/fingerprint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "format/digest_cache.h"

#define READ_BYTES (256 * 1024)
#define DEPTH_MAX 256
#define KEEP_BYTES (1024 * 1024) /* less is read again faster than a cache file is made */
#define KEEP_FILES 64

typedef struct walk {
    const char *top;    /* for messages */
    m31ri_buf path;     /* relative path of what is being looked at */
    m31ri_sha256 *tree; /* over paths and digests */
    m31ri_sha256 *content;
    char *chunk; /* READ_BYTES */
    m31ri_digest_cache *cache;
    m31ri_fingerprint_progress *progress;
    m31ri_fingerprint result;
} walk;

static m31r_err fail_io(const walk *w, int sys_errno, m31r_error *e)
{
    m31ri_buf full = M31RI_BUF_INIT;
    m31ri_buf_add_str(&full, w->top);
    if (w->path.length > 0) {
        m31ri_buf_add_char(&full, '/');
        m31ri_buf_add_str(&full, m31ri_buf_str(&w->path));
    }
    m31r_err err = m31ri_fail_sys(e, sys_errno, m31ri_buf_str(&full), "fingerprint: reading %s",
                                  m31ri_buf_str(&full));
    m31ri_buf_release(&full);
    return err;
}

static bool is_cancelled(const walk *w)
{
    return w->progress != NULL && atomic_load_explicit(&w->progress->cancel, memory_order_relaxed);
}

static void report(walk *w, uint64_t files, uint64_t bytes)
{
    w->result.n_files += files;
    w->result.n_bytes += bytes;
    if (w->progress != NULL) { /* counters only: nothing else is published by them */
        atomic_store_explicit(&w->progress->n_files, w->result.n_files, memory_order_relaxed);
        atomic_store_explicit(&w->progress->n_bytes, w->result.n_bytes, memory_order_relaxed);
    }
}

static bool is_same_file(const struct stat *a, const struct stat *b, uint64_t n_read)
{
    return a->st_size == b->st_size && (uint64_t)a->st_size == n_read &&
           memcmp(&a->st_mtim, &b->st_mtim, sizeof a->st_mtim) == 0;
}

/* Reads the whole open file; says afterwards whether it stayed the same meanwhile. */
static m31r_err hash_bytes(walk *w, int fd, const struct stat *before, uint8_t digest[32],
                           m31r_error *e)
{
    uint64_t n_read = 0;
    struct stat after;
    for (;;) {
        if (is_cancelled(w)) {
            return m31ri_fail(e, M31R_E_CLOSED, "fingerprint: cancelled");
        }
        ssize_t n = read(fd, w->chunk, READ_BYTES);
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            return fail_io(w, errno, e);
        }
        if (n > 0) {
            m31ri_sha256_add(w->content, w->chunk, (size_t)n);
            n_read += (uint64_t)n;
            report(w, 0, (uint64_t)n);
        }
    }
    m31ri_sha256_end(w->content, digest);
    if (fstat(fd, &after) != 0) {
        return fail_io(w, errno, e);
    }
    if (is_same_file(before, &after, n_read)) {
        m31ri_digest_cache_add(w->cache, &after, digest);
    } else {
        w->result.n_changed++;
    }
    return M31R_OK;
}

/* Digest of the open regular file, from the cache when it is known there. Closes `fd`. */
static m31r_err hash_file(walk *w, int fd, uint8_t digest[32], m31r_error *e)
{
    struct stat st;
    m31r_err err = M31R_OK;
    if (fstat(fd, &st) != 0) {
        err = fail_io(w, errno, e);
    } else if (m31ri_digest_cache_get(w->cache, &st, digest)) {
        report(w, 0, (uint64_t)st.st_size);
    } else {
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        err = hash_bytes(w, fd, &st, digest, e);
    }
    close(fd);
    if (err == M31R_OK) {
        report(w, 1, 0);
    }
    return err;
}

static void add_to_tree(walk *w, const char *suffix, const uint8_t digest[32])
{
    m31ri_sha256_add(w->tree, m31ri_buf_str(&w->path), w->path.length);
    m31ri_sha256_add(w->tree, suffix, strlen(suffix) + 1); /* with the NUL */
    m31ri_sha256_add(w->tree, digest, 32);
}

static m31r_err walk_file(walk *w, int dir, const char *name, m31r_error *e)
{
    uint8_t digest[32];
    int fd = m31ri_open(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0) {
        return fail_io(w, errno, e);
    }
    m31r_err err = hash_file(w, fd, digest, e);
    if (err == M31R_OK) {
        add_to_tree(w, "", digest);
    }
    return err;
}

static m31r_err walk_link(walk *w, int dir, const char *name, m31r_error *e)
{
    char target[PATH_MAX];
    uint8_t digest[32];
    ssize_t n = readlinkat(dir, name, target, sizeof target);
    if (n < 0) {
        return fail_io(w, errno, e);
    }
    m31ri_sha256_of(target, (size_t)n, digest);
    add_to_tree(w, "@", digest);
    report(w, 1, (uint64_t)n);
    return M31R_OK;
}

/* Byte order of whole paths: a directory compares as if it ended in '/'. */
static int by_path(const void *a, const void *b)
{
    const m31ri_dir_entry *x = a;
    const m31ri_dir_entry *y = b;
    size_t i = 0;
    while (x->name[i] != '\0' && x->name[i] == y->name[i]) {
        i++;
    }
    unsigned char p = (unsigned char)x->name[i];
    unsigned char q = (unsigned char)y->name[i];
    p = p == '\0' && x->type == 'd' ? '/' : p;
    q = q == '\0' && y->type == 'd' ? '/' : q;
    return (p > q) - (p < q);
}

static m31r_err walk_directory(walk *w, int dir, int depth, m31r_error *e);

static m31r_err walk_entry(walk *w, int dir, const m31ri_dir_entry *entry, int depth, m31r_error *e)
{
    if (is_cancelled(w)) {
        return m31ri_fail(e, M31R_E_CLOSED, "fingerprint: cancelled");
    }
    switch (entry->type) {
    case 'f':
        return walk_file(w, dir, entry->name, e);
    case 'l':
        return walk_link(w, dir, entry->name, e);
    case 'd':
        break;
    default:
        return M31R_OK;
    }
    int fd = m31ri_open_dir(dir, entry->name, false);
    if (fd < 0) {
        return fail_io(w, errno, e);
    }
    m31r_err err = walk_directory(w, fd, depth + 1, e);
    close(fd);
    return err;
}

/* Declared before use, against the house order, because directories hold directories. */
static m31r_err walk_directory(walk *w, int dir, int depth, m31r_error *e)
{
    if (depth > DEPTH_MAX) {
        return m31ri_fail(e, M31R_E_LIMIT, "fingerprint: %s is more than %d directories deep",
                          w->top, DEPTH_MAX);
    }
    m31ri_dir_list list;
    m31r_err err = m31ri_dir_list_fd(dir, &list, e);
    if (err != M31R_OK) {
        return err == M31R_E_IO ? fail_io(w, errno, e) : err;
    }
    if (list.n > 1) {
        qsort(list.entries, list.n, sizeof *list.entries, by_path);
    }
    size_t length = w->path.length;
    for (size_t i = 0; i < list.n && err == M31R_OK; i++) {
        if (length > 0) {
            m31ri_buf_add_char(&w->path, '/');
        }
        m31ri_buf_add_str(&w->path, list.entries[i].name);
        err = m31ri_buf_ok(&w->path) ? walk_entry(w, dir, &list.entries[i], depth, e)
                                     : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
        w->path.length = length;
    }
    m31ri_dir_list_release(&list);
    return err;
}

static m31r_err walk_top(walk *w, m31r_error *e)
{
    struct stat st;
    int fd = open(w->top, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int saved = errno;
        if (fd >= 0) {
            close(fd);
        }
        return fail_io(w, saved, e);
    }
    if (S_ISREG(st.st_mode)) {
        return hash_file(w, fd, w->result.digest, e);
    }
    m31r_err err;
    if (!S_ISDIR(st.st_mode)) {
        err = m31ri_fail_sys(e, EINVAL, w->top, "fingerprint: %s is neither a file nor a directory",
                             w->top);
    } else {
        err = walk_directory(w, fd, 0, e);
        m31ri_sha256_end(w->tree, w->result.digest);
    }
    close(fd);
    return err;
}

m31r_err m31ri_fingerprint_path(const char *path, m31ri_fingerprint_progress *progress,
                                m31ri_fingerprint *out, m31r_error *e)
{
    walk w = {.top = path, .progress = progress};
    w.tree = m31ri_sha256_new();
    w.content = m31ri_sha256_new();
    w.chunk = m31ri_alloc(READ_BYTES);
    m31r_err err;
    if (w.tree == NULL || w.content == NULL || w.chunk == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    } else {
        w.cache = m31ri_digest_cache_open(path);
        err = walk_top(&w, e);
    }
    bool is_worth_keeping = w.result.n_bytes >= KEEP_BYTES || w.result.n_files >= KEEP_FILES;
    m31ri_digest_cache_close(w.cache, err == M31R_OK && is_worth_keeping);
    m31ri_sha256_free(w.tree);
    m31ri_sha256_free(w.content);
    m31ri_free(w.chunk);
    m31ri_buf_release(&w.path);
    if (err == M31R_OK) {
        *out = w.result;
    }
    return err;
}
