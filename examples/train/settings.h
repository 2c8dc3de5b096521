/* What a config file says about a model and its training; see config_table.h for its form. */
#ifndef TRAIN_SETTINGS_H
#define TRAIN_SETTINGS_H

#include "adamw.h"
#include "config_table.h"
#include "model.h"

typedef struct {
    int config_version;
    char corpus[CONFIG_TEXT_BYTES]; /* a directory, or "auto" */
    int held_out_percent;
    model_shape shape; /* its `vocab` is MODEL_BYTES: whoever has a tokenizer sets another */
    int batch;         /* sequences a step */
    int workers;
    int steps;
    adamw_plan optimiser; /* its `steps` is the one above */
    uint64_t seed;
    int log_every; /* steps, as are the next two; 0: only at the end */
    int checkpoint_every;
    int eval_every;
    int eval_batches;
} settings;

/* Errors: FAULT_CONFIG, with path, line and what was expected. */
bool settings_read(settings *out, const char *path, fault *error);

/* The same without `corpus` and `held_out_percent`, for a program that is given its text. */
bool settings_read_learning(settings *out, const char *path, fault *error);

#endif
