/* eval: the fourth stage of the pipeline, how well a model writes Rust that compiles and works.
 *
 * Three modes: `model` asks a trained model for completions; `reference` takes the known solution
 * of each task, so that anything below 1.0 is the harness's own fault; `echo` gives the prompt
 * back, which an honest harness scores about 0. Completions are made one after the other, so that
 * they depend on the seed alone; compilers run beside each other; records come in the order of the
 * tasks.
 */
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../train/config_table.h"
#include "completion.h"
#include "judge.h"
#include "stage.h"

static const char USAGE[] =
    "usage: eval --config FILE --tasks DIR [--mode model|reference|echo] [--only PREFIX]\n"
    "            [--checkpoint FILE --tokenizer FILE] [--sha256 HEX]\n"
    "  --config FILE       settings; see examples/pipeline/eval.yaml\n"
    "  --tasks DIR         the benchmark; see examples/pipeline/tasks\n"
    "  --mode MODE         model (needs the two files), reference or echo\n"
    "  --only PREFIX       the categories whose name begins so\n"
    "  --checkpoint FILE   what the train stage made\n"
    "  --tokenizer FILE    what the tokenizer stage made\n"
    "  --sha256 HEX        the digest that the checkpoint must have\n";

enum { CONFIG, TASKS, MODE, ONLY, CHECKPOINT, TOKENIZER, SHA256, N_OPTIONS };
enum { MAX_SAMPLES = 1000, MAX_WORKERS = 64 };

static const stage_option OPTIONS[N_OPTIONS] = {
    [CONFIG] = {"config", true},        [TASKS] = {"tasks", true},
    [MODE] = {"mode", false},           [ONLY] = {"only", false},
    [SHA256] = {"sha256", false},       [CHECKPOINT] = {"checkpoint", false},
    [TOKENIZER] = {"tokenizer", false},
};

typedef struct {
    int config_version;
    uint64_t seed;
    int samples;
    double temperature;
    int max_tokens;
    char rustc[CONFIG_TEXT_BYTES];
    int compile_seconds;
    int test_seconds;
    int memory_mb;
    int file_mb;
    int workers;
} eval_settings;

#define AT(field) offsetof(eval_settings, field)

static const config_key KEYS[] = {
    {"config_version", CONFIG_WHOLE, AT(config_version), 1, 1},
    {"seed", CONFIG_SEED, AT(seed), 0, 0},
    {"samples", CONFIG_WHOLE, AT(samples), 1, MAX_SAMPLES},
    {"temperature", CONFIG_DECIMAL, AT(temperature), 0, 10},
    {"max_tokens", CONFIG_WHOLE, AT(max_tokens), 1, 4096},
    {"rustc", CONFIG_TEXT, AT(rustc), 0, 0},
    {"compile_seconds", CONFIG_WHOLE, AT(compile_seconds), 1, 3600},
    {"test_seconds", CONFIG_WHOLE, AT(test_seconds), 1, 3600},
    {"memory_mb", CONFIG_WHOLE, AT(memory_mb), 64, 1 << 20},
    {"file_mb", CONFIG_WHOLE, AT(file_mb), 1, 1 << 20},
    {"workers", CONFIG_WHOLE, AT(workers), 1, MAX_WORKERS},
};

typedef enum { MODEL, REFERENCE, ECHO } eval_mode;

static const char *const MODES[] = {"model", "reference", "echo"};

/* One completion of one task, and what was found. */
typedef struct {
    const task *task;
    bytes text;
    double made_s;
    int n_tokens;
    verdict verdict;
    bool is_judged; /* read and written under the lock */
    fault failure;  /* exit_code 0: none */
} sample;

typedef struct {
    const eval_settings *settings;
    eval_mode mode;
    m31r_run *run;
    m31r_log *log;
    task_list tasks;
    judge judge;
    char scratch[64];
    sample *samples; /* of each task one after the other */
    size_t n_samples;
    atomic_size_t next;   /* sample that no worker has taken; no data is handed over by it */
    pthread_mutex_t lock; /* of the next two, and of which samples are judged */
    pthread_cond_t is_changed;
    int n_working;
} eval;

/* ---- completions ------------------------------------------------------------------------------
 */

static bool sample_make(const eval *e, lm *l, generator *g, size_t number, fault *error)
{
    sample *s = &e->samples[number];
    const task *t = s->task;
    const bytes *known = e->mode == REFERENCE ? &t->reference : &t->prompt;
    const double began_s = stage_now_s();
    bool ok;
    if (e->mode == MODEL) {
        const completion_plan plan = {
            .temperature = e->settings->temperature,
            .max_tokens = e->settings->max_tokens,
            .seed = bytes_hash(t->name, strlen(t->name),
                               e->settings->seed + number % (size_t)e->settings->samples)};
        ok = completion_make(l, g, t, &plan, &s->text, &s->n_tokens, error);
    } else {
        ok = bytes_append(&s->text, known->data, known->size, error);
    }
    s->made_s = stage_now_s() - began_s;
    return ok;
}

static bool samples_make(eval *e, lm *l, fault *error)
{
    generator *g = NULL;
    e->n_samples = e->tasks.count * (size_t)e->settings->samples;
    e->samples = calloc(e->n_samples, sizeof *e->samples);
    if (e->mode == MODEL) {
        g = generator_new(&l->plan, l->parameters);
    }
    bool ok =
        (e->samples != NULL && (g != NULL || e->mode != MODEL)) ||
        fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for %zu samples", e->n_samples);
    for (size_t i = 0; ok && i < e->n_samples; i++) {
        e->samples[i].task = &e->tasks.tasks[i / (size_t)e->settings->samples];
        ok = stage_goes_on(error) && sample_make(e, l, g, i, error);
    }
    generator_free(g);
    return ok;
}

/* ---- the record -------------------------------------------------------------------------------
 */

static void task_record(eval *e, size_t number)
{
    const size_t k = (size_t)e->settings->samples;
    const sample *samples = &e->samples[number * k];
    const task *t = &e->tasks.tasks[number];
    uint64_t n_compiled = 0;
    uint64_t n_passed = 0;
    uint64_t n_timeouts = 0;
    double made_s = 0;
    for (size_t i = 0; i < k; i++) {
        const verdict *v = &samples[i].verdict;
        n_compiled += v->has_compiled;
        n_passed += v->has_passed;
        n_timeouts += v->is_timeout;
        made_s += samples[i].made_s;
        m31r_debug(e->log, "sample_judged", "task", (const char *)t->name, "sample", i, "compiled",
                   v->has_compiled, "passed", v->has_passed, "timeout", v->is_timeout,
                   "rustc_error", (const char *)v->code, "tokens_generated", samples[i].n_tokens,
                   "bytes", samples[i].text.size, "peak_mb", v->peak_mb);
    }
    m31r_eval_task(e->run, .task = (const char *)t->name, .category = (const char *)t->category,
                   .samples = k, .compiled = n_compiled, .passed = n_passed,
                   .latency_ms = 1000 * made_s / (double)k, .timeouts = n_timeouts);
}

/* Whether all samples of a task are judged. Called under the lock. */
static bool is_task_judged(const eval *e, size_t number)
{
    const size_t k = (size_t)e->settings->samples;
    bool is_whole = true;
    for (size_t i = 0; i < k; i++) {
        is_whole = is_whole && e->samples[number * k + i].is_judged;
    }
    return is_whole;
}

/* Records tasks in their order, each as soon as it is judged: a run that dies keeps what it knew.
 * One thread does that, so that the order of records is that of the tasks. */
static void tasks_record(eval *e)
{
    for (size_t i = 0; i < e->tasks.count; i++) {
        (void)pthread_mutex_lock(&e->lock);
        while (!is_task_judged(e, i) && e->n_working > 0) {
            (void)pthread_cond_wait(&e->is_changed, &e->lock);
        }
        const bool is_judged = is_task_judged(e, i);
        (void)pthread_mutex_unlock(&e->lock);
        if (!is_judged) {
            return; /* stopped, or nothing could be run */
        }
        task_record(e, i);
        m31r_progress(e->run, i + 1, e->tasks.count);
    }
}

/* ---- verdicts ---------------------------------------------------------------------------------
 */

typedef struct {
    eval *eval;
    int number;
} worker;

/* Says that a sample is judged, or with SIZE_MAX that a worker has ended. */
static void worker_tell(eval *e, size_t judged)
{
    (void)pthread_mutex_lock(&e->lock);
    if (judged == SIZE_MAX) {
        e->n_working--;
    } else {
        e->samples[judged].is_judged = true;
    }
    (void)pthread_cond_signal(&e->is_changed);
    (void)pthread_mutex_unlock(&e->lock);
}

static void *worker_run(void *argument)
{
    const worker *w = argument;
    eval *e = w->eval;
    char folder[JUDGE_PATH_BYTES];
    (void)snprintf(folder, sizeof folder, "%s/%d", e->scratch, w->number);
    (void)mkdir(folder, 0700);
    bool ok = true;
    while (ok && *stage_stop() == 0) {
        size_t i = atomic_fetch_add_explicit(&e->next, 1, memory_order_relaxed);
        if (i >= e->n_samples) {
            break;
        }
        sample *s = &e->samples[i];
        ok = judge_completion(&e->judge, s->task, &s->text, folder, &s->verdict, &s->failure);
        if (ok) {
            worker_tell(e, i);
        }
    }
    worker_tell(e, SIZE_MAX);
    return NULL;
}

static bool samples_judge(eval *e, fault *error)
{
    pthread_t threads[MAX_WORKERS];
    worker workers[MAX_WORKERS];
    int n_started = 0;
    int failure = 0;
    e->n_working = e->settings->workers;
    while (n_started < e->settings->workers && failure == 0) {
        workers[n_started] = (worker){e, n_started};
        failure = pthread_create(&threads[n_started], NULL, worker_run, &workers[n_started]);
        n_started += failure == 0;
    }
    for (int i = n_started; i < e->settings->workers; i++) {
        worker_tell(e, SIZE_MAX);
    }
    tasks_record(e);
    for (int i = 0; i < n_started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    if (n_started == 0) {
        return fault_set(error, FAULT_RUNTIME, "thread_not_started", "%s", strerror(failure));
    }
    if (!stage_goes_on(error)) {
        return false;
    }
    for (size_t i = 0; i < e->n_samples; i++) {
        if (e->samples[i].failure.exit_code != 0) {
            *error = e->samples[i].failure;
            return false;
        }
    }
    return true;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static void start_record(eval *e, const lm *l)
{
    char digest[BYTES_SHA256_HEX];
    bytes_hex(e->tasks.digest, digest);
    m31r_info(e->log, "eval_start", "mode", MODES[e->mode], "tasks", e->tasks.count, "tasks_sha256",
              (const char *)digest, "samples_per_task", e->settings->samples, "rustc",
              (const char *)e->judge.version, "network", sandbox_network());
    if (e->mode == MODEL) {
        m31r_info(e->log, "model_loaded", "step", l->step, "parameters", l->plan.n_parameters,
                  "checkpoint_sha256", (const char *)l->checkpoint_sha256);
    }
}

static void scratch_remove(const eval *e)
{
    static const char *const FILES[] = {"task.rs", "task", "output", "task.rs.tmp"};
    char path[JUDGE_PATH_BYTES + 32];
    for (int i = 0; i < e->settings->workers; i++) {
        for (size_t j = 0; j < sizeof FILES / sizeof *FILES; j++) {
            (void)snprintf(path, sizeof path, "%s/%d/%s", e->scratch, i, FILES[j]);
            (void)unlink(path);
        }
        (void)snprintf(path, sizeof path, "%s/%d", e->scratch, i);
        (void)rmdir(path);
    }
    (void)snprintf(path, sizeof path, "%s/asked", e->scratch);
    (void)unlink(path);
    (void)rmdir(e->scratch);
}

static bool eval_work(eval *e, lm *l, fault *error)
{
    if (!judge_init(&e->judge, e->settings->rustc, e->scratch, error)) {
        return false;
    }
    start_record(e, l);
    if (!samples_make(e, l, error) || !samples_judge(e, error)) {
        return false;
    }
    m31r_eval_summary(e->run);
    return true;
}

static bool model_get(const eval *e, const char **values, lm *l, fault *error)
{
    if (e->mode != MODEL) {
        return true;
    }
    (void)m31r_input_add(e->run, values[CHECKPOINT]);
    (void)m31r_input_add(e->run, values[TOKENIZER]);
    return lm_load(l, values[CHECKPOINT], values[TOKENIZER], values[SHA256], error);
}

static bool eval_run(eval *e, const char **values, fault *error)
{
    lm l = {0};
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(e->scratch, sizeof e->scratch, "%s/m31r-eval-XXXXXX",
                   tmp != NULL && strlen(tmp) < 32 ? tmp : "/tmp");
    if (!task_list_read(&e->tasks, values[TASKS], values[ONLY], error)) {
        return false;
    }
    bool ok = model_get(e, values, &l, error);
    if (ok && mkdtemp(e->scratch) == NULL) {
        ok = fault_set(error, FAULT_RUNTIME, "scratch_not_made", "%s", e->scratch);
    }
    if (ok) {
        ok = eval_work(e, &l, error);
        sandbox_end_orphans();
        scratch_remove(e);
    }
    for (size_t i = 0; e->samples != NULL && i < e->n_samples; i++) {
        bytes_release(&e->samples[i].text);
    }
    free(e->samples);
    task_list_release(&e->tasks);
    lm_release(&l);
    return ok;
}

static bool mode_get(const char **values, eval_mode *out, fault *error)
{
    const char *wanted = values[MODE] != NULL ? values[MODE] : "model";
    for (eval_mode mode = MODEL; mode <= ECHO; mode++) {
        if (strcmp(MODES[mode], wanted) == 0) {
            *out = mode;
            return mode != MODEL || (values[CHECKPOINT] != NULL && values[TOKENIZER] != NULL) ||
                   fault_set(error, FAULT_USER, "usage",
                             "--mode model needs --checkpoint and --tokenizer");
        }
    }
    return fault_set(error, FAULT_USER, "usage", "--mode %s, expected model, reference or echo",
                     wanted);
}

int main(int argc, char **argv)
{
    const char *values[N_OPTIONS];
    eval_settings settings = {0};
    eval e = {.settings = &settings,
              .lock = PTHREAD_MUTEX_INITIALIZER,
              .is_changed = PTHREAD_COND_INITIALIZER};
    fault error = {0};
    (void)argc;
    if (!stage_options_read(OPTIONS, N_OPTIONS, argv, values, &error) ||
        !mode_get(values, &e.mode, &error)) {
        (void)fprintf(stderr, "eval: %s\n%s", error.text, USAGE);
        return error.exit_code;
    }
    stage_signals_catch();
    if (!config_read(values[CONFIG], KEYS, sizeof KEYS / sizeof *KEYS, &settings, &error)) {
        return stage_end(NULL, "eval", &error);
    }
    e.judge.compile =
        (sandbox_limits){settings.compile_seconds, settings.memory_mb, settings.file_mb};
    e.judge.run = (sandbox_limits){settings.test_seconds, settings.memory_mb, settings.file_mb};
    e.run = stage_open(&(stage_identity){.stage = "eval",
                                         .config = values[CONFIG],
                                         .dataset = values[TASKS],
                                         .tokenizer = e.mode == MODEL ? values[TOKENIZER] : "none",
                                         .seed = settings.seed,
                                         .argv = argv},
                       &error);
    if (e.run == NULL) {
        return stage_end(NULL, "eval", &error);
    }
    if (e.mode != MODEL) {
        settings.samples = 1; /* the same text again gets the same verdict */
    }
    e.log = m31r_run_logger(e.run, "eval");
    sandbox_adopt_orphans();
    bool ok = eval_run(&e, values, &error);
    return stage_end(e.run, "eval", ok ? NULL : &error);
}
