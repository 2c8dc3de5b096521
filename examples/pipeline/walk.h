/* The .rs files below a directory, in the order of their paths.
 *
 * A symbolic link is never followed, so that a loop of links is one entry and no file is met twice.
 * What is passed over is counted by reason; a directory that cannot be read is passed over too,
 * because one bad entry must not end a walk over a thousand good ones.
 */
#ifndef PIPELINE_WALK_H
#define PIPELINE_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "../train/fault.h"

enum { WALK_MAX_DEPTH = 64, WALK_MAX_FILES = 10 * 1000 * 1000 };

typedef struct {
    char *path;
    const char *skipped; /* NULL for a file to read; else "symlink", "not_a_file", "unreadable",
                            "too_deep" */
    uint64_t size;
} walk_entry;

typedef struct {
    walk_entry *entries;
    size_t count;
    size_t capacity;
    size_t n_files; /* entries that are to be read */
} walk;

/* Errors: FAULT_USER when the directory itself cannot be read, or holds more than WALK_MAX_FILES;
 *         FAULT_RUNTIME when memory is short. `out` is then empty. */
bool walk_read(walk *out, const char *directory, fault *error);
void walk_release(walk *w);

#endif
