/* identity.h - what a run is: gathered from the options, the project file, the config and git
 * before anything is made.
 *
 * Two runs of the same thing have the same digest, whatever the time, the output and the resume
 * options. Everything that is missing is named in one error, which prints the full command or call
 * to give.
 */
#ifndef M31RI_IDENTITY_H
#define M31RI_IDENTITY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "format/settings.h"
#include "m31r/error.h"
#include "m31r/run.h"
#include "rules/privacy.h"
#include "identity/fingerprint.h"
#include "git/git_facts.h"
#include "store/metadata.h"

typedef struct m31ri_identity {
    m31ri_settings settings; /* the config's observability: section, or its defaults */
    m31ri_privacy *privacy;
    char *root, *stage, *name;
    char *seed, *dataset, *tokenizer;    /* as text; "none" when said so */
    char *dataset_path, *tokenizer_path; /* NULL unless given as a path */
    const char *seed_source, *dataset_source, *tokenizer_source, *config_source,
        *commit_source;        /* static or owned; see metadata.h */
    char *config_path;         /* as given; "none" */
    m31ri_buf config_bytes;    /* as read */
    m31ri_buf config_snapshot; /* as kept: redacted */
    uint32_t n_config_redacted;
    m31ri_git_facts git;
    bool is_trial;
    char *resume_run_id; /* NULL, or the run it continues */
    char *reproduces;    /* NULL, or the run it repeats */
    char **argv;         /* redacted, NULL-terminated */
    uint32_t n_argv_redacted;
    uint8_t digest[32];
    m31ri_text_list given;     /* argv as given: for digests and the script, never written */
    uint8_t config_digest[32]; /* of config_bytes; zero when "none" */
    uint8_t argv_digest[32];   /* of the arguments as given, each with its NUL */
    bool is_config_kept_apart; /* neither YAML nor JSON: config_original.<ext>, and the snapshot is
                                  argv's view */
    char *source_texts[3];     /* memory of the "config:KEY" sources */
    m31ri_buf warnings;        /* lines for WARNING records: no config_version, trial values... */
} m31ri_identity;

/* Gathers. Each value is taken from the first that has it: the options, m31r.yaml, the config key
 * that m31r.yaml names; for the seed at last M31R_SEED. When `o` has no arguments, those of this
 * process are taken. `project` is the path of m31r.yaml or NULL (then ./m31r.yaml is used when it
 * is there). `as_command` says whether the hint prints an `m31r run` command (true) or the
 * m31r_run_options fields (false).
 *
 * The digest is SHA-256 over these texts, each preceded by its length as 8 bytes, little end first:
 * "m31r-identity-1", the 32 bytes of config_digest, dataset, tokenizer (a path inside the work tree
 * relative to its top, any other path absolute), commit, changes_digest, seed, stage, and each
 * argument as redacted, less output and resume options and their values: --out --output --out-dir
 * --output-dir --outdir -o --resume --resume-from --resume-from-checkpoint --checkpoint-dir
 * --ckpt-dir --save-dir
 * --save-path --log-dir --logdir --id-file, written with - or _, as `--x V`, `--x=V` or `x=V`. An
 * argument that is a path inside the work tree counts relative to its top.
 *
 * Errors: M31R_E_CONFIG with everything missing named at once and a hint that can be pasted;
 *         M31R_E_NOTFOUND (only the config's path is wrong, or there is no such project file or run
 *         to resume), M31R_E_ARG (also when the run to resume is running), M31R_E_IO.
 * Owns:   m31ri_identity_release().
 * Thread: one at a time with setenv() and chdir(). */
m31r_err m31ri_identity_gather(const m31r_run_options *o, const char *project, bool as_command,
                               m31ri_identity *out, m31r_error *e);
void m31ri_identity_release(m31ri_identity *id);

/* Fills metadata's identity part (everything known before the start; digests pending) from `id`. */
m31r_err m31ri_identity_describe(const m31ri_identity *id, m31ri_metadata *m, m31r_error *e);

/* Writes config_snapshot.yaml (always that name; a config in another format is kept as it is beside
 * it as config_original.<ext>, and the snapshot then holds the flat view of argv: --lr 3e-4,
 * --lr=3e-4, lr=3e-4), code.diff and untracked/ when git facts carry them. */
m31r_err m31ri_identity_write_files(const m31ri_identity *id, const m31ri_run_dir *d,
                                    m31ri_metadata *m, m31r_error *e);

/* identity_describe.c: `text` as a JSON string after the privacy rules, invalid UTF-8 as U+FFFD;
 * NULL when memory is out. */
json_t *m31ri_identity_text(const m31ri_identity *id, const char *text);

#endif
