/* project.h - m31r.yaml: what a project's runs have in common, written once.
 *
 * It is not the training config: it names that config, the dataset, the tokenizer, and where in the
 * config the seed stands, so that `m31r run -- CMD` and m31r_run_here() need no option. A file that
 * exists is never overwritten.
 *
 *     m31r_project project = M31R_PROJECT_INIT;
 *     project.dataset = "rust-src@2026.10";
 *     err = m31r_project_create(NULL, &project, &found, &e);
 */
#ifndef M31R_PROJECT_H
#define M31R_PROJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What to write; NULL means not given. */
typedef struct m31r_project {
    size_t size;        /* sizeof(m31r_project): lets the struct grow */
    const char *config; /* path, or "none"; NULL: the one config that the directory holds, if any */
    const char *dataset, *tokenizer, *stage, *name;
    const char *seed_key; /* dotted key in the config; NULL: its only key named seed, if any */
    const char *const *metrics; /* NAME=REGEX */
    size_t n_metrics;
} m31r_project;

#define M31R_PROJECT_INIT                                                                          \
    {                                                                                              \
        .size = sizeof(m31r_project)                                                               \
    }

/* What was found where nothing was given. */
typedef struct m31r_project_found {
    char config[256];   /* "" when given, or none was found */
    char seed_key[256]; /* "" when given, or none was found */
    bool lacks_config, lacks_dataset, lacks_tokenizer, lacks_seed; /* still to be filled in */
} m31r_project_found;

/* Makes m31r.yaml in `directory` (NULL: the working directory). What was not given stands in it as
 * a comment to fill in.
 *
 * Returns: M31R_OK and what was found in `*out_found`.
 * Errors:  M31R_E_EXISTS (there is one), M31R_E_NOTFOUND (a given config is not there),
 *          M31R_E_CONFIG (it does not read, or a value is no good), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_project_create(const char *directory, const m31r_project *project,
                                      m31r_project_found *out_found, m31r_error *e);

#ifdef __cplusplus
}
#endif
#endif
