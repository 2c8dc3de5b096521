/* A config file as a table: which keys there are, what each may hold and where it goes.
 *
 * Read is the flat part of YAML: `key: value` lines, comments, quoted strings. Every key of the
 * table must be there and no other, so that the file alone tells how a run was made. A section (a
 * key without a value, followed by indented lines) is allowed for `observability:` only and
 * skipped: it is the library's.
 *
 *     static const config_key KEYS[] = {{"steps", CONFIG_WHOLE, offsetof(plan, steps), 1, 1000}};
 *     config_read("train.yaml", KEYS, 1, &plan, &error);
 */
#ifndef TRAIN_CONFIG_TABLE_H
#define TRAIN_CONFIG_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"

enum { CONFIG_TEXT_BYTES = 1024, CONFIG_MAX_LINES = 1000, CONFIG_MAX_KEYS = 64 };

/* What a value is: int, double, uint64_t, char[CONFIG_TEXT_BYTES]. */
typedef enum { CONFIG_WHOLE, CONFIG_DECIMAL, CONFIG_SEED, CONFIG_TEXT } config_kind;

typedef struct {
    const char *name;
    config_kind kind;
    size_t offset; /* in the struct that is filled */
    double min;    /* of a number */
    double max;
} config_key;

/* Fills `out`; `n_keys` is at most CONFIG_MAX_KEYS.
 * Errors: FAULT_CONFIG, with path, line and what was expected. */
bool config_read(const char *path, const config_key *keys, size_t n_keys, void *out, fault *error);

/* Reads a whole number from 0 to 2^64 - 1 and nothing after it. */
bool config_parse_seed(const char *text, uint64_t *out);

/* Reads a whole number in [min, max] and nothing after it. */
bool config_parse_int(const char *text, int min, int max, int *out);

#endif
