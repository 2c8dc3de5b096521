/* clean.h - what must not be in a file: looked for in files that exist, and taken out of a copy.
 *
 * The rules are the writer's own (docs/PRIVACY.md). A line that is a JSON object is looked at value
 * by value, under its keys; any other as text. What is found is told by its kind and place, never
 * by its value.
 *
 *     m31r_privacy_check_options o = M31R_PRIVACY_CHECK_OPTIONS_INIT;
 *     m31r_privacy_summary s;
 *     m31r_privacy_check("app.log", &o, &s, &e);
 */
#ifndef M31R_CLEAN_H
#define M31R_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One find. Strings die when the call that tells of it returns. */
typedef struct m31r_leak {
    const char *file;  /* relative to the path that is checked; the path itself when it is a file */
    uint64_t line;     /* 1-based */
    uint64_t column;   /* of its first byte in the line, 1-based */
    const char *found; /* its kind, such as "github_token" */
    const char *rule;  /* the text the rule begins with, the kind of a shape, or "key" */
} m31r_leak;

/* A file of which nobody can say that it is clean, and why. */
typedef struct m31r_unproved {
    const char *file;
    const char *why;
} m31r_unproved;

/* Start from M31R_PRIVACY_CHECK_OPTIONS_INIT. */
typedef struct m31r_privacy_check_options {
    size_t size;                                      /* sizeof(m31r_privacy_check_options) */
    void (*found)(void *context, const m31r_leak *f); /* NULL: only counted */
    void (*unproved)(void *context, const m31r_unproved *u);
    void *context;
    const char *config; /* of files that are in no run; NULL: the one that ./m31r.yaml names */
} m31r_privacy_check_options;

#define M31R_PRIVACY_CHECK_OPTIONS_INIT                                                            \
    {                                                                                              \
        .size = sizeof(m31r_privacy_check_options)                                                 \
    }

typedef struct m31r_privacy_summary {
    uint64_t n_files, n_lines, n_found, n_unproved;
    bool has_prompts; /* a run below it opted in to keeping text of users */
} m31r_privacy_summary;

/* Looks through a file, or all files below a directory (links are not followed). In the directory
 * of a run the rules of its recorded config hold, elsewhere those of `config`. Compressed segments
 * are read.
 *
 * Returns: M31R_OK, whatever was found.
 * Errors:  M31R_E_NOTFOUND, M31R_E_IO, M31R_E_CONFIG (line and column set), M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_privacy_check(const char *path, const m31r_privacy_check_options *o,
                                     m31r_privacy_summary *out, m31r_error *e);

/* How often a rule found a kind. */
typedef struct m31r_clean_count {
    const char *found, *rule;
    uint64_t n;
} m31r_clean_count;

typedef struct m31r_cleaner m31r_cleaner;

/* Opens a cleaner. `keeps_prompts`: text of users stays, secrets in it do not.
 *
 * Returns: M31R_OK and the cleaner in `*out`.
 * Errors:  M31R_E_NOMEM.
 * Owns:    the caller closes it.
 * Thread:  any.
 */
M31R_API m31r_err m31r_cleaner_open(m31r_cleaner **out, bool keeps_prompts, m31r_error *e);

/* Takes the rules of a config too: `deny_keys` and `privacy_rules` of its section `observability`.
 * NULL: of the config that m31r.yaml in the working directory names, if there is one. Before the
 * first m31r_cleaner_copy(); text of users stays only if m31r_cleaner_open() was told
 * so.
 *
 * Returns: M31R_OK.
 * Errors:  M31R_E_NOTFOUND, M31R_E_IO, M31R_E_CONFIG (line and column set), M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  one at a time per cleaner.
 */
M31R_API m31r_err m31r_cleaner_use_config(m31r_cleaner *c, const char *path, m31r_error *e);

/* Closes it. NULL is fine.
 *
 * Owns:   frees `c`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_cleaner_close(m31r_cleaner *c);

/* Copies `in` to `to`, a line for each line, each written before the next is read when `to` is not
 * buffered. What is not replaced keeps its bytes, a last line without a newline too.
 *
 * Returns: M31R_OK at the end of `in`.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  one at a time per cleaner.
 */
M31R_API m31r_err m31r_cleaner_copy(m31r_cleaner *c, FILE *in, FILE *to, m31r_error *e);

/* Lines copied, and of these changed.
 *
 * Returns: the number of lines; of those that were changed in `*out_changed`.
 * Owns:    nothing.
 * Thread:  one at a time per cleaner.
 */
M31R_API uint64_t m31r_cleaner_lines(const m31r_cleaner *c, uint64_t *out_changed);

/* The i-th kind and rule, in the order of the first find.
 *
 * Returns: false when there is no such.
 * Owns:    the strings of `*out` live as long as the cleaner.
 * Thread:  one at a time per cleaner.
 */
M31R_API bool m31r_cleaner_count(const m31r_cleaner *c, size_t i, m31r_clean_count *out);

#ifdef __cplusplus
}
#endif
#endif
