/* git_untracked.c - files that git does not know and is not told to ignore.
 *
 * The work tree is walked in byte order of path; the walk ends when there are too many, so that a
 * forgotten data directory costs no more than the limit. An ignored directory is not entered, so
 * that nothing in it can be taken back by a '!', as in git.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "format/json_text.h"
#include "git/git_facts_int.h"
#include "git/git_rules.h"

#define DEPTH 256 /* directories below one another; deeper ones are not entered */

/* A path part of the form of a run id: "20261123T102651Z-9f3c0a1b". */
static bool is_run_part(const char *part, size_t length)
{
    static const char form[] = "00000000T000000Z-";
    if (length < 25) {
        return false;
    }
    for (size_t i = 0; i < sizeof form - 1; i++) {
        if (form[i] == '0' ? part[i] < '0' || part[i] > '9' : part[i] != form[i]) {
            return false;
        }
    }
    return true;
}

static bool ends_in(const char *path, const char *end)
{
    size_t n = strlen(path), n_end = strlen(end);
    return n >= n_end && strcmp(path + n - n_end, end) == 0;
}

static bool is_named(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return strcmp(slash != NULL ? slash + 1 : path, name) == 0;
}

bool m31ri_git_is_our_own(const char *path)
{
    bool is_in_logs = strncmp(path, "logs/", 5) == 0 || strstr(path, "/logs/") != NULL;
    if (is_in_logs &&
        (ends_in(path, ".log") || ends_in(path, ".log.zst") || is_named(path, "removed.jsonl"))) {
        return true;
    }
    if (is_named(path, ".seals.jsonl") || is_named(path, "accepted.jsonl")) {
        return true;
    }
    for (const char *part = path; *part != '\0';) {
        size_t n = strcspn(part, "/");
        if (part[n] == '/' && is_run_part(part, n)) {
            return true;
        }
        part += n + (part[n] == '/');
    }
    return false;
}

typedef struct collection {
    const m31ri_git_work *work;
    m31ri_git_rules excludes, users; /* info/exclude and core.excludesFile */
    m31ri_buf path;                  /* of the directory being walked, with its '/' */
    char **paths;
    size_t n, capacity;
    bool is_full;
} collection;

/* The .gitignore of a directory and those above it. */
typedef struct level {
    const struct level *up;
    const m31ri_git_rules *rules;
    size_t prefix; /* length of the directory's path */
    int depth;
} level;

static m31r_err no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory listing untracked files");
}

/* 1: ignored, 0: taken back by a '!', -1: the rules do not speak of it. */
static int ask_rules(const m31ri_git_rules *rules, const char *path, bool is_directory)
{
    for (size_t i = rules->n; i-- > 0;) {
        if (m31ri_git_rule_matches(&rules->items[i], path, is_directory)) {
            return !rules->items[i].is_negated;
        }
    }
    return -1;
}

static bool is_ignored(const collection *c, const level *at, const char *path, bool is_directory)
{
    int answer = -1;
    for (; at != NULL && answer < 0; at = at->up) {
        answer = ask_rules(at->rules, path + at->prefix, is_directory);
    }
    answer = answer < 0 ? ask_rules(&c->excludes, path, is_directory) : answer;
    answer = answer < 0 ? ask_rules(&c->users, path, is_directory) : answer;
    return answer == 1;
}

static bool is_in_index(const collection *c, const char *path)
{
    const m31ri_git_index *x = c->work->index;
    size_t i = m31ri_git_index_find(x, path);
    return i < x->n && strcmp(x->entries[i].name, path) == 0;
}

/* A repository of its own, a submodule, or a directory that a sparse index holds as one entry. */
static bool is_foreign(collection *c, const char *path)
{
    struct stat st;
    m31ri_buf name = M31RI_BUF_INIT;
    m31ri_buf_add_format(&name, "%s/", path);
    bool is_foreign = is_in_index(c, path) || is_in_index(c, m31ri_buf_str(&name));
    m31ri_buf_add_str(&name, ".git");
    if (!is_foreign && m31ri_buf_ok(&name) &&
        fstatat(c->work->top, name.data, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        m31ri_buf_add_str(&name, "/HEAD");
        is_foreign = S_ISREG(st.st_mode) ||
                     (S_ISDIR(st.st_mode) && m31ri_buf_ok(&name) &&
                      fstatat(c->work->top, name.data, &st, AT_SYMLINK_NOFOLLOW) == 0);
    }
    m31ri_buf_release(&name);
    return is_foreign;
}

static m31r_err collect(collection *c, const char *path, m31r_error *e)
{
    if (c->n == M31RI_UNTRACKED_SEEN) {
        c->is_full = true;
        return M31R_OK;
    }
    if (c->n == c->capacity) {
        size_t capacity = c->capacity == 0 ? 64 : c->capacity * 2;
        char **paths = m31ri_realloc(c->paths, capacity * sizeof *paths);
        if (paths == NULL) {
            return no_memory(e);
        }
        c->paths = paths;
        c->capacity = capacity;
    }
    c->paths[c->n] = m31ri_strdup(path);
    if (c->paths[c->n] == NULL) {
        return no_memory(e);
    }
    c->n++;
    return M31R_OK;
}

static m31r_err walk(collection *c, const level *up, m31r_error *e);

static m31r_err look_at_name(collection *c, const level *at, const m31ri_dir_entry *entry,
                             m31r_error *e)
{
    size_t length = c->path.length;
    m31r_err err = M31R_OK;
    bool is_directory = entry->type == 'd';
    if (strcmp(entry->name, ".git") == 0 || entry->type == 'o') {
        return M31R_OK;
    }
    m31ri_buf_add_str(&c->path, entry->name);
    const char *path = m31ri_buf_str(&c->path);
    if (!m31ri_buf_ok(&c->path)) {
        return no_memory(e);
    }
    if (is_directory) {
        if (at->depth < DEPTH && !is_ignored(c, at, path, true) && !is_foreign(c, path)) {
            m31ri_buf_add_char(&c->path, '/');
            err = m31ri_buf_ok(&c->path) ? walk(c, at, e) : no_memory(e);
        }
    } else if (!is_in_index(c, path) && !is_ignored(c, at, path, false) &&
               !m31ri_git_is_our_own(path)) {
        err = collect(c, path, e);
    }
    if (c->path.data != NULL) {
        c->path.length = length;
        c->path.data[length] = '\0';
    }
    return err;
}

/* As the paths of what is in them are ordered: a directory as if its name ended in '/'. */
static int by_path(const void *a, const void *b)
{
    const m31ri_dir_entry *x = a;
    const m31ri_dir_entry *y = b;
    size_t i = 0;
    while (x->name[i] != '\0' && x->name[i] == y->name[i]) {
        i++;
    }
    int of_x = x->name[i] == '\0' && x->type == 'd' ? '/' : (unsigned char)x->name[i];
    int of_y = y->name[i] == '\0' && y->type == 'd' ? '/' : (unsigned char)y->name[i];
    return of_x - of_y;
}

/* Walks the directory that `c->path` names. One that cannot be opened is passed over. Declared
 * before use because directories hold directories. */
static m31r_err walk(collection *c, const level *up, m31r_error *e)
{
    m31ri_git_rules rules = {0};
    m31ri_dir_list list = {0};
    size_t length = c->path.length;
    m31ri_buf_add_str(&c->path, ".gitignore");
    if (!m31ri_buf_ok(&c->path)) {
        return no_memory(e);
    }
    m31r_err err = m31ri_git_rules_read(c->work->top, c->path.data, M31RI_GIT_IGNORES, &rules, e);
    c->path.length = length;
    c->path.data[length] = '\0';
    int dir = m31ri_open_dir(c->work->top, length > 0 ? c->path.data : ".", false);
    if (dir >= 0) {
        m31r_err list_err = err == M31R_OK ? m31ri_dir_list_fd(dir, &list, e) : err;
        err = list_err == M31R_E_NOMEM ? list_err : err;
        close(dir);
    }
    if (list.n > 0) {
        qsort(list.entries, list.n, sizeof *list.entries, by_path);
    }
    const level here = {up, &rules, length, up != NULL ? up->depth + 1 : 0};
    for (size_t i = 0; i < list.n && err == M31R_OK && !c->is_full; i++) {
        err = look_at_name(c, &here, &list.entries[i], e);
    }
    m31ri_dir_list_release(&list);
    m31ri_git_rules_release(&rules);
    return err;
}

static bool is_text(const m31ri_buf *b)
{
    return memchr(m31ri_buf_str(b), '\0', b->length) == NULL &&
           m31ri_utf8_is_valid(m31ri_buf_str(b), b->length);
}

/* Reads a small file; `content` NULL when it is no text, or when its name is none: a manifest could
 * not name the copy. Its digest is of exactly these bytes. */
static bool keep_text(int top, m31ri_untracked *u)
{
    if (!m31ri_utf8_is_valid(u->path, strlen(u->path))) {
        return false;
    }
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = m31ri_read_file(top, u->path, M31RI_UNTRACKED_KEPT_BYTES, &text, NULL);
    if (err == M31R_OK && m31ri_buf_reserve(&text, 0) && is_text(&text)) {
        m31ri_sha256_of(text.data, text.length, u->digest);
        u->bytes = text.length;
        u->content = text.data;
        return true;
    }
    m31ri_buf_release(&text);
    return false;
}

typedef struct budget {
    uint64_t hashed_bytes, kept_bytes;
    size_t n_kept;
} budget;

/* Fills what is known of one file. */
static void look_at(int top, const struct stat *st, m31ri_untracked *u, budget *b)
{
    u->bytes = (uint64_t)st->st_size;
    bool is_small = S_ISREG(st->st_mode) && u->bytes <= M31RI_UNTRACKED_KEPT_BYTES &&
                    b->n_kept < M31RI_UNTRACKED_KEPT &&
                    b->kept_bytes + u->bytes <= M31RI_UNTRACKED_KEPT_TOTAL;
    if (is_small && keep_text(top, u)) {
        b->n_kept++;
        b->kept_bytes += u->bytes;
    } else if (u->bytes <= M31RI_UNTRACKED_HASHED_BYTES &&
               b->hashed_bytes + u->bytes <= M31RI_UNTRACKED_HASHED_TOTAL &&
               m31ri_git_content_digest(top, u->path, u->digest, &u->bytes)) {
        b->hashed_bytes += u->bytes;
    }
}

/* What stands for a file in the digest of all changes: its content, else its size. */
static void digest_of(const m31ri_untracked *u, uint8_t out[32])
{
    static const uint8_t zero[32];
    if (memcmp(u->digest, zero, 32) != 0) {
        memcpy(out, u->digest, 32);
        return;
    }
    char text[48];
    int n = snprintf(text, sizeof text, "%llu bytes", (unsigned long long)u->bytes);
    m31ri_sha256_of(text, (size_t)n, out);
}

/* Takes over the paths: the first are listed, the rest counted; all stand in `changes`. */
static m31r_err fill(collection *c, m31ri_git_facts *g, m31ri_git_changes *changes, m31r_error *e)
{
    budget b = {0};
    int top = c->work->top;
    size_t n_listed = c->n < M31RI_UNTRACKED_LISTED ? c->n : M31RI_UNTRACKED_LISTED;
    g->untracked = m31ri_calloc(n_listed + 1, sizeof *g->untracked);
    if (g->untracked == NULL) {
        return no_memory(e);
    }
    for (size_t i = 0; i < c->n; i++) {
        struct stat st;
        m31ri_untracked u = {.path = c->paths[i]};
        if (fstatat(top, u.path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            continue; /* gone meanwhile */
        }
        if (i < n_listed) {
            look_at(top, &st, &u, &b);
        }
        u.bytes = u.content == NULL ? (uint64_t)st.st_size : u.bytes;
        uint8_t digest[32];
        digest_of(&u, digest);
        if (i < n_listed) {
            c->paths[i] = NULL; /* now the list's */
            g->untracked[g->n_untracked++] = u;
        } else {
            g->n_untracked_unlisted++;
        }
        m31r_err err = m31ri_git_changes_add(changes, u.path, digest, e);
        if (err != M31R_OK) {
            return err;
        }
    }
    g->n_untracked_unlisted += c->is_full; /* at least one more */
    return M31R_OK;
}

/* The rules that hold for the whole work tree. */
static m31r_err read_rules(collection *c, m31r_error *e)
{
    const m31ri_git_repo *r = c->work->repo;
    m31ri_buf path = M31RI_BUF_INIT;
    m31ri_buf_add_format(&path, "%s/info/exclude", r->common);
    m31r_err err = m31ri_buf_ok(&path) ? m31ri_git_rules_read(AT_FDCWD, path.data,
                                                              M31RI_GIT_IGNORES, &c->excludes, e)
                                       : no_memory(e);
    m31ri_buf_release(&path);
    if (err == M31R_OK && r->excludes_file != NULL) {
        err = m31ri_git_rules_read(AT_FDCWD, r->excludes_file, M31RI_GIT_IGNORES, &c->users, e);
    }
    return err;
}

m31r_err m31ri_git_untracked_read(const m31ri_git_work *w, m31ri_git_facts *g,
                                  m31ri_git_changes *changes, m31r_error *e)
{
    collection c = {.work = w};
    m31r_err err = read_rules(&c, e);
    if (err == M31R_OK) {
        err = walk(&c, NULL, e);
    }
    if (err == M31R_OK) {
        err = fill(&c, g, changes, e);
    }
    for (size_t i = 0; i < c.n; i++) {
        m31ri_free(c.paths[i]);
    }
    m31ri_free(c.paths);
    m31ri_buf_release(&c.path);
    m31ri_git_rules_release(&c.excludes);
    m31ri_git_rules_release(&c.users);
    return err;
}
