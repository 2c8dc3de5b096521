/* Loops are written plainly: the matrix products, in blas.h, take nearly all of the time. */
#include "layers.h"

#include <tgmath.h>

#include "blas.h"

/* Keeps a row of zeros finite. */
static const real NORM_EPSILON = (real)1e-5;

void linear_forward(linear size, const real *x, const real *weight, real *y)
{
    multiply(BLAS_AS_IS(x, size.rows, size.in), BLAS_TRANSPOSED(weight, size.in, size.out),
             (product){.out = y, .stride = size.out, .scale = 1, .keep = 0});
}

void linear_backward_input(linear size, const real *dy, const real *weight, real *dx)
{
    multiply(BLAS_AS_IS(dy, size.rows, size.out), BLAS_AS_IS(weight, size.out, size.in),
             (product){.out = dx, .stride = size.in, .scale = 1, .keep = 0});
}

void linear_backward_weight(linear size, const real *dy, const real *x, real *d_weight)
{
    multiply(BLAS_TRANSPOSED(dy, size.out, size.rows), BLAS_AS_IS(x, size.rows, size.in),
             (product){.out = d_weight, .stride = size.in, .scale = 1, .keep = 1});
}

void rms_norm_forward(const rms_norm *norm, real *y)
{
    for (int row = 0; row < norm->rows; row++) {
        const real *x = norm->x + (long)row * norm->width;
        real *out = y + (long)row * norm->width;
        real sum = 0;
        for (int i = 0; i < norm->width; i++) {
            sum += x[i] * x[i];
        }
        real inverse = 1 / sqrt(sum / (real)norm->width + NORM_EPSILON);
        for (int i = 0; i < norm->width; i++) {
            out[i] = norm->gain[i] * x[i] * inverse;
        }
        norm->inverse_rms[row] = inverse;
    }
}

/* With r = 1/rms(x) and u = gain * dy:  dx = r * u - x * r^3 * mean(u * x). */
void rms_norm_backward(const rms_norm *norm, const real *dy, real *dx, real *d_gain)
{
    for (int row = 0; row < norm->rows; row++) {
        long at = (long)row * norm->width;
        const real *x = norm->x + at;
        real inverse = norm->inverse_rms[row];
        real sum = 0;
        for (int i = 0; i < norm->width; i++) {
            sum += norm->gain[i] * dy[at + i] * x[i];
        }
        real pull = sum * inverse * inverse * inverse / (real)norm->width;
        for (int i = 0; i < norm->width; i++) {
            dx[at + i] += norm->gain[i] * dy[at + i] * inverse - x[i] * pull;
            d_gain[i] += dy[at + i] * x[i] * inverse;
        }
    }
}

void silu_forward(long n, const real *x, real *y)
{
    for (long i = 0; i < n; i++) {
        y[i] = x[i] / (1 + exp(-x[i]));
    }
}

void silu_backward(long n, const real *x, real *dy)
{
    for (long i = 0; i < n; i++) {
        real sigmoid = 1 / (1 + exp(-x[i]));
        dy[i] *= sigmoid * (1 + x[i] * (1 - sigmoid));
    }
}

real softmax(int n, real *values, real *maximum)
{
    real top = values[0];
    for (int i = 1; i < n; i++) {
        top = values[i] > top ? values[i] : top;
    }
    real sum = 0;
    for (int i = 0; i < n; i++) {
        values[i] = exp(values[i] - top);
        sum += values[i];
    }
    real inverse = 1 / sum;
    for (int i = 0; i < n; i++) {
        values[i] *= inverse;
    }
    *maximum = top;
    return log(sum);
}

double cross_entropy_forward(cross_entropy size, real *logits)
{
    double loss = 0;
    for (int row = 0; row < size.rows; row++) {
        real *values = logits + (long)row * size.vocab;
        real wanted = values[size.targets[row]];
        real maximum;
        real log_sum = softmax(size.vocab, values, &maximum);
        loss += (double)(log_sum + maximum - wanted);
    }
    return loss;
}

void cross_entropy_backward(cross_entropy size, real weight, real *probabilities)
{
    for (int row = 0; row < size.rows; row++) {
        real *values = probabilities + (long)row * size.vocab;
        values[size.targets[row]] -= 1;
        for (int i = 0; i < size.vocab; i++) {
            values[i] *= weight;
        }
    }
}
