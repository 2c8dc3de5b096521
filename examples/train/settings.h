/* What a config file says. Every key must be there, so that the file alone tells how a run was
 * made.
 *
 * Read is the flat part of YAML: `key: value` lines, comments, quoted strings. A section (a key
 * without a value, followed by indented lines) is allowed for `observability:` only and skipped: it
 * is the library's.
 */
#ifndef TRAIN_SETTINGS_H
#define TRAIN_SETTINGS_H

#include "adamw.h"
#include "model.h"

enum { SETTINGS_TEXT_BYTES = 1024, SETTINGS_MAX_LINES = 1000 };

typedef struct {
    int config_version;
    char corpus[SETTINGS_TEXT_BYTES]; /* a directory, or "auto" */
    int held_out_percent;
    model_shape shape;
    int batch; /* sequences a step */
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

/* Reads a whole number from 0 to 2^64 - 1 and nothing after it. */
bool settings_parse_seed(const char *text, uint64_t *out);

/* Reads a whole number in [min, max] and nothing after it. */
bool settings_parse_int(const char *text, int min, int max, int *out);

#endif
