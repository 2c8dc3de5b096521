#include "adamw.h"

#include <math.h>

/* Keeps the division finite where a gradient has been zero so far. */
static const real ADAM_EPSILON = (real)1e-8;

double adamw_learning_rate(const adamw_plan *plan, long step)
{
    if (step <= plan->warmup_steps) {
        return plan->learning_rate * (double)step / (double)plan->warmup_steps;
    }
    if (step >= plan->steps) {
        return plan->min_learning_rate;
    }
    double done = (double)(step - plan->warmup_steps) / (double)(plan->steps - plan->warmup_steps);
    double height = plan->learning_rate - plan->min_learning_rate;
    return plan->min_learning_rate + height * 0.5 * (1 + cos(3.141592653589793 * done));
}

double adamw_clip(size_t n, real *gradient, double limit)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)gradient[i] * (double)gradient[i];
    }
    double length = sqrt(sum);
    if (limit > 0 && length > limit) {
        real shrink = (real)(limit / length);
        for (size_t i = 0; i < n; i++) {
            gradient[i] *= shrink;
        }
    }
    return length;
}

void adamw_step(const adamw_plan *plan, const model *m, adamw_state state, long step,
                const real *gradient, real *parameters)
{
    const real beta1 = (real)plan->beta1;
    const real beta2 = (real)plan->beta2;
    const double rate = adamw_learning_rate(plan, step);
    /* The means start at zero; dividing by these makes up for it. */
    const real step_size = (real)(rate / (1 - pow(plan->beta1, (double)step)));
    const real correction = (real)(1 / (1 - pow(plan->beta2, (double)step)));

    for (int t = 0; t < m->n_tensors; t++) {
        const model_tensor *tensor = &m->tensors[t];
        const real decay = (real)(tensor->init_sd > 0 ? rate * plan->weight_decay : 0);
        for (size_t i = tensor->offset; i < tensor->offset + tensor->count; i++) {
            real g = gradient[i];
            state.mean[i] = beta1 * state.mean[i] + (1 - beta1) * g;
            state.square[i] = beta2 * state.square[i] + (1 - beta2) * g * g;
            real size = (real)sqrt(state.square[i] * correction) + ADAM_EPSILON;
            parameters[i] -= decay * parameters[i] + step_size * state.mean[i] / size;
        }
    }
}
