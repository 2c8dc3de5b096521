#include "settings.h"

#include <limits.h>

#define AT(field) offsetof(settings, field)

static const config_key KEYS[] = {
    {"config_version", CONFIG_WHOLE, AT(config_version), 1, 1},
    {"width", CONFIG_WHOLE, AT(shape.width), 2, 4096},
    {"layers", CONFIG_WHOLE, AT(shape.layers), 1, MODEL_MAX_LAYERS},
    {"heads", CONFIG_WHOLE, AT(shape.heads), 1, 64},
    {"hidden", CONFIG_WHOLE, AT(shape.hidden), 1, 16384},
    {"context", CONFIG_WHOLE, AT(shape.context), 2, 4096},
    {"batch", CONFIG_WHOLE, AT(batch), 1, 4096},
    {"workers", CONFIG_WHOLE, AT(workers), 1, 64},
    {"steps", CONFIG_WHOLE, AT(steps), 1, INT_MAX},
    {"warmup_steps", CONFIG_WHOLE, AT(optimiser.warmup_steps), 0, INT_MAX},
    {"learning_rate", CONFIG_DECIMAL, AT(optimiser.learning_rate), 0, 10},
    {"min_learning_rate", CONFIG_DECIMAL, AT(optimiser.min_learning_rate), 0, 10},
    {"beta1", CONFIG_DECIMAL, AT(optimiser.beta1), 0, 0.9999},
    {"beta2", CONFIG_DECIMAL, AT(optimiser.beta2), 0, 0.999999},
    {"weight_decay", CONFIG_DECIMAL, AT(optimiser.weight_decay), 0, 10},
    {"gradient_clip", CONFIG_DECIMAL, AT(optimiser.gradient_clip), 0, 1e6},
    {"seed", CONFIG_SEED, AT(seed), 0, 0},
    {"log_every", CONFIG_WHOLE, AT(log_every), 1, INT_MAX},
    {"checkpoint_every", CONFIG_WHOLE, AT(checkpoint_every), 0, INT_MAX},
    {"eval_every", CONFIG_WHOLE, AT(eval_every), 0, INT_MAX},
    {"eval_batches", CONFIG_WHOLE, AT(eval_batches), 1, 1000},
    /* Only where the program finds its text itself: */
    {"corpus", CONFIG_TEXT, AT(corpus), 0, 0},
    {"held_out_percent", CONFIG_WHOLE, AT(held_out_percent), 1, 50},
};

enum { N_KEYS = sizeof KEYS / sizeof *KEYS, N_CORPUS_KEYS = 2 };

static bool keys_read(settings *out, const char *path, size_t n_keys, fault *error)
{
    *out = (settings){.shape.vocab = MODEL_BYTES};
    if (!config_read(path, KEYS, n_keys, out, error)) {
        return false;
    }
    if (out->batch % out->workers != 0) {
        return fault_set(error, FAULT_CONFIG, "config_value",
                         "%s: batch %d, expected a multiple of workers %d", path, out->batch,
                         out->workers);
    }
    out->optimiser.steps = out->steps;
    return true;
}

bool settings_read(settings *out, const char *path, fault *error)
{
    return keys_read(out, path, N_KEYS, error);
}

bool settings_read_learning(settings *out, const char *path, fault *error)
{
    return keys_read(out, path, N_KEYS - N_CORPUS_KEYS, error);
}
