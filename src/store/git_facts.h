/* git_facts.h - which code this is: what reading .git can tell without starting a process.
 *
 * The library reads HEAD, refs, packed-refs and the index (stat and, in doubt, the blob's SHA-1) to know commit, branch and which tracked
 * files differ. The diff itself and untracked files need the whole object store: the command finds them with libgit2 (src/observe) and puts them here.
 */
#ifndef M31RI_GIT_FACTS_H
#define M31RI_GIT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "m31r/error.h"

typedef struct m31ri_untracked {
    char *path;        /* relative to the top of the work tree */
    uint8_t digest[32];
    uint64_t bytes;
    char *content;     /* NULL unless kept: small text */
    bool is_cut;
} m31ri_untracked;

typedef struct m31ri_git_facts {
    bool found;                   /* there is a work tree with a commit */
    char commit[65];              /* 40 or 64 hex digits */
    char branch[129];             /* "" when detached */
    char *top;                    /* absolute path of the work tree */
    bool is_dirty;                /* tracked files differ, or untracked ones exist (when known) */
    uint8_t changes_digest[32];   /* over the sorted (path NUL content digest) of changed and untracked files; zero when clean */
    bool has_untracked_facts;     /* filled by the command only */
    m31ri_buf diff;               /* text; empty unless filled by the command */
    bool diff_is_cut;
    m31ri_untracked *untracked;
    size_t n_untracked, n_untracked_unlisted;
} m31ri_git_facts;

/* Looks from `directory` upwards. Not being in a work tree is no error: `found` is false. A damaged .git is M31R_E_CORRUPT. */
m31r_err m31ri_git_facts_read(const char *directory, m31ri_git_facts *out, m31r_error *e);
void m31ri_git_facts_release(m31ri_git_facts *g);

/* A hook the command sets before gathering, to replace the reading above by libgit2's; NULL in the library. */
typedef m31r_err (*m31ri_git_reader)(const char *directory, m31ri_git_facts *out, m31r_error *e);
void m31ri_git_facts_set_reader(m31ri_git_reader reader);

#endif
