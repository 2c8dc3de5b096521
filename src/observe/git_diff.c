/* git_diff.c - the work tree against HEAD by libgit2: which files differ, and the text of the
 * difference.
 *
 * libgit2 blends tree->index and index->work tree; a file that was staged and then put back comes
 * out as a change without a difference, so each delta is checked against what lies in the work tree
 * before it counts.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "observe/git_diff.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "observe/git_diff_int.h"

m31r_err m31ri_changes_add(m31ri_changes *c, const char *path, const uint8_t digest[32],
                           m31r_error *e)
{
    if (c->n == c->capacity) {
        size_t capacity = c->capacity == 0 ? 64 : c->capacity * 2;
        m31ri_git_change *items = m31ri_realloc(c->items, capacity * sizeof *items);
        if (items == NULL) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory comparing the work tree");
        }
        c->items = items;
        c->capacity = capacity;
    }
    char *copy = m31ri_strdup(path);
    if (copy == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory comparing the work tree");
    }
    c->items[c->n].path = copy;
    memcpy(c->items[c->n].digest, digest, 32);
    c->n++;
    return M31R_OK;
}

static void release_changes(m31ri_changes *c)
{
    for (size_t i = 0; i < c->n; i++) {
        m31ri_free((char *)(uintptr_t)c->items[i].path);
    }
    m31ri_free(c->items);
}

/* Git's name of what lies in the work tree at `path`, filters applied; false when nothing does. */
static bool work_tree_oid(git_repository *repo, int top, const char *path, git_oid *out)
{
    struct stat st;
    char target[PATH_MAX];
    if (fstatat(top, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    if (S_ISLNK(st.st_mode)) {
        ssize_t n = readlinkat(top, path, target, sizeof target);
        return n >= 0 && git_odb_hash(out, target, (size_t)n, GIT_OBJECT_BLOB) == 0;
    }
    return S_ISREG(st.st_mode) &&
           git_repository_hashfile(out, repo, path, GIT_OBJECT_BLOB, NULL) == 0;
}

/* Does the work tree really differ from HEAD here? */
static bool is_change(git_repository *repo, int top, const git_diff_delta *delta)
{
    git_oid oid;
    switch (delta->status) {
    case GIT_DELTA_UNMODIFIED:
    case GIT_DELTA_IGNORED:
    case GIT_DELTA_UNTRACKED:
        return false;
    case GIT_DELTA_ADDED: /* added to the index, then taken away again: there was never a file */
        return work_tree_oid(repo, top, delta->new_file.path, &oid);
    case GIT_DELTA_MODIFIED:
        return delta->old_file.mode != delta->new_file.mode ||
               !work_tree_oid(repo, top, delta->new_file.path, &oid) ||
               git_oid_cmp(&oid, &delta->old_file.id) != 0;
    default:
        return true;
    }
}

typedef struct comparison {
    git_repository *repo;
    int top;
    m31ri_git_facts *facts;
    m31ri_changes *changes;
} comparison;

/* Appends one line of a patch until the text is full. */
static int add_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
                    const git_diff_line *line, void *payload)
{
    (void)delta;
    (void)hunk;
    m31ri_git_facts *g = payload;
    bool has_origin = line->origin == GIT_DIFF_LINE_CONTEXT ||
                      line->origin == GIT_DIFF_LINE_ADDITION ||
                      line->origin == GIT_DIFF_LINE_DELETION;
    if (g->diff.length + line->content_len + 1 > M31RI_DIFF_BYTES) {
        g->diff_is_cut = true;
        return -1;
    }
    if (has_origin) {
        m31ri_buf_add_char(&g->diff, line->origin);
    }
    m31ri_buf_add(&g->diff, line->content, line->content_len);
    return m31ri_buf_ok(&g->diff) ? 0 : -1;
}

static m31r_err take_delta(const comparison *c, git_diff *diff, size_t i, m31r_error *e)
{
    m31ri_git_facts *g = c->facts;
    static const uint8_t nothing[32];
    uint8_t digest[32];
    git_patch *patch = NULL;
    const git_diff_delta *delta = git_diff_get_delta(diff, i);
    const char *path = delta->new_file.path;
    bool is_there =
        delta->status != GIT_DELTA_DELETED && m31ri_git_content_digest(c->top, path, digest, NULL);
    m31r_err err = m31ri_changes_add(c->changes, path, is_there ? digest : nothing, e);
    if (err == M31R_OK && !g->diff_is_cut && git_patch_from_diff(&patch, diff, i) == 0 &&
        patch != NULL) {
        git_patch_print(patch, add_line, g);
        if (!m31ri_buf_ok(&g->diff)) {
            err = m31ri_fail(e, M31R_E_NOMEM, "out of memory taking the diff");
        }
    }
    git_patch_free(patch);
    return err;
}

static m31r_err take_deltas(const comparison *c, git_diff *diff, m31r_error *e)
{
    m31r_err err = M31R_OK;
    size_t n = git_diff_num_deltas(diff);
    for (size_t i = 0; i < n && err == M31R_OK; i++) {
        if (is_change(c->repo, c->top, git_diff_get_delta(diff, i))) {
            err = take_delta(c, diff, i, e);
        }
    }
    c->facts->n_changed = c->changes->n;
    return err;
}

/* Recomputes what the library found, now against HEAD's tree, and adds text and untracked files. */
static m31r_err compare(git_repository *repo, git_object *tree, int top, m31ri_git_facts *g,
                        m31r_error *e)
{
    git_diff *diff = NULL;
    git_diff_options options;
    m31ri_changes changes = {0};
    git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags = GIT_DIFF_INCLUDE_TYPECHANGE;
    options.ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
    options.max_size = M31RI_DIFF_BYTES; /* a larger file is named only, as a binary one */
    options.context_lines = 3;
    const comparison c = {repo, top, g, &changes};
    m31r_err err = M31R_OK;
    /* The library never overlooks a change; where it saw none, a walk of the work tree is saved. */
    if (g->n_changed > 0 || g->reason[0] != '\0') {
        if (git_diff_tree_to_workdir_with_index(&diff, repo, (git_tree *)tree, &options) != 0) {
            return M31R_OK; /* the library's facts stand */
        }
        err = take_deltas(&c, diff, e);
        git_diff_free(diff);
    }
    if (err == M31R_OK) {
        err = m31ri_git_untracked(repo, top, g, &changes, e);
    }
    if (err == M31R_OK) {
        g->is_dirty = changes.n > 0;
        err = m31ri_git_changes_digest(changes.items, changes.n, g->changes_digest, e);
    }
    release_changes(&changes);
    return err;
}

m31r_err m31ri_git_diff_read(const char *directory, m31ri_git_facts *out, m31r_error *e)
{
    m31ri_git_facts g = {0};
    m31r_err err = m31ri_git_facts_read(directory, &g, e);
    if (err != M31R_OK || !g.found) {
        *out = err == M31R_OK ? g : *out;
        return err;
    }
    git_repository *repo = NULL;
    git_object *tree = NULL;
    git_libgit2_init();
    /* Nothing of the repository is executed here, so whose it is does not matter. */
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    int top = m31ri_open_dir(AT_FDCWD, g.top, true);
    if (top >= 0 && git_repository_open(&repo, g.top) == 0 &&
        git_revparse_single(&tree, repo, "HEAD^{tree}") == 0) {
        err = compare(repo, tree, top, &g, e);
    }
    git_object_free(tree);
    git_repository_free(repo);
    git_libgit2_shutdown();
    if (top >= 0) {
        close(top);
    }
    if (err != M31R_OK) {
        m31ri_git_facts_release(&g);
        return err;
    }
    *out = g;
    return M31R_OK;
}

void m31ri_git_diff_install(void)
{
    m31ri_git_facts_set_reader(m31ri_git_diff_read);
}
