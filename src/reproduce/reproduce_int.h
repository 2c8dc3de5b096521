/* reproduce_int.h - a reproduction from the inside, and its parts in the order in which they are
 * used. */
#ifndef M31RI_REPRODUCE_INT_H
#define M31RI_REPRODUCE_INT_H

#include <limits.h>
#include <sys/types.h>

#include "base/buf.h"
#include "m31r/reproduce.h"
#include "read/reader_int.h"

#define M31RI_SUBMODULES 256 /* more are refused */

struct m31r_reproduction {
    m31r_reproduce_options o;
    m31r_reader *run; /* its strings live as long, and ours with them */
    m31r_finding *findings;
    size_t n, capacity, n_refused;
    char root[PATH_MAX];       /* directory of runs, absolute */
    char repository[PATH_MAX]; /* what git is asked about */
    char top[PATH_MAX];        /* of the work tree that data is taken from; "" for a bare one */
    const char *dir;           /* where the command runs, below the top; "" for the top */
    const char **argv;
    char scratch[PATH_MAX], tree[PATH_MAX];   /* "" when there is none */
    const char *submodules[M31RI_SUBMODULES]; /* paths of those that were put into the tree */
    size_t n_submodules;
};

/* reproduce_find.c: adds a finding; `todo` may be NULL. A refusal that can be passed over becomes a
 * difference when the caller wants to go on. */
void m31ri_find(m31r_reproduction *p, m31r_finding_kind kind, const char *what, const char *todo,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
void m31ri_find_passable(m31r_reproduction *p, const char *what, const char *todo,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A string kept as long as the reproduction. */
const char *m31ri_keep_format(m31r_reproduction *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* SHA-256 of a file in hex; false when it cannot be read. */
bool m31ri_file_digest(const char *path, char out[65]);

/* A recorded path as one of now: "~" is the home directory, a relative one lies below `base` and
 * the command's directory. */
const char *m31ri_recorded_path(m31r_reproduction *p, const char *base, const char *path);

/* reproduce_git.c: `git -C directory ARGUMENTS...`, hooks off; what it says on both streams is
 * added to `out`. The exit status; -1 when it cannot be started. `arguments` ends with NULL. */
int m31ri_git(const char *directory, const char *const *arguments, m31ri_buf *out);

/* reproduce_git.c: starts `argv` in `directory` with stdout on stderr, and waits. */
int m31ri_shell(const char *directory, const char *command);

/* reproduce_code.c, reproduce_inputs.c, reproduce_environment.c: the findings. */
void m31ri_look_at_code(m31r_reproduction *p);
void m31ri_look_at_config(m31r_reproduction *p);
void m31ri_look_at_command(m31r_reproduction *p);
void m31ri_look_at_inputs(m31r_reproduction *p);
void m31ri_look_at_environment(m31r_reproduction *p);

/* reproduce_source.c: names the source files of the work tree that are not what the run was made
 * of. */
void m31ri_look_at_source(m31r_reproduction *p);

/* reproduce_tree.c: the scratch tree with everything in it; and away with it. */
m31r_err m31ri_tree_make(m31r_reproduction *p, m31r_error *e);
void m31ri_tree_remove(m31r_reproduction *p);

/* reproduce_link.c: makes `to` the same files as `from`: hard links, copies where there can be
 * none. Directories on the way are made. Nothing that is there is replaced. */
m31r_err m31ri_link_tree(const char *from, const char *to, m31r_error *e);

#endif
