/* environment_python.c - which packages an interpreter finds, by the folders that they were
 * installed in; no process is started.
 *
 * A package's folder is NAME-VERSION.dist-info (or .egg-info) beside it. Looked at are the folders
 * of the interpreter's installation or virtual environment, PYTHONPATH, the user's own, and those
 * that libraries were loaded from. Code that was never installed is the script's or in git.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os_dir.h"
#include "base/os_file.h"
#include "identity/environment.h"

#define PACKAGES 2000 /* more are not listed */

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* "3.11" of "python3.11"; "" for another program. */
static void version_of(const char *program, char out[16])
{
    const char *name = name_of(program);
    out[0] = '\0';
    if (strncmp(name, "python", 6) == 0 && strspn(name + 6, "0123456789.") == strlen(name + 6)) {
        snprintf(out, 16, "%.15s", name + 6);
    }
}

/* "numpy 1.24.2" from "numpy-1.24.2.dist-info"; false for another name. */
static bool package_of(const char *entry, char *out, size_t size)
{
    const char *end = strstr(entry, ".dist-info");
    end = end != NULL ? end : strstr(entry, ".egg-info");
    const char *dash = strchr(entry, '-');
    if (end == NULL || dash == NULL || dash > end) {
        return false;
    }
    const char *stop = memchr(dash + 1, '-', (size_t)(end - dash - 1)); /* "-py3.11" */
    int length = (int)((stop != NULL ? stop : end) - dash - 1);
    snprintf(out, size, "%.*s %.*s", (int)(dash - entry), entry, length, dash + 1);
    return true;
}

/* In order, each once. */
static void add_package(json_t *list, const char *package)
{
    size_t low = 0;
    size_t high = json_array_size(list);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(json_string_value(json_array_get(list, middle)), package);
        if (order == 0) {
            return;
        }
        low = order < 0 ? middle + 1 : low;
        high = order > 0 ? middle : high;
    }
    if (json_array_size(list) < PACKAGES) {
        json_array_insert_new(list, low, json_string(package));
    }
}

static void look_into(json_t *list, const char *folder)
{
    m31ri_dir_list names = {0};
    char package[256];
    int fd = m31ri_open_dir(AT_FDCWD, folder, true);
    if (fd >= 0 && m31ri_dir_list_fd(fd, &names, NULL) == M31R_OK) {
        for (size_t i = 0; i < names.n; i++) {
            if (package_of(names.entries[i].name, package, sizeof package)) {
                add_package(list, package);
            }
        }
    }
    m31ri_dir_list_release(&names);
    if (fd >= 0) {
        close(fd);
    }
}

/* <prefix>/lib/pythonX.Y/site-packages, and Debian's. */
static void look_below(json_t *list, const char *prefix, const char *version)
{
    static const char *const below[] = {"lib/python%s/site-packages", "lib/python%s/dist-packages",
                                        "local/lib/python%s/dist-packages"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        const char *hole = strchr(below[i], '%');
        snprintf(path, sizeof path, "%.2000s/%.*s%s%s", prefix, (int)(hole - below[i]), below[i],
                 version, hole + 2);
        look_into(list, path);
    }
    snprintf(path, sizeof path, "%.2000s/lib/python3/dist-packages", prefix);
    look_into(list, path);
}

/* "/opt/venv" of "/opt/venv/bin/python"; false when it is no path. */
static bool prefix_of(const char *program, char *out, size_t size)
{
    const char *slash = strrchr(program, '/');
    if (slash == NULL || slash == program) {
        return false;
    }
    size_t length = (size_t)(slash - program);
    snprintf(out, size, "%.*s", (int)length, program);
    char *last = strrchr(out, '/');
    if (last == NULL) {
        return false;
    }
    *last = '\0';
    return true;
}

/* True when a virtual environment is there; it may use the system's packages as well. */
static bool look_into_environment(json_t *list, const char *prefix, const char *version,
                                  bool *uses_system)
{
    char path[PATH_MAX];
    m31ri_buf text = M31RI_BUF_INIT;
    snprintf(path, sizeof path, "%.4000s/pyvenv.cfg", prefix);
    bool is_there = m31ri_read_file(AT_FDCWD, path, 65536, &text, NULL) == M31R_OK;
    if (is_there) {
        *uses_system = strstr(m31ri_buf_str(&text), "system-site-packages = true") != NULL;
        look_below(list, prefix, version);
    }
    m31ri_buf_release(&text);
    return is_there;
}

static void look_along(json_t *list, const char *paths)
{
    char path[PATH_MAX];
    while (paths != NULL && *paths != '\0') {
        size_t length = strcspn(paths, ":");
        if (length > 0 && length < sizeof path) {
            snprintf(path, sizeof path, "%.*s", (int)length, paths);
            look_into(list, path);
        }
        paths += length + (paths[length] == ':');
    }
}

/* Extension modules lie below the folder of their packages: /x/site-packages/numpy/core. */
static void look_where_loaded(json_t *list, const char *folders)
{
    char path[PATH_MAX];
    for (; *folders != '\0'; folders += strlen(folders) + 1) {
        const char *at = strstr(folders, "-packages");
        if (at != NULL) {
            snprintf(path, sizeof path, "%.*s", (int)(at + 9 - folders), folders);
            look_into(list, path);
        }
    }
}

json_t *m31ri_environment_python(const char *program, const char *argv0, const char *folders)
{
    char version[16];
    char prefix[PATH_MAX];
    char user[PATH_MAX];
    const char *home = getenv("HOME");
    const char *venv = getenv("VIRTUAL_ENV");
    bool uses_system = true;
    version_of(program, version);
    if (version[0] == '\0') {
        return NULL;
    }
    json_t *list = json_array();
    bool has_own = prefix_of(argv0, prefix, sizeof prefix) &&
                   look_into_environment(list, prefix, version, &uses_system);
    if (!has_own && venv != NULL && strchr(argv0, '/') == NULL) {
        (void)look_into_environment(list, venv, version, &uses_system);
    }
    if (uses_system && prefix_of(program, prefix, sizeof prefix)) {
        look_below(list, prefix, version);
        if (home != NULL) {
            snprintf(user, sizeof user, "%.4000s/.local", home);
            look_below(list, user, version);
        }
    }
    look_along(list, getenv("PYTHONPATH"));
    look_where_loaded(list, folders);
    return json_pack("{s:s, s:o}", "version", version, "packages", list);
}
