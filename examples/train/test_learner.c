/* Training that stops at a checkpoint and goes on gives the same bits as training that never
 * stopped; a damaged, cut or foreign checkpoint is refused; a loss that is not finite stops it.
 *
 * The text is so short that several epochs pass: the order of the text is part of what must come
 * back. Prints what fails and exits 1.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "learner.h"

enum { STEPS = 24, STOP = 11, TRAINING_BYTES = 700, VALIDATION_BYTES = 100 };

static int failures;

static void expect(bool holds, const char *statement)
{
    if (!holds) {
        (void)printf("failed: %s\n", statement);
        failures++;
    }
}

static settings tiny_settings(int workers)
{
    return (settings){
        .shape = {.width = 16,
                  .layers = 2,
                  .heads = 2,
                  .hidden = 32,
                  .context = 16,
                  .vocab = MODEL_BYTES},
        .batch = 4,
        .workers = workers,
        .steps = STEPS,
        .optimiser = {.learning_rate = 0.01,
                      .min_learning_rate = 0.001,
                      .warmup_steps = 4,
                      .steps = STEPS,
                      .beta1 = 0.9,
                      .beta2 = 0.95,
                      .weight_decay = 0.1,
                      .gradient_clip = 1},
        .seed = 42,
        .eval_batches = 2,
    };
}

static corpus tiny_text(uint8_t *training, uint8_t *validation)
{
    static const char line[] = "fn add(a: i32, b: i32) -> i32 { a + b }\n";
    for (size_t i = 0; i < TRAINING_BYTES; i++) {
        training[i] = (uint8_t)line[i % (sizeof line - 1)];
    }
    memcpy(validation, training, VALIDATION_BYTES);
    return (corpus){.training = {training, TRAINING_BYTES, TRAINING_BYTES, 1},
                    .validation = {validation, VALIDATION_BYTES, VALIDATION_BYTES, 1},
                    .n_files = 2,
                    .digest = 1};
}

/* Trains up to `last` and keeps the loss of each step, by step. */
static void learn(learner *l, uint64_t last, double *losses)
{
    fault error = {0};
    while (l->point.step < last) {
        learner_report report;
        if (!learner_step(l, &report, &error)) {
            expect(false, error.text);
            return;
        }
        losses[l->point.step - 1] = report.loss;
    }
}

static void test_learner__resumes_bit_for_bit(const corpus *text, const char *path, int workers)
{
    const settings s = tiny_settings(workers);
    double whole[STEPS] = {0};
    double parts[STEPS] = {0};
    double whole_end = 0;
    double parts_end = 1;
    fault error = {0};

    learner *l = learner_new(&s, text, &error);
    learn(l, STEPS, whole);
    expect(learner_evaluate(l, &whole_end, &error), "evaluates");
    learner_free(l);

    l = learner_new(&s, text, &error);
    learn(l, STOP, parts);
    expect(learner_save(l, path, &error), "saves");
    learner_free(l);

    settings other = s;
    other.seed = 7; /* what the checkpoint says must win over what a new model would begin with */
    l = learner_new(&other, text, &error);
    expect(learner_load(l, path, &error), "loads");
    learn(l, STEPS, parts);
    expect(learner_evaluate(l, &parts_end, &error), "evaluates after resuming");
    expect(l->point.feed.epoch >= 1, "more than one epoch passed");
    learner_free(l);

    expect(memcmp(whole, parts, sizeof whole) == 0, "every loss is the same bit for bit");
    expect(memcmp(&whole_end, &parts_end, sizeof whole_end) == 0, "so is the validation loss");
    expect(whole[STEPS - 1] < whole[0] - 1, "the loss falls");
}

static void expect_refusal(const settings *s, const corpus *text, const char *path,
                           const char *reason)
{
    fault error = {0};
    learner *l = learner_new(s, text, &error);
    bool loaded = learner_load(l, path, &error);
    expect(!loaded && error.reason != NULL && strcmp(error.reason, reason) == 0, reason);
    expect(l->point.step == 0, "a refused checkpoint changes nothing");
    learner_free(l);
}

static void byte_flip(const char *path, long offset)
{
    FILE *file = fopen(path, "r+be");
    if (file != NULL && fseek(file, offset, SEEK_SET) == 0) {
        int byte = fgetc(file);
        (void)fseek(file, offset, SEEK_SET);
        (void)fputc(byte ^ 1, file);
    }
    if (file == NULL || fclose(file) != 0) {
        expect(false, "the checkpoint can be damaged");
    }
}

static void test_learner__refuses_a_checkpoint_that_is_not_whole(const corpus *text,
                                                                 const char *path)
{
    const settings s = tiny_settings(1);
    settings wider = s;
    wider.shape.width = 32;
    expect_refusal(&wider, text, path, "checkpoint_shape");
    byte_flip(path, 5000);
    expect_refusal(&s, text, path, "checkpoint_corrupt");
    byte_flip(path, 5000);
    byte_flip(path, 0);
    expect_refusal(&s, text, path, "checkpoint_foreign");
    byte_flip(path, 0);
    expect(truncate(path, 9000) == 0, "the checkpoint can be cut");
    expect_refusal(&s, text, path, "checkpoint_corrupt");
    expect(truncate(path, 20) == 0, "the checkpoint can be cut in its header");
    expect_refusal(&s, text, path, "checkpoint_corrupt");
    expect(truncate(path, 0) == 0, "the checkpoint can be emptied");
    expect_refusal(&s, text, path, "checkpoint_foreign");
    expect(unlink(path) == 0, "the checkpoint can be removed");
    expect_refusal(&s, text, path, "checkpoint_unreadable");
}

static void test_learner__stops_at_a_loss_that_is_not_finite(const corpus *text)
{
    const settings s = tiny_settings(2);
    double losses[STEPS];
    fault error = {0};
    learner_report report;
    learner *l = learner_new(&s, text, &error);
    learn(l, 3, losses);
    l->vectors.parameters[l->plan.n_parameters - 1] = NAN;
    real kept = l->vectors.parameters[0];
    bool stepped = learner_step(l, &report, &error);
    expect(!stepped && error.exit_code == FAULT_RUNTIME, "a loss that is not finite is an error");
    expect(l->point.step == 3 && memcmp(&kept, l->vectors.parameters, sizeof kept) == 0,
           "the step is not taken");
    learner_free(l);
}

int main(void)
{
    static uint8_t training[TRAINING_BYTES];
    static uint8_t validation[VALIDATION_BYTES];
    const corpus text = tiny_text(training, validation);
    char path[] = "/tmp/m31r_test_learner_XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0) {
        (void)printf("no temporary file\n");
        return 1;
    }
    test_learner__resumes_bit_for_bit(&text, path, 2);
    test_learner__resumes_bit_for_bit(&text, path, 1);
    test_learner__refuses_a_checkpoint_that_is_not_whole(&text, path);
    test_learner__stops_at_a_loss_that_is_not_finite(&text);
    (void)unlink(path);
    return failures == 0 ? 0 : 1;
}
