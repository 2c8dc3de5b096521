/* A linked program that puts a secret into every call that takes a text, for run_cases_canary.py:
 * leaker FILE WHAT [...]. A line of FILE is an entrance and its secret. WHAT: "load" emits until it
 * is killed; "end" says how the run ended; "abort" waits for the file `go`, then dies of a signal.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <m31r/m31r.h>

#define ENTRANCES 64

static struct {
    char name[32], secret[64];
} entrances[ENTRANCES];
static int n_entrances;

static void read_entrances(const char *path)
{
    FILE *f = fopen(path, "r");
    while (f != NULL && n_entrances < ENTRANCES &&
           fscanf(f, "%31s %63s", entrances[n_entrances].name, entrances[n_entrances].secret) ==
               2) {
        n_entrances++;
    }
    if (f == NULL || fclose(f) != 0 || n_entrances == 0) {
        _exit(9);
    }
}

static const char *secret_of(const char *entrance)
{
    for (int i = 0; i < n_entrances; i++) {
        if (strcmp(entrances[i].name, entrance) == 0) {
            return entrances[i].secret;
        }
    }
    fprintf(stderr, "no entrance %s\n", entrance);
    _exit(9);
}

/* "BEFORE secret AFTER", in one of a few places: they live until the call returns. */
static const char *around(const char *before, const char *entrance, const char *after)
{
    static _Thread_local char places[4][256];
    static _Thread_local unsigned next;
    char *place = places[next++ % 4];
    snprintf(place, sizeof *places, "%s%s%s", before, secret_of(entrance), after);
    return place;
}

static const char *make_file(const char *entrance)
{
    const char *path = around("", entrance, ".bin");
    FILE *f = fopen(path, "w");
    if (f == NULL || fputs("x", f) < 0 || fclose(f) != 0) {
        _exit(9);
    }
    return path;
}

static void emit_records(m31r_run *run, m31r_log *log, int step)
{
    m31r_value key = m31r_of_string(around("at_", "link_key", ""));
    m31r_value one = m31r_of_string(around("https://host/?q=", "link_pair", "&x=1"));
    m31r_fields fields = {&key, &one, 1};
    (void)m31r_log_write(log, M31R_INFO, m31r_of_string(around("used ", "link_message", " now")),
                         &fields);
    m31r_info(log, "request", "path", around("/v1/", "link_value", "/x"), "n", step);
    m31r_warning(log, "reply", "header", around("Authorization: Bearer ", "link_header", ""));
    m31r_error(log, "library_failed", "error", around("cannot open ", "link_error", ": denied"));
    m31r_info(log, "declared", "who", m31r_sensitive(secret_of("link_sensitive")));
    m31r_metric(run, around("loss_", "link_metric", ""), 1.5, step);
    m31r_step(run, step, "note", around("", "link_step", ""));
    m31r_data_rejected(run, .path = around("data/", "stage_path", ".rs"),
                       .reason = around("has ", "stage_reason", ""), .bytes = 5);
    m31r_eval_task(run, .task = around("", "stage_task", ""), .category = "functions", .samples = 1,
                   .compiled = 1, .passed = 1, .latency_ms = 1.5);
}

/* What is said once. */
static void emit_names(m31r_run *run)
{
    m31r_log *log = m31r_run_logger(run, around("mod.", "link_module", ""));
    m31r_info(log, "module_is_there");
    m31r_metric_define(run, "speed", around("unit_", "link_unit", ""), M31R_BETTER_HIGHER);
    m31r_metric(run, "speed", 1, 1);
    m31r_run_identify(run, "tokenizer", around("bytes-", "link_identity", "@1"));
    (void)m31r_input_add(run, make_file("link_input"));
    (void)m31r_output_add(run, around("", "link_role", ""), make_file("link_output"));
    (void)m31r_checkpoint_add(run, make_file("link_checkpoint"), 1);
    (void)m31r_checkpoint_add(run, around("missing/", "link_missing", ".bin"), 2);
}

static void *emit_for_ever(void *context)
{
    m31r_run *run = context;
    m31r_log *log = m31r_run_logger(run, "thread");
    for (int i = 2;; i++) {
        emit_records(run, log, i);
        usleep(200);
    }
    return NULL;
}

/* With all that was emitted drained, so that what still lies somewhere can be looked for. */
_Noreturn static void wait_and_abort(m31r_run *run)
{
    bool is_drained = m31r_run_is_live(run) && m31r_run_flush(run, 20000) == M31R_OK;
    FILE *quiet = fopen(is_drained ? "quiet" : "not_quiet", "w");
    if (quiet == NULL || fclose(quiet) != 0) {
        _exit(9);
    }
    while (access("go", F_OK) != 0) {
        usleep(10 * 1000);
    }
    fprintf(stderr, "leaker: assertion `%s' failed\n", secret_of("abort_text"));
    abort();
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        return 9;
    }
    read_entrances(argv[1]);
    m31r_run *run = m31r_run_here(NULL);
    m31r_log *log = m31r_run_logger(run, "leaker");
    emit_names(run);
    emit_records(run, log, 1);
    if (strcmp(argv[2], "load") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, emit_for_ever, run);
        emit_for_ever(run);
    }
    if (strcmp(argv[2], "end") == 0) {
        return m31r_run_end(run, M31R_END_FAILED, around("broke on ", "link_cause", "")) != M31R_OK;
    }
    wait_and_abort(run);
}
