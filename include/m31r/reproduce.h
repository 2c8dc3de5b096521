/* reproduce.h - a run made again from its own record: m31r reproduce.
 *
 * A reproduction looks first at all that the run was made of: commit, uncommitted changes,
 * untracked files, config, command, program, dataset, tokenizer, files read, environment. Each is a
 * finding: the same, different, or a reason to refuse. Then it puts the code into a scratch work
 * tree (by `git worktree`), restores changes and config, gives it the data by hard links, runs the
 * command under observation with the recorded seed and settings, and takes the scratch away. The
 * new run names the one that it repeats.
 *
 *     m31r_reproduce_options o = M31R_REPRODUCE_OPTIONS_INIT;
 *     o.run = "@";
 *     if (m31r_reproduction_open(&p, &o, &e) == M31R_OK && m31r_reproduction_refused(p) == 0) {
 *         m31r_reproduction_run(p, path, sizeof path, &e);
 *     }
 *     m31r_reproduction_close(p);
 */
#ifndef M31R_REPRODUCE_H
#define M31R_REPRODUCE_H

#include <stdbool.h>
#include <stddef.h>

#include "m31r/error.h"
#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct m31r_reproduction m31r_reproduction;

typedef struct m31r_reproduce_options {
    size_t size;            /* sizeof(m31r_reproduce_options) */
    const char *root, *run; /* as m31r_reader_open() */
    const char *repository; /* a work tree or bare repository with the commit; NULL: the working
                               directory's */
    const char *config;     /* the original of a config that was redacted */
    const char *diff;       /* the original of uncommitted changes that were redacted */
    int argc;               /* the original of a command that was redacted */
    const char *const *argv;
    const char *build;        /* a shell command that makes the program in the scratch tree */
    const char *const *links; /* further files and directories to be seen in the scratch tree */
    size_t n_links;
    bool is_here;           /* run in the work tree as it is, without a scratch one */
    bool keeps_environment; /* thread and locale settings as they are now, not as recorded */
    bool keeps_tree;        /* leave the scratch tree behind */
    bool goes_on;           /* also where what is refused can be passed over */
} m31r_reproduce_options;

#define M31R_REPRODUCE_OPTIONS_INIT                                                                \
    {                                                                                              \
        .size = sizeof(m31r_reproduce_options)                                                     \
    }

typedef enum m31r_finding_kind {
    M31R_FINDING_SAME = 0,    /* as recorded */
    M31R_FINDING_DIFFERS = 1, /* not as recorded; the run can be made all the same */
    M31R_FINDING_REFUSED = 2  /* missing, or so different that the result cannot be the same */
} m31r_finding_kind;

typedef struct m31r_finding {
    m31r_finding_kind kind;
    const char *what; /* "commit", "config", "input data/007.rs", "environment OMP_NUM_THREADS" */
    const char *text; /* a short sentence */
    const char *todo; /* what to do about it; "" for nothing */
} m31r_finding;

/* Looks at a run and at what is here, and changes nothing.
 *
 * Returns: M31R_OK and the reproduction in `*out`, whatever the findings.
 * Errors:  M31R_E_NOTFOUND, M31R_E_ARG (no such run; it has not ended), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it; the strings of `o` must live as long.
 * Thread:  any.
 */
M31R_API m31r_err m31r_reproduction_open(m31r_reproduction **out, const m31r_reproduce_options *o,
                                         m31r_error *e);

/* Takes the scratch tree away, unless it is to be kept, and frees. NULL is fine.
 *
 * Owns:   frees `p`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_reproduction_close(m31r_reproduction *p);

/* The i-th finding, in the order in which they were made.
 *
 * Returns: M31R_OK and the finding in `*out`.
 * Errors:  M31R_E_NOTFOUND after the last.
 * Owns:    the reproduction.
 * Thread:  any.
 */
M31R_API m31r_err m31r_reproduction_finding(const m31r_reproduction *p, size_t i,
                                            m31r_finding *out);

/* How many findings are a reason to refuse.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API size_t m31r_reproduction_refused(const m31r_reproduction *p);

/* The run that is repeated.
 *
 * Returns: its reader.
 * Owns:    the reproduction.
 * Thread:  any.
 */
M31R_API const m31r_reader *m31r_reproduction_of(const m31r_reproduction *p);

/* Makes the scratch tree, runs the command there under observation (what it prints goes to stderr),
 * and writes the path of the new run. Findings may come to it, such as a tree that could not be
 * made what it was.
 *
 * Returns: M31R_OK when a new run was made, however it ended.
 * Errors:  M31R_E_INVALID (refused: the findings say why), M31R_E_IO (git or the build failed: the
 *          message holds what they said), M31R_E_LIMIT (`size`), M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  one at a time in a process, which forks.
 */
M31R_API m31r_err m31r_reproduction_run(m31r_reproduction *p, char *out_path, size_t size,
                                        m31r_error *e);

#ifdef __cplusplus
}
#endif
#endif
