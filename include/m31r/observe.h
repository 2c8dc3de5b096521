/* observe.h - runs a program and records it: what the command `m31r run` is made of.
 *
 * The program need not know of us. Three processes stand beside it: the calling one, which passes
 * signals on and tells in the end how the program ended, a keeper, which reads and records, and a
 * guard, which replaces a killed keeper. Any two may be killed or stopped: the program goes on, and
 * so does the record. It is for commands: it forks, takes signals, and should be called by a
 * process with one thread.
 *
 *     m31r_observe_options o = M31R_OBSERVE_OPTIONS_INIT;
 *     m31r_observe_end end;
 *     o.run.argc = argc;
 *     o.run.argv = argv;
 *     if (m31r_observe(&o, &end, &e) == M31R_OK) {
 *         m31r_observe_end_as(&end);
 *     }
 */
#ifndef M31R_OBSERVE_H
#define M31R_OBSERVE_H

#include "m31r/run.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct m31r_observe_options {
    size_t size;                /* sizeof(m31r_observe_options) */
    m31r_run_options run;       /* the identity; argc and argv are the program */
    const char *project;        /* path of m31r.yaml; NULL: ./m31r.yaml when it is there */
    const char *id_file;        /* gets the run's id before the program starts; NULL: none */
    const char *const *metrics; /* "NAME=PATTERN"; added to those of m31r.yaml */
    size_t n_metrics;
    const char *capture;      /* "full", "patterns", "off"; NULL: by config and stage */
    double sample_interval_s; /* 0.1 to 3600, 0: no samples; negative: by config */
    const char *stop_on;      /* "nan", "diverged" or both with a comma: the program is ended when
                                 that happens to a loss; NULL: never */
    bool is_tee;              /* pass the program's bytes on untouched instead of records */
} m31r_observe_options;

#define M31R_OBSERVE_OPTIONS_INIT                                                                  \
    {                                                                                              \
        .size = sizeof(m31r_observe_options), .run = M31R_RUN_OPTIONS_INIT,                        \
        .sample_interval_s = -1                                                                    \
    }

/* How the program ended. */
typedef struct m31r_observe_end {
    bool has_status; /* false: the program's end could not be seen */
    int exit_status; /* when it exited */
    int signal;      /* when a signal ended it, else 0 */
} m31r_observe_end;

/* Opens a run, runs `o->run.argv` under observation, and ends the run.
 *
 * stdout and stderr of the program are captured; stdin is its own; when ours are terminals, the
 * program's are too. A program that cannot be started gives status 127 or 126, like a shell's, and
 * a run that failed. The last line on stderr is the `run_end` line.
 *
 * Returns: M31R_OK when a run was made; `*end` tells how the program ended.
 * Errors:  M31R_E_CONFIG (identity incomplete, bad pattern: nothing was started), M31R_E_ARG,
 *          M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  one at a time in a process; changes signal dispositions while it runs.
 */
M31R_API m31r_err m31r_observe(const m31r_observe_options *o, m31r_observe_end *end, m31r_error *e);

/* Ends the calling process as the program ended: with its exit status, or by raising its signal
 * without a core file. Status 125 when the end could not be seen.
 *
 * Thread: ends the process.
 */
M31R_API void m31r_observe_end_as(const m31r_observe_end *end);

/* Tries the identity of a run without making one. `*out_json` gets one line,
 * {"v":1,"kind":"identity",...}.
 *
 * Returns: M31R_OK when a run could be opened like this.
 * Errors:  as m31r_observe().
 * Owns:    the caller gives `*out_json` to m31r_observe_free().
 * Thread:  any.
 */
M31R_API m31r_err m31r_observe_check(const m31r_observe_options *o, char **out_json, m31r_error *e);

/* Frees what m31r_observe_check() gave; NULL is fine.
 *
 * Thread: any.
 */
M31R_API void m31r_observe_free(char *json);

#ifdef __cplusplus
}
#endif
#endif
