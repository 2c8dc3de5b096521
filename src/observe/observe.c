/* observe.c - m31r_observe: everything that can be wrong is found before anything is made; then the
 * two processes.
 *
 * The identity is gathered and the patterns are compiled here, in the process the user started, so
 * that a mistake is an error in well under a second and leaves nothing behind. The keeper gets all
 * of it by being forked.
 */
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/os_shared.h"
#include "base/sha256.h"
#include "observe/observe_int.h"

#define PROJECT_FILE "m31r.yaml"
#define UNSEEN_STATUS 125 /* the program's end could not be seen */

/* The project file's metric patterns and capture mode; an empty project when there is no file. */
static m31r_err read_project(const char *path, m31ri_project *out, m31r_error *e)
{
    m31ri_buf bytes = M31RI_BUF_INIT;
    m31ri_yaml *tree = NULL;
    const char *name = path != NULL ? path : PROJECT_FILE;
    if (path == NULL && access(name, F_OK) != 0) {
        return M31R_OK;
    }
    int fd = m31ri_open_input(name);
    m31r_err err = M31R_OK;
    if (fd >= 0) {
        err = m31ri_read_fd(fd, M31RI_YAML_BYTES, &bytes, e);
    } else {
        err = m31ri_fail(e, M31R_E_CONFIG, "cannot open the project file %s", name);
        m31ri_fail_hint(e, "name a file that is there, or make one with `m31r init`");
    }
    if (err == M31R_OK) {
        err = m31ri_yaml_read(m31ri_buf_str(&bytes), bytes.length, name, &tree, e);
    }
    if (err == M31R_OK) {
        err = m31ri_project_read(tree, name, out, e);
    }
    if (fd >= 0) {
        close(fd);
    }
    m31ri_yaml_free(tree);
    m31ri_buf_release(&bytes);
    return err;
}

/* The option wins, then the config, then the project file; else what the stage prints decides. */
static m31r_err choose_capture(m31ri_plan *p, const m31ri_project *project, m31r_error *e)
{
    const char *given = p->options->capture;
    const char *stage = p->identity->stage;
    if (given != NULL) {
        return m31ri_capture_read(given, &p->capture)
                   ? M31R_OK
                   : m31ri_fail(e, M31R_E_ARG, "capture is full, patterns or off, not \"%s\"",
                                given);
    }
    bool prints_prompts =
        stage != NULL && (strcmp(stage, "serve") == 0 || strcmp(stage, "eval") == 0);
    if (p->identity->settings.capture_set) {
        p->capture = p->identity->settings.capture;
    } else if (project->capture_set) {
        p->capture = project->capture;
    } else {
        p->capture = prints_prompts ? M31RI_CAPTURE_PATTERNS : M31RI_CAPTURE_FULL;
    }
    return M31R_OK;
}

static m31r_err compile_patterns(m31ri_plan *p, const m31ri_project *project, m31r_error *e)
{
    const char *specs[M31R_PATTERN_LIMIT + 1];
    size_t n = 0;
    for (size_t i = 0; i < project->metrics.n && n <= M31R_PATTERN_LIMIT; i++) {
        specs[n++] = project->metrics.items[i];
    }
    for (size_t i = 0; i < p->options->n_metrics && n <= M31R_PATTERN_LIMIT; i++) {
        specs[n++] = p->options->metrics[i];
    }
    return n > 0 ? m31r_patterns_new(specs, n, &p->patterns, e) : M31R_OK;
}

/* The program's arguments with {seed} replaced. */
static m31r_err make_argv(m31ri_plan *p, m31r_error *e)
{
    const m31r_run_options *o = &p->options->run;
    const char *seed = p->identity->seed != NULL ? p->identity->seed : "none";
    p->argv = m31ri_calloc((size_t)o->argc + 1, sizeof *p->argv);
    for (int i = 0; p->argv != NULL && i < o->argc; i++) {
        m31ri_buf text = M31RI_BUF_INIT;
        const char *rest = o->argv[i];
        for (const char *hit; (hit = strstr(rest, "{seed}")) != NULL; rest = hit + 6) {
            m31ri_buf_add(&text, rest, (size_t)(hit - rest));
            m31ri_buf_add_str(&text, seed);
        }
        m31ri_buf_add_str(&text, rest);
        p->argv[i] = m31ri_strdup(m31ri_buf_str(&text));
        m31ri_buf_release(&text);
        if (p->argv[i] == NULL) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
        }
    }
    return p->argv != NULL ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
}

/* "nan,diverged" */
static m31r_err read_stop_on(m31ri_plan *p, m31r_error *e)
{
    const char *at = p->options->stop_on;
    while (at != NULL) {
        size_t n = strcspn(at, ",");
        if (n == 3 && memcmp(at, "nan", n) == 0) {
            p->stop_on |= M31RI_STOP_ON_NAN;
        } else if (n == 8 && memcmp(at, "diverged", n) == 0) {
            p->stop_on |= M31RI_STOP_ON_DIVERGED;
        } else {
            m31ri_fail(e, M31R_E_ARG, "stop-on is nan, diverged or nan,diverged, not \"%s\"",
                       p->options->stop_on);
            return M31R_E_ARG;
        }
        at = at[n] == ',' ? at + n + 1 : NULL;
    }
    return M31R_OK;
}

static m31r_err gather(m31ri_plan *p, m31r_error *e)
{
    const m31r_observe_options *o = p->options;
    m31ri_project project;
    if (o->run.argc < 1 || o->run.argv == NULL) {
        return m31ri_fail(e, M31R_E_ARG, "no program to run");
    }
    if (o->sample_interval_s > 3600 || (o->sample_interval_s > 0 && o->sample_interval_s < 0.1)) {
        return m31ri_fail(e, M31R_E_ARG,
                          "the sample interval is 0.1 to 3600 seconds, or 0 for none");
    }
    m31r_err err = read_stop_on(p, e);
    if (err != M31R_OK) {
        return err;
    }
    p->identity = m31ri_calloc(1, sizeof *p->identity);
    if (p->identity == NULL || !m31ri_project_init(&project)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    err = read_project(o->project, &project, e);
    if (err == M31R_OK) {
        err = m31ri_identity_gather(&o->run, o->project, true, p->identity, e);
    }
    if (err != M31R_OK) {
        m31ri_free(p->identity);
        p->identity = NULL;
    }
    err = err == M31R_OK ? choose_capture(p, &project, e) : err;
    err = err == M31R_OK ? compile_patterns(p, &project, e) : err;
    err = err == M31R_OK ? make_argv(p, e) : err;
    bool is_job = m31ri_rank_job_key(p->job_key, sizeof p->job_key);
    p->rank = is_job ? m31ri_rank_of_environment() : -1;
    m31ri_project_release(&project);
    return err;
}

static m31r_err make_shared(m31ri_plan *p, m31r_error *e)
{
    p->shared = m31ri_shared_alloc(sizeof *p->shared);
    for (int i = 0; i < M31RI_STREAMS; i++) {
        p->rings[i] = m31ri_shared_ring_alloc(M31RI_STREAM_RING_BYTES);
    }
    if (p->shared == NULL || p->rings[0] == NULL || p->rings[1] == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    if (!m31ri_pipe_open(0, p->wake_front) || !m31ri_pipe_open(0, p->wake_keeper)) {
        return m31ri_fail(e, M31R_E_IO, "no pipe between the observing processes");
    }
    const int ends[] = {p->wake_front[0], p->wake_front[1], p->wake_keeper[0], p->wake_keeper[1]};
    for (int i = 0; i < 4; i++) {
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    return M31R_OK;
}

static void release(m31ri_plan *p)
{
    for (int i = 0; p->argv != NULL && i < p->options->run.argc; i++) {
        m31ri_free((void *)p->argv[i]);
    }
    m31ri_free(p->argv);
    m31r_patterns_free(p->patterns);
    if (p->identity != NULL) {
        m31ri_identity_release(p->identity);
        m31ri_free(p->identity);
    }
    for (int i = 0; i < M31RI_STREAMS; i++) {
        m31ri_shared_ring_free(p->rings[i], M31RI_STREAM_RING_BYTES);
        if (p->wiring.outer[i] >= 0) {
            close(p->wiring.outer[i]);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (p->wake_front[i] >= 0) {
            close(p->wake_front[i]);
        }
        if (p->wake_keeper[i] >= 0) {
            close(p->wake_keeper[i]);
        }
    }
    if (p->front_pidfd >= 0) {
        close(p->front_pidfd);
    }
    m31ri_wiring_close_inner(&p->wiring);
    m31ri_shared_free(p->shared, sizeof *p->shared);
}

static m31ri_plan plan_for(const m31r_observe_options *o)
{
    return (m31ri_plan){.options = o,
                        .wiring = {.inner = {-1, -1}, .outer = {-1, -1}},
                        .wake_front = {-1, -1},
                        .wake_keeper = {-1, -1},
                        .front_pidfd = -1,
                        .guard_pidfd = -1};
}

m31r_err m31r_observe(const m31r_observe_options *o, m31r_observe_end *end, m31r_error *e)
{
    m31ri_plan p = plan_for(o);
    m31ri_fill_standard_fds();
    m31ri_signal_state_save(&p.signals);
    m31r_err err = gather(&p, e);
    if (err == M31R_OK) {
        double given = o->sample_interval_s;
        p.sample_interval_s = given >= 0 ? given : p.identity->settings.sample_interval_s;
        err = make_shared(&p, e);
    }
    err = err == M31R_OK ? m31ri_wiring_open(&p.wiring, e) : err;
    err = err == M31R_OK ? m31ri_front_wait(&p, end, e) : err;
    release(&p);
    return err;
}

void m31r_observe_end_as(const m31r_observe_end *end)
{
    if (!end->has_status) {
        _exit(UNSEEN_STATUS);
    }
    if (end->signal != 0) {
        sigset_t one;
        m31ri_core_off(); /* the core file, if any, is the program's */
        signal(end->signal, SIG_DFL);
        sigemptyset(&one);
        sigaddset(&one, end->signal);
        sigprocmask(SIG_UNBLOCK, &one, NULL);
        raise(end->signal);
        _exit(128 + end->signal);
    }
    exit(end->exit_status);
}

static json_t *text_or_null(const char *s)
{
    return s != NULL ? json_string(s) : json_null();
}

static json_t *describe_identity(const m31ri_plan *p)
{
    const m31ri_identity *id = p->identity;
    char hex[M31RI_SHA256_HEX];
    m31ri_sha256_hex(id->digest, hex);
    json_t *root = json_pack("{s:i, s:s, s:s, s:s}", "v", 1, "kind", "identity", "run_kind",
                             id->is_trial ? "trial" : "run", "identity_sha256", hex);
    const struct {
        const char *key, *value, *source;
    } values[] = {{"config", id->config_path, id->config_source},
                  {"seed", id->seed, id->seed_source},
                  {"dataset", id->dataset, id->dataset_source},
                  {"tokenizer", id->tokenizer, id->tokenizer_source},
                  {"git_commit", id->git.found ? id->git.commit : "none", id->commit_source}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        json_object_set_new(root, values[i].key,
                            json_pack("{s:o, s:o}", "value", text_or_null(values[i].value),
                                      "source", text_or_null(values[i].source)));
    }
    json_object_set_new(root, "stage", text_or_null(id->stage));
    json_object_set_new(root, "root", text_or_null(id->root));
    json_object_set_new(root, "dirty", json_boolean(id->git.is_dirty));
    json_object_set_new(root, "capture", json_string(m31ri_capture_name(p->capture)));
    return root;
}

m31r_err m31r_observe_check(const m31r_observe_options *o, char **out_json, m31r_error *e)
{
    m31ri_plan p = plan_for(o);
    m31r_err err = gather(&p, e);
    if (err == M31R_OK) {
        json_t *root = describe_identity(&p);
        char *text = json_dumps(root, JSON_COMPACT);
        json_decref(root);
        *out_json = text;
        err = text != NULL ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    release(&p);
    return err;
}

void m31r_observe_free(char *json)
{
    free(json);
}
