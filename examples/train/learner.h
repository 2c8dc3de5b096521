/* A model in training: its numbers, its place in the text, and the steps that change both.
 *
 * Nothing here logs, looks at a clock or ends the program: the same settings, text and seed give
 * the same bits, whoever calls. trainer.c makes a run of it.
 *
 *     learner *l = learner_new(&settings, &text, &error);
 *     while (l->point.step < 100 && learner_step(l, &report, &error)) { ... }
 *     learner_free(l);
 */
#ifndef TRAIN_LEARNER_H
#define TRAIN_LEARNER_H

#include "savepoint.h"
#include "settings.h"
#include "team.h"

typedef struct {
    const settings *settings;
    const corpus *text;
    model plan;
    savepoint point; /* step, place in the text, random state: what goes into a checkpoint */
    savepoint_vectors vectors;
    feed_batch batch;
    team *team;
} learner;

typedef struct {
    double loss; /* nats a byte, before the step */
    double learning_rate;
    double gradient_norm; /* before clipping */
} learner_report;

/* A new model with random numbers, before step 1. `s` and `text` must outlive it.
 * Errors: FAULT_CONFIG (shape), FAULT_USER (text too short), FAULT_RUNTIME (memory). */
learner *learner_new(const settings *s, const corpus *text, fault *error);
void learner_free(learner *l);

/* One step of training.
 * Errors: FAULT_RUNTIME (thread; a loss or gradient that is not finite, which changes nothing). */
bool learner_step(learner *l, learner_report *out, fault *error);

/* Mean loss over the same `eval_batches` batches of the held-out files at each call.
 * Errors: FAULT_RUNTIME (thread). */
bool learner_evaluate(learner *l, double *loss, fault *error);

/* Errors: as savepoint_write() and savepoint_read(). */
bool learner_save(const learner *l, const char *path, fault *error);
bool learner_load(learner *l, const char *path, fault *error);

#endif
