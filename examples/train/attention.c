#include "attention.h"

#include <tgmath.h>

#include "blas.h"
#include "layers.h"

enum { FORWARD = 1, BACK = -1 };

void attention_turns_set(int context, int head_width, real *turns)
{
    for (int position = 0; position < context; position++) {
        for (int i = 0; i < head_width; i += 2) {
            double frequency = pow(10000.0, -(double)i / head_width);
            turns[position * head_width + i] = (real)cos(position * frequency);
            turns[position * head_width + i + 1] = (real)sin(position * frequency);
        }
    }
}

/* Turns the queries and keys of every position, which are the first two thirds of a row. */
static void turn(const attention *a, real *qkv, int direction)
{
    int head_width = a->width / a->heads;
    for (int row = 0; row < a->batch * a->context; row++) {
        const real *turns = a->turns + (row % a->context) * head_width;
        real *values = qkv + (long)row * 3 * a->width;
        for (int i = 0; i < 2 * a->width; i += 2) {
            real cosine = turns[i % head_width];
            real sine = turns[i % head_width + 1] * (real)direction;
            real first = values[i];
            real second = values[i + 1];
            values[i] = first * cosine - second * sine;
            values[i + 1] = first * sine + second * cosine;
        }
    }
}

/* One head of one sequence: where its parts begin. `row` is the stride of qkv-like matrices. */
typedef struct {
    long q, k, v; /* offsets in qkv and d_qkv */
    long out;     /* offset in out and d_out */
    long square;  /* offset in probabilities */
    int row;
    int head_width;
    real scale;
} head;

static head head_at(const attention *a, int sequence, int index)
{
    int head_width = a->width / a->heads;
    long first_row = (long)sequence * a->context;
    long q = first_row * 3 * a->width + (long)index * head_width;
    return (head){
        .q = q,
        .k = q + a->width,
        .v = q + 2 * (long)a->width,
        .out = first_row * a->width + (long)index * head_width,
        .square = ((long)sequence * a->heads + index) * a->context * a->context,
        .row = 3 * a->width,
        .head_width = head_width,
        .scale = 1 / sqrt((real)head_width),
    };
}

static operand as_is(const real *data, int rows, int columns, int stride)
{
    return (operand){data, rows, columns, stride, CblasNoTrans};
}

static operand transposed(const real *data, int rows, int columns, int stride)
{
    return (operand){data, rows, columns, stride, CblasTrans};
}

static void head_forward(const attention *a, head h, real *out)
{
    int n = a->context;
    real *square = a->probabilities + h.square;
    multiply(as_is(a->qkv + h.q, n, h.head_width, h.row),
             transposed(a->qkv + h.k, h.head_width, n, h.row),
             (product){.out = square, .stride = n, .scale = h.scale, .keep = 0});
    for (int i = 0; i < n; i++) {
        real maximum;
        (void)softmax(i + 1, square + (long)i * n, &maximum);
        for (int j = i + 1; j < n; j++) {
            square[(long)i * n + j] = 0; /* causal: no position sees a later one */
        }
    }
    multiply(as_is(square, n, n, n), as_is(a->qkv + h.v, n, h.head_width, h.row),
             (product){.out = out + h.out, .stride = a->width, .scale = 1, .keep = 0});
}

void attention_forward(const attention *a, real *out)
{
    turn(a, a->qkv, FORWARD);
    for (int sequence = 0; sequence < a->batch; sequence++) {
        for (int index = 0; index < a->heads; index++) {
            head_forward(a, head_at(a, sequence, index), out);
        }
    }
}

/* With P the probabilities and dP their gradient:  dScores = P * (dP - sum(P * dP)), row by row.
 * Masked places have P = 0 and stay without gradient. */
static void softmax_backward(int n, const real *probabilities, real *gradient)
{
    for (int i = 0; i < n; i++) {
        const real *p = probabilities + (long)i * n;
        real *d = gradient + (long)i * n;
        real sum = 0;
        for (int j = 0; j <= i; j++) {
            sum += p[j] * d[j];
        }
        for (int j = 0; j < n; j++) {
            d[j] = p[j] * (d[j] - sum);
        }
    }
}

static void head_backward(const attention *a, head h, const real *d_out, real *d_qkv, real *scratch)
{
    int n = a->context;
    const real *square = a->probabilities + h.square;
    multiply(transposed(square, n, n, n), as_is(d_out + h.out, n, h.head_width, a->width),
             (product){.out = d_qkv + h.v, .stride = h.row, .scale = 1, .keep = 0});
    multiply(as_is(d_out + h.out, n, h.head_width, a->width),
             transposed(a->qkv + h.v, h.head_width, n, h.row),
             (product){.out = scratch, .stride = n, .scale = 1, .keep = 0});
    softmax_backward(n, square, scratch);
    multiply(as_is(scratch, n, n, n), as_is(a->qkv + h.k, n, h.head_width, h.row),
             (product){.out = d_qkv + h.q, .stride = h.row, .scale = h.scale, .keep = 0});
    multiply(transposed(scratch, n, n, n), as_is(a->qkv + h.q, n, h.head_width, h.row),
             (product){.out = d_qkv + h.k, .stride = h.row, .scale = h.scale, .keep = 0});
}

void attention_backward(const attention *a, const real *d_out, real *d_qkv, real *scratch)
{
    for (int sequence = 0; sequence < a->batch; sequence++) {
        for (int index = 0; index < a->heads; index++) {
            head_backward(a, head_at(a, sequence, index), d_out, d_qkv, scratch);
        }
    }
    turn(a, d_qkv, BACK);
}
