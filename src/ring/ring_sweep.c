/* ring_sweep.c - rings whose run is gone; ring_sweep.h says which. */
#include "ring/ring_sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_dir.h"
#include "base/os_file.h"
#include "base/os_mapping.h"
#include "ring/ring_file.h"
#include "rules/value_key.h"

static bool is_missing(const char *path)
{
    struct stat st;
    return lstat(path, &st) != 0 && errno == ENOENT;
}

/* Where a run that is in progress, or was left by a dead writer, has its notes. */
static bool has_live(const char *run)
{
    static const char *const places[] = {".live", ".live.ending"};
    char path[M31RI_RING_PLACE_BYTES + 16];
    bool is_there = false;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", run, places[i]);
        is_there = is_there || !is_missing(path);
    }
    return is_there;
}

static bool is_over(char run[M31RI_RING_PLACE_BYTES])
{
    struct stat st;
    if (!is_missing(run)) {
        return !has_live(run);
    }
    char *slash = strrchr(run, '/');
    *slash = '\0';
    return stat(slash != run ? run : "/", &st) == 0 && S_ISDIR(st.st_mode);
}

/* "<run_id>.<pid>.<n>.ring" of another process. */
static bool is_of_other(const char *name)
{
    const char *end = strstr(name, ".ring"), *dot = strchr(name, '.');
    return end != NULL && end[5] == '\0' && dot != NULL &&
           strtoll(dot + 1, NULL, 10) != (long long)getpid();
}

static bool sweep_one(const char *path)
{
    char run[M31RI_RING_PLACE_BYTES];
    m31ri_ring_file f = {.fd = -1};
    if (m31ri_ring_file_open(path, false, &f, NULL) != M31R_OK) {
        return false;
    }
    bool is_nobodys = m31ri_ring_file_is_dead(&f) &&
                      !m31ri_lease_is_held(f.fd, M31RI_LEASE_WRITER) &&
                      m31ri_ring_file_run(&f, run) && is_over(run);
    m31ri_ring_file_close(&f);
    return is_nobodys && unlink(path) == 0;
}

/* The key of a run that was deleted, or ended by nobody who knew of it. */
static bool sweep_key(const char *path)
{
    char run[M31RI_RING_PLACE_BYTES];
    return m31ri_value_key_run(path, run, sizeof run) && is_over(run) && unlink(path) == 0;
}

static bool is_key(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".key") == 0;
}

int m31ri_rings_sweep(const char *directory)
{
    char memory[128], path[512];
    m31ri_dir_list list;
    int n = 0;
    if (directory == NULL && m31ri_mapping_memory_dir(memory, sizeof memory)) {
        directory = memory;
    }
    int dir = directory != NULL ? m31ri_open_dir(AT_FDCWD, directory, false) : -1;
    if (dir < 0 || m31ri_dir_list_fd(dir, &list, NULL) != M31R_OK) {
        if (dir >= 0) {
            close(dir);
        }
        return 0;
    }
    for (size_t i = 0; i < list.n; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, list.entries[i].name);
        n += is_of_other(list.entries[i].name) && sweep_one(path);
        n += is_key(list.entries[i].name) && sweep_key(path);
    }
    m31ri_dir_list_release(&list);
    close(dir);
    return n;
}
