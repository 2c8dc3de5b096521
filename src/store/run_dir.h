/* run_dir.h - the directory of a run: made once, joined by name, ended once.
 *
 * The directory's descriptor is pinned at open and everything below it is reached from there,
 * without following symlinks. `.live/` exists from creation to the end and holds: owner locked by
 * the owner for as long as it lives; content: who it is, as one JSON line joiner.<pid>.<n>  one for
 * each joiner, locked by it for as long as it lives; content as above notices           what
 * joiners tell the owner (notices.h) A run without `.live/` has ended and cannot be joined. A run
 * whose owner died keeps its `.live/` and may be joined.
 *
 * On a network file system these lie in a local directory, and `.live/` in the run holds only `at`,
 * which names it (format/live_place.h), and the reserve. Processes of another host cannot join.
 *
 * The end, without a gap for newcomers: m31ri_run_dir_shut(), then m31ri_run_dir_has_others() until
 * it is false (bounded), the last metadata and the manifest, then m31ri_run_dir_end().
 *
 * Not thread-safe: the owner of the object locks.
 */
#ifndef M31RI_RUN_DIR_H
#define M31RI_RUN_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/os_process.h"
#include "format/names.h"
#include "m31r/error.h"

typedef struct m31ri_run_dir {
    int fd;      /* the directory; -1 when closed */
    int live_fd; /* `.live`, also when it has been shut; -1 when closed */
    int gate_fd; /* `.live` in the run when `live_fd` is elsewhere, on a local disk; else -1 */
    int lock_fd; /* owner or joiner file, locked; -1 when none is held */
    bool is_owner;
    int64_t lock_pid; /* the process that took the lock: a forked child must not drop it */
    char run_id[M31RI_RUN_ID_BYTES];
    char *path;               /* absolute */
    char *live_path;          /* of `live_fd` when that is not in the run; else NULL */
    const char *live_because; /* the maker's: "nfs", "fuse"...; NULL */
    char *member_name;        /* name of lock_fd's file in .live */
} m31ri_run_dir;

/* For a variable that may be released without having been opened. */
#define M31RI_RUN_DIR_INIT                                                                         \
    {                                                                                              \
        .fd = -1, .live_fd = -1, .gate_fd = -1, .lock_fd = -1                                      \
    }

/* Makes `<root>/<run_id>` (and `root`, when missing; a `root` that is a symlink is resolved once
 * and pinned), `.live/` with the owner's lock, and checkpoints/. A directory of that name that
 * exists is never touched: the next suffix is tried.
 * Errors: M31R_E_IO (read-only, full, no right: the message says which directory), M31R_E_LIMIT
 *         (1000 suffixes taken), M31R_E_NOMEM. What was half made is removed. */
m31r_err m31ri_run_dir_create(const char *root, int64_t wall_ns, const uint8_t identity_digest[32],
                              m31ri_run_dir *out, m31r_error *e);

/* Joins a run that is in progress; `path` may lead through symlinks, its last part too.
 * Errors: M31R_E_CLOSED (ended, or ending), M31R_E_NOTFOUND, M31R_E_ARG (not a run directory),
 *         M31R_E_IO, M31R_E_NOMEM. */
m31r_err m31ri_run_dir_join(const char *path, m31ri_run_dir *out, m31r_error *e);

/* True while the owner of the run in `path` lives. */
bool m31ri_run_dir_is_owned(const char *path);

/* True while another process's joiner or owner file is locked. Files of the dead are counted in
 * `*n_abandoned` (NULL allowed). */
bool m31ri_run_dir_has_others(const m31ri_run_dir *d, int *n_abandoned);

/* True when `.live` has been removed: the run was ended. */
bool m31ri_run_dir_was_ended(const m31ri_run_dir *d);

/* Owner: refuses newcomers from now on (`.live` is renamed to `.live.ending`); who has joined goes
 * on. May be called again. */
m31r_err m31ri_run_dir_shut(m31ri_run_dir *d, m31r_error *e);

/* Owner: shuts, when that was not done, and removes `.live`. Does not ask whether others are still
 * there. */
m31r_err m31ri_run_dir_end(m31ri_run_dir *d, m31r_error *e);

/* Owner: takes back a run that could not be opened: everything in its directory, and the directory.
 * Only before anybody was told of the run. */
void m31ri_run_dir_undo(m31ri_run_dir *d);

/* Gives up the lock and the descriptors; a joiner's file is removed. After m31ri_run_dir_end or
 * instead of it. In a forked child that has not rejoined only the child's descriptors are closed.
 */
void m31ri_run_dir_release(m31ri_run_dir *d);

/* In a forked child: forgets the parent's lock without dropping it for the parent (flock belongs to
 * the shared open file description), and joins anew as a process of its own. On failure
 * (M31R_E_CLOSED...) no lock is held; release is still due. */
m31r_err m31ri_run_dir_rejoin_after_fork(m31ri_run_dir *d, m31r_error *e);

/* What is left of a run's `.live`, as locks tell it on this host. */
typedef enum m31ri_run_life {
    M31RI_RUN_ENDED,    /* no `.live`, and a manifest */
    M31RI_RUN_UNSEALED, /* no `.live`, and no manifest */
    M31RI_RUN_LIVE,     /* a process of the run lives */
    M31RI_RUN_LEFT      /* `.live` is there, and nobody is in it */
} m31ri_run_life;

/* Looks only. Errors: M31R_E_NOTFOUND, M31R_E_IO. */
m31r_err m31ri_run_dir_life(const char *path, m31ri_run_life *out, m31r_error *e);

/* Takes a run that nobody writes any more, to end it: as its owner, and shut to joiners. Of a run
 * that has no `.live` but a metadata.json one is made.
 * Errors: M31R_E_BUSY (a process of the run lives, or another one is ending it), M31R_E_CLOSED (it
 *         was ended meanwhile), M31R_E_NOTFOUND, M31R_E_ARG (not a run directory), M31R_E_IO. */
m31r_err m31ri_run_dir_take(const char *path, m31ri_run_dir *out, m31r_error *e);

/* Takes over a run whose owner is dead, which its freed lock proves; as its owner from then on.
 * Errors: M31R_E_BUSY (the owner lives), and those of m31ri_run_dir_join. */
m31r_err m31ri_run_dir_adopt(const char *path, m31ri_run_dir *out, m31r_error *e);

#endif
