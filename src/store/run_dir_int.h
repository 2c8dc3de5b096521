/* run_dir_int.h - what run_dir.c and run_dir_take.c share. */
#ifndef M31RI_RUN_DIR_INT_H
#define M31RI_RUN_DIR_INT_H

#include "store/run_dir.h"

#define M31RI_LIVE ".live"
#define M31RI_LIVE_ENDING ".live.ending"

/* As m31ri_fail_sys, but always M31R_E_IO (or NOMEM): here a missing or existing part is never an
 * answer of its own. */
m31r_err m31ri_run_dir_fail(m31r_error *e, int sys_errno, const char *path, const char *doing);

/* Absolute path of an open directory, links resolved. NULL when memory is out or the system does
 * not say. */
char *m31ri_run_dir_path_of(int fd);

/* One line of JSON into a member file: which process this is. errno. */
int m31ri_run_dir_write_member(int fd, const m31ri_run_dir *d);

/* Run id of a run that was not ended: its owner's file says it; a directory may have been renamed.
 */
m31r_err m31ri_run_dir_read_id(m31ri_run_dir *d, m31r_error *e);

/* Opens `.live` or `.live.ending`, wherever it is. 0, the errno, or EXDEV: on another host, `e` is
 * filled. */
int m31ri_run_dir_open_live(m31ri_run_dir *d, const char *name, m31r_error *e);

/* The directory that is called `.live` in the run. */
static inline int m31ri_run_dir_gate(const m31ri_run_dir *d)
{
    return d->gate_fd >= 0 ? d->gate_fd : d->live_fd;
}

/* Whether somebody holds the file's lock. */
bool m31ri_run_dir_is_locked(int live_fd, const char *name);

#endif
