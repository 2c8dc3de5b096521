/* git_facts.h - which code this is: what reading .git can tell without starting a process.
 *
 * Changed means: what the work tree holds differs from what HEAD holds (as `git diff HEAD` sees it,
 * staged and unstaged together). The library reads HEAD, refs, packed-refs, the index (stat and, in
 * doubt, the blob's hash) and, where they differ from what the index remembers, HEAD's trees. The
 * text of the diff and the untracked files are the command's: it finds them with libgit2
 * (src/observe/git_diff.h) and puts them here. Submodules are left out.
 *
 * changes_digest: SHA-256 over, in byte order of path, path NUL digest of each changed file, the
 * digest being SHA-256 of what the work tree holds (a symlink: its target text; deleted: 32 zero
 * bytes); untracked files, when known, are in the same list.
 */
#ifndef M31RI_GIT_FACTS_H
#define M31RI_GIT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "m31r/error.h"

typedef struct m31ri_untracked {
    char *path; /* relative to the top of the work tree */
    uint8_t digest[32];
    uint64_t bytes;
    char *content; /* NULL unless kept: small text */
    bool is_cut;
} m31ri_untracked;

typedef struct m31ri_git_facts {
    bool found;                 /* there is a work tree with a commit */
    char commit[65];            /* 40 or 64 hex digits */
    char branch[129];           /* "" when detached */
    char *top;                  /* absolute path of the work tree */
    bool is_dirty;              /* tracked files differ, or untracked ones exist (when known) */
    uint8_t changes_digest[32]; /* over the sorted (path NUL content digest) of changed and
                                   untracked files; zero when clean */
    bool has_untracked_facts;   /* filled by the command only */
    m31ri_buf diff;             /* text; empty unless filled by the command */
    bool diff_is_cut;
    m31ri_untracked *untracked;
    size_t n_untracked, n_untracked_unlisted;
    size_t n_changed; /* tracked files that differ */
    char reason[160]; /* why there is no commit to name; when found: "", or what is not known */
} m31ri_git_facts;

/* Looks from `directory` upwards. Not being in a work tree is no error: `found` is false
 * and `reason` says why (no work tree, a branch without a commit, a split index). A damaged .git is
 * M31R_E_CORRUPT. */
m31r_err m31ri_git_facts_read(const char *directory, m31ri_git_facts *out, m31r_error *e);
void m31ri_git_facts_release(m31ri_git_facts *g);

/* A hook the command sets before gathering, to replace the reading above by libgit2's; NULL in the
 * library. */
typedef m31r_err (*m31ri_git_reader)(const char *directory, m31ri_git_facts *out, m31r_error *e);
void m31ri_git_facts_set_reader(m31ri_git_reader reader);

/* The reading by the hook when one is set, else by m31ri_git_facts_read(). */
m31r_err m31ri_git_facts_gather(const char *directory, m31ri_git_facts *out, m31r_error *e);

/* One changed or untracked file, for the digest. */
typedef struct m31ri_git_change {
    const char *path;
    uint8_t digest[32];
} m31ri_git_change;

/* Sorts `changes` and computes changes_digest (zero when there are none). Also for src/observe. */
m31r_err m31ri_git_changes_digest(m31ri_git_change *changes, size_t n, uint8_t out[32],
                                  m31r_error *e);

/* SHA-256 and size of what the work tree holds at `path` below `top`: a file's bytes or a symlink's
 * target text. False when there is nothing, or nothing that git tracks. Also for src/observe. */
bool m31ri_git_content_digest(int top, const char *path, uint8_t out[32], uint64_t *out_bytes);

#endif
