/* git_rules.h - lists of path patterns as .gitignore and .gitattributes hold them.
 *
 * A pattern with a '/' that is not its last character is anchored: it is compared with the whole
 * path below the directory of its file. One without is compared with the last part of the path.
 * `*` and `?` stop at '/', a part of two stars stands for any number of directories.
 */
#ifndef M31RI_GIT_RULES_H
#define M31RI_GIT_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "m31r/error.h"

#define M31RI_GIT_RULES_BYTES (4 * 1024 * 1024) /* a larger file of rules is refused */

/* One line. Texts point into the list's own memory. */
typedef struct m31ri_git_rule {
    const char *pattern;
    const char *attributes; /* what follows the pattern; "" in a file of ignored paths */
    bool is_negated;        /* a leading '!' */
    bool is_directory_only; /* a trailing '/' */
    bool is_anchored;
} m31ri_git_rule;

typedef struct m31ri_git_rules {
    m31ri_buf text;
    m31ri_git_rule *items; /* in the order of the file */
    size_t n;
} m31ri_git_rules;

typedef enum m31ri_git_rule_kind { M31RI_GIT_IGNORES, M31RI_GIT_ATTRIBUTES } m31ri_git_rule_kind;

/* Reads the rules of `name` below `dir` (AT_FDCWD with an absolute name, too). A file that is
 * missing, a symlink or no regular file has none.
 * Errors: M31R_E_LIMIT, M31R_E_NOMEM, M31R_E_IO. Owns: m31ri_git_rules_release(). Thread: any. */
m31r_err m31ri_git_rules_read(int dir, const char *name, m31ri_git_rule_kind kind,
                              m31ri_git_rules *out, m31r_error *e);
void m31ri_git_rules_release(m31ri_git_rules *r);

/* Does the rule speak of `path`, which is relative to the directory of the rule's file? */
bool m31ri_git_rule_matches(const m31ri_git_rule *r, const char *path, bool is_directory);

/* A pattern against a text, '/' being special as said above. A pattern that would take too long is
 * one that does not match. */
bool m31ri_git_pattern_matches(const char *pattern, const char *text);

#endif
