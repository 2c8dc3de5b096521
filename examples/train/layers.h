/* The layers of the network that look at one position at a time, each as a forward and a backward
 * step.
 *
 * Matrices are row-major; a row is one position of one sequence. A backward step takes the gradient
 * of the loss with respect to a layer's output and gives that of its input. Gradients of weights
 * are added to what is there, so that the caller clears them once a step.
 */
#ifndef TRAIN_LAYERS_H
#define TRAIN_LAYERS_H

#include <stdint.h>

#include "real.h"

/* y = x W^T:  x is rows x in, W is out x in, y is rows x out. */
typedef struct {
    int rows;
    int in;
    int out;
} linear;

void linear_forward(linear size, const real *x, const real *weight, real *y);
void linear_backward_input(linear size, const real *dy, const real *weight, real *dx);
void linear_backward_weight(linear size, const real *dy, const real *x, real *d_weight);

/* RMSNorm: y = gain * x / rms(x), row by row. 1/rms, one a row, is kept for the way back. */
typedef struct {
    int rows;
    int width;
    const real *x;
    const real *gain;
    real *inverse_rms;
} rms_norm;

void rms_norm_forward(const rms_norm *norm, real *y);

/* Adds to `dx`, because the residual stream has a second path around the norm. */
void rms_norm_backward(const rms_norm *norm, const real *dy, real *dx, real *d_gain);

/* SiLU: y = x * sigmoid(x). The backward step turns dy into dx in place. */
void silu_forward(long n, const real *x, real *y);
void silu_backward(long n, const real *x, real *dy);

/* Softmax and cross entropy. Turns logits into probabilities in place; returns the sum of the
 * losses in nats. The backward step turns the probabilities into the gradient of `weight` times
 * that sum. */
typedef struct {
    int rows;
    int vocab;
    const uint16_t *targets;
} cross_entropy;

double cross_entropy_forward(cross_entropy size, real *logits);
void cross_entropy_backward(cross_entropy size, real weight, real *probabilities);

/* Softmax over `n` values in place. Returns the natural logarithm of the sum it divided by,
 * after subtracting the maximum, which goes to `*maximum`. */
real softmax(int n, real *values, real *maximum);

#endif
