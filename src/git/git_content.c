/* git_content.c - what the work tree holds at a path: its bytes, its SHA-256, git's name of it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_file.h"
#include "git/git_facts_int.h"

#define READ_BYTES (64 * 1024)

/* Feeds what the work tree holds at `path` to `context`, after the blob header when `as_blob`.
 * False: not there. */
static bool feed_content(int top, const char *path, EVP_MD_CTX *context, bool as_blob,
                         uint64_t *out_bytes)
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
        EVP_DigestUpdate(context, header, (size_t)n + 1);
    }
    uint64_t total = 0;
    ssize_t n = 0;
    if (S_ISLNK(st.st_mode)) {
        n = readlinkat(top, path, chunk, sizeof chunk);
        EVP_DigestUpdate(context, chunk, n > 0 ? (size_t)n : 0);
        total = n > 0 ? (uint64_t)n : 0;
    } else {
        int fd = m31ri_open(top, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        if (fd < 0) {
            return false;
        }
        while ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR)) {
            EVP_DigestUpdate(context, chunk, n > 0 ? (size_t)n : 0);
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
static bool digest_content(int top, const char *path, const EVP_MD *blob_kind, uint8_t out[32],
                           uint64_t *out_bytes)
{
    const EVP_MD *kind = blob_kind != NULL ? blob_kind : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL && EVP_DigestInit_ex(context, kind, NULL) == 1 &&
              feed_content(top, path, context, blob_kind != NULL, out_bytes) &&
              EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

bool m31ri_git_content_digest(int top, const char *path, uint8_t out[32], uint64_t *out_bytes)
{
    return digest_content(top, path, NULL, out, out_bytes);
}

bool m31ri_git_work_oid(const m31ri_git_work *w, const char *path, uint8_t out[32])
{
    return digest_content(w->top, path, w->repo->oid_bytes == 32 ? EVP_sha256() : EVP_sha1(), out,
                          NULL);
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

bool m31ri_git_blob_oid(const void *bytes, size_t length, size_t oid_bytes, uint8_t out[32])
{
    char header[40];
    int n = snprintf(header, sizeof header, "blob %zu", length);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL &&
              EVP_DigestInit_ex(context, oid_bytes == 32 ? EVP_sha256() : EVP_sha1(), NULL) == 1 &&
              EVP_DigestUpdate(context, header, (size_t)n + 1) == 1 &&
              EVP_DigestUpdate(context, bytes, length) == 1 &&
              EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}
