/* git_facts.c - commit, branch, changed and untracked files, and one digest over them.
 *
 * The library and the command go this one way, so that a run has the same identity whoever opens
 * it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "git/git_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "git/git_facts_int.h"

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

static m31r_err no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory reading git facts");
}

static m31r_err take_changes(const m31ri_git_work *w, m31ri_git_changes *changes,
                             m31ri_git_facts *g, m31r_error *e)
{
    m31ri_git_delta *deltas = NULL;
    m31r_err err = m31ri_git_compare(w, g, &deltas, e);
    for (size_t i = 0; i < g->n_changed && err == M31R_OK; i++) {
        err = m31ri_git_diff_add(w, &deltas[i], g, e);
        if (err == M31R_OK) {
            err = m31ri_git_changes_add(changes, deltas[i].path, deltas[i].digest, e);
        }
    }
    m31ri_free(deltas);
    return err;
}

static m31r_err compare_with_head(m31ri_git_work *w, m31ri_git_facts *g, m31r_error *e)
{
    m31ri_git_changes changes = {0};
    w->top = m31ri_open_dir(AT_FDCWD, w->repo->top, true);
    if (w->top < 0) {
        return m31ri_fail_sys(e, errno, w->repo->top, "opening the work tree %s", w->repo->top);
    }
    m31r_err err = m31ri_git_attributes_new(w->repo, w->top, &w->attributes, e);
    if (err == M31R_OK) {
        err = take_changes(w, &changes, g, e);
    }
    if (err == M31R_OK) {
        err = m31ri_git_untracked_read(w, g, &changes, e);
    }
    if (err == M31R_OK) {
        g->is_dirty = changes.n > 0;
        err = m31ri_git_changes_digest(&changes, g->changes_digest, e);
    }
    if (err == M31R_OK && g->n_submodules > 0 && g->reason[0] == '\0') {
        snprintf(g->reason, sizeof g->reason, "%zu submodules are not looked into",
                 g->n_submodules);
    }
    m31ri_git_changes_release(&changes);
    m31ri_git_attributes_free(w->attributes);
    close(w->top);
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
        m31ri_git_work w = {.repo = r, .index = &x, .head = head_err == M31R_OK ? &h : NULL};
        if (head_err != M31R_OK) {
            snprintf(g->reason, sizeof g->reason, "what is staged is not known: %.120s",
                     why.message);
        }
        err = head_err == M31R_E_NOMEM ? no_memory(e) : compare_with_head(&w, g, e);
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
