/* run.h - a run: one execution of a program, observed, with an identity and a directory.
 *
 * A run is a directory experiments/<run_id>/ that holds logs, metrics, config, metadata and the
 * program's own files. It is opened with everything that identifies it (config, dataset, tokenizer,
 * commit, seed), or refused: there are no anonymous runs. It is not a process: several processes
 * may join one run, each writing lanes of its own; one of them, the owner, alone writes
 * metadata.json and metrics.json.
 *
 * Invariants: a run that has ended is never written again. A call on an inert run or on NULL does
 * nothing, loses what it was given, and says so once on stderr. No call ends the program or touches
 * its locale or environment. Fatal signals are noted on their way, and nothing else about them
 * changes, under `m31r run` or with `observability: crash_handler: true` in the config; a SIGBUS
 * inside the library's own memory is mended; no other signal is touched.
 *
 *     m31r_run *run = m31r_run_here("train.yaml");
 *     for (long i = 0; i < steps; i++) {
 *         double loss = train_one_step(i, &lr);
 *         m31r_step(run, i, "loss", loss, "lr", lr);
 *     }
 *     m31r_run_close(run);
 *
 * Which calls may run at once (yes: no exclusion needed):
 *
 *                  emit    open/here   lane/logger   close
 *     emit         yes     yes         yes           no: finish emitting first
 *     lane/logger  yes     yes         yes           no
 *     close        no      yes         no            no (second call does nothing)
 */
#ifndef M31R_RUN_H
#define M31R_RUN_H

#include "m31r/error.h"
#include "m31r/value.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct m31r_run m31r_run;
typedef struct m31r_lane m31r_lane;

/* What identifies a new run, and where it goes. Start from M31R_RUN_OPTIONS_INIT; NULL means not
 * given. `dataset` and `tokenizer` are a version such as "rust-src@2026.10", a path to be
 * fingerprinted, or "none".
 */
typedef struct m31r_run_options {
    size_t size;        /* sizeof(m31r_run_options): lets the struct grow */
    const char *root;   /* directory of runs; NULL is "experiments" below the working directory */
    const char *config; /* path of the config file, or "none" */
    const char *seed;   /* decimal number, or "none" */
    const char *dataset;
    const char *tokenizer;
    const char
        *commit; /* NULL: taken from the git work tree around the working directory; or "none" */
    const char *stage;  /* train, data, tokenizer, eval, serve or [a-z0-9_-]; NULL is "train" */
    const char *name;   /* a name for people, or NULL */
    const char *resume; /* run this one continues (id, name or path), or NULL */
    int argc;           /* the program's arguments, redacted before they are kept */
    const char *const *argv;
    bool is_trial;          /* "none" for whatever is not found; kind becomes "trial" */
    bool no_stdout;         /* records go to the file only */
    const char *reproduces; /* id of the run that this one repeats, or NULL */
} m31r_run_options;

#define M31R_RUN_OPTIONS_INIT                                                                      \
    {                                                                                              \
        .size = sizeof(m31r_run_options)                                                           \
    }

/* Opens a run with the given identity, or joins the one named by M31R_RUN_DIR when that is set.
 *
 * A new directory is made under `o->root`; nothing that exists is overwritten. Everything that is
 * missing is named in one error, with the full command or options to give.
 *
 * Returns: M31R_OK and the handle in `*out`.
 * Errors:  M31R_E_CONFIG (identity incomplete, config wrong; line and column set), M31R_E_IO,
 *          M31R_E_CLOSED (the
 *          run to join has ended), M31R_E_ARG.
 * Owns:    the caller closes it with m31r_run_close(); at exit of the process it is closed if that
 *          was forgotten.
 * Thread:  any; not from a signal handler.
 */
M31R_API m31r_err m31r_run_open(m31r_run **out, const m31r_run_options *o, m31r_error *e);

/* The shortest way in: joins M31R_RUN_DIR, or opens a run from ./m31r.yaml with `config` as its
 * config file (NULL: the one that m31r.yaml names). When refused, one line on stderr says why and
 * what to do, and the handle is inert: every call on it does nothing and the program goes on.
 *
 * Returns: a handle, never NULL.
 * Owns:    as m31r_run_open().
 * Thread:  any; not from a signal handler.
 */
M31R_API m31r_run *m31r_run_here(const char *config);

/* Ends this process's part of the run and frees the handle. The owner records the end: state
 * `finished`, or `failed` after a CRITICAL record; under an observer only the part is marked ended.
 * NULL is fine.
 *
 * Returns: M31R_OK, or the first error that writing this run met.
 * Errors:  M31R_E_IO.
 * Owns:    frees `run`, its loggers and its lanes.
 * Thread:  excludes every other call on the same run.
 */
M31R_API m31r_err m31r_run_close(m31r_run *run);

/* Waits, at most `wait_ms`, until everything that this process has emitted so far stands in the
 * run's files, or is counted as lost. Not needed for safety: what a call has returned from survives
 * the process. It is for reading the run's own files while it goes on.
 *
 * Returns: M31R_OK when it stands there.
 * Errors:  M31R_E_IO (not within `wait_ms`), M31R_E_CLOSED.
 * Thread:  any.
 */
M31R_API m31r_err m31r_run_flush(m31r_run *run, int wait_ms);

/* How a program says that its run ended. */
typedef enum m31r_end {
    M31R_END_FINISHED = 0,
    M31R_END_FAILED = 1,
    M31R_END_INTERRUPTED = 2 /* asked to stop: Ctrl-C, preemption */
} m31r_end;

/* As m31r_run_close(), and says how it ended. `cause` is a word such as "nonfinite" or "preempted";
 * NULL when there is nothing to say. Under an observer what the program says explains what the
 * observer sees: an exit status that is not 0 gets this cause, and a failure stated here stays one
 * although the exit status is 0.
 *
 * Returns: as m31r_run_close().
 * Errors:  M31R_E_IO.
 * Owns:    frees `run`, its loggers and its lanes.
 * Thread:  excludes every other call on the same run.
 */
M31R_API m31r_err m31r_run_end(m31r_run *run, m31r_end how, const char *cause);

/* Says that the program confirms an identity value. `what` is "seed", "dataset", "tokenizer" or
 * "config"; the value's source becomes `program`. A contradiction with what was declared is a
 * WARNING and the program wins.
 *
 * Returns: nothing; an unknown `what` is a WARNING in the log.
 * Thread:  any.
 */
M31R_API void m31r_run_identify(m31r_run *run, const char *what, const char *value);

/* The run's id.
 *
 * Returns: such as "20261123T102651Z-9f3c0a1b"; "" when inert or NULL.
 * Owns:   nothing; valid until m31r_run_close().
 * Thread: any.
 */
M31R_API const char *m31r_run_id(const m31r_run *run);

/* The run's directory.
 *
 * Returns: an absolute path; "" when inert or NULL.
 * Owns:   nothing; valid until m31r_run_close().
 * Thread: any.
 */
M31R_API const char *m31r_run_dir(const m31r_run *run);

/* Whether records and points given to `run` are kept.
 *
 * Returns: false for NULL and for an inert handle.
 * Thread: any.
 */
M31R_API bool m31r_run_is_live(const m31r_run *run);

/* The run's seed.
 *
 * Returns: the seed, or `fallback` when it is "none", not a number, or the handle is inert.
 * Thread: any.
 */
M31R_API uint64_t m31r_run_seed(const m31r_run *run, uint64_t fallback);

/* How many records and points this process could not keep so far, for any reason. They are also
 * counted by reason in a `records_lost` WARNING as soon as something can be written again.
 *
 * Returns: the count since the run was opened; 0 when inert or NULL.
 * Thread: any.
 */
M31R_API uint64_t m31r_run_lost(const m31r_run *run);

/* A lane of its own, for a thread or worker that wants its own order. `name` is [a-z0-9_-]{1,32};
 * the file is <stage>.<name>.log. Opening a name that this process has open gives the same lane.
 *
 * Returns: M31R_OK and the lane in `*out`.
 * Errors:  M31R_E_ARG (name), M31R_E_BUSY (another process writes it), M31R_E_IO, M31R_E_CLOSED.
 * Owns:    the run; freed by m31r_run_close().
 * Thread:  any; not from a signal handler.
 */
M31R_API m31r_err m31r_lane_open(m31r_run *run, const char *name, m31r_lane **out, m31r_error *e);

#ifdef __cplusplus
}
#endif
#endif
