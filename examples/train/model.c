#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "layers.h"

/* The tensors of a layer, in the order of the flat vector. */
enum { ATTENTION_NORM, QKV, ATTENTION_OUT, MLP_NORM, MLP_UP, MLP_DOWN };

typedef struct {
    real *in; /* the residual stream as it enters, rows x width; so are the next four */
    real *attention_normed;
    real *attended;
    real *middle; /* the stream after attention */
    real *mlp_normed;
    real *qkv;           /* rows x 3 width */
    real *probabilities; /* see attention.h */
    real *up;            /* rows x hidden, before and after the activation */
    real *active;
    real *attention_inverse_rms; /* rows */
    real *mlp_inverse_rms;
} layer_memory;

struct model_memory {
    int n_sequences; /* of the batch that was last put in */
    real *block;     /* everything below lies in it */
    real *turns;
    real *final_normed; /* rows x width */
    real *final_inverse_rms;
    real *logits;   /* rows x vocab */
    real *d_stream; /* gradients on the way back: rows x width, width, hidden, 3 width; a square */
    real *d_width;
    real *d_hidden;
    real *d_qkv;
    real *d_square;
    real *stream[MODEL_MAX_LAYERS + 1]; /* stream[i] enters layer i; the last one leaves */
    layer_memory layers[MODEL_MAX_LAYERS];
};

static void tensor_add(model *m, const char *name, int layer, size_t count, double init_sd)
{
    m->tensors[m->n_tensors++] = (model_tensor){name, layer, m->n_parameters, count, init_sd};
    m->n_parameters += count;
}

static bool shape_is_possible(model_shape s, fault *error)
{
    if (s.layers < 1 || s.layers > MODEL_MAX_LAYERS) {
        return fault_set(error, FAULT_CONFIG, "shape_impossible", "layers %d, expected 1 to %d",
                         s.layers, MODEL_MAX_LAYERS);
    }
    if (s.heads < 1 || s.width < 1 || s.width % s.heads != 0 || s.width / s.heads % 2 != 0) {
        return fault_set(error, FAULT_CONFIG, "shape_impossible",
                         "width %d, expected heads %d times an even number", s.width, s.heads);
    }
    if (s.vocab < 2 || s.vocab > MODEL_MAX_VOCAB) {
        return fault_set(error, FAULT_CONFIG, "shape_impossible", "vocabulary %d, expected 2 to %d",
                         s.vocab, MODEL_MAX_VOCAB);
    }
    if (s.hidden < 1 || s.context < 1) {
        return fault_set(error, FAULT_CONFIG, "shape_impossible",
                         "hidden %d, context %d, expected 1 or more", s.hidden, s.context);
    }
    return true;
}

bool model_plan(model *out, model_shape shape, fault *error)
{
    if (!shape_is_possible(shape, error)) {
        return false;
    }
    size_t width = (size_t)shape.width;
    size_t hidden = (size_t)shape.hidden;
    size_t vocab = (size_t)shape.vocab;
    double from_width = 1 / sqrt((double)width);
    double from_hidden = 1 / sqrt((double)hidden);
    /* What is added to the stream starts small, so that the sum over layers stays of size one. */
    double residual = 1 / sqrt(2.0 * shape.layers);

    *out = (model){.shape = shape};
    tensor_add(out, "embedding", -1, vocab * width, 0.5);
    for (int i = 0; i < shape.layers; i++) {
        tensor_add(out, "attention_norm", i, width, 0);
        tensor_add(out, "qkv", i, 3 * width * width, from_width);
        tensor_add(out, "attention_out", i, width * width, from_width * residual);
        tensor_add(out, "mlp_norm", i, width, 0);
        tensor_add(out, "mlp_up", i, hidden * width, from_width);
        tensor_add(out, "mlp_down", i, width * hidden, from_hidden * residual);
    }
    tensor_add(out, "final_norm", -1, width, 0);
    /* Small: the first prediction is nearly uniform and the first loss is ln vocab, 5.545 for
     * bytes. */
    tensor_add(out, "head", -1, vocab * width, 0.02);
    return true;
}

void model_parameters_init(const model *m, real *parameters, xoshiro *rng)
{
    for (int i = 0; i < m->n_tensors; i++) {
        const model_tensor *t = &m->tensors[i];
        for (size_t j = 0; j < t->count; j++) {
            bool is_gain = t->init_sd <= 0;
            parameters[t->offset + j] = is_gain ? 1 : (real)(t->init_sd * xoshiro_normal(rng));
        }
    }
}

/* Hands out the next `count` numbers of the block; with no block yet it only counts. */
static real *take(real *block, size_t *used, size_t count)
{
    real *part = block == NULL ? NULL : block + *used;
    *used += count;
    return part;
}

/* Lays all parts out in `block`. Called twice: to learn the size, and to set the pointers. */
static size_t memory_lay_out(const model *m, model_memory *memory, size_t n_sequences)
{
    const model_shape s = m->shape;
    real *block = memory->block;
    size_t used = 0;
    size_t context = (size_t)s.context;
    size_t rows = n_sequences * context;
    size_t wide = rows * (size_t)s.width;
    size_t hidden = rows * (size_t)s.hidden;

    memory->turns = take(block, &used, context * (size_t)(s.width / s.heads));
    memory->stream[0] = take(block, &used, wide);
    for (int i = 0; i < s.layers; i++) {
        layer_memory *layer = &memory->layers[i];
        layer->in = memory->stream[i];
        layer->attention_normed = take(block, &used, wide);
        layer->attended = take(block, &used, wide);
        layer->middle = take(block, &used, wide);
        layer->mlp_normed = take(block, &used, wide);
        layer->qkv = take(block, &used, 3 * wide);
        layer->probabilities = take(block, &used, rows * context * (size_t)s.heads);
        layer->up = take(block, &used, hidden);
        layer->active = take(block, &used, hidden);
        layer->attention_inverse_rms = take(block, &used, rows);
        layer->mlp_inverse_rms = take(block, &used, rows);
        memory->stream[i + 1] = take(block, &used, wide);
    }
    memory->final_normed = take(block, &used, wide);
    memory->final_inverse_rms = take(block, &used, rows);
    memory->logits = take(block, &used, rows * (size_t)s.vocab);
    memory->d_stream = take(block, &used, wide);
    memory->d_width = take(block, &used, wide);
    memory->d_hidden = take(block, &used, hidden);
    memory->d_qkv = take(block, &used, 3 * wide);
    memory->d_square = take(block, &used, context * context);
    return used;
}

model_memory *model_memory_new(const model *m, int n_sequences)
{
    model_memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL) {
        return NULL;
    }
    size_t n = memory_lay_out(m, memory, (size_t)n_sequences);
    memory->block = calloc(n, sizeof *memory->block);
    if (memory->block == NULL) {
        free(memory);
        return NULL;
    }
    (void)memory_lay_out(m, memory, (size_t)n_sequences);
    attention_turns_set(m->shape.context, m->shape.width / m->shape.heads, memory->turns);
    return memory;
}

void model_memory_free(model_memory *memory)
{
    if (memory != NULL) {
        free(memory->block);
        free(memory);
    }
}

static size_t tensor_offset(const model *m, int layer, int which)
{
    return m->tensors[1 + layer * MODEL_LAYER_TENSORS + which].offset;
}

static size_t final_norm_offset(const model *m)
{
    return m->tensors[m->n_tensors - 2].offset;
}

static size_t head_offset(const model *m)
{
    return m->tensors[m->n_tensors - 1].offset;
}

static attention attention_of(const model *m, const model_memory *memory, int layer)
{
    return (attention){
        .batch = memory->n_sequences,
        .context = m->shape.context,
        .heads = m->shape.heads,
        .width = m->shape.width,
        .turns = memory->turns,
        .qkv = memory->layers[layer].qkv,
        .probabilities = memory->layers[layer].probabilities,
    };
}

static void add(long n, const real *a, const real *b, real *sum)
{
    for (long i = 0; i < n; i++) {
        sum[i] = a[i] + b[i];
    }
}

static void layer_forward(const model *m, const real *parameters, model_memory *memory, int i)
{
    layer_memory *layer = &memory->layers[i];
    const int width = m->shape.width;
    const int hidden = m->shape.hidden;
    const int rows = memory->n_sequences * m->shape.context;
    const long wide = (long)rows * width;
    real *branch = memory->d_width; /* free on the way forward */

    rms_norm norm = {rows, width, layer->in, parameters + tensor_offset(m, i, ATTENTION_NORM),
                     layer->attention_inverse_rms};
    rms_norm_forward(&norm, layer->attention_normed);
    linear_forward((linear){rows, width, 3 * width}, layer->attention_normed,
                   parameters + tensor_offset(m, i, QKV), layer->qkv);
    attention a = attention_of(m, memory, i);
    attention_forward(&a, layer->attended);
    linear_forward((linear){rows, width, width}, layer->attended,
                   parameters + tensor_offset(m, i, ATTENTION_OUT), branch);
    add(wide, layer->in, branch, layer->middle);

    norm = (rms_norm){rows, width, layer->middle, parameters + tensor_offset(m, i, MLP_NORM),
                      layer->mlp_inverse_rms};
    rms_norm_forward(&norm, layer->mlp_normed);
    linear_forward((linear){rows, width, hidden}, layer->mlp_normed,
                   parameters + tensor_offset(m, i, MLP_UP), layer->up);
    silu_forward((long)rows * hidden, layer->up, layer->active);
    linear_forward((linear){rows, hidden, width}, layer->active,
                   parameters + tensor_offset(m, i, MLP_DOWN), branch);
    add(wide, layer->middle, branch, memory->stream[i + 1]);
}

double model_forward(const model *m, const real *parameters, model_memory *memory,
                     model_batch batch)
{
    const int width = m->shape.width;
    const int rows = batch.n_sequences * m->shape.context;
    memory->n_sequences = batch.n_sequences;
    for (int row = 0; row < rows; row++) {
        memcpy(memory->stream[0] + (long)row * width, parameters + (long)batch.tokens[row] * width,
               (size_t)width * sizeof(real));
    }
    for (int i = 0; i < m->shape.layers; i++) {
        layer_forward(m, parameters, memory, i);
    }
    rms_norm norm = {rows, width, memory->stream[m->shape.layers],
                     parameters + final_norm_offset(m), memory->final_inverse_rms};
    rms_norm_forward(&norm, memory->final_normed);
    linear_forward((linear){rows, width, m->shape.vocab}, memory->final_normed,
                   parameters + head_offset(m), memory->logits);
    return cross_entropy_forward((cross_entropy){rows, m->shape.vocab, batch.targets},
                                 memory->logits);
}

static void mlp_backward(const model *m, const real *parameters, model_memory *memory, int i,
                         real *gradient)
{
    layer_memory *layer = &memory->layers[i];
    const int rows = memory->n_sequences * m->shape.context;
    const size_t up = tensor_offset(m, i, MLP_UP);
    const size_t down = tensor_offset(m, i, MLP_DOWN);
    const size_t gain = tensor_offset(m, i, MLP_NORM);
    const linear to_hidden = {rows, m->shape.width, m->shape.hidden};
    const linear to_width = {rows, m->shape.hidden, m->shape.width};

    linear_backward_weight(to_width, memory->d_stream, layer->active, gradient + down);
    linear_backward_input(to_width, memory->d_stream, parameters + down, memory->d_hidden);
    silu_backward((long)rows * m->shape.hidden, layer->up, memory->d_hidden);
    linear_backward_weight(to_hidden, memory->d_hidden, layer->mlp_normed, gradient + up);
    linear_backward_input(to_hidden, memory->d_hidden, parameters + up, memory->d_width);
    rms_norm norm = {rows, m->shape.width, layer->middle, parameters + gain,
                     layer->mlp_inverse_rms};
    rms_norm_backward(&norm, memory->d_width, memory->d_stream, gradient + gain);
}

static void attention_part_backward(const model *m, const real *parameters, model_memory *memory,
                                    int i, real *gradient)
{
    layer_memory *layer = &memory->layers[i];
    const int width = m->shape.width;
    const int rows = memory->n_sequences * m->shape.context;
    const size_t qkv = tensor_offset(m, i, QKV);
    const size_t out = tensor_offset(m, i, ATTENTION_OUT);
    const size_t gain = tensor_offset(m, i, ATTENTION_NORM);
    const linear to_qkv = {rows, width, 3 * width};
    const linear to_out = {rows, width, width};

    linear_backward_weight(to_out, memory->d_stream, layer->attended, gradient + out);
    linear_backward_input(to_out, memory->d_stream, parameters + out, memory->d_width);
    attention a = attention_of(m, memory, i);
    attention_backward(&a, memory->d_width, memory->d_qkv, memory->d_square);
    linear_backward_weight(to_qkv, memory->d_qkv, layer->attention_normed, gradient + qkv);
    linear_backward_input(to_qkv, memory->d_qkv, parameters + qkv, memory->d_width);
    rms_norm norm = {rows, width, layer->in, parameters + gain, layer->attention_inverse_rms};
    rms_norm_backward(&norm, memory->d_width, memory->d_stream, gradient + gain);
}

void model_backward(const model *m, const real *parameters, model_memory *memory, model_batch batch,
                    real *gradient)
{
    const int width = m->shape.width;
    const int rows = batch.n_sequences * m->shape.context;
    const linear to_logits = {rows, width, m->shape.vocab};
    const size_t head = head_offset(m);
    const size_t gain = final_norm_offset(m);

    cross_entropy_backward((cross_entropy){rows, m->shape.vocab, batch.targets}, batch.weight,
                           memory->logits);
    linear_backward_weight(to_logits, memory->logits, memory->final_normed, gradient + head);
    linear_backward_input(to_logits, memory->logits, parameters + head, memory->d_width);
    memset(memory->d_stream, 0, (size_t)rows * (size_t)width * sizeof(real));
    rms_norm norm = {rows, width, memory->stream[m->shape.layers], parameters + gain,
                     memory->final_inverse_rms};
    rms_norm_backward(&norm, memory->d_width, memory->d_stream, gradient + gain);

    for (int i = m->shape.layers - 1; i >= 0; i--) {
        mlp_backward(m, parameters, memory, i, gradient);
        attention_part_backward(m, parameters, memory, i, gradient);
    }
    for (int row = 0; row < rows; row++) {
        real *into = gradient + (long)batch.tokens[row] * width;
        add(width, into, memory->d_stream + (long)row * width, into);
    }
}
