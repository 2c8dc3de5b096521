/* The network: a decoder-only transformer over tokens.
 *
 *     token -> embedding -> [ + attention(norm(x)) ; + mlp(norm(x)) ] x layers -> norm -> head
 *
 * All its numbers are one flat vector, so that optimiser, gradient sum and checkpoint are plain
 * loops; a `model` is the plan that says where each tensor lies in it. The order is
 *
 *     embedding
 *     for each layer: attention_norm  qkv  attention_out  mlp_norm  mlp_up  mlp_down
 *     final_norm  head
 *
 * A plan is read-only after model_plan() and may be shared by threads; a memory belongs to one.
 */
#ifndef TRAIN_MODEL_H
#define TRAIN_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "real.h"
#include "xoshiro.h"

enum {
    MODEL_BYTES = 256, /* the vocabulary of text that is read byte by byte */
    MODEL_MAX_VOCAB = 65536,
    MODEL_MAX_LAYERS = 32,
    MODEL_LAYER_TENSORS = 6,
    MODEL_MAX_TENSORS = 3 + MODEL_MAX_LAYERS * MODEL_LAYER_TENSORS,
};

typedef struct {
    int width;
    int layers;
    int heads;
    int hidden;  /* width inside the mlp */
    int context; /* positions of one sequence */
    int vocab;   /* tokens that are told apart; MODEL_BYTES where a token is a byte */
} model_shape;

typedef struct {
    const char *name;
    int layer; /* -1 outside the layers */
    size_t offset;
    size_t count;
    double init_sd; /* 0: a gain, which starts at 1 and is not decayed */
} model_tensor;

typedef struct {
    model_shape shape;
    size_t n_parameters;
    int n_tensors;
    model_tensor tensors[MODEL_MAX_TENSORS];
} model;

/* Whole sequences and the token that follows each position: n_sequences x context each. */
typedef struct {
    int n_sequences;
    const uint16_t *tokens;
    const uint16_t *targets;
    real weight; /* of one position in the loss whose gradient is taken */
} model_batch;

/* What the forward step keeps for the backward step, and its working space. */
typedef struct model_memory model_memory;

/* Errors: FAULT_CONFIG when the shape is not one that can be built. */
bool model_plan(model *out, model_shape shape, fault *error);

void model_parameters_init(const model *m, real *parameters, xoshiro *rng);

/* Memory for up to `n_sequences` sequences. Returns NULL when there is not enough. */
model_memory *model_memory_new(const model *m, int n_sequences);
void model_memory_free(model_memory *memory);

/* Returns the sum of the losses of all positions, in nats. */
double model_forward(const model *m, const real *parameters, model_memory *memory,
                     model_batch batch);

/* Adds the gradient of `batch.weight` times that sum. Called once after each model_forward(). */
void model_backward(const model *m, const real *parameters, model_memory *memory, model_batch batch,
                    real *gradient);

#endif
