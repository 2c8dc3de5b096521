/* What every program of the pipeline does alike: its command line, its run, its end.
 *
 * A program opens a run of its own stage, or joins the one that `m31r run` made around it. What it
 * cannot do ends as one record and one exit status: 0 success, 1 user error, 2 config error, 3
 * runtime error, 128 + n for a signal that asked it to stop.
 *
 *     static const stage_option OPTIONS[] = {{"config", true}, {"out", false}};
 *     const char *values[2];
 *     if (!stage_options_read(OPTIONS, 2, argc, argv, values, &error)) { ... }
 *     m31r_run *run = stage_open(&identity, &error);
 *     bool ok = work(run, &error);
 *     return stage_end(run, "data", ok ? NULL : &error);
 */
#ifndef PIPELINE_STAGE_H
#define PIPELINE_STAGE_H

#include <m31r/m31r.h>
#include <signal.h>
#include <stddef.h>

#include "../train/fault.h"

enum { STAGE_MAX_OPTIONS = 16, STAGE_PATH_BYTES = 4096 };

typedef struct {
    const char *name; /* without the two hyphens; every option takes a value */
    bool is_needed;
} stage_option;

/* Reads `--name value` pairs: values[i] is that of options[i], or NULL.
 * Errors: FAULT_USER (an unknown option, a value or a needed option that is missing). */
bool stage_options_read(const stage_option *options, size_t n, char **argv, const char **values,
                        fault *error);

/* What identifies the run of a program that nobody observes; see m31r/run.h. */
typedef struct {
    const char *stage;
    const char *config;
    const char *dataset;
    const char *tokenizer;
    unsigned long long seed;
    char **argv; /* of main() */
} stage_identity;

/* Joins the run of M31R_RUN_DIR, or opens one below experiments/.
 * Errors: FAULT_CONFIG (the identity is not complete), FAULT_RUNTIME. */
m31r_run *stage_open(const stage_identity *identity, fault *error);

/* Writes the path of the program's own folder `name` to `out`: `given`, or below the run's
 * directory; makes it where it is not there.
 * Errors: FAULT_RUNTIME with what the system said; FAULT_USER for a path that is too long. */
bool stage_folder(m31r_run *run, const char *given, const char *name, char *out, fault *error);

/* Records how the program ended, ends its part of the run and returns the exit status. `error` is
 * NULL after success. `run` may be NULL: the error then goes to stderr, because it must reach
 * somebody. A program that was stopped by a signal ends by that signal and does not return. */
int stage_end(m31r_run *run, const char *module, const fault *error);

/* Catches SIGINT and SIGTERM: the first one sets the number that stage_stop() points to, a second
 * one ends the program at once. */
void stage_signals_catch(void);
const volatile sig_atomic_t *stage_stop(void);

/* Fills `error` when a stop was asked for. Returns false then. */
bool stage_goes_on(fault *error);

/* Seconds of a clock that only goes forward. */
double stage_now_s(void);

/* Resident memory of this process in MiB; 0 where the system does not say. */
double stage_memory_mb(void);

#endif
