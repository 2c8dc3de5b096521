/* git_diff_int.h - what git_diff.c and git_untracked.c share. */
#ifndef M31RI_GIT_DIFF_INT_H
#define M31RI_GIT_DIFF_INT_H

#include <git2.h>

#include "observe/git_diff.h"

/* Changed and untracked files, for the digest. Paths are copies. */
typedef struct m31ri_changes {
    m31ri_git_change *items;
    size_t n, capacity;
} m31ri_changes;

m31r_err m31ri_changes_add(m31ri_changes *c, const char *path, const uint8_t digest[32],
                           m31r_error *e);

/* Fills the untracked part of `g` and adds each file to `changes`. When libgit2 fails the part
 * stays empty. */
m31r_err m31ri_git_untracked(git_repository *repo, int top, m31ri_git_facts *g,
                             m31ri_changes *changes, m31r_error *e);

#endif
