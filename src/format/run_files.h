/* run_files.h - the files of a run that its seal covers: which they are, of which class, and how
 * they are opened. Whoever seals and whoever verifies asks here.
 *
 * Left out: manifest.json, notes.jsonl, `.live`, temporary files of this library, and what is
 * neither a regular file nor a symlink. Symlinks are never followed.
 */
#ifndef M31RI_RUN_FILES_H
#define M31RI_RUN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/error.h"

typedef struct m31ri_run_file {
    char *path; /* below the run's directory */
    bool is_link;
} m31ri_run_file;

typedef struct m31ri_run_files {
    m31ri_run_file *files; /* in byte order of path */
    size_t n, capacity;
} m31ri_run_files;

/* Errors: M31R_E_IO, M31R_E_LIMIT (directories nested deeper than 64), M31R_E_NOMEM.
 * Owns:   m31ri_run_files_release(). */
m31r_err m31ri_run_files_read(int run, m31ri_run_files *out, m31r_error *e);
void m31ri_run_files_release(m31ri_run_files *l);

/* A file of lines at the top of a run: its blocks have a tree. */
bool m31ri_run_file_has_lines(const char *path);

/* What this library writes: class `record`. */
bool m31ri_run_file_is_record(const char *path);

/* Opens `path` for reading, part by part, no link followed on the way; -1 and errno. */
int m31ri_run_file_open(int run, const char *path);

/* The name in blocks.jsonl and the part of a file of lines that is called `name`; a lane's file has
 * part 0: one more than the highest ordinal of its segments. */
void m31ri_run_file_part(const char *name, char *out_file, size_t size, uint32_t *out_part);

#endif
