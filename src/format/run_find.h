/* run_find.h - which runs a root holds, and which one a person means.
 *
 * A person says `@` (the latest), `@-1` (the one before), a part of an id or of a name that only
 * one run has, or a path. The text is only compared with what the directory lists; it becomes a
 * path only when it names a run directory that exists. Read only.
 */
#ifndef M31RI_RUN_FIND_H
#define M31RI_RUN_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "m31r/error.h"

typedef struct m31ri_run_entry {
    char *run_id;
    char *name;         /* from metadata.json; "" when there is none or it cannot be read */
    char *tags;         /* words with a blank between, its release among them; "" when not read */
    char timestamp[28]; /* start, from metadata.json; "" when not known */
    bool is_timed;      /* the id says when it began */
    bool has_tags;      /* false: the tags were not read */
} m31ri_run_entry;

typedef struct m31ri_run_list {
    m31ri_run_entry *runs; /* oldest first: by the id's second, then metadata's timestamp, then the
                              attempt, then id */
    size_t n;
} m31ri_run_list;

/* Lists the run directories of `root` (directories, not symlinks, with a run id's form or with a
 * metadata.json).
 *
 * Errors: M31R_E_NOTFOUND (no such root), M31R_E_IO, M31R_E_NOMEM.
 * Owns:   m31ri_run_list_release(). Thread: any. */
m31r_err m31ri_run_list_read(const char *root, m31ri_run_list *out, m31r_error *e);

/* Who knows name and timestamp of a run without its metadata.json being read. */
typedef struct m31ri_run_known {
    bool (*find)(void *context, const char *run_id, const char **out_name,
                 const char **out_timestamp);
    void *context;
} m31ri_run_known;

/* The same of a root that is open; `known` may be NULL. */
m31r_err m31ri_run_list_read_fd(int root, const m31ri_run_known *known, m31ri_run_list *out,
                                m31r_error *e);
void m31ri_run_list_release(m31ri_run_list *l);

/* Finds the run that `text` means in `root`; `*out_path` is its directory (below `root` as given,
 * or the path itself). A whole id wins over a whole name, tag or
 * release, and all of them over a part of an id or name. A root that is
 * missing is a root without runs.
 *
 * Errors: M31R_E_NOTFOUND, M31R_E_ARG (empty, means several - the hint lists them -, or with
 *         '/' but not the path of a run directory), M31R_E_IO, M31R_E_NOMEM.
 * Owns:   the caller frees `*out_path` with m31ri_free(). Thread: any. */
m31r_err m31ri_run_find(const char *root, const char *text, char **out_path, m31r_error *e);

/* Finds the run that `text`, which is no path, means among those of a list that was read from
 * `root`; `*out` is its place. Tags are read where they have to be.
 *
 * Errors: M31R_E_NOTFOUND, M31R_E_ARG, M31R_E_NOMEM. Thread: any. */
m31r_err m31ri_run_list_find(int root, m31ri_run_list *l, const char *text, size_t *out,
                             m31r_error *e);

/* True for a directory that holds a run: it has a metadata.json, a `.live` or a manifest.json. */
bool m31ri_run_path_is_run(const char *path);

#endif
