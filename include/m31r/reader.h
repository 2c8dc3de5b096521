/* reader.h - a run opened for reading: what its directory says, and what follows from it.
 *
 * It is not m31r_run: nothing is written, locked or created, and a run that is damaged, incomplete
 * or still being written can be read. What is missing is "" or -1, and `problem` says the first
 * thing that was wrong. The state is derived each time: a stored state is believed only with a
 * recorded end; without one the writer's process decides.
 *
 * Invariants: readers never write into a run. What was read stays as it was until the reader is
 * closed.
 *
 *     m31r_reader *reader;
 *     if (m31r_reader_open(&reader, "experiments", "@", &e) == M31R_OK) {
 *         const m31r_facts *facts = m31r_reader_facts(reader);
 *         printf("%s %s\n", facts->run_id, m31r_state_name(facts->state));
 *         m31r_reader_close(reader);
 *     }
 *
 * Different readers are independent; one reader may be read by several threads once it is open.
 */
#ifndef M31R_READER_H
#define M31R_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A time, count or step that is not known. */
#define M31R_UNKNOWN INT64_MIN

typedef struct m31r_reader m31r_reader;

typedef enum m31r_state {
    M31R_STATE_UNKNOWN = 0, /* the writer is on another host, or nothing says who it is */
    M31R_STATE_RUNNING = 1, /* the writer, or the program it observes, lives */
    M31R_STATE_FINISHED = 2,
    M31R_STATE_FAILED = 3,
    M31R_STATE_KILLED = 4,
    M31R_STATE_INTERRUPTED = 5, /* Ctrl-C or preemption */
    M31R_STATE_CRASHED = 6      /* the writer is proved dead and recorded no end, or only
                                 * `m31r recover` did */
} m31r_state;

/* One value of a run's identity. Strings are "" when not known. */
typedef struct m31r_identity_value {
    const char *value;  /* as given: a version, a path, a number; "none" when said so */
    const char *digest; /* SHA-256 in hex */
    const char *source; /* "program", "config:KEY", "declared", "project", "git", "none" */
    const char
        *status; /* of a digest that is computed in the background: "pending", "known", "failed" */
} m31r_identity_value;

/* One file of records. */
typedef struct m31r_lane_facts {
    const char *file;  /* name in the run's directory */
    const char *name;  /* lane's name; "" for the main lane */
    int64_t rank;      /* 0 when the name says none */
    int64_t bytes;     /* on disk, rotated segments included */
    int64_t segments;  /* files that were rotated away; `file` may then be missing */
    bool is_observer;  /* made by the observer, not by the program */
    bool is_unordered; /* used from several threads: only their own order is known */
} m31r_lane_facts;

/* A file that was registered. */
typedef struct m31r_artifact_facts {
    const char *role; /* "checkpoint" or "input" */
    const char *path;
    const char *digest;
    int64_t step, bytes;
} m31r_artifact_facts;

/* What is known of a run. Strings are "" and numbers M31R_UNKNOWN when not known. */
typedef struct m31r_facts {
    const char *run_id, *path, *name, *stage, *kind; /* kind: "run" or "trial" */
    m31r_state state;
    const char *state_why;    /* what the state rests on, a short sentence */
    const char *problem;      /* first thing that could not be read; "" when all could */
    const char *start, *end;  /* timestamps as in records */
    int64_t start_ns, end_ns; /* since 1970; without an end, the newest change of a file */
    m31r_identity_value seed, config, dataset, tokenizer, commit;
    bool is_dirty;         /* uncommitted changes */
    const char *diff_file; /* the diff that was kept, relative to the run */
    int64_t n_untracked;
    int64_t exit_status;
    const char *signal, *cause, *evidence;
    int64_t lost_records, lost_points;
    int64_t n_redacted;   /* values that the privacy rules took out */
    const char *redacted; /* of these, by kind: "token 3, email 9" */
    bool keeps_prompts;   /* text of users is kept by choice */
    const char *resumes;  /* id of the run that this one continues */
    int64_t resumes_step;
    const char *host, *writer, *library_version, *capture, *command;
    const char *cpu_model, *arch;
    int64_t cpus;
    int64_t ranks;
    const char *tags;     /* words with a blank between (m31r/notes.h) */
    const char *release;  /* its name; "" when the run is none */
    const char *metadata; /* metadata.json as it was read */
    bool has_live;        /* .live/ exists: the run was not ended */
    bool has_manifest;
} m31r_facts;

/* Opens the run that `run` means: "@" (the latest), "@-1", a unique part of an id or name, or a
 * path. `root` is the directory of runs; NULL is "experiments" below the working directory.
 *
 * A run without a readable metadata.json opens too; `problem` of its facts says what is wrong.
 *
 * Returns: M31R_OK and the reader in `*out`.
 * Errors:  M31R_E_NOTFOUND (no such run), M31R_E_ARG (several match; the hint lists them),
 *          M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it with m31r_reader_close().
 * Thread:  any.
 */
M31R_API m31r_err m31r_reader_open(m31r_reader **out, const char *root, const char *run,
                                   m31r_error *e);

/* Frees a reader and all that came from it. NULL is fine.
 *
 * Owns:   frees `r`.
 * Thread: excludes every other call on the same reader.
 */
M31R_API void m31r_reader_close(m31r_reader *r);

/* What is known of the run.
 *
 * Returns: the facts, never NULL.
 * Owns:    the reader; valid until m31r_reader_close().
 * Thread:  any.
 */
M31R_API const m31r_facts *m31r_reader_facts(const m31r_reader *r);

/* Number of lanes: files of records found in the directory, the main lane first, then by name.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API size_t m31r_reader_lanes(const m31r_reader *r);

/* A lane; `i` is less than m31r_reader_lanes().
 *
 * Returns: the lane, or NULL when there is no such.
 * Owns:    the reader; valid until m31r_reader_close().
 * Thread:  any.
 */
M31R_API const m31r_lane_facts *m31r_reader_lane(const m31r_reader *r, size_t i);

/* Number of registered files, in the order of registration.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API size_t m31r_reader_artifacts(const m31r_reader *r);

/* A registered file; `i` is less than m31r_reader_artifacts().
 *
 * Returns: M31R_OK and the facts in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    the reader; strings are valid until m31r_reader_close().
 * Thread:  any.
 */
M31R_API m31r_err m31r_reader_artifact(const m31r_reader *r, size_t i, m31r_artifact_facts *out);

/* Name of a state in lower case, such as "finished".
 *
 * Returns: the name; "unknown" for a number that is none.
 * Owns:    nothing; a constant string.
 * Thread:  any.
 */
M31R_API const char *m31r_state_name(m31r_state state);

#ifdef __cplusplus
}
#endif
#endif
