/* os_loaded.c - os_loaded.h by /proc/PID/maps: "from-to r-xp offset device inode    path". */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os_loaded.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os_file.h"

#define MAPS_BYTES (16 * 1024 * 1024)

/* The path in a line of executable memory; NULL for anything else. The line is changed. */
static const char *path_of(char *line)
{
    static const char deleted[] = " (deleted)";
    const char *rights = strchr(line, ' ');
    char *path = strchr(line, '/');
    if (rights == NULL || strlen(rights) < 5 || rights[3] != 'x' || path == NULL) {
        return NULL;
    }
    size_t length = strlen(path);
    size_t ending = sizeof deleted - 1;
    if (length > ending && strcmp(path + length - ending, deleted) == 0) {
        path[length - ending] = '\0';
    }
    return path;
}

bool m31ri_loaded_each(int64_t pid, void (*each)(void *context, const char *path), void *context)
{
    char name[64];
    m31ri_buf text = M31RI_BUF_INIT;
    const char *last = "";
    snprintf(name, sizeof name, "/proc/%" PRId64 "/maps", pid);
    bool is_read =
        m31ri_read_file(AT_FDCWD, name, MAPS_BYTES, &text, NULL) == M31R_OK && text.length > 0;
    for (char *line = text.data; is_read && line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        const char *path = path_of(line);
        if (path != NULL && strcmp(path, last) != 0) {
            each(context, path);
            last = path;
        }
        line = end != NULL ? end + 1 : NULL;
    }
    m31ri_buf_release(&text);
    return is_read;
}

bool m31ri_loaded_program(int64_t pid, char *out, size_t size)
{
    char name[64];
    char path[PATH_MAX];
    snprintf(name, sizeof name, "/proc/%" PRId64 "/exe", pid);
    ssize_t n = readlink(name, path, sizeof path - 1);
    if (n <= 0 || (size_t)n >= size) {
        return false;
    }
    path[n] = '\0';
    snprintf(out, size, "%s", path);
    return true;
}

size_t m31ri_loaded_children(int64_t pid, int64_t *out, size_t limit)
{
    char name[96];
    size_t n = 0;
    m31ri_buf text = M31RI_BUF_INIT;
    snprintf(name, sizeof name, "/proc/%" PRId64 "/task/%" PRId64 "/children", pid, pid);
    if (m31ri_read_file(AT_FDCWD, name, 65536, &text, NULL) == M31R_OK) {
        char *at = text.data;
        while (at != NULL && *at != '\0' && n < limit) {
            char *end = at;
            int64_t child = strtoll(at, &end, 10);
            if (end == at) {
                break;
            }
            out[n++] = child;
            at = end + strspn(end, " \n");
        }
    }
    m31ri_buf_release(&text);
    return n;
}
