/* metadata.h - metadata.json: who, what, from what, on what, how it ended. Written by the owner
 * only.
 *
 * A JSON object with keys in a fixed order (docs/FORMAT.md). Saved by atomic replacement, so a
 * reader always sees a whole one. Top-level keys, in order: format_version 1, run_id, name, stage,
 * kind "run"|"trial", timestamp (start, UTC ts), seed (int or null), config_path, config_sha256,
 * config_original_sha256 (null unless redacted), dataset_version, dataset_path, dataset_sha256
 * (null while pending or none), tokenizer_version, tokenizer_path, tokenizer_sha256, git_commit (or
 * "none"), sources {seed, config, dataset, tokenizer, git_commit:
 * "program"|"config:KEY"|"declared"|"git"|"none"|"project"}, identity_sha256, digests {dataset:
 * {state "none|pending|known|failed", files, bytes, error}, tokenizer: {...}}, code {dirty,
 * changes_sha256, branch, diff: null|{file, sha256, bytes, cut}, untracked: [{path, sha256, bytes,
 * kept}], script: null|{path, sha256}}, command {argv: [...], cwd, dir, patterns [],
 * redacted, sha256}, host {name,
 * os, kernel, arch, cpu_model, cpus, memory_bytes}, environment {cpu_flags [], gpus [],
 * gpu_driver, settings {}, programs [], libraries [], python}, writer {pid, start_ticks, boot_id,
 * host, role "observer"|"program", library_version}, program null|{pid, start_ticks}, state
 * null|"finished"|"failed"|"killed"|"interrupted", end null|ts, exit_status, signal, cause,
 * cause_evidence, resumes null|{run, step, checkpoint_sha256}, reproduces null|"run", parents [],
 * privacy {log_prompts, redacted}, capture, ranks, rank_ends [...], lanes [...], metrics {name:
 * {unit, better}}, artifacts [...], lost {records, points, reasons{}}, unknown_notices
 */
#ifndef M31RI_METADATA_H
#define M31RI_METADATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "m31r/error.h"
#include "store/run_dir.h"

typedef struct m31ri_metadata {
    json_t *root;
    bool is_dirty;         /* changed since it was last saved */
    bool is_unsynced;      /* saved, but not yet with `sync` */
    bool is_critical;      /* a CRITICAL record was made by some process: the end is `failed` */
    char stated_state[16]; /* how a process of the program said that it ended; "" when none did */
    char stated_cause[64];
    json_t *told_lanes;     /* by lane and process: the counts it is made of; see count_lane */
    json_t *told_rings;     /* a set: of which lanes of which rings the counts have been added */
    char *pending_warnings; /* lines, each ended by '\n', that the owner should log as WARNING and
                             * then free (m31ri_free) and set to NULL; NULL when none */
} m31ri_metadata;

/* An object with every key, in order, at its empty value. M31R_E_NOMEM. */
m31r_err m31ri_metadata_init(m31ri_metadata *m, m31r_error *e);
void m31ri_metadata_release(m31ri_metadata *m);

/* Sets the value at a dotted path that exists or whose parent is an object; takes over the
 * reference `value` also on failure. A key keeps its place; a new one comes last. Errors:
 * M31R_E_ARG (no such parent), M31R_E_NOMEM. */
m31r_err m31ri_metadata_set(m31ri_metadata *m, const char *dotted, json_t *value);

/* Value at a dotted path, borrowed; NULL when there is none. */
json_t *m31ri_metadata_get(const m31ri_metadata *m, const char *dotted);

/* Replaces metadata.json when something changed. `sync`: fsync it and its directory (also what was
 * saved before without).
 * Errors: M31R_E_IO (the old file stays whole; the next call tries again), M31R_E_NOMEM. */
m31r_err m31ri_metadata_save(m31ri_metadata *m, const m31ri_run_dir *d, bool sync, m31r_error *e);

/* Folds one notice (notices.h). False when it is not understood. A program's identity value wins
 * over a declared one; a contradiction adds a line to `pending_warnings`. Of two programs' values
 * the first stays. An artifact of the same role, path and step, and a lane of the same file, are
 * brought up to date in place. */
bool m31ri_metadata_fold(m31ri_metadata *m, const json_t *notice);

/* At the end of the run: lanes that nobody closed, and ranks that came and said no end, are
 * `abandoned`. */
void m31ri_metadata_abandon_open_lanes(m31ri_metadata *m);

#endif
