#include "team.h"

#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* One worker's share; everything it writes is its own. */
typedef struct {
    const team *owner;
    model_memory *memory;
    real *gradient;
    const real *parameters;
    model_batch batch;
    bool wants_gradient;
    double loss; /* sum over the share */
} share;

struct team {
    const model *plan;
    int workers;
    int batch;
    share *shares;
};

team *team_new(const model *m, int workers, int batch, fault *error)
{
    openblas_set_num_threads(1);
    team *t = calloc(1, sizeof *t);
    if (t != NULL) {
        *t = (team){m, workers, batch, calloc((size_t)workers, sizeof *t->shares)};
    }
    bool complete = t != NULL && t->shares != NULL;
    for (int i = 0; complete && i < workers; i++) {
        share *s = &t->shares[i];
        s->owner = t;
        s->memory = model_memory_new(m, batch / workers);
        s->gradient = calloc(m->n_parameters, sizeof *s->gradient);
        complete = s->memory != NULL && s->gradient != NULL;
    }
    if (!complete) {
        team_free(t);
        (void)fault_set(error, FAULT_RUNTIME, "out_of_memory",
                        "no memory for %d workers with %d sequences each", workers,
                        batch / workers);
        return NULL;
    }
    return t;
}

void team_free(team *t)
{
    if (t == NULL) {
        return;
    }
    for (int i = 0; t->shares != NULL && i < t->workers; i++) {
        model_memory_free(t->shares[i].memory);
        free(t->shares[i].gradient);
    }
    free(t->shares);
    free(t);
}

static void *share_work(void *argument)
{
    share *s = argument;
    const model *m = s->owner->plan;
    s->loss = model_forward(m, s->parameters, s->memory, s->batch);
    if (s->wants_gradient) {
        memset(s->gradient, 0, m->n_parameters * sizeof *s->gradient);
        model_backward(m, s->parameters, s->memory, s->batch, s->gradient);
    }
    return NULL;
}

/* Runs every share: the first one on this thread, the others on threads that last for this call
 * only. Starting one takes about 20 us, a step about 50 ms: a pool would be longer and not faster.
 */
static int shares_run(team *t)
{
    pthread_t threads[64];
    int started = 0;
    int failure = 0;
    for (int i = 1; i < t->workers && failure == 0; i++) {
        failure = pthread_create(&threads[i], NULL, share_work, &t->shares[i]);
        started += failure == 0;
    }
    (void)share_work(&t->shares[0]);
    for (int i = 1; i <= started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return failure;
}

bool team_work(team *t, const real *parameters, model_batch batch, double *loss, real **gradient,
               fault *error)
{
    const int each = t->batch / t->workers;
    const size_t positions = (size_t)t->batch * (size_t)t->plan->shape.context;
    for (int i = 0; i < t->workers; i++) {
        size_t first = (size_t)i * (size_t)each * (size_t)t->plan->shape.context;
        share *s = &t->shares[i];
        s->parameters = parameters;
        s->batch = (model_batch){each, batch.tokens + first, batch.targets + first,
                                 (real)(1.0 / (double)positions)};
        s->wants_gradient = gradient != NULL;
    }
    int failure = shares_run(t);
    if (failure != 0) {
        return fault_set(error, FAULT_RUNTIME, "thread_not_started", "%s", strerror(failure));
    }

    double sum = t->shares[0].loss;
    for (int i = 1; i < t->workers; i++) {
        sum += t->shares[i].loss;
        for (size_t j = 0; gradient != NULL && j < t->plan->n_parameters; j++) {
            t->shares[0].gradient[j] += t->shares[i].gradient[j];
        }
    }
    *loss = sum / (double)positions;
    if (gradient != NULL) {
        *gradient = t->shares[0].gradient;
    }
    return true;
}
