/* The optimiser: AdamW with warm-up, cosine decay and a limit on the gradient's length. */
#ifndef TRAIN_ADAMW_H
#define TRAIN_ADAMW_H

#include "model.h"

typedef struct {
    double learning_rate;     /* at its highest, when the warm-up ends */
    double min_learning_rate; /* at the last step */
    int warmup_steps;
    int steps;
    double beta1;
    double beta2;
    double weight_decay;
    double gradient_clip; /* largest length of the gradient; 0: no limit */
} adamw_plan;

/* Running means of the gradient and of its square, each as long as the parameters. */
typedef struct {
    real *mean;
    real *square;
} adamw_state;

/* The learning rate of `step`, counted from 1. */
double adamw_learning_rate(const adamw_plan *plan, long step);

/* Length of the gradient; shortens it to `limit` when it is longer and the limit is not 0. Returns
 * the length from before. */
double adamw_clip(size_t n, real *gradient, double limit);

/* Changes `parameters` by one step, counted from 1. */
void adamw_step(const adamw_plan *plan, const model *m, adamw_state state, long step,
                const real *gradient, real *parameters);

#endif
