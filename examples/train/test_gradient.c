/* Compares the gradient of the model's own backward step with finite differences, parameter by
 * parameter.
 *
 * Built with double numbers (TRAIN_DOUBLE): there the two agree to about eight digits, and a wrong
 * sign, a missing term or a wrong scale in any layer stands out. Every parameter of a tiny model is
 * tried. Prints each one that fails and exits 1.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

enum { SEQUENCES = 2, CONTEXT = 5, VOCAB = 300, SHOWN = 10 };

static const double STEP = 1e-5;
static const double TOLERANCE = 1e-6;

typedef struct {
    model plan;
    model_memory *memory;
    real *parameters;
    real *gradient;
    model_batch batch;
} fixture;

static double loss_at(fixture *f, size_t index, double shift)
{
    real kept = f->parameters[index];
    f->parameters[index] = kept + shift;
    double loss = model_forward(&f->plan, f->parameters, f->memory, f->batch);
    f->parameters[index] = kept;
    return loss * f->batch.weight;
}

/* Whether the gradient of one parameter is right. */
static bool agrees(fixture *f, const model_tensor *tensor, size_t i, bool is_shown)
{
    size_t index = tensor->offset + i;
    double numeric = (loss_at(f, index, STEP) - loss_at(f, index, -STEP)) / (2 * STEP);
    double analytic = f->gradient[index];
    /* Gradients far below 1e-3 drown in the rounding of the loss: they are compared absolutely. */
    double error = fabs(numeric - analytic) / fmax(1e-3, fabs(numeric) + fabs(analytic));
    if (error > TOLERANCE && is_shown) {
        (void)printf("%s (layer %d) [%zu]: numeric %.12g, analytic %.12g\n", tensor->name,
                     tensor->layer, i, numeric, analytic);
    }
    return error <= TOLERANCE;
}

static size_t compare_all(fixture *f)
{
    size_t wrong = 0;
    (void)model_forward(&f->plan, f->parameters, f->memory, f->batch);
    model_backward(&f->plan, f->parameters, f->memory, f->batch, f->gradient);
    for (int t = 0; t < f->plan.n_tensors; t++) {
        const model_tensor *tensor = &f->plan.tensors[t];
        for (size_t i = 0; i < tensor->count; i++) {
            wrong += !agrees(f, tensor, i, wrong < SHOWN);
        }
    }
    return wrong;
}

int main(void)
{
    fixture f = {0};
    fault error;
    xoshiro rng;
    uint16_t tokens[SEQUENCES * CONTEXT];
    uint16_t targets[SEQUENCES * CONTEXT];

    if (!model_plan(&f.plan, (model_shape){8, 2, 2, 12, CONTEXT, VOCAB}, &error)) {
        (void)printf("%s\n", error.text);
        return 1;
    }
    f.memory = model_memory_new(&f.plan, SEQUENCES);
    f.parameters = calloc(f.plan.n_parameters, sizeof *f.parameters);
    f.gradient = calloc(f.plan.n_parameters, sizeof *f.gradient);
    if (f.memory == NULL || f.parameters == NULL || f.gradient == NULL) {
        (void)printf("no memory\n");
        return 1;
    }
    xoshiro_init(&rng, 7);
    model_parameters_init(&f.plan, f.parameters, &rng);
    for (size_t i = 0; i < f.plan.n_parameters; i++) {
        f.parameters[i] += 0.1 * xoshiro_normal(&rng); /* gains away from 1, the head away from 0 */
    }
    for (int i = 0; i < SEQUENCES * CONTEXT; i++) {
        tokens[i] = (uint16_t)xoshiro_below(&rng, 6); /* few values: tokens meet more than once */
        targets[i] = (uint16_t)xoshiro_below(&rng, VOCAB);
    }
    f.batch = (model_batch){SEQUENCES, tokens, targets, 1.0 / (SEQUENCES * CONTEXT)};

    size_t wrong = compare_all(&f);
    (void)printf("%zu of %zu parameters have a wrong gradient\n", wrong, f.plan.n_parameters);
    free(f.parameters);
    free(f.gradient);
    model_memory_free(f.memory);
    return wrong == 0 ? 0 : 1;
}
