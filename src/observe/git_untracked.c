/* git_untracked.c - files that git does not know and is not told to ignore.
 *
 * libgit2 reports them in byte order of path while it walks; the walk is ended from the callback
 * when there are too many, so that a forgotten data directory of a million files costs no more than
 * the limit.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <git2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "format/json_text.h"
#include "observe/git_diff_int.h"

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

/* What observing itself leaves behind is no part of the code: else every run would change the next
 * one's identity. */
static bool is_our_own(const char *path)
{
    size_t length = strlen(path);
    if ((strncmp(path, "logs/", 5) == 0 || strstr(path, "/logs/") != NULL) && length > 4 &&
        strcmp(path + length - 4, ".log") == 0) {
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
    char **paths;
    size_t n, capacity;
    bool is_out_of_memory, is_full;
} collection;

static int stop(collection *c, bool out_of_memory)
{
    c->is_out_of_memory = out_of_memory;
    c->is_full = !out_of_memory;
    return -1;
}

/* Called for each delta found; 1 leaves it out of libgit2's own list, -1 ends the walk. */
static int collect(const git_diff *diff, const git_diff_delta *delta, const char *pathspec,
                   void *payload)
{
    (void)diff;
    (void)pathspec;
    collection *c = payload;
    const char *path = delta->new_file.path;
    size_t length = strlen(path);
    if (delta->status != GIT_DELTA_UNTRACKED || length == 0 || path[length - 1] == '/' ||
        is_our_own(path)) {
        return 1;
    }
    if (c->n == M31RI_UNTRACKED_SEEN) {
        return stop(c, false);
    }
    if (c->n == c->capacity) {
        size_t capacity = c->capacity == 0 ? 64 : c->capacity * 2;
        char **paths = m31ri_realloc(c->paths, capacity * sizeof *paths);
        if (paths == NULL) {
            return stop(c, true);
        }
        c->paths = paths;
        c->capacity = capacity;
    }
    c->paths[c->n] = m31ri_strdup(path);
    if (c->paths[c->n] == NULL) {
        return stop(c, true);
    }
    c->n++;
    return 1;
}

static void release(collection *c)
{
    for (size_t i = 0; i < c->n; i++) {
        m31ri_free(c->paths[i]);
    }
    m31ri_free(c->paths);
}

static bool is_text(const m31ri_buf *b)
{
    return memchr(m31ri_buf_str(b), '\0', b->length) == NULL &&
           m31ri_utf8_is_valid(m31ri_buf_str(b), b->length);
}

/* Reads a small file; `content` NULL when it is no text. Its digest is of exactly these bytes. */
static bool keep_text(int top, m31ri_untracked *u)
{
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
static m31r_err fill(collection *c, int top, m31ri_git_facts *g, m31ri_changes *changes,
                     m31r_error *e)
{
    budget b = {0};
    size_t n_listed = c->n < M31RI_UNTRACKED_LISTED ? c->n : M31RI_UNTRACKED_LISTED;
    g->untracked = m31ri_calloc(n_listed + 1, sizeof *g->untracked);
    if (g->untracked == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory listing untracked files");
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
        m31r_err err = m31ri_changes_add(changes, u.path, digest, e);
        if (err != M31R_OK) {
            return err;
        }
    }
    g->n_untracked_unlisted += c->is_full; /* at least one more */
    return M31R_OK;
}

m31r_err m31ri_git_untracked(git_repository *repo, int top, m31ri_git_facts *g,
                             m31ri_changes *changes, m31r_error *e)
{
    collection c = {0};
    git_diff *diff = NULL;
    git_diff_options options;
    git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags =
        GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS | GIT_DIFF_SKIP_BINARY_CHECK;
    options.ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
    options.notify_cb = collect;
    options.payload = &c;
    int failed = git_diff_index_to_workdir(&diff, repo, NULL, &options);
    git_diff_free(diff);
    m31r_err err = M31R_OK;
    if (c.is_out_of_memory) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory listing untracked files");
    } else if (failed == 0 || c.is_full) {
        err = fill(&c, top, g, changes, e);
        g->has_untracked_facts = err == M31R_OK;
    }
    release(&c);
    return err;
}
