#include "stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Written by a signal handler, read by the program's loops. */
static volatile sig_atomic_t stop_signal;

static void on_stop(int number)
{
    stop_signal = number;
}

void stage_signals_catch(void)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

const volatile sig_atomic_t *stage_stop(void)
{
    return &stop_signal;
}

bool stage_goes_on(fault *error)
{
    return stop_signal == 0 ||
           fault_set(error, 128 + (int)stop_signal, "interrupted", "%s", strsignal(stop_signal));
}

static size_t option_find(const stage_option *options, size_t n, const char *name)
{
    size_t i = 0;
    while (i < n && (strncmp(name, "--", 2) != 0 || strcmp(options[i].name, name + 2) != 0)) {
        i++;
    }
    return i;
}

bool stage_options_read(const stage_option *options, size_t n, char **argv, const char **values,
                        fault *error)
{
    for (size_t i = 0; i < n; i++) {
        values[i] = NULL;
    }
    for (char **at = argv + 1; *at != NULL; at += 2) {
        size_t i = option_find(options, n, *at);
        if (i == n) {
            return fault_set(error, FAULT_USER, "usage", "%s is not an option", *at);
        }
        if (at[1] == NULL) {
            return fault_set(error, FAULT_USER, "usage", "%s needs a value", *at);
        }
        values[i] = at[1];
    }
    for (size_t i = 0; i < n; i++) {
        if (options[i].is_needed && values[i] == NULL) {
            return fault_set(error, FAULT_USER, "usage", "--%s is missing", options[i].name);
        }
    }
    return true;
}

m31r_run *stage_open(const stage_identity *identity, fault *error)
{
    char seed[24];
    int argc = 0;
    m31r_run *run = NULL;
    m31r_error e;
    while (identity->argv[argc] != NULL) {
        argc++;
    }
    (void)snprintf(seed, sizeof seed, "%llu", identity->seed);
    m31r_run_options o = M31R_RUN_OPTIONS_INIT;
    o.stage = identity->stage;
    o.config = identity->config;
    o.dataset = identity->dataset;
    o.tokenizer = identity->tokenizer;
    o.seed = seed;
    o.argc = argc;
    o.argv = (const char *const *)identity->argv;
    m31r_err err = m31r_run_open(&run, &o, &e);
    if (err != M31R_OK) {
        int exit_code = m31r_err_exit(err);
        (void)fault_set(error, exit_code, "run_refused", "%s%s%s", e.message,
                        e.hint[0] == '\0' ? "" : ": ", e.hint);
        return NULL;
    }
    m31r_run_identify(run, "config", identity->config);
    m31r_run_identify(run, "dataset", identity->dataset);
    m31r_run_identify(run, "tokenizer", identity->tokenizer);
    m31r_run_identify(run, "seed", seed);
    return run;
}

bool stage_folder(m31r_run *run, const char *given, const char *name, char *out, fault *error)
{
    int length = given != NULL ? snprintf(out, STAGE_PATH_BYTES, "%s", given)
                               : snprintf(out, STAGE_PATH_BYTES, "%s/%s", m31r_run_dir(run), name);
    if (length < 0 || length >= STAGE_PATH_BYTES) {
        return fault_set(error, FAULT_USER, "path_too_long", "%s: more than %d bytes", name,
                         STAGE_PATH_BYTES - 1);
    }
    if (mkdir(out, 0777) != 0 && errno != EEXIST) {
        return fault_set(error, FAULT_RUNTIME, "folder_not_made", "%s: %s", out, strerror(errno));
    }
    return true;
}

/* CRITICAL because the program gives up: the run is then `failed`. */
static void fault_record(m31r_run *run, const char *module, const fault *error)
{
    m31r_log *log = m31r_run_logger(run, module);
    if (error->exit_code > 128) {
        m31r_warning(log, "stage_interrupted", "reason", error->reason, "detail", error->text);
    } else {
        m31r_critical(log, "stage_failed", "reason", error->reason, "detail", error->text,
                      "exit_code", error->exit_code);
    }
}

int stage_end(m31r_run *run, const char *module, const fault *error)
{
    if (error == NULL) {
        (void)m31r_run_end(run, M31R_END_FINISHED, NULL);
        return 0;
    }
    if (run == NULL) {
        (void)fprintf(stderr, "%s: %s: %s\n", module, error->reason, error->text);
        return error->exit_code;
    }
    fault_record(run, module, error);
    if (error->exit_code > 128) {
        /* Whoever waits for this process sees the signal that it was sent. */
        (void)m31r_run_end(run, M31R_END_INTERRUPTED, "signal");
        (void)signal(error->exit_code - 128, SIG_DFL);
        (void)raise(error->exit_code - 128);
    }
    (void)m31r_run_end(run, M31R_END_FAILED, error->reason);
    return error->exit_code;
}

double stage_now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double stage_memory_mb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL) {
        if (fscanf(file, "%*d %ld", &pages) != 1) {
            pages = 0;
        }
        (void)fclose(file);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1024 * 1024);
}
