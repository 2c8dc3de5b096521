/* git_head.c - HEAD's tree against the index, so that what is staged counts as changed.
 *
 * The index caches the name of each tree as it was when it was last written or read; where that
 * name is the one HEAD has, everything below is the same and is not read. Right after a commit or a
 * checkout that is the whole tree, so the usual cost is one object: the commit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "git/git_facts_int.h"

#define TREE_DEPTH 512
#define MODE_TREE 0040000
#define MODE_GITLINK 0160000

/* One tree of the cache: NULL oid when it is not valid. Children follow it in the bytes. */
typedef struct cached {
    const char *name;
    size_t name_length;
    const uint8_t *oid;
    const uint8_t *children, *end; /* bytes of its subtrees */
    int n_subtrees;
} cached;

typedef struct reading {
    const m31ri_git_repo *repo;
    const m31ri_git_index *index;
    m31ri_git_head *head;
    m31ri_buf path; /* of the tree being read, ending in '/' unless it is the top */
} reading;

static m31r_err no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory comparing HEAD with the index");
}

static m31r_err damaged(const reading *r, m31r_error *e)
{
    return m31ri_fail(e, M31R_E_CORRUPT, "git object: the tree of \"%s\" is damaged",
                      m31ri_buf_str(&r->path));
}

/* Reads the head of a cached tree: "name NUL entries SP subtrees LF", then its oid when entries >=
 * 0. */
static bool take_head(const uint8_t **at, const uint8_t *end, size_t oid_bytes, cached *out)
{
    const uint8_t *nul = memchr(*at, '\0', (size_t)(end - *at));
    const uint8_t *line = nul != NULL ? memchr(nul, '\n', (size_t)(end - nul)) : NULL;
    if (line == NULL) {
        return false;
    }
    char text[48];
    size_t length = (size_t)(line - nul - 1);
    if (length >= sizeof text) {
        return false;
    }
    memcpy(text, nul + 1, length);
    text[length] = '\0';
    char *rest;
    long n_entries = strtol(text, &rest, 10);
    long n_subtrees = strtol(rest, NULL, 10);
    *out = (cached){.name = (const char *)*at,
                    .name_length = (size_t)(nul - *at),
                    .n_subtrees = (int)n_subtrees};
    *at = line + 1;
    if (n_subtrees < 0 || n_subtrees > 1000000) {
        return false;
    }
    if (n_entries >= 0) {
        if ((size_t)(end - *at) < oid_bytes) {
            return false;
        }
        out->oid = *at;
        *at += oid_bytes;
    }
    out->children = *at;
    out->end = end;
    return true;
}

/* Moves over the `n` trees that follow, with all below them. A counter stands in for recursion. */
static bool skip_trees(const uint8_t **at, const uint8_t *end, size_t oid_bytes, int n)
{
    cached c;
    for (long long left = n; left > 0; left--) {
        if (!take_head(at, end, oid_bytes, &c)) {
            return false;
        }
        left += c.n_subtrees;
    }
    return true;
}

static bool find_child(const cached *parent, const char *name, size_t length, size_t oid_bytes,
                       cached *out)
{
    const uint8_t *at = parent->children;
    for (int i = 0; i < parent->n_subtrees; i++) {
        if (!take_head(&at, parent->end, oid_bytes, out)) {
            return false;
        }
        if (out->name_length == length && memcmp(out->name, name, length) == 0) {
            return true;
        }
        if (!skip_trees(&at, parent->end, oid_bytes, out->n_subtrees)) {
            return false;
        }
    }
    return false;
}

/* Everything below the current path is what the index holds. */
static void mark_same(const reading *r)
{
    const char *prefix = m31ri_buf_str(&r->path);
    for (size_t i = m31ri_git_index_find(r->index, prefix);
         i < r->index->n && strncmp(r->index->entries[i].name, prefix, r->path.length) == 0; i++) {
        r->head->entries[i].state = M31RI_HEAD_SAME;
    }
}

static m31r_err add_removed(const reading *r, uint32_t mode, const uint8_t *oid, m31r_error *e)
{
    m31ri_git_head *h = r->head;
    if (h->n_removed == h->capacity) {
        size_t capacity = h->capacity == 0 ? 16 : h->capacity * 2;
        m31ri_git_removed *removed = m31ri_realloc(h->removed, capacity * sizeof *removed);
        if (removed == NULL) {
            return no_memory(e);
        }
        h->removed = removed;
        h->capacity = capacity;
    }
    m31ri_git_removed *one = &h->removed[h->n_removed];
    one->path = m31ri_strdup(m31ri_buf_str(&r->path));
    if (one->path == NULL) {
        return no_memory(e);
    }
    one->mode = mode;
    memcpy(one->oid, oid, r->repo->oid_bytes);
    h->n_removed++;
    return M31R_OK;
}

/* A file that HEAD holds, its path in `path`. */
static m31r_err take_file(const reading *r, uint32_t mode, const uint8_t *oid, m31r_error *e)
{
    size_t oid_bytes = r->repo->oid_bytes;
    size_t i = m31ri_git_index_find(r->index, m31ri_buf_str(&r->path));
    if (i == r->index->n || strcmp(r->index->entries[i].name, m31ri_buf_str(&r->path)) != 0) {
        return add_removed(r, mode, oid, e);
    }
    const m31ri_git_entry *entry = &r->index->entries[i];
    m31ri_git_head_entry *h = &r->head->entries[i];
    h->state = entry->mode == mode && memcmp(entry->oid, oid, oid_bytes) == 0 ? M31RI_HEAD_SAME
                                                                              : M31RI_HEAD_OTHER;
    h->mode = mode;
    memcpy(h->oid, oid, oid_bytes);
    return M31R_OK;
}

static m31r_err read_tree(reading *r, const uint8_t *oid, const cached *cache, int depth,
                          m31r_error *e);

/* What is left of a tree's bytes. */
typedef struct tree_rest {
    const uint8_t *at, *end;
    int depth;
} tree_rest;

/* Takes one entry: "mode SP name NUL oid". */
static m31r_err take_entry(reading *r, tree_rest *t, const cached *cache, m31r_error *e)
{
    char *mode_end;
    const uint8_t *nul = memchr(t->at, '\0', (size_t)(t->end - t->at));
    if (nul == NULL || (size_t)(t->end - nul - 1) < r->repo->oid_bytes) {
        return damaged(r, e);
    }
    uint32_t mode = (uint32_t)strtoul((const char *)t->at, &mode_end, 8);
    const char *name = mode_end + 1;
    if (*mode_end != ' ' || *name == '\0') {
        return damaged(r, e);
    }
    const uint8_t *oid = nul + 1;
    t->at = oid + r->repo->oid_bytes;
    if (mode == MODE_GITLINK) {
        return M31R_OK;
    }
    cached child;
    size_t length = r->path.length;
    m31ri_buf_add_str(&r->path, name);
    m31r_err err;
    if (mode == MODE_TREE) {
        bool is_cached =
            cache != NULL && find_child(cache, name, strlen(name), r->repo->oid_bytes, &child);
        m31ri_buf_add_char(&r->path, '/');
        err = m31ri_buf_ok(&r->path) ? read_tree(r, oid, is_cached ? &child : NULL, t->depth + 1, e)
                                     : no_memory(e);
    } else {
        mode = mode == 0100664 ? 0100644 : mode; /* written by very old gits */
        err = m31ri_buf_ok(&r->path) ? take_file(r, mode, oid, e) : no_memory(e);
    }
    if (r->path.data != NULL && length <= r->path.length) {
        r->path.length = length;
        r->path.data[length] = '\0';
    }
    return err;
}

/* Does the index hold the current tree as one entry (a sparse index), and the same? */
static bool is_sparse_entry(const reading *r, const uint8_t *oid)
{
    size_t i = m31ri_git_index_find(r->index, m31ri_buf_str(&r->path));
    if (r->path.length == 0 || i == r->index->n) {
        return false;
    }
    const m31ri_git_entry *entry = &r->index->entries[i];
    return entry->mode == MODE_TREE && strcmp(entry->name, m31ri_buf_str(&r->path)) == 0 &&
           memcmp(entry->oid, oid, r->repo->oid_bytes) == 0;
}

/* Declared before use because trees hold trees. */
static m31r_err read_tree(reading *r, const uint8_t *oid, const cached *cache, int depth,
                          m31r_error *e)
{
    if (cache != NULL && cache->oid != NULL && memcmp(cache->oid, oid, r->repo->oid_bytes) == 0) {
        mark_same(r);
        return M31R_OK;
    }
    if (is_sparse_entry(r, oid)) {
        return M31R_OK;
    }
    if (depth > TREE_DEPTH) {
        return damaged(r, e);
    }
    m31ri_buf bytes = M31RI_BUF_INIT;
    m31r_err err = m31ri_git_object_read(r->repo, oid, &bytes, e);
    const uint8_t *at = (const uint8_t *)m31ri_buf_str(&bytes);
    tree_rest t = {at, at + bytes.length, depth};
    while (err == M31R_OK && t.at < t.end) {
        err = take_entry(r, &t, cache, e);
    }
    m31ri_buf_release(&bytes);
    return err;
}

static bool read_hex(const char *hex, size_t n_bytes, uint8_t *out)
{
    for (size_t i = 0; i < n_bytes; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i] != '\0' ? hex[2 * i + 1] : '\0', '\0'};
        if (strspn(pair, "0123456789abcdef") != 2) {
            return false;
        }
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

/* The tree that a commit names in its first line, "tree <hex>". */
static m31r_err tree_of(const m31ri_git_repo *r, const char *commit, uint8_t out[32], m31r_error *e)
{
    uint8_t oid[32];
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = M31R_OK;
    if (!read_hex(commit, r->oid_bytes, oid)) {
        err = m31ri_fail(e, M31R_E_CORRUPT, "commit %s is no object name", commit);
    } else {
        err = m31ri_git_object_read(r, oid, &text, e);
    }
    if (err == M31R_OK &&
        (text.length < 5 + 2 * r->oid_bytes || strncmp(text.data, "tree ", 5) != 0 ||
         !read_hex(text.data + 5, r->oid_bytes, out))) {
        err = m31ri_fail(e, M31R_E_CORRUPT, "commit %s names no tree", commit);
    }
    m31ri_buf_release(&text);
    return err;
}

m31r_err m31ri_git_head_read(const m31ri_git_repo *repo, const char *commit,
                             const m31ri_git_index *x, m31ri_git_head *out, m31r_error *e)
{
    uint8_t tree[32];
    m31ri_git_head h = {0};
    reading r = {.repo = repo, .index = x, .head = &h};
    cached top;
    const uint8_t *at = x->cache_tree;
    bool is_cached = at != NULL && take_head(&at, at + x->cache_tree_bytes, repo->oid_bytes, &top);
    h.entries = m31ri_calloc(x->n + 1, sizeof *h.entries);
    m31r_err err = h.entries != NULL ? tree_of(repo, commit, tree, e) : no_memory(e);
    if (err == M31R_OK) {
        err = read_tree(&r, tree, is_cached ? &top : NULL, 0, e);
    }
    m31ri_buf_release(&r.path);
    if (err != M31R_OK) {
        m31ri_git_head_release(&h);
        return err;
    }
    *out = h;
    return M31R_OK;
}

void m31ri_git_head_release(m31ri_git_head *h)
{
    for (size_t i = 0; i < h->n_removed; i++) {
        m31ri_free(h->removed[i].path);
    }
    m31ri_free(h->removed);
    m31ri_free(h->entries);
    *h = (m31ri_git_head){0};
}
