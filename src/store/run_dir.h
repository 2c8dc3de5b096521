/* run_dir.h - the directory of a run: made once, joined by name, ended once.
 *
 * The directory's descriptor is pinned at open and everything below it is reached from there, without following
 * symlinks. `.live/` exists from creation to the end and holds:
 *     owner          locked by the owner for as long as it lives; content: its identity as one JSON line
 *     joiner.<pid>.<n>  one for each joiner, locked by it for as long as it lives
 *     notices        what joiners tell the owner (notices.h)
 * A run without `.live/` has ended and cannot be joined.
 */
#ifndef M31RI_RUN_DIR_H
#define M31RI_RUN_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/os_process.h"
#include "format/names.h"
#include "m31r/error.h"

typedef struct m31ri_run_dir {
    int fd;                          /* the directory; -1 when closed */
    int lock_fd;                     /* owner or joiner file, locked */
    bool is_owner;
    char run_id[M31RI_RUN_ID_BYTES];
    char *path;                      /* absolute */
    char *member_name;               /* name of lock_fd's file in .live */
} m31ri_run_dir;

/* Makes `<root>/<run_id>` (and `root`, when missing; a `root` that is a symlink is resolved once and pinned), `.live/` with the owner's lock, and
 * checkpoints/. A directory of that name that exists is never touched: the next suffix is tried.
 * Errors: M31R_E_IO (read-only, full, no right: the message says which directory), M31R_E_LIMIT (1000 suffixes taken). */
m31r_err m31ri_run_dir_create(const char *root, int64_t wall_ns, const uint8_t identity_digest[32],
                              m31ri_run_dir *out, m31r_error *e);

/* Joins a run that is in progress. Errors: M31R_E_CLOSED (ended), M31R_E_NOTFOUND, M31R_E_ARG (not a run directory). */
m31r_err m31ri_run_dir_join(const char *path, m31ri_run_dir *out, m31r_error *e);

/* True while another process's joiner or owner file is locked. Files of the dead are counted in `*n_abandoned` (NULL allowed). */
bool m31ri_run_dir_has_others(const m31ri_run_dir *d, int *n_abandoned);

/* Owner: removes `.live/` (newcomers are refused from then on). */
m31r_err m31ri_run_dir_end(m31ri_run_dir *d, m31r_error *e);

/* Gives up the lock and the descriptors. After m31ri_run_dir_end or instead of it. */
void m31ri_run_dir_release(m31ri_run_dir *d);

/* In a forked child: forgets the parent's lock without dropping it for the parent (flock belongs to the shared open file
 * description), and joins anew as a process of its own. */
m31r_err m31ri_run_dir_rejoin_after_fork(m31ri_run_dir *d, m31r_error *e);

#endif
