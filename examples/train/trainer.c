#include "trainer.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

typedef struct {
    const trainer_options *options;
    m31r_run *run;
    m31r_log *log;
    learner *learner;
    FILE *losses;
    double
        work_s; /* time in steps since the last record: validation and checkpoints are not in it */
    uint64_t work_tokens; /* read in that time */
    uint64_t saved_step;  /* of the newest checkpoint of this run */
} trainer;

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool resume(trainer *t, fault *error)
{
    const char *path = t->options->resume;
    if (path == NULL) {
        return true;
    }
    if (!learner_load(t->learner, path, error)) {
        return false;
    }
    const savepoint *point = &t->learner->point;
    m31r_train_resume(t->run, .path = path, .step = point->step,
                      .tokens_total = point->tokens_total, .data_position = point->feed.position);
    if (point->seed != t->options->settings->seed) {
        m31r_warning(t->log, "seed_changed", "checkpoint_seed", point->seed, "seed",
                     t->options->settings->seed);
    }
    if (point->corpus_digest != t->options->text->digest) {
        m31r_warning(t->log, "corpus_changed", "hint",
                     "training goes on, but not as it would have with the text it began with");
    }
    if (point->step >= (uint64_t)t->options->settings->steps) {
        return fault_set(error, FAULT_USER, "nothing_to_do", "%s is at step %" PRIu64 " of %d",
                         path, point->step, t->options->settings->steps);
    }
    return true;
}

static bool open_all(trainer *t, fault *error)
{
    const trainer_options *o = t->options;
    t->learner = learner_new(o->settings, o->text, error);
    if (t->learner == NULL || !resume(t, error)) {
        return false;
    }
    if (mkdir(o->checkpoints, 0777) != 0 && errno != EEXIST) {
        return fault_set(error, FAULT_RUNTIME, "checkpoint_directory", "%s: %s", o->checkpoints,
                         strerror(errno));
    }
    if (o->losses != NULL && (t->losses = fopen(o->losses, "we")) == NULL) {
        return fault_set(error, FAULT_USER, "losses_not_written", "%s: %s", o->losses,
                         strerror(errno));
    }
    return true;
}

/* Turns "every n steps" into yes or no; always yes at the last step. */
static bool is_due(const trainer *t, int every)
{
    uint64_t step = t->learner->point.step;
    return step == (uint64_t)t->options->settings->steps ||
           (every > 0 && step % (uint64_t)every == 0);
}

static void step_record(trainer *t, const learner_report *report)
{
    const savepoint *point = &t->learner->point;
    m31r_train_step(t->run, .step = point->step, .loss = report->loss, .lr = report->learning_rate,
                    .grad_norm = report->gradient_norm, .tokens = t->work_tokens,
                    .duration_s = t->work_s, .tokens_total = point->tokens_total,
                    .epoch = point->feed.epoch, .data_position = point->feed.position);
    t->work_s = 0;
    t->work_tokens = 0;
}

/* Waits `percent` of a time that has passed. */
static void wait_part(double passed_s, int percent)
{
    const double wait_s = passed_s * percent / 100;
    struct timespec t = {.tv_sec = (time_t)wait_s};
    t.tv_nsec = (long)(1e9 * (wait_s - (double)t.tv_sec));
    (void)nanosleep(&t, NULL);
}

static bool step(trainer *t, fault *error)
{
    const uint64_t tokens_before = t->learner->point.tokens_total;
    const double began_s = now_s();
    learner_report report;
    if (!learner_step(t->learner, &report, error)) {
        return false;
    }
    if (t->options->slow_percent > 0) {
        wait_part(now_s() - began_s, t->options->slow_percent);
    }
    t->work_s += now_s() - began_s;
    t->work_tokens += t->learner->point.tokens_total - tokens_before;
    if (t->losses != NULL &&
        fprintf(t->losses, "%" PRIu64 " %a\n", t->learner->point.step, report.loss) < 0) {
        return fault_set(error, FAULT_RUNTIME, "losses_not_written", "%s: %s", t->options->losses,
                         strerror(errno));
    }
    if (t->learner->point.step == 1 || is_due(t, t->options->settings->log_every)) {
        step_record(t, &report);
    }
    return true;
}

static bool validate(trainer *t, fault *error)
{
    const double began_s = now_s();
    double loss;
    if (!learner_evaluate(t->learner, &loss, error)) {
        return false;
    }
    m31r_train_validation(t->run, .step = t->learner->point.step, .val_loss = loss,
                          .duration_s = now_s() - began_s);
    return true;
}

static bool save(trainer *t, fault *error)
{
    const double began_s = now_s();
    const uint64_t at = t->learner->point.step;
    char path[PATH_MAX];
    int length =
        snprintf(path, sizeof path, "%s/step_%06" PRIu64 ".bin", t->options->checkpoints, at);
    if (length < 0 || (size_t)length >= sizeof path) {
        return fault_set(error, FAULT_USER, "checkpoint_not_written", "the path is too long");
    }
    if (!learner_save(t->learner, path, error)) {
        return false;
    }
    t->saved_step = at;
    m31r_train_checkpoint(t->run, .step = at, .path = path, .duration_s = now_s() - began_s);
    return true;
}

/* Keeps what was learned, then says which signal it was. */
static bool interrupted(trainer *t, fault *error)
{
    const int signal_number = (int)*t->options->stop;
    if (t->saved_step != t->learner->point.step && !save(t, error)) {
        return false;
    }
    return fault_set(error, 128 + signal_number, "interrupted", "%s at step %" PRIu64,
                     strsignal(signal_number), t->learner->point.step);
}

static bool learn(trainer *t, fault *error)
{
    const settings *s = t->options->settings;
    while (t->learner->point.step < (uint64_t)s->steps) {
        if (*t->options->stop != 0) {
            return interrupted(t, error);
        }
        if (!step(t, error) || (is_due(t, s->eval_every) && !validate(t, error)) ||
            (is_due(t, s->checkpoint_every) && !save(t, error))) {
            return false;
        }
    }
    return true;
}

static bool close_all(trainer *t, bool ok, fault *error)
{
    learner_free(t->learner);
    if (t->losses != NULL && fclose(t->losses) != 0 && ok) {
        return fault_set(error, FAULT_RUNTIME, "losses_not_written", "%s: %s", t->options->losses,
                         strerror(errno));
    }
    return ok;
}

bool trainer_run(const trainer_options *options, fault *error)
{
    trainer t = {
        .options = options, .run = options->run, .log = m31r_run_logger(options->run, "trainer")};
    bool ok = open_all(&t, error);
    if (ok) {
        m31r_info(t.log, "train_start", "parameters", t.learner->plan.n_parameters, "steps",
                  options->settings->steps, "first_step", t.learner->point.step + 1,
                  "tokens_per_step", options->settings->batch * options->settings->shape.context,
                  "workers", options->settings->workers, "seed", options->settings->seed);
        ok = learn(&t, error);
    }
    if (ok) {
        m31r_train_summary(t.run, .step = t.learner->point.step,
                           .tokens_total = t.learner->point.tokens_total);
    }
    return close_all(&t, ok, error);
}
