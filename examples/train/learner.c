#include "learner.h"

#include <math.h>
#include <stdlib.h>

static real *vector_new(size_t n)
{
    return calloc(n, sizeof(real));
}

static bool memory_get(learner *l, fault *error)
{
    const size_t n = l->plan.n_parameters;
    const int context = l->settings->shape.context;
    const size_t positions = (size_t)l->settings->batch * (size_t)context;
    l->vectors.parameters = vector_new(n);
    l->vectors.optimiser.mean = vector_new(n);
    l->vectors.optimiser.square = vector_new(n);
    l->batch =
        (feed_batch){l->settings->batch, context, malloc(positions * sizeof *l->batch.tokens),
                     malloc(positions * sizeof *l->batch.targets)};
    if (l->vectors.parameters == NULL || l->vectors.optimiser.mean == NULL ||
        l->vectors.optimiser.square == NULL || l->batch.tokens == NULL ||
        l->batch.targets == NULL) {
        return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for %zu parameters", n);
    }
    l->team = team_new(&l->plan, l->settings->workers, l->settings->batch, error);
    return l->team != NULL;
}

learner *learner_new(const settings *s, const corpus *text, fault *error)
{
    learner *l = calloc(1, sizeof *l);
    if (l == NULL) {
        (void)fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for a model");
        return NULL;
    }
    l->settings = s;
    l->text = text;
    if (!model_plan(&l->plan, s->shape, error) ||
        !feed_check(&text->training, "training", s->shape.context, error) ||
        !feed_check(&text->validation, "validation", s->shape.context, error) ||
        !memory_get(l, error)) {
        learner_free(l);
        return NULL;
    }
    l->point = (savepoint){.shape = s->shape, .seed = s->seed, .corpus_digest = text->digest};
    xoshiro rng;
    xoshiro_init(&rng, s->seed);
    model_parameters_init(&l->plan, l->vectors.parameters, &rng);
    /* The order of the text has a generator of its own, so that it is the same for every shape. */
    feed_init(&l->point.feed, &text->training, s->shape.context, ~s->seed);
    return l;
}

void learner_free(learner *l)
{
    if (l == NULL) {
        return;
    }
    team_free(l->team);
    free(l->vectors.parameters);
    free(l->vectors.optimiser.mean);
    free(l->vectors.optimiser.square);
    free(l->batch.tokens);
    free(l->batch.targets);
    free(l);
}

static model_batch batch_of(const learner *l)
{
    return (model_batch){.n_sequences = l->batch.n_sequences,
                         .tokens = l->batch.tokens,
                         .targets = l->batch.targets};
}

bool learner_step(learner *l, learner_report *out, fault *error)
{
    const adamw_plan *plan = &l->settings->optimiser;
    const long step = (long)l->point.step + 1;
    feed_state feed = l->point.feed;
    learner_report report = {.learning_rate = adamw_learning_rate(plan, step)};
    real *gradient;

    feed_next(&feed, &l->text->training, &l->batch);
    if (!team_work(l->team, l->vectors.parameters, batch_of(l), &report.loss, &gradient, error)) {
        return false;
    }
    report.gradient_norm = adamw_clip(l->plan.n_parameters, gradient, plan->gradient_clip);
    if (!isfinite(report.loss) || !isfinite(report.gradient_norm)) {
        return fault_set(error, FAULT_RUNTIME, "not_finite", "step %ld: loss %g, gradient norm %g",
                         step, report.loss, report.gradient_norm);
    }
    adamw_step(plan, &l->plan, l->vectors.optimiser, step, gradient, l->vectors.parameters);
    l->point.step++;
    l->point.feed = feed;
    l->point.tokens_total += (uint64_t)l->batch.n_sequences * (uint64_t)l->batch.context;
    *out = report;
    return true;
}

bool learner_evaluate(learner *l, double *loss, fault *error)
{
    const int count = l->settings->eval_batches;
    double sum = 0;
    for (int i = 0; i < count; i++) {
        double batch_loss;
        feed_sample(&l->text->validation, &l->batch, i, count);
        if (!team_work(l->team, l->vectors.parameters, batch_of(l), &batch_loss, NULL, error)) {
            return false;
        }
        sum += batch_loss;
    }
    *loss = sum / count;
    return true;
}

bool learner_save(const learner *l, const char *path, fault *error)
{
    return savepoint_write(path, &l->point, &l->plan, l->vectors, error);
}

bool learner_load(learner *l, const char *path, fault *error)
{
    return savepoint_read(path, &l->point, &l->plan, l->vectors, error);
}
