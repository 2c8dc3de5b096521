/* git_diff.h - git facts with the text of the diff and the untracked files, by libgit2. For the
 * command only.
 *
 * Starts from what m31ri_git_facts_read() knows and adds: the diff of the work tree against HEAD
 * (staged and unstaged together; binary files named only; at most 4 MiB, `diff_is_cut` says when
 * more), and untracked files that are not ignored. Left out of these are run directories, *.log
 * below logs/, and nested repositories. At most 1,000 are listed (more are counted) with their
 * SHA-256; a file larger than 16 MiB, or after 64 MiB in all, counts by its size only (digest
 * zero). Small text files (64 KiB each, 1 MiB in all, 200 files) are kept as content.
 *
 * Contents are as they lie in the work tree: the privacy rules are applied when they are written
 * (identity.h).
 */
#ifndef M31RI_GIT_DIFF_H
#define M31RI_GIT_DIFF_H

#include "identity/git_facts.h"

#define M31RI_DIFF_BYTES (4 * 1024 * 1024)
#define M31RI_UNTRACKED_LISTED 1000
#define M31RI_UNTRACKED_SEEN 20000 /* looking stops there */
#define M31RI_UNTRACKED_KEPT 200
#define M31RI_UNTRACKED_KEPT_BYTES (64 * 1024)
#define M31RI_UNTRACKED_KEPT_TOTAL (1024 * 1024)
#define M31RI_UNTRACKED_HASHED_BYTES (16 * 1024 * 1024)
#define M31RI_UNTRACKED_HASHED_TOTAL (64 * 1024 * 1024)

/* As m31ri_git_facts_read(). A repository that libgit2 cannot read gives the library's facts alone
 * (has_untracked_facts false). Thread: any. */
m31r_err m31ri_git_diff_read(const char *directory, m31ri_git_facts *out, m31r_error *e);

/* Makes it the reader of m31ri_git_facts_gather(). Once, before anything is gathered. */
void m31ri_git_diff_install(void);

#endif
