/* Entries are collected first and sorted as a whole: the order in which a directory lists its
 * entries differs between file systems, and the first of two equal files is the one that is kept.
 */
#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool out_of_memory(fault *error)
{
    return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for the list of files");
}

/* Takes over `path`. */
static bool entry_add(walk *w, char *path, const char *skipped, uint64_t size, fault *error)
{
    if (w->count == w->capacity) {
        size_t capacity = w->capacity == 0 ? 256 : 2 * w->capacity;
        walk_entry *entries =
            capacity > WALK_MAX_FILES ? NULL : realloc(w->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            free(path);
            return out_of_memory(error);
        }
        w->entries = entries;
        w->capacity = capacity;
    }
    w->entries[w->count++] = (walk_entry){path, skipped, size};
    w->n_files += skipped == NULL;
    return true;
}

static bool is_rust_name(const char *path)
{
    size_t length = strlen(path);
    return length > 3 && strcmp(path + length - 3, ".rs") == 0 && path[length - 4] != '/';
}

static bool directory_walk(walk *w, char *path, int depth, fault *error);

/* Takes over `path`, one entry of a directory. */
static bool entry_walk(walk *w, char *path, int depth, fault *error)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        return entry_add(w, path, "unreadable", 0, error);
    }
    if (S_ISDIR(status.st_mode)) {
        return depth < WALK_MAX_DEPTH ? directory_walk(w, path, depth + 1, error)
                                      : entry_add(w, path, "too_deep", 0, error);
    }
    if (S_ISLNK(status.st_mode)) {
        return entry_add(w, path, "symlink", 0, error);
    }
    if (!is_rust_name(path)) {
        free(path);
        return true;
    }
    const char *skipped = S_ISREG(status.st_mode) ? NULL : "not_a_file";
    return entry_add(w, path, skipped, (uint64_t)status.st_size, error);
}

/* Takes over `path`. */
static bool directory_walk(walk *w, char *path, int depth, fault *error)
{
    DIR *stream = opendir(path);
    if (stream == NULL) {
        return entry_add(w, path, "unreadable", 0, error);
    }
    bool ok = true;
    for (struct dirent *entry = readdir(stream); ok && entry != NULL; entry = readdir(stream)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        char *below;
        ok = asprintf(&below, "%s/%s", path, entry->d_name) >= 0
                 ? entry_walk(w, below, depth, error)
                 : out_of_memory(error);
    }
    (void)closedir(stream);
    free(path);
    return ok;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const walk_entry *)a)->path, ((const walk_entry *)b)->path);
}

bool walk_read(walk *out, const char *directory, fault *error)
{
    *out = (walk){0};
    DIR *stream = opendir(directory);
    if (stream == NULL) {
        return fault_set(error, FAULT_USER, "corpus_unreadable", "%s: %s", directory,
                         strerror(errno));
    }
    (void)closedir(stream);
    char *path = strdup(directory);
    bool ok = path != NULL ? directory_walk(out, path, 0, error) : out_of_memory(error);
    if (!ok) {
        walk_release(out);
        return false;
    }
    if (out->count > 1) {
        qsort(out->entries, out->count, sizeof *out->entries, by_path);
    }
    return true;
}

void walk_release(walk *w)
{
    for (size_t i = 0; i < w->count; i++) {
        free(w->entries[i].path);
    }
    free(w->entries);
    *w = (walk){0};
}
