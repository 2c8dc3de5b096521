/* os_remove.c - os_remove.h by openat and unlinkat.
 *
 * A directory is opened without following links, its device is held against the one it was found
 * on, and only its descriptor is used from there on. Between the listing and the removal of an
 * entry it may be exchanged for anything: unlinkat removes a link, never what it leads to, and a
 * directory is opened again with O_NOFOLLOW.
 */
#include "base/os_remove.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"

#define DEPTH_LIMIT 256

static m31r_err remove_entries(int fd, dev_t device, int depth, m31r_error *e);

/* An entry that is a directory: its content, then itself. */
static m31r_err remove_directory(int dir, const char *name, dev_t device, int depth, m31r_error *e)
{
    struct stat st;
    int fd = m31ri_open_dir(dir, name, false);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, name, "opening %s to remove it", name);
    }
    m31r_err err = M31R_OK;
    if (fstat(fd, &st) != 0) {
        err = m31ri_fail_sys(e, errno, name, "looking at %s to remove it", name);
    } else if (st.st_dev != device) {
        err = m31ri_fail_sys(e, EXDEV, name, "%s is on another file system and stays", name);
    } else {
        if ((st.st_mode & 0700) != 0700) {
            (void)fchmod(fd, (st.st_mode & 07777) | 0700);
        }
        err = remove_entries(fd, device, depth + 1, e);
    }
    close(fd);
    if (err == M31R_OK && unlinkat(dir, name, AT_REMOVEDIR) != 0) {
        err = m31ri_fail_sys(e, errno, name, "removing %s", name);
    }
    return err;
}

static m31r_err remove_entries(int fd, dev_t device, int depth, m31r_error *e)
{
    m31ri_dir_list list = {0};
    if (depth > DEPTH_LIMIT) {
        return m31ri_fail(e, M31R_E_LIMIT, "directories are nested deeper than %d", DEPTH_LIMIT);
    }
    m31r_err err = m31ri_dir_list_fd(fd, &list, e);
    for (size_t i = 0; i < list.n && err == M31R_OK; i++) {
        const char *name = list.entries[i].name;
        if (list.entries[i].type == 'd') {
            err = remove_directory(fd, name, device, depth, e);
        } else if (unlinkat(fd, name, 0) != 0 && errno != ENOENT) {
            err = m31ri_fail_sys(e, errno, name, "removing %s", name);
        }
    }
    m31ri_dir_list_release(&list);
    return err;
}

m31r_err m31ri_remove_tree(int dir, const char *name, m31r_error *e)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return m31ri_fail_sys(e, errno, name, "looking at %s to remove it", name);
    }
    if (S_ISDIR(st.st_mode)) {
        return remove_directory(dir, name, st.st_dev, 0, e);
    }
    return unlinkat(dir, name, 0) == 0 ? M31R_OK
                                       : m31ri_fail_sys(e, errno, name, "removing %s", name);
}
