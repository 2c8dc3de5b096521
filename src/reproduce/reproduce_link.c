/* reproduce_link.c - data made visible in the scratch tree without being copied.
 *
 * Directories are made, files are hard links: git's rules for what is ignored and the fingerprint
 * see the same as in the work tree, which they would not with symlinks. A program that changes its
 * input in place changes the original too, as it would have without us.
 */
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
#include "reproduce/reproduce_int.h"

#define DEPTH_LIMIT 64

static m31r_err make_parent(const char *path, m31r_error *e)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) {
        return M31R_OK;
    }
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    return m31ri_make_dirs(parent, e);
}

static m31r_err copy_file(const char *from, const char *to, mode_t mode, m31r_error *e)
{
    char bytes[65536];
    ssize_t n = 0;
    int in = m31ri_open_input(from);
    int out = m31ri_open(AT_FDCWD, to, O_WRONLY | O_CREAT | O_EXCL, mode & 0777);
    int err = in < 0 || out < 0 ? errno : 0;
    while (err == 0 && (n = read(in, bytes, sizeof bytes)) > 0) {
        err = m31ri_write_all(out, bytes, (size_t)n, NULL);
    }
    err = err == 0 && n < 0 ? errno : err;
    if (in >= 0) {
        close(in);
    }
    if (out >= 0 && close(out) != 0 && err == 0) {
        err = errno;
    }
    return err == 0 ? M31R_OK : m31ri_fail_sys(e, err, to, "copying %s to %s", from, to);
}

static m31r_err link_one(const char *from, const char *to, const struct stat *st, m31r_error *e)
{
    char target[PATH_MAX];
    if (S_ISLNK(st->st_mode)) {
        ssize_t n = readlink(from, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        return n > 0 && (symlink(target, to) == 0 || errno == EEXIST)
                   ? M31R_OK
                   : m31ri_fail_sys(e, errno, to, "linking %s", to);
    }
    if (!S_ISREG(st->st_mode) || link(from, to) == 0 || errno == EEXIST) {
        return M31R_OK;
    }
    return copy_file(from, to, st->st_mode, e);
}

static m31r_err link_below(const char *from, const char *to, int depth, m31r_error *e)
{
    struct stat st;
    m31ri_dir_list list = {0};
    if ((depth == 0 ? stat(from, &st) : lstat(from, &st)) != 0) {
        return m31ri_fail_sys(e, errno, from, "looking at %s", from);
    }
    if (!S_ISDIR(st.st_mode)) {
        return link_one(from, to, &st, e);
    }
    if (depth > DEPTH_LIMIT) {
        return m31ri_fail(e, M31R_E_LIMIT, "%s is nested deeper than %d", from, DEPTH_LIMIT);
    }
    m31r_err err = m31ri_make_dirs(to, e);
    int fd = err == M31R_OK ? m31ri_open_dir(AT_FDCWD, from, true) : -1;
    if (err == M31R_OK && fd < 0) {
        err = m31ri_fail_sys(e, errno, from, "opening %s", from);
    }
    err = err == M31R_OK ? m31ri_dir_list_fd(fd, &list, e) : err;
    for (size_t i = 0; i < list.n && err == M31R_OK; i++) {
        char a[PATH_MAX];
        char b[PATH_MAX];
        int n = snprintf(a, sizeof a, "%s/%s", from, list.entries[i].name);
        int m = snprintf(b, sizeof b, "%s/%s", to, list.entries[i].name);
        err = n < (int)sizeof a && m < (int)sizeof b
                  ? link_below(a, b, depth + 1, e)
                  : m31ri_fail(e, M31R_E_LIMIT, "a path below %s is too long", from);
    }
    m31ri_dir_list_release(&list);
    if (fd >= 0) {
        close(fd);
    }
    return err;
}

m31r_err m31ri_link_tree(const char *from, const char *to, m31r_error *e)
{
    m31r_err err = make_parent(to, e);
    return err == M31R_OK ? link_below(from, to, 0, e) : err;
}
