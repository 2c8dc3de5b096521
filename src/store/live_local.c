/* live_local.c - the place is ours alone: mode 0700, our own, no symlink; else it is not used. */
#include "store/live_local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os_file.h"
#include "base/os_remote.h"

#define PATH_BYTES 4096
#define ATTEMPTS 1000

/* The base directory, made when missing; -1 and errno. */
static int open_base(const char *path)
{
    struct stat st;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return -1;
    }
    int fd = m31ri_open_dir(AT_FDCWD, path, false);
    if (fd < 0) {
        return -1;
    }
    bool is_fine = fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 0077) == 0 &&
                   m31ri_remote_kind(fd) == NULL;
    if (!is_fine) {
        close(fd);
        errno = EACCES;
        return -1;
    }
    return fd;
}

static int make_below(const char *base, const char *run_id, char **out_path)
{
    char path[PATH_BYTES];
    int fd = open_base(base);
    int err = fd < 0 ? errno : EEXIST;
    for (int i = 0; err == EEXIST && i < ATTEMPTS; i++) {
        char name[256];
        snprintf(name, sizeof name, i == 0 ? "%s" : "%s.%d", run_id, i);
        err = mkdirat(fd, name, 0700) == 0 ? 0 : errno;
        snprintf(path, sizeof path, "%s/%s", base, name);
    }
    if (fd >= 0) {
        close(fd);
    }
    *out_path = err == 0 ? m31ri_strdup(path) : NULL;
    return err == 0 && *out_path == NULL ? ENOMEM : err;
}

int m31ri_live_local_make(const char *run_id, char **out_path)
{
    char base[PATH_BYTES];
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    snprintf(base, sizeof base, "/tmp/m31r-%ld", (long)geteuid());
    int err = make_below(base, run_id, out_path);
    if (err != 0 && runtime != NULL && runtime[0] == '/') {
        snprintf(base, sizeof base, "%.3000s/m31r", runtime);
        err = make_below(base, run_id, out_path);
    }
    return err;
}
