/* remove_run.c - a run's directory is taken out of the list of runs by one rename, then removed: a
 * reader sees all of it or nothing, and a removal that was killed leaves a hidden directory, which
 * the next one finishes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "base/os_remove.h"
#include "base/os_rename.h"
#include "keep/keep_int.h"

#define PREFIX ".removing-"

static bool is_same(int fd, int dir, const char *name)
{
    struct stat a;
    struct stat b;
    return fstat(fd, &a) == 0 && fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(b.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* What a killed removal left. */
static void finish_others(int root)
{
    m31ri_dir_list list = {0};
    if (m31ri_dir_list_fd(root, &list, NULL) == M31R_OK) {
        for (size_t i = 0; i < list.n; i++) {
            const char *name = list.entries[i].name;
            if (list.entries[i].type == 'd' && strncmp(name, PREFIX, sizeof PREFIX - 1) == 0) {
                (void)m31ri_remove_tree(root, name, NULL);
            }
        }
    }
    m31ri_dir_list_release(&list);
}

m31r_err m31ri_remove_run(int root, const char *run_id, int run, m31r_error *e)
{
    char hidden[NAME_MAX + 1];
    int n = snprintf(hidden, sizeof hidden, PREFIX "%s", run_id);
    if (n < 0 || (size_t)n >= sizeof hidden) {
        snprintf(hidden, sizeof hidden, PREFIX "%.200s", run_id);
    }
    finish_others(root);
    if (!is_same(run, root, run_id)) {
        return m31ri_fail(e, M31R_E_BUSY, "%s is not the directory that was looked at any more",
                          run_id);
    }
    if (renameat2(root, run_id, root, hidden, RENAME_NOREPLACE) != 0 &&
        (errno != EINVAL || renameat(root, run_id, root, hidden) != 0)) {
        return m31ri_fail_sys(e, errno, run_id, "taking %s out of the list of runs", run_id);
    }
    if (!is_same(run, root, hidden)) { /* exchanged in between: back with it */
        (void)renameat2(root, hidden, root, run_id, RENAME_NOREPLACE);
        return m31ri_fail(e, M31R_E_BUSY, "%s was exchanged while it was removed: it stays",
                          run_id);
    }
    (void)fsync(root);
    return m31ri_remove_tree(root, hidden, e);
}
