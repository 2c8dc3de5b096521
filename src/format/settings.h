/* settings.h - what a person may set: the section `observability:` of a config, and the project
 * file m31r.yaml.
 *
 * Both are strict: an unknown key, a wrong type or a value out of range is M31R_E_CONFIG with line
 * and column, and the hint names the nearest key that exists. The user's other keys in a config are
 * never looked at. What was not given has its default, and `<field>_set` tells the two apart;
 * `<field>_line` is where it was given, for a later contradiction.
 *
 *     m31ri_settings s;
 *     m31ri_settings_init(&s);
 *     if (m31ri_settings_read(tree, "train.yaml", &s, &e) != M31R_OK) ...
 *     if (!s.config_version_set) ... a WARNING
 *     m31ri_settings_release(&s);
 */
#ifndef M31RI_SETTINGS_H
#define M31RI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "format/yaml.h"
#include "m31r/log.h"

#define M31RI_SETTING_TEXT_BYTES 4096 /* longest text of one value, NUL not included */
#define M31RI_SETTING_LIST_ITEMS 1000
#define M31RI_SETTING_PRIVACY_RULES 64

typedef enum m31ri_capture {
    M31RI_CAPTURE_FULL,
    M31RI_CAPTURE_PATTERNS,
    M31RI_CAPTURE_OFF
} m31ri_capture;

/* "full", "patterns", "off" */
const char *m31ri_capture_name(m31ri_capture c);

/* Reads the name of a capture mode; false when it is none. */
bool m31ri_capture_read(const char *text, m31ri_capture *out);

/* Reads DEBUG, INFO, WARNING, ERROR or CRITICAL in any case; false when it is none. */
bool m31ri_level_read(const char *text, m31r_level *out);

typedef struct m31ri_text_list {
    char **items;
    uint32_t *lines;
    size_t n;
} m31ri_text_list;

/* One rule of a user: what is found is called `kind`. Columns are those of the pattern's first
 * byte. */
typedef struct m31ri_privacy_setting {
    char *kind, *pattern;
    uint32_t line, column;
} m31ri_privacy_setting;

typedef struct m31ri_privacy_settings {
    m31ri_privacy_setting *items;
    size_t n;
} m31ri_privacy_settings;

/* The section `observability:`. */
typedef struct m31ri_settings {
    bool config_version_set; /* the config says config_version: at its top */
    bool section_set;
    m31r_level level;         /* INFO */
    bool to_stdout;           /* key stdout; true */
    bool to_file;             /* key file; true */
    m31ri_capture capture;    /* full */
    int64_t log_every;        /* 1 .. 1e9 steps; 1 */
    double sample_interval_s; /* 0.1 .. 3600, or 0: off; 1 */
    bool log_prompts;         /* false: opt-in */
    m31ri_text_list deny_keys;
    bool privacy_hash; /* false: equal values that were taken out cannot be told */
    m31ri_privacy_settings privacy_rules; /* the patterns are read by who uses them */
    double block_timeout_s;               /* 0 .. 3600; 5 */
    double sync_interval_s;               /* 0 .. 3600; 1 */
    int64_t rotate_mib; /* 1 .. 1048576: a lane's file is rotated at so many MiB; 256 */
    bool compress;      /* rotated segments, in the background; true */
    bool anomalies;     /* the owner watches the points; true */
    bool error_stack;   /* ERROR and CRITICAL records carry a stack; true */
    bool drops_low;     /* key when_full, block or drop: DEBUG and INFO go first; block */
    bool crash_handler; /* fatal signals are noted; not set: under `m31r run` only */
    bool level_set, to_stdout_set, to_file_set, capture_set, log_every_set, sample_interval_s_set,
        log_prompts_set, deny_keys_set, privacy_hash_set, privacy_rules_set, block_timeout_s_set,
        sync_interval_s_set, rotate_mib_set, compress_set, error_stack_set, crash_handler_set,
        anomalies_set, drops_low_set;
    uint32_t section_line, level_line, to_stdout_line, to_file_line, capture_line, log_every_line,
        sample_interval_s_line, log_prompts_line, deny_keys_line, privacy_hash_line,
        privacy_rules_line, block_timeout_s_line, sync_interval_s_line, rotate_mib_line,
        compress_line, error_stack_line, crash_handler_line, anomalies_line, drops_low_line;
} m31ri_settings;

void m31ri_settings_init(m31ri_settings *s);
void m31ri_settings_release(m31ri_settings *s);

/* Reads the section out of a config. `out` is initialised, and untouched on failure.
 *
 * Errors: M31R_E_CONFIG, M31R_E_NOMEM. Owns: m31ri_settings_release(). Thread: any. */
m31r_err m31ri_settings_read(const m31ri_yaml *config, const char *path, m31ri_settings *out,
                             m31r_error *e);

/* The file m31r.yaml: what `m31r run` needs to know about a project. Texts are NULL when not given;
 * dataset, tokenizer may be "none". */
typedef struct m31ri_project {
    int64_t config_version; /* 1 */
    char *config;           /* path of the training config */
    char *stage, *dataset, *tokenizer, *name;
    int64_t seed;
    bool seed_is_none;                            /* seed: none was said */
    char *seed_key, *dataset_key, *tokenizer_key; /* dotted keys in the config */
    char *root;                                   /* runs directory; "experiments" */
    m31ri_text_list metrics;                      /* name=regex */
    m31ri_capture capture;
    int64_t clean_days, clean_mib, clean_count; /* what of logs/ may be cleaned: m31r clean */
    bool config_version_set, config_set, stage_set, dataset_set, tokenizer_set, name_set, seed_set,
        seed_key_set, dataset_key_set, tokenizer_key_set, root_set, metrics_set, capture_set,
        clean_days_set, clean_mib_set, clean_count_set;
    uint32_t config_version_line, config_line, stage_line, dataset_line, tokenizer_line, name_line,
        seed_line, seed_key_line, dataset_key_line, tokenizer_key_line, root_line, metrics_line,
        capture_line, clean_days_line, clean_mib_line, clean_count_line;
} m31ri_project;

/* False when memory is out (the default root is a copy); release is fine then too. */
bool m31ri_project_init(m31ri_project *p);
void m31ri_project_release(m31ri_project *p);

/* Reads m31r.yaml. `out` is initialised, and untouched on failure.
 *
 * Errors: M31R_E_CONFIG, M31R_E_NOMEM. Owns: m31ri_project_release(). Thread: any. */
m31r_err m31ri_project_read(const m31ri_yaml *file, const char *path, m31ri_project *out,
                            m31r_error *e);

/* Appends a commented m31r.yaml: what `p` has set as values, the rest as comments to fill in. It
 * reads back the same. */
void m31ri_project_write(m31ri_buf *out, const m31ri_project *p);

/* Appends `text` as one YAML scalar, quoted where plain text would read back as something else. */
void m31ri_yaml_quote(m31ri_buf *out, const char *text);

#endif
