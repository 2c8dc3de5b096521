/* Paths are collected first and sorted as a whole: directory order differs between file systems,
 * and which files are held out depends on how many there are. */
#include "corpus.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    char **paths;
    size_t count;
    size_t capacity;
} path_list;

static bool out_of_memory(fault *error)
{
    return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for the corpus");
}

static void path_list_release(path_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->paths[i]);
    }
    free(list->paths);
}

/* Takes over `path`. */
static bool path_list_add(path_list *list, char *path, fault *error)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        char **paths = realloc(list->paths, capacity * sizeof *paths);
        if (paths == NULL) {
            free(path);
            return out_of_memory(error);
        }
        list->paths = paths;
        list->capacity = capacity;
    }
    list->paths[list->count++] = path;
    return true;
}

static bool is_rust_name(const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".rs") == 0;
}

static bool walk(path_list *list, const char *directory, int depth, fault *error);

/* Adds one entry of a directory, or what is below it. Takes over `path`. */
static bool walk_entry(path_list *list, char *path, int depth, fault *error)
{
    struct stat status;
    bool ok = true;
    if (lstat(path, &status) != 0) {
        ok = fault_set(error, FAULT_USER, "corpus_unreadable", "%s: %s", path, strerror(errno));
    } else if (S_ISREG(status.st_mode) && is_rust_name(path)) {
        return path_list_add(list, path, error);
    } else if (S_ISDIR(status.st_mode)) {
        ok = walk(list, path, depth + 1, error);
    }
    free(path);
    return ok;
}

static bool walk(path_list *list, const char *directory, int depth, fault *error)
{
    if (depth > CORPUS_MAX_DEPTH) {
        return fault_set(error, FAULT_USER, "corpus_too_deep", "%s: more than %d directories deep",
                         directory, CORPUS_MAX_DEPTH);
    }
    DIR *stream = opendir(directory);
    if (stream == NULL) {
        return fault_set(error, FAULT_USER, "corpus_unreadable", "%s: %s", directory,
                         strerror(errno));
    }
    bool ok = true;
    for (struct dirent *entry = readdir(stream); ok && entry != NULL; entry = readdir(stream)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        char *path;
        if (asprintf(&path, "%s/%s", directory, entry->d_name) < 0) {
            ok = out_of_memory(error);
        } else {
            ok = walk_entry(list, path, depth, error);
        }
    }
    (void)closedir(stream);
    return ok;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool part_reserve(corpus_part *part, size_t more, fault *error)
{
    if (more > CORPUS_MAX_BYTES || part->size + more > CORPUS_MAX_BYTES) {
        return fault_set(error, FAULT_USER, "corpus_too_large", "more than %zu bytes",
                         CORPUS_MAX_BYTES);
    }
    if (part->size + more <= part->capacity) {
        return true;
    }
    size_t capacity =
        2 * part->capacity > part->size + more ? 2 * part->capacity : part->size + more;
    uint8_t *bytes = realloc(part->bytes, capacity);
    if (bytes == NULL) {
        return out_of_memory(error);
    }
    part->bytes = bytes;
    part->capacity = capacity;
    return true;
}

/* Appends the bytes of the file and the NUL that ends it. */
static bool part_add_file(corpus_part *part, const char *path, fault *error)
{
    FILE *file = fopen(path, "rbe");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        (void)fault_set(error, FAULT_USER, "corpus_unreadable", "%s: %s", path, strerror(errno));
        if (file != NULL) {
            (void)fclose(file);
        }
        return false;
    }
    size_t size = (size_t)status.st_size;
    bool ok = part_reserve(part, size + 1, error);
    if (ok && fread(part->bytes + part->size, 1, size, file) != size) {
        ok = fault_set(error, FAULT_USER, "corpus_unreadable", "%s: fewer than its %zu bytes", path,
                       size);
    }
    (void)fclose(file);
    if (ok) {
        part->size += size;
        part->bytes[part->size++] = '\0';
    }
    return ok;
}

uint64_t corpus_digest_add(uint64_t digest, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) {
        digest = (digest ^ at[i]) * 0x100000001b3u;
    }
    return digest;
}

static bool read_files(corpus *out, const path_list *list, size_t skip, int held_out_percent,
                       fault *error)
{
    size_t every = 100 / (size_t)held_out_percent;
    every = every > list->count ? list->count : every;
    for (size_t i = 0; i < list->count; i++) {
        const char *path = list->paths[i];
        corpus_part *part = i % every == every / 2 ? &out->validation : &out->training;
        size_t before = part->size;
        if (!part_add_file(part, path, error)) {
            return false;
        }
        out->digest = corpus_digest_add(out->digest, path + skip, strlen(path + skip) + 1);
        out->digest = corpus_digest_add(out->digest, part->bytes + before, part->size - before);
    }
    return true;
}

bool corpus_read(corpus *out, const char *directory, int held_out_percent, fault *error)
{
    *out = (corpus){
        .training.token_bytes = 1, .validation.token_bytes = 1, .digest = CORPUS_DIGEST_START};
    path_list list = {0};
    bool ok = walk(&list, directory, 0, error);
    if (ok && list.count < 2) {
        ok = fault_set(error, FAULT_USER, "corpus_empty",
                       "%s: .rs files: %zu, expected 2 or more (one is held out for validation)",
                       directory, list.count);
    }
    if (ok) {
        qsort(list.paths, list.count, sizeof *list.paths, by_bytes);
        out->n_files = list.count;
        ok = read_files(out, &list, strlen(directory), held_out_percent, error);
    }
    path_list_release(&list);
    if (!ok) {
        corpus_release(out);
    }
    return ok;
}

void corpus_release(corpus *c)
{
    free(c->training.bytes);
    free(c->validation.bytes);
    *c = (corpus){0};
}
