/* git_facts.c - commit, branch and changed files, read from .git and the work tree.
 *
 * An entry whose stat data are those of the index is unchanged, unless it is as young as the index
 * (git: racy); one in doubt is hashed and compared. Filters (autocrlf, LFS) are not run: a filtered
 * file that was touched without being changed counts as changed here.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "identity/git_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "identity/git_facts_int.h"

#define READ_BYTES (64 * 1024)
#define MODE_TYPE 0170000
#define MODE_GITLINK 0160000
#define MODE_TREE 0040000
#define MODE_EXECUTABLE 0100

static _Atomic(m31ri_git_reader) reader; /* set once by the command before anything is gathered */

void m31ri_git_facts_set_reader(m31ri_git_reader r)
{
    atomic_store(&reader, r);
}

void m31ri_git_facts_release(m31ri_git_facts *g)
{
    for (size_t i = 0; i < g->n_untracked; i++) {
        m31ri_free(g->untracked[i].path);
        m31ri_free(g->untracked[i].content);
    }
    m31ri_free(g->untracked);
    m31ri_free(g->top);
    m31ri_buf_release(&g->diff);
    *g = (m31ri_git_facts){0};
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const m31ri_git_change *)a)->path, ((const m31ri_git_change *)b)->path);
}

m31r_err m31ri_git_changes_digest(m31ri_git_change *changes, size_t n, uint8_t out[32],
                                  m31r_error *e)
{
    memset(out, 0, 32);
    if (n == 0) {
        return M31R_OK;
    }
    m31ri_sha256 *h = m31ri_sha256_new();
    if (h == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    qsort(changes, n, sizeof *changes, by_path);
    for (size_t i = 0; i < n; i++) {
        m31ri_sha256_add(h, changes[i].path, strlen(changes[i].path) + 1);
        m31ri_sha256_add(h, changes[i].digest, 32);
    }
    m31ri_sha256_end(h, out);
    m31ri_sha256_free(h);
    return M31R_OK;
}

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

/* The four kinds of mode git keeps, from what stat says; 0 for what it does not track. */
static uint32_t git_mode(const struct stat *st)
{
    if (S_ISLNK(st->st_mode)) {
        return 0120000;
    }
    if (!S_ISREG(st->st_mode)) {
        return 0;
    }
    return (st->st_mode & MODE_EXECUTABLE) != 0 ? 0100755 : 0100644;
}

static bool is_stat_same(const m31ri_git_index *x, const m31ri_git_entry *entry,
                         const struct stat *st)
{
    bool is_racy = (int64_t)entry->mtime_s > x->written_s ||
                   ((int64_t)entry->mtime_s == x->written_s && entry->mtime_ns >= x->written_ns);
    /* git built without nanoseconds writes 0 there */
    return !is_racy && entry->mtime_s == (uint32_t)st->st_mtim.tv_sec &&
           (entry->mtime_ns == (uint32_t)st->st_mtim.tv_nsec || entry->mtime_ns == 0) &&
           entry->ctime_s == (uint32_t)st->st_ctim.tv_sec &&
           (entry->ctime_ns == (uint32_t)st->st_ctim.tv_nsec || entry->ctime_ns == 0) &&
           entry->inode == (uint32_t)st->st_ino && entry->size == (uint32_t)st->st_size;
}

typedef struct comparison {
    const m31ri_git_repo *repo;
    const m31ri_git_index *index;
    const m31ri_git_head
        *head; /* NULL when HEAD's tree cannot be read: then the index stands for it */
    int top;
    m31ri_git_change *changes; /* room for every entry and every removed path */
    size_t n_changes;
} comparison;

/* What HEAD holds where entry `i` of the index is. */
static m31ri_git_head_entry head_of(const comparison *c, size_t i)
{
    const m31ri_git_entry *entry = &c->index->entries[i];
    m31ri_git_head_entry h = {.state = M31RI_HEAD_SAME};
    if (c->head != NULL) {
        h = c->head->entries[i];
    }
    if (h.state == M31RI_HEAD_SAME) {
        h.mode = entry->mode;
        memcpy(h.oid, entry->oid, c->repo->oid_bytes);
    }
    return h;
}

/* Does the work tree differ from HEAD where entry `i` of the index is? */
static bool differs(const comparison *c, size_t i)
{
    struct stat st;
    uint8_t oid[32];
    const m31ri_git_entry *entry = &c->index->entries[i];
    const m31ri_git_head_entry h = head_of(c, i);
    size_t oid_bytes = c->repo->oid_bytes;
    if ((entry->flags & M31RI_GIT_STAGE) != 0) {
        return true; /* in conflict */
    }
    if ((entry->flags & M31RI_GIT_ASSUME_VALID) != 0 ||
        (entry->more_flags & M31RI_GIT_SKIP_WORKTREE) != 0) { /* the user told git not to look */
        return h.state == M31RI_HEAD_ABSENT ||
               (h.state == M31RI_HEAD_OTHER && memcmp(h.oid, entry->oid, oid_bytes) != 0);
    }
    bool is_there =
        fstatat(c->top, entry->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && git_mode(&st) != 0;
    if (!is_there || h.state == M31RI_HEAD_ABSENT) {
        return is_there || h.state != M31RI_HEAD_ABSENT;
    }
    uint32_t mode = git_mode(&st);
    if (c->repo->ignores_file_mode && (mode & MODE_TYPE) == (entry->mode & MODE_TYPE)) {
        mode = entry->mode; /* the mode bits on disk say nothing; those of the index do */
    }
    if (mode != h.mode) {
        return true;
    }
    if (is_stat_same(c->index, entry, &st)) {
        return memcmp(entry->oid, h.oid, oid_bytes) != 0;
    }
    const EVP_MD *kind = oid_bytes == 32 ? EVP_sha256() : EVP_sha1();
    return !digest_content(c->top, entry->name, kind, oid, NULL) ||
           memcmp(oid, h.oid, oid_bytes) != 0;
}

static void compare_index(comparison *c)
{
    for (size_t i = 0; i < c->index->n; i++) {
        const m31ri_git_entry *entry = &c->index->entries[i];
        uint32_t type = entry->mode & MODE_TYPE;
        if (type == MODE_GITLINK || type == MODE_TREE) {
            continue;
        }
        bool is_listed =
            c->n_changes > 0 && strcmp(c->changes[c->n_changes - 1].path, entry->name) == 0;
        if (is_listed || !differs(c, i)) {
            continue;
        }
        m31ri_git_change *change = &c->changes[c->n_changes++];
        change->path = entry->name;
        if (!m31ri_git_content_digest(c->top, entry->name, change->digest, NULL)) {
            memset(change->digest, 0, sizeof change->digest);
        }
    }
    for (size_t i = 0; c->head != NULL && i < c->head->n_removed; i++) {
        c->changes[c->n_changes++].path =
            c->head->removed[i]; /* its digest is the zeros of calloc */
    }
}

static m31r_err find_changes(comparison *c, m31ri_git_facts *out, m31r_error *e)
{
    size_t n_removed = c->head != NULL ? c->head->n_removed : 0;
    c->top = m31ri_open_dir(AT_FDCWD, c->repo->top, true);
    if (c->top < 0) {
        return m31ri_fail_sys(e, errno, c->repo->top, "opening the work tree %s", c->repo->top);
    }
    m31r_err err;
    c->changes = m31ri_calloc(c->index->n + n_removed + 1, sizeof *c->changes);
    if (c->changes == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory comparing the work tree");
    } else {
        compare_index(c);
        out->n_changed = c->n_changes;
        out->is_dirty = c->n_changes > 0;
        err = m31ri_git_changes_digest(c->changes, c->n_changes, out->changes_digest, e);
    }
    m31ri_free(c->changes);
    close(c->top);
    return err;
}

static m31r_err read_work_tree(m31ri_git_repo *r, m31ri_git_facts *g, m31r_error *e)
{
    m31ri_git_index x = {0};
    m31ri_git_head h = {0};
    m31r_error why = {0};
    m31r_err err = m31ri_git_index_read(r, &x, e);
    if (err == M31R_OK && x.is_split) {
        snprintf(g->reason, sizeof g->reason,
                 "the index is split (core.splitIndex), which is not read here");
    } else if (err == M31R_OK) {
        m31r_err head_err = m31ri_git_head_read(r, g->commit, &x, &h, &why);
        comparison c = {.repo = r, .index = &x, .head = head_err == M31R_OK ? &h : NULL};
        if (head_err != M31R_OK) {
            snprintf(g->reason, sizeof g->reason, "what is staged is not known: %.120s",
                     why.message);
        }
        err = head_err == M31R_E_NOMEM
                  ? m31ri_fail(e, M31R_E_NOMEM, "out of memory reading git facts")
                  : find_changes(&c, g, e);
        g->found = err == M31R_OK;
    }
    m31ri_git_head_release(&h);
    m31ri_git_index_release(&x);
    return err;
}

m31r_err m31ri_git_facts_read(const char *directory, m31ri_git_facts *out, m31r_error *e)
{
    m31ri_git_facts g = {0};
    m31ri_git_repo r = {0};
    bool found = false;
    m31r_err err = m31ri_git_repo_find(directory, &r, &found, e);
    if (err == M31R_OK && !found) {
        snprintf(g.reason, sizeof g.reason, "not in a git work tree");
    } else if (err == M31R_OK) {
        err = m31ri_git_repo_head(&r, g.commit, g.branch, e);
        if (err == M31R_OK && g.commit[0] == '\0') {
            snprintf(g.reason, sizeof g.reason, "branch %.100s has no commit yet", g.branch);
        } else if (err == M31R_OK) {
            err = read_work_tree(&r, &g, e);
        }
    }
    if (err == M31R_OK && found) {
        g.top = r.top;
        r.top = NULL;
    }
    m31ri_git_repo_release(&r);
    if (err != M31R_OK) {
        m31ri_git_facts_release(&g);
        return err;
    }
    *out = g;
    return M31R_OK;
}

m31r_err m31ri_git_facts_gather(const char *directory, m31ri_git_facts *out, m31r_error *e)
{
    m31ri_git_reader read = atomic_load(&reader);
    return (read != NULL ? read : m31ri_git_facts_read)(directory, out, e);
}
