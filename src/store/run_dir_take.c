/* run_dir_take.c - the directory of a run whose processes are dead, taken to be ended.
 *
 * The owner's lock decides who may: it is asked for once, never waited for. `.live` is renamed
 * before anything is written, as at any end, so that nobody joins. A run that was being ended when
 * its owner was killed has `.live.ending` already, perhaps without the owner's file in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "store/run_dir_int.h"

#define OWNER "owner"

static bool is_there(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* `.live` or `.live.ending`; the errno of the latter when there is neither. */
static int open_left(m31ri_run_dir *d, m31r_error *e)
{
    int err = m31ri_run_dir_open_live(d, M31RI_LIVE, e);
    return err == ENOENT ? m31ri_run_dir_open_live(d, M31RI_LIVE_ENDING, e) : err;
}

m31r_err m31ri_run_dir_life(const char *path, m31ri_run_life *out, m31r_error *e)
{
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    d.fd = m31ri_open_dir(AT_FDCWD, path, true);
    if (d.fd < 0) {
        return m31ri_fail_sys(e, errno, path, "opening the run %s", path);
    }
    if (open_left(&d, NULL) != 0) {
        *out = is_there(d.fd, "manifest.json") ? M31RI_RUN_ENDED : M31RI_RUN_UNSEALED;
    } else {
        *out = m31ri_run_dir_has_others(&d, NULL) ? M31RI_RUN_LIVE : M31RI_RUN_LEFT;
    }
    m31ri_run_dir_release(&d);
    return M31R_OK;
}

static m31r_err open_live(m31ri_run_dir *d, m31r_error *e)
{
    int err = open_left(d, e);
    if (err == EXDEV) {
        return M31R_E_ARG;
    }
    if (err == ENOENT && !is_there(d->fd, "metadata.json")) {
        return m31ri_fail(e, M31R_E_ARG, "%s is not a run directory", d->path);
    }
    if (err == ENOENT && (mkdirat(d->fd, M31RI_LIVE_ENDING, 0777) == 0 || errno == EEXIST)) {
        err = m31ri_run_dir_open_live(d, M31RI_LIVE_ENDING, e);
    }
    return err == 0 ? M31R_OK : m31ri_run_dir_fail(e, err, d->path, "taking");
}

/* What the owner's file says of the dead one stays as it is: it is who wrote the run. */
static m31r_err lock_owner(m31ri_run_dir *d, m31r_error *e)
{
    bool is_new = !is_there(d->live_fd, OWNER);
    int fd = m31ri_open(d->live_fd, OWNER, O_RDWR | O_CREAT, M31RI_FILE_MODE);
    d->member_name = m31ri_strdup(OWNER);
    if (fd < 0 || d->member_name == NULL) {
        int sys_errno = fd < 0 ? errno : ENOMEM;
        if (fd >= 0) {
            close(fd);
        }
        return m31ri_run_dir_fail(e, sys_errno, d->path, "taking");
    }
    if (!m31ri_lock(fd, 0)) {
        close(fd);
        return m31ri_fail(e, M31R_E_BUSY, "%s has a living owner, or is being recovered", d->path);
    }
    d->lock_fd = fd;
    d->lock_pid = (int64_t)getpid();
    d->is_owner = true;
    int sys_errno = is_new ? m31ri_run_dir_write_member(fd, d) : 0;
    return sys_errno == 0 ? M31R_OK : m31ri_run_dir_fail(e, sys_errno, d->path, "taking");
}

/* Two may have waited for the same lock, and the first has ended the run. */
static bool is_still_there(const m31ri_run_dir *d)
{
    struct stat mine;
    struct stat named;
    return fstat(m31ri_run_dir_gate(d), &mine) == 0 &&
           (fstatat(d->fd, M31RI_LIVE, &named, AT_SYMLINK_NOFOLLOW) == 0 ||
            fstatat(d->fd, M31RI_LIVE_ENDING, &named, AT_SYMLINK_NOFOLLOW) == 0) &&
           mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

static m31r_err fail_others(const m31ri_run_dir *d, m31r_error *e)
{
    return m31ri_fail(e, M31R_E_BUSY, "a process of %s is alive", d->path);
}

static m31r_err shut(m31ri_run_dir *d, m31r_error *e)
{
    bool was_live = is_there(d->fd, M31RI_LIVE);
    if (!is_still_there(d)) {
        return m31ri_fail(e, M31R_E_CLOSED, "%s has been ended meanwhile", d->path);
    }
    if (m31ri_run_dir_has_others(d, NULL)) {
        return fail_others(d, e);
    }
    m31r_err err = m31ri_run_dir_shut(d, e);
    if (err == M31R_OK && was_live && m31ri_run_dir_has_others(d, NULL)) {
        renameat(d->fd, M31RI_LIVE_ENDING, d->fd, M31RI_LIVE); /* it came in between: it may stay */
        return fail_others(d, e);
    }
    return err;
}

m31r_err m31ri_run_dir_take(const char *path, m31ri_run_dir *out, m31r_error *e)
{
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    d.fd = m31ri_open_dir(AT_FDCWD, path, true);
    if (d.fd < 0) {
        return m31ri_fail_sys(e, errno, path, "opening the run %s", path);
    }
    d.path = m31ri_run_dir_path_of(d.fd);
    m31r_err err = d.path != NULL ? open_live(&d, e) : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    err = err == M31R_OK ? m31ri_run_dir_read_id(&d, e) : err;
    err = err == M31R_OK ? lock_owner(&d, e) : err;
    err = err == M31R_OK ? shut(&d, e) : err;
    if (err != M31R_OK) {
        m31ri_run_dir_release(&d);
        return err;
    }
    *out = d;
    return M31R_OK;
}
