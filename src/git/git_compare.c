/* git_compare.c - which tracked files differ from HEAD.
 *
 * An entry whose stat data are those of the index is unchanged, unless it is as young as the index
 * (git: racy); one in doubt is hashed, line ends converted as git would, and compared. A file that
 * a filter or a symlink above it hides from us counts as changed.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/sha256.h"
#include "git/git_facts_int.h"

#define CONVERTED_BYTES (64 * 1024 * 1024) /* line ends of a larger file are not converted */
#define MODE_TYPE 0170000
#define MODE_GITLINK 0160000
#define MODE_TREE 0040000
#define MODE_LINK 0120000
#define MODE_EXECUTABLE 0100

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
    const m31ri_git_work *w;
    m31ri_git_facts *facts;
    m31ri_git_delta *deltas; /* room for every entry and every removed path */
    size_t n;
    m31ri_buf directory; /* the last one that was found to be no symlink, with its '/' */
} comparison;

/* What HEAD holds where entry `i` of the index is. */
static m31ri_git_head_entry head_of(const m31ri_git_work *w, size_t i)
{
    const m31ri_git_entry *entry = &w->index->entries[i];
    m31ri_git_head_entry h = {.state = M31RI_HEAD_SAME};
    if (w->head != NULL) {
        h = w->head->entries[i];
    }
    if (h.state == M31RI_HEAD_SAME) {
        h.mode = entry->mode;
        memcpy(h.oid, entry->oid, w->repo->oid_bytes);
    }
    return h;
}

/* Is a directory of `path` a symlink? Then nothing of what is behind it is the work tree's. */
static bool is_behind_symlink(comparison *c, const char *path)
{
    struct stat st;
    const char *last = strrchr(path, '/');
    size_t length = last != NULL ? (size_t)(last - path) + 1 : 0;
    if (length == 0 || (c->directory.length == length &&
                        memcmp(m31ri_buf_str(&c->directory), path, length) == 0)) {
        return false;
    }
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        m31ri_buf_clear(&c->directory);
        m31ri_buf_add(&c->directory, path, (size_t)(slash - path));
        if (!m31ri_buf_ok(&c->directory) ||
            fstatat(c->w->top, m31ri_buf_str(&c->directory), &st, AT_SYMLINK_NOFOLLOW) != 0) {
            break;
        }
        if (S_ISLNK(st.st_mode)) {
            m31ri_buf_clear(&c->directory);
            return true;
        }
        m31ri_buf_add_char(&c->directory, '/');
    }
    return false;
}

/* Does the content differ from `oid`? `st` is the file's, and the index leaves it in doubt. */
static m31r_err is_other_content(comparison *c, const m31ri_git_entry *entry, const uint8_t *oid,
                                 const struct stat *st, bool *out, m31r_error *e)
{
    const m31ri_git_work *w = c->w;
    m31ri_git_manner manner = {0};
    m31ri_buf bytes = M31RI_BUF_INIT;
    uint8_t now[32];
    m31r_err err = m31ri_git_manner_of(w->attributes, w->repo, entry->name, &manner, e);
    bool is_lfs = S_ISREG(st->st_mode) && manner.is_lfs;
    bool may_convert =
        S_ISREG(st->st_mode) && manner.text != M31RI_GIT_TEXT_NO && st->st_size <= CONVERTED_BYTES;
    bool is_read = false;
    if (err == M31R_OK && (is_lfs || may_convert)) {
        is_read = is_lfs ? m31ri_git_lfs_pointer(w->top, entry->name, &bytes)
                         : m31ri_git_work_read(w->top, entry->name, CONVERTED_BYTES, &bytes);
        err =
            is_read && !is_lfs ? m31ri_git_clean(w->repo, &manner, entry->oid, &bytes, e) : M31R_OK;
        is_read = is_read && m31ri_buf_ok(&bytes);
        m31ri_git_blob_oid(m31ri_buf_str(&bytes), bytes.length, w->repo->oid_bytes, now);
    } else if (err == M31R_OK) {
        is_read = m31ri_git_work_oid(w, entry->name, now);
    }
    m31ri_buf_release(&bytes);
    *out = !is_read || memcmp(now, oid, w->repo->oid_bytes) != 0;
    if (err == M31R_OK && *out && manner.has_filter && c->facts->reason[0] == '\0') {
        snprintf(c->facts->reason, sizeof c->facts->reason,
                 "%.80s has a filter, which is not run: it counts as changed", entry->name);
    }
    return err;
}

/* Fills `d` for entry `i` of the index; `*differs` says whether it is one. */
static m31r_err look_at_entry(comparison *c, size_t i, m31ri_git_delta *d, bool *differs,
                              m31r_error *e)
{
    struct stat st;
    const m31ri_git_work *w = c->w;
    const m31ri_git_entry *entry = &w->index->entries[i];
    const m31ri_git_head_entry h = head_of(w, i);
    size_t oid_bytes = w->repo->oid_bytes;
    *d = (m31ri_git_delta){.path = entry->name, .index_oid = entry->oid};
    d->old_mode = h.state != M31RI_HEAD_ABSENT ? h.mode : 0;
    memcpy(d->old_oid, h.oid, oid_bytes);
    bool is_there = !is_behind_symlink(c, entry->name) &&
                    fstatat(w->top, entry->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                    git_mode(&st) != 0;
    bool is_skipped =
        (entry->more_flags & M31RI_GIT_SKIP_WORKTREE) != 0 && !(is_there && w->repo->is_sparse);
    if ((entry->flags & M31RI_GIT_STAGE) == 0 &&
        ((entry->flags & M31RI_GIT_ASSUME_VALID) != 0 || is_skipped)) { /* told not to look */
        d->new_mode = entry->mode;
        d->is_new_stored = true;
        *differs = h.state == M31RI_HEAD_ABSENT || h.mode != entry->mode ||
                   memcmp(h.oid, entry->oid, oid_bytes) != 0;
        return M31R_OK;
    }
    if (!is_there) {
        *differs = d->old_mode != 0;
        return M31R_OK;
    }
    d->new_mode = git_mode(&st);
    if (w->repo->ignores_file_mode && (d->new_mode & MODE_TYPE) == (entry->mode & MODE_TYPE)) {
        d->new_mode = entry->mode; /* the mode bits on disk say nothing; those of the index do */
    }
    if (d->old_mode != d->new_mode) {
        *differs = true;
    } else if (is_stat_same(w->index, entry, &st) && (entry->flags & M31RI_GIT_STAGE) == 0) {
        *differs = memcmp(entry->oid, h.oid, oid_bytes) != 0;
    } else {
        return is_other_content(c, entry, h.oid, &st, differs, e);
    }
    return M31R_OK;
}

/* SHA-256 of what is there now; zeros where nothing is. */
static m31r_err take_digest(const m31ri_git_work *w, m31ri_git_delta *d, m31r_error *e)
{
    m31ri_buf bytes = M31RI_BUF_INIT;
    m31r_error why;
    if (!d->is_new_stored) {
        if (d->new_mode == 0 || !m31ri_git_content_digest(w->top, d->path, d->digest, NULL)) {
            memset(d->digest, 0, sizeof d->digest);
        }
        return M31R_OK;
    }
    m31r_err err = m31ri_git_object_read(w->repo, d->index_oid, &bytes, &why);
    if (err == M31R_OK) {
        m31ri_sha256_of(m31ri_buf_str(&bytes), bytes.length, d->digest);
    } else { /* too large, or not here: its name stands for it */
        m31ri_sha256_of(d->index_oid, w->repo->oid_bytes, d->digest);
    }
    m31ri_buf_release(&bytes);
    return err == M31R_E_NOMEM ? m31ri_fail(e, err, "out of memory comparing the work tree")
                               : M31R_OK;
}

static m31r_err compare_index(comparison *c, m31r_error *e)
{
    const m31ri_git_work *w = c->w;
    const char *last = "";
    m31r_err err = M31R_OK;
    for (size_t i = 0; i < w->index->n && err == M31R_OK; i++) {
        const m31ri_git_entry *entry = &w->index->entries[i];
        uint32_t type = entry->mode & MODE_TYPE;
        bool differs = false;
        c->facts->n_submodules += type == MODE_GITLINK;
        if (m31ri_git_is_our_own(entry->name)) {
            continue;
        }
        if (type == MODE_GITLINK || type == MODE_TREE || strcmp(last, entry->name) == 0) {
            continue; /* in conflict: only the first of its entries */
        }
        last = entry->name;
        err = look_at_entry(c, i, &c->deltas[c->n], &differs, e);
        c->n += err == M31R_OK && differs;
    }
    return err;
}

static void add_removed(comparison *c)
{
    const m31ri_git_head *head = c->w->head;
    for (size_t i = 0; head != NULL && i < head->n_removed; i++) {
        if (m31ri_git_is_our_own(head->removed[i].path)) {
            continue;
        }
        m31ri_git_delta *d = &c->deltas[c->n++];
        *d = (m31ri_git_delta){.path = head->removed[i].path, .old_mode = head->removed[i].mode};
        memcpy(d->old_oid, head->removed[i].oid, sizeof d->old_oid);
    }
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const m31ri_git_delta *)a)->path, ((const m31ri_git_delta *)b)->path);
}

m31r_err m31ri_git_compare(const m31ri_git_work *w, m31ri_git_facts *g, m31ri_git_delta **out,
                           m31r_error *e)
{
    comparison c = {.w = w, .facts = g};
    size_t n_removed = w->head != NULL ? w->head->n_removed : 0;
    c.deltas = m31ri_calloc(w->index->n + n_removed + 1, sizeof *c.deltas);
    if (c.deltas == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory comparing the work tree");
    }
    m31r_err err = compare_index(&c, e);
    if (err == M31R_OK) {
        add_removed(&c);
        qsort(c.deltas, c.n, sizeof *c.deltas, by_path);
    }
    for (size_t i = 0; i < c.n && err == M31R_OK; i++) {
        err = take_digest(w, &c.deltas[i], e);
    }
    m31ri_buf_release(&c.directory);
    if (err != M31R_OK) {
        m31ri_free(c.deltas);
        return err;
    }
    g->n_changed = c.n;
    *out = c.deltas;
    return M31R_OK;
}
