/* The arithmetic is that of model_forward(), for one row at a time. Sums run in eight lanes of
 * fixed order, which the compiler turns into vector code and every machine into the same result. */
#include "generator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../train/attention.h"

struct generator {
    const model *m;
    const real *parameters;
    int position;     /* tokens that were read */
    uint16_t *tokens; /* the tokens at those positions */
    real *turns;
    real *keys; /* layers x context x width; so are the values */
    real *values;
    real *x, *normed, *qkv, *attended, *hidden, *scores, *logits;
    real *block; /* everything above lies in it */
};

static real *take(real **at, size_t n)
{
    real *part = *at;
    *at += n;
    return part;
}

generator *generator_new(const model *m, const real *parameters)
{
    const size_t context = (size_t)m->shape.context;
    const size_t width = (size_t)m->shape.width;
    const size_t kept = (size_t)m->shape.layers * context * width;
    const size_t head = width / (size_t)m->shape.heads;
    generator *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return NULL;
    }
    g->m = m;
    g->parameters = parameters;
    g->tokens = calloc(context, sizeof *g->tokens);
    g->block = calloc(2 * kept + context * head + 6 * width + (size_t)m->shape.hidden + context +
                          (size_t)m->shape.vocab,
                      sizeof *g->block);
    if (g->tokens == NULL || g->block == NULL) {
        generator_free(g);
        return NULL;
    }
    real *at = g->block;
    g->turns = take(&at, context * head);
    g->keys = take(&at, kept);
    g->values = take(&at, kept);
    g->x = take(&at, width);
    g->normed = take(&at, width);
    g->qkv = take(&at, 3 * width);
    g->attended = take(&at, width);
    g->hidden = take(&at, (size_t)m->shape.hidden);
    g->scores = take(&at, context);
    g->logits = take(&at, (size_t)m->shape.vocab);
    attention_turns_set(m->shape.context, (int)head, g->turns);
    return g;
}

void generator_free(generator *g)
{
    if (g != NULL) {
        free(g->tokens);
        free(g->block);
        free(g);
    }
}

static real dot(const real *a, const real *b, int n)
{
    real lanes[8] = {0};
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int j = 0; j < 8; j++) {
            lanes[j] += a[i + j] * b[i + j];
        }
    }
    for (; i < n; i++) {
        lanes[0] += a[i] * b[i];
    }
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
           ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

static const real *tensor(const generator *g, int layer, int which)
{
    return g->parameters + g->m->tensors[1 + layer * MODEL_LAYER_TENSORS + which].offset;
}

/* out = weight * in, or that added to `out`. */
static void multiply_row(const real *weight, const real *in, int n_in, real *out, int n_out)
{
    for (int i = 0; i < n_out; i++) {
        out[i] = dot(weight + (long)i * n_in, in, n_in);
    }
}

static void multiply_add(const real *weight, const real *in, int n_in, real *out, int n_out)
{
    for (int i = 0; i < n_out; i++) {
        out[i] += dot(weight + (long)i * n_in, in, n_in);
    }
}

static void norm(const real *x, const real *gain, int width, real *out)
{
    real inverse = 1 / sqrtf(dot(x, x, width) / (real)width + (real)1e-5);
    for (int i = 0; i < width; i++) {
        out[i] = gain[i] * x[i] * inverse;
    }
}

/* Turns the query and key of the newest position, pair by pair; see attention.h. */
static void turn(const generator *g, real *row)
{
    const int width = g->m->shape.width;
    const int head = width / g->m->shape.heads;
    const real *turns = g->turns + (long)g->position * head;
    for (int i = 0; i < 2 * width; i += 2) {
        real cosine = turns[i % head];
        real sine = turns[i % head + 1];
        real first = row[i];
        real second = row[i + 1];
        row[i] = first * cosine - second * sine;
        row[i + 1] = first * sine + second * cosine;
    }
}

/* One head of one layer: what the newest position sees of all positions so far. */
static void head_attend(generator *g, const real *keys, const real *values, int first)
{
    const int width = g->m->shape.width;
    const int head = width / g->m->shape.heads;
    const int n = g->position + 1;
    const real scale = 1 / sqrtf((real)head);
    real top = -INFINITY;
    real sum = 0;
    for (int i = 0; i < n; i++) {
        g->scores[i] = scale * dot(g->qkv + first, keys + (long)i * width + first, head);
        top = g->scores[i] > top ? g->scores[i] : top;
    }
    memset(g->attended + first, 0, (size_t)head * sizeof(real));
    for (int i = 0; i < n; i++) {
        real weight = expf(g->scores[i] - top);
        sum += weight;
        for (int j = 0; j < head; j++) {
            g->attended[first + j] += weight * values[(long)i * width + first + j];
        }
    }
    for (int j = 0; j < head; j++) {
        g->attended[first + j] /= sum;
    }
}

static void layer_read(generator *g, int layer)
{
    enum { ATTENTION_NORM, QKV, ATTENTION_OUT, MLP_NORM, MLP_UP, MLP_DOWN };
    const model_shape s = g->m->shape;
    const size_t width = (size_t)s.width;
    real *keys = g->keys + (size_t)layer * (size_t)s.context * width;
    real *values = g->values + (size_t)layer * (size_t)s.context * width;
    norm(g->x, tensor(g, layer, ATTENTION_NORM), s.width, g->normed);
    multiply_row(tensor(g, layer, QKV), g->normed, s.width, g->qkv, 3 * s.width);
    turn(g, g->qkv);
    memcpy(keys + (size_t)g->position * width, g->qkv + width, width * sizeof(real));
    memcpy(values + (size_t)g->position * width, g->qkv + 2 * width, width * sizeof(real));
    for (int head = 0; head < s.heads; head++) {
        head_attend(g, keys, values, head * (s.width / s.heads));
    }
    multiply_add(tensor(g, layer, ATTENTION_OUT), g->attended, s.width, g->x, s.width);
    norm(g->x, tensor(g, layer, MLP_NORM), s.width, g->normed);
    multiply_row(tensor(g, layer, MLP_UP), g->normed, s.width, g->hidden, s.hidden);
    for (int i = 0; i < s.hidden; i++) {
        g->hidden[i] = g->hidden[i] / (1 + expf(-g->hidden[i]));
    }
    multiply_add(tensor(g, layer, MLP_DOWN), g->hidden, s.hidden, g->x, s.width);
}

/* Reads a token at the next position, which is there. */
static void token_read(generator *g, uint16_t token)
{
    const model *m = g->m;
    const int width = m->shape.width;
    g->tokens[g->position] = token;
    memcpy(g->x, g->parameters + (long)token * width, (size_t)width * sizeof(real));
    for (int i = 0; i < m->shape.layers; i++) {
        layer_read(g, i);
    }
    g->position++;
}

static void logits_set(generator *g)
{
    const model *m = g->m;
    norm(g->x, g->parameters + m->tensors[m->n_tensors - 2].offset, m->shape.width, g->normed);
    multiply_row(g->parameters + m->tensors[m->n_tensors - 1].offset, g->normed, m->shape.width,
                 g->logits, m->shape.vocab);
}

void generator_push(generator *g, uint16_t token)
{
    const int context = g->m->shape.context;
    if (g->position == context) {
        const int half = context / 2;
        memmove(g->tokens, g->tokens + context - half, (size_t)half * sizeof *g->tokens);
        g->position = 0;
        for (int i = 0; i < half; i++) {
            token_read(g, g->tokens[i]);
        }
    }
    token_read(g, token);
    logits_set(g);
}

size_t generator_begin(generator *g, const uint16_t *tokens, size_t n)
{
    const size_t room = (size_t)(g->m->shape.context - g->m->shape.context / 4);
    const size_t skipped = n > room ? n - room : 0;
    g->position = 0;
    for (size_t i = skipped; i < n; i++) {
        token_read(g, tokens[i]);
    }
    if (n == 0) {
        token_read(g, 0);
    }
    logits_set(g);
    return n - skipped;
}

/* Largest logit and the logarithm of the sum of all exponentials relative to it. */
static double log_sum(const generator *g, double *top)
{
    const int vocab = g->m->shape.vocab;
    double sum = 0;
    *top = g->logits[0];
    for (int i = 1; i < vocab; i++) {
        *top = g->logits[i] > *top ? g->logits[i] : *top;
    }
    for (int i = 0; i < vocab; i++) {
        sum += exp(g->logits[i] - *top);
    }
    return log(sum);
}

double generator_log_probability(const generator *g, uint16_t token)
{
    double top;
    const double sum = log_sum(g, &top);
    return g->logits[token] - top - sum;
}

static uint16_t draw(const generator *g, double temperature, xoshiro *rng)
{
    const int vocab = g->m->shape.vocab;
    int best = 0;
    for (int i = 1; i < vocab; i++) {
        best = g->logits[i] > g->logits[best] ? i : best;
    }
    if (temperature <= 0) {
        return (uint16_t)best;
    }
    double sum = 0;
    for (int i = 0; i < vocab; i++) {
        sum += exp((g->logits[i] - g->logits[best]) / temperature);
    }
    double point = (double)(xoshiro_next(rng) >> 11) * 0x1p-53 * sum;
    int drawn = 0;
    for (; drawn < vocab - 1; drawn++) {
        point -= exp((g->logits[drawn] - g->logits[best]) / temperature);
        if (point < 0) {
            break;
        }
    }
    return (uint16_t)drawn;
}

uint16_t generator_next(generator *g, double temperature, xoshiro *rng)
{
    const uint16_t token = draw(g, temperature, rng);
    generator_push(g, token);
    return token;
}
