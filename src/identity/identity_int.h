/* identity_int.h - the parts of gathering: values, arguments, the refusal, the digest, the run to
 * resume. */
#ifndef M31RI_IDENTITY_INT_H
#define M31RI_IDENTITY_INT_H

#include "identity/identity.h"

/* Bits of what is missing. */
enum {
    M31RI_LACKS_CONFIG = 1,
    M31RI_LACKS_SEED = 2,
    M31RI_LACKS_DATASET = 4,
    M31RI_LACKS_TOKENIZER = 8,
    M31RI_LACKS_COMMIT = 16
};

/* What gathering works on. */
typedef struct m31ri_gather {
    m31r_run_options o; /* every field there, whatever size the caller's struct had */
    m31ri_project project;
    bool has_project;
    char *
        project_dir; /* of m31r.yaml; paths in it are relative to it; NULL: the working directory */
    m31ri_yaml *tree; /* the config; NULL when it has none that can be read */
    bool as_command;
    unsigned lacks;
    bool is_config_named;  /* found in a trial's arguments, not declared */
    bool is_config_absent; /* it was named, but there is no such file */
    m31ri_identity *id;
} m31ri_gather;

/* identity_say.c: says that memory is out, and returns M31R_E_NOMEM. */
m31r_err m31ri_identity_no_memory(m31r_error *e);

/* identity_say.c: adds a line to the warnings. */
void m31ri_identity_warn(m31ri_identity *id, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* identity_values.c: seed, dataset, tokenizer, stage, name, root, commit. Notes what is missing in
 * `lacks`. */
m31r_err m31ri_identity_take_values(m31ri_gather *g, m31r_error *e);

/* identity_config.c: the project file; the config: read, parsed, its section taken; after the
 * privacy rules are known, its snapshot. */
m31r_err m31ri_identity_take_project(m31ri_gather *g, const char *path, m31r_error *e);
m31r_err m31ri_identity_take_config(m31ri_gather *g, m31r_error *e);
m31r_err m31ri_identity_make_snapshot(m31ri_gather *g, m31r_error *e);

/* identity_missing.c: the one error for all that is missing. Returns M31R_OK when nothing is. */
m31r_err m31ri_identity_refuse(const m31ri_gather *g, m31r_error *e);

/* identity_argv.c: copies the arguments, as given and redacted. */
m31r_err m31ri_identity_take_argv(m31ri_gather *g, m31r_error *e);

/* Value of an option in the arguments as given: `--name V`, `--name=V` or `name=V`, - and _ alike;
 * NULL when absent. */
const char *m31ri_argv_value(const m31ri_identity *id, const char *name);

/* Appends the flat view of the redacted arguments as YAML. */
void m31ri_argv_view(const m31ri_identity *id, m31ri_buf *out);

/* True when the argument at `i` is an output or resume option; `*n` is how many arguments it takes
 * up (1 or 2). */
bool m31ri_argv_is_volatile(const char *const *argv, size_t argc, size_t i, size_t *n);

/* Path of the program that a command of this name runs: as given when there is a '/' in it, else
 * the first of PATH. Nothing when there is none. */
void m31ri_argv_program(const char *program, m31ri_buf *out);

/* Path of the script: the first file after an interpreter, else the program itself. Empty when
 * there is none. */
void m31ri_argv_script(const m31ri_identity *id, m31ri_buf *out);

/* identity_digest.c */
m31r_err m31ri_identity_make_digest(m31ri_identity *id, m31r_error *e);

/* Appends `path` relative to the top of the work tree when it is inside, else as it is. */
void m31ri_identity_relative(const m31ri_identity *id, const char *path, m31ri_buf *out);

/* identity_resume.c: finds the run to resume; refuses one that is running. */
m31r_err m31ri_identity_take_resume(m31ri_gather *g, m31r_error *e);

/* host_facts.c: {name, os, kernel, arch, cpu_model, cpus, memory_bytes}; NULL when memory is out.
 */
json_t *m31ri_host_facts(void);

json_t *m31ri_identity_hex(const uint8_t digest[32]);

#endif
