/* git_facts.h - which code this is, read from .git and the work tree without starting a process.
 *
 * Changed means: what the work tree holds differs from what HEAD holds (as `git diff HEAD` sees it,
 * staged and unstaged together). Read are HEAD, refs, packed-refs, the index (stat and, in doubt,
 * the blob's hash), HEAD's trees where they differ from what the index remembers, and the objects
 * of changed files. Line ends are converted as core.autocrlf and the attributes `text` and `eol`
 * say, and files of Git LFS are compared by the pointer that is stored; other filters are not run,
 * and `reason` says when that matters. Submodules are left out, and counted.
 *
 * diff: text that `git apply` takes at the commit and that makes the tracked files what they are
 * now (git_diff.c says how binary files and large ones are named). Each file's part is whole or
 * left out; `diff_is_cut` says that one was left out for the limit of 4 MiB, or because its old
 * content could not be read.
 *
 * untracked: files that are neither in the index nor ignored. Left out of these are directories of
 * runs, *.log below logs/, and nested repositories. At most 1,000 are listed (more are counted)
 * with their SHA-256; a file larger than 16 MiB, or after 64 MiB in all, counts by its size only
 * (digest zero). Small text files (64 KiB each, 1 MiB in all, 200 files) are kept as content.
 *
 * changes_digest: SHA-256 over, in byte order of path, path NUL digest of each changed or untracked
 * file, the digest being SHA-256 of what the work tree holds (a symlink: its target text; deleted:
 * 32 zero bytes; a file that a sparse checkout leaves out: what the index holds).
 *
 * Contents are as they lie in the work tree: the privacy rules are applied when they are written
 * (identity.h).
 */
#ifndef M31RI_GIT_FACTS_H
#define M31RI_GIT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "m31r/error.h"

#define M31RI_DIFF_BYTES (4 * 1024 * 1024)
#define M31RI_UNTRACKED_LISTED 1000
#define M31RI_UNTRACKED_SEEN 20000 /* looking stops there */
#define M31RI_UNTRACKED_KEPT 200
#define M31RI_UNTRACKED_KEPT_BYTES (64 * 1024)
#define M31RI_UNTRACKED_KEPT_TOTAL (1024 * 1024)
#define M31RI_UNTRACKED_HASHED_BYTES (16 * 1024 * 1024)
#define M31RI_UNTRACKED_HASHED_TOTAL (64 * 1024 * 1024)

typedef struct m31ri_untracked {
    char *path; /* relative to the top of the work tree */
    uint8_t digest[32];
    uint64_t bytes;
    char *content; /* NULL unless kept: small text */
} m31ri_untracked;

typedef struct m31ri_git_facts {
    bool found;                 /* there is a work tree with a commit */
    char commit[65];            /* 40 or 64 hex digits */
    char branch[129];           /* "" when detached */
    char *top;                  /* absolute path of the work tree */
    bool is_dirty;              /* tracked files differ, or untracked ones exist */
    uint8_t changes_digest[32]; /* zero when clean */
    m31ri_buf diff;
    bool diff_is_cut;
    m31ri_untracked *untracked; /* in byte order of path */
    size_t n_untracked, n_untracked_unlisted;
    size_t n_changed;    /* tracked files that differ */
    size_t n_submodules; /* not looked into */
    char reason[160];    /* why there is no commit to name; when found: "", or what is not known */
} m31ri_git_facts;

/* Looks from `directory` upwards. Not being in a work tree is no error: `found` is false
 * and `reason` says why (no work tree, a branch without a commit, a split index). A damaged .git is
 * M31R_E_CORRUPT. Owns: m31ri_git_facts_release(). Thread: any. */
m31r_err m31ri_git_facts_read(const char *directory, m31ri_git_facts *out, m31r_error *e);
void m31ri_git_facts_release(m31ri_git_facts *g);

#endif
