/* recover.h - ends runs whose writer died before it could: m31r recover.
 *
 * A run is recovered when all its processes are proved dead: its locks are free on this host, and
 * the program that was observed is gone. Then torn ends are taken off its files and recorded, its
 * end is recorded (`crashed`, unless its own records or notices say more), metrics.json is computed
 * again, the manifest is made, and `.live/` is removed. Nothing that was recorded is changed. It
 * may be killed at any moment and be called again.
 *
 *     m31r_recovery r;
 *     if (m31r_recover("experiments", "@", true, &r, &e) == M31R_OK &&
 *         r.kind == M31R_RECOVERY_NEEDED) {
 *         m31r_recover("experiments", "@", false, &r, &e);
 *     }
 */
#ifndef M31R_RECOVER_H
#define M31R_RECOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum m31r_recovery_kind {
    M31R_RECOVERY_NOTHING = 0, /* ended and sealed: there is nothing to do */
    M31R_RECOVERY_LIVE = 1,    /* a process of the run lives: refused */
    M31R_RECOVERY_REMOTE = 2,  /* written on another host, where it must be done: refused */
    M31R_RECOVERY_NEEDED = 3,  /* a dry run: this is what would be done */
    M31R_RECOVERY_DONE = 4
} m31r_recovery_kind;

/* What is, or would be, done with a run. Strings are "" when they say nothing. */
typedef struct m31r_recovery {
    m31r_recovery_kind kind;
    char run_id[160];
    char path[4096];
    char why[320];   /* what the kind rests on */
    char state[16];  /* that the run has afterwards */
    char cause[64];  /* likewise; "unknown" when nothing says */
    bool ends;       /* its end is recorded: there was none */
    bool seals;      /* its manifest is made */
    uint32_t n_torn; /* files whose torn end is taken off */
} m31r_recovery;

/* Recovers the run that `run` means (as m31r_reader_open), or with `is_dry` only looks.
 *
 * Returns: M31R_OK, and in `*out` what was done, would be done, or why nothing is.
 * Errors:  M31R_E_NOTFOUND, M31R_E_ARG (no such run), M31R_E_CORRUPT (its metadata.json cannot be
 *          read, and is not overwritten), M31R_E_BUSY (another process took it in this moment),
 *          M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  any; two at once on the same run exclude each other by its lock.
 */
M31R_API m31r_err m31r_recover(const char *root, const char *run, bool is_dry, m31r_recovery *out,
                               m31r_error *e);

/* Calls m31r_recover() for each run of `root`, oldest first, and hands each result to `each` with
 * the error in `failed`, or NULL; `each` returns false to stop.
 *
 * Returns: M31R_OK when the runs could be listed.
 * Errors:  M31R_E_NOTFOUND (no such root), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing; what `each` gets is valid during the call.
 * Thread:  any.
 */
M31R_API m31r_err m31r_recover_all(const char *root, bool is_dry,
                                   bool (*each)(void *context, const m31r_recovery *r,
                                                const m31r_error *failed),
                                   void *context, m31r_error *e);

/* Name of a kind: "nothing", "live", "remote", "needed", "done".
 *
 * Returns: a constant string.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API const char *m31r_recovery_kind_name(m31r_recovery_kind kind);

#ifdef __cplusplus
}
#endif
#endif
