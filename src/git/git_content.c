/* git_content.c - what the work tree holds at a path: its bytes, its SHA-256, git's name of it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/nettle-meta.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_file.h"
#include "git/git_facts_int.h"

#define READ_BYTES (64 * 1024)

/* A digest in progress, by either hash of git's. */
typedef struct {
    const struct nettle_hash *kind;
    union {
        struct sha1_ctx sha1;
        struct sha256_ctx sha256;
    } state;
} digest;

static void digest_begin(digest *d, const struct nettle_hash *kind)
{
    d->kind = kind;
    kind->init(&d->state);
}

static void digest_add(digest *d, const void *bytes, ssize_t length)
{
    if (length > 0) {
        d->kind->update(&d->state, (size_t)length, bytes);
    }
}

static void digest_end(digest *d, uint8_t out[32])
{
    d->kind->digest(&d->state, d->kind->digest_size, out);
}

static const struct nettle_hash *hash_of_names(size_t oid_bytes)
{
    return oid_bytes == 32 ? &nettle_sha256 : &nettle_sha1;
}

/* Feeds what the work tree holds at `path` to `d`, after the blob header when `as_blob`.
 * False: not there. */
static bool feed_content(int top, const char *path, digest *d, bool as_blob, uint64_t *out_bytes)
{
    struct stat st;
    char chunk[READ_BYTES];
    char header[40];
    if (fstatat(top, path, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !(S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))) {
        return false;
    }
    if (as_blob) {
        int n = snprintf(header, sizeof header, "blob %lld", (long long)st.st_size);
        digest_add(d, header, n + 1);
    }
    uint64_t total = 0;
    ssize_t n = 0;
    if (S_ISLNK(st.st_mode)) {
        n = readlinkat(top, path, chunk, sizeof chunk);
        digest_add(d, chunk, n);
        total = n > 0 ? (uint64_t)n : 0;
    } else {
        int fd = m31ri_open(top, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        if (fd < 0) {
            return false;
        }
        while ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR)) {
            digest_add(d, chunk, n);
            total += n > 0 ? (uint64_t)n : 0;
        }
        close(fd);
    }
    if (out_bytes != NULL) {
        *out_bytes = total;
    }
    return n >= 0;
}

/* `blob_kind` NULL: SHA-256 of the content; else git's name of it as a blob, by that hash. */
static bool digest_content(int top, const char *path, const struct nettle_hash *blob_kind,
                           uint8_t out[32], uint64_t *out_bytes)
{
    digest d;
    digest_begin(&d, blob_kind != NULL ? blob_kind : &nettle_sha256);
    if (!feed_content(top, path, &d, blob_kind != NULL, out_bytes)) {
        return false;
    }
    digest_end(&d, out);
    return true;
}

bool m31ri_git_content_digest(int top, const char *path, uint8_t out[32], uint64_t *out_bytes)
{
    return digest_content(top, path, NULL, out, out_bytes);
}

bool m31ri_git_work_oid(const m31ri_git_work *w, const char *path, uint8_t out[32])
{
    return digest_content(w->top, path, hash_of_names(w->repo->oid_bytes), out, NULL);
}

bool m31ri_git_work_read(int top, const char *path, size_t limit, m31ri_buf *out)
{
    struct stat st;
    char target[PATH_MAX];
    if (fstatat(top, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    if (S_ISLNK(st.st_mode)) {
        ssize_t n = readlinkat(top, path, target, sizeof target);
        m31ri_buf_add(out, target, n > 0 ? (size_t)n : 0);
        return n >= 0;
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > limit) {
        return false;
    }
    int fd = m31ri_open(top, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    m31r_err err = fd >= 0 ? m31ri_read_fd(fd, limit, out, NULL) : M31R_E_IO;
    if (fd >= 0) {
        close(fd);
    }
    return err == M31R_OK;
}

void m31ri_git_blob_oid(const void *bytes, size_t length, size_t oid_bytes, uint8_t out[32])
{
    char header[40];
    int n = snprintf(header, sizeof header, "blob %zu", length);
    digest d;
    digest_begin(&d, hash_of_names(oid_bytes));
    digest_add(&d, header, n + 1);
    digest_add(&d, bytes, (ssize_t)length);
    digest_end(&d, out);
}
