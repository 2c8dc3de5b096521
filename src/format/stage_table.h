/* stage_table.h - what each stage logs, as tables: made from schemas/ by tools/gen_stages.
 *
 * Emitting reads them to write a typed call's record and points, `verify` to hold any run against
 * them, `diff` to know which fields are measured. stage_table.c is made; this file is not.
 */
#ifndef M31RI_STAGE_TABLE_H
#define M31RI_STAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/log.h"
#include "m31r/metric.h"

#define M31RI_STAGES 5
#define M31RI_STAGE_FIELDS 24 /* of one message, at most */
#define M31RI_STAGE_TERMS 4
#define M31RI_STAGE_METRIC_NAMES 6

typedef enum m31ri_field_type {
    M31RI_FIELD_INTEGER,
    M31RI_FIELD_REAL, /* an integer is one too; "NaN", "Infinity", "-Infinity" stand as strings */
    M31RI_FIELD_STRING
} m31ri_field_type;

enum {
    M31RI_FIELD_REQUIRED = 1, /* every record has it */
    M31RI_FIELD_IN_CALL = 2,  /* the caller of the typed call sets it */
    M31RI_FIELD_POINT = 4,
    M31RI_FIELD_MEASURED = 8
};

typedef struct m31ri_stage_field {
    const char *key, *unit;
    const char *filled_from; /* the field that the library needs to fill this one; "" */
    m31ri_field_type type;
    m31r_better better;
    uint32_t flags;
    double minimum, maximum; /* infinities: no limit */
} m31ri_stage_field;

/* left = term + term...; left <= term. A rule holds when a field of it is absent. */
typedef enum m31ri_rule_kind { M31RI_RULE_EQUAL, M31RI_RULE_AT_MOST } m31ri_rule_kind;

typedef enum m31ri_term_kind {
    M31RI_TERM_NONE,
    M31RI_TERM_FIELD, /* of the same record */
    M31RI_TERM_SUM,   /* of that field in all records of that message in the run */
    M31RI_TERM_COUNT  /* of the records of that message in the run */
} m31ri_term_kind;

typedef struct m31ri_stage_term {
    m31ri_term_kind kind;
    const char *message, *key;
} m31ri_stage_term;

typedef struct m31ri_stage_rule {
    const char *text;
    m31ri_rule_kind kind;
    const char *left;
    m31ri_stage_term right[M31RI_STAGE_TERMS];
} m31ri_stage_rule;

typedef struct m31ri_stage_message {
    const char *name, *module;
    m31r_level level;
    uint32_t call;   /* m31r_stage_call; 0: no typed call */
    int step;        /* place of the field that is its points' step; -1: none */
    bool is_awaited; /* a finished run has at least one */
    const m31ri_stage_field *fields;
    size_t n_fields;
    const m31ri_stage_rule *rules;
    size_t n_rules;
} m31ri_stage_message;

/* A mandatory metric: one of the names must have points. */
typedef struct m31ri_stage_metric {
    const char *what;
    const char *names[M31RI_STAGE_METRIC_NAMES];
} m31ri_stage_metric;

typedef struct m31ri_stage {
    const char *name, *shows; /* "train", "OBS-13" */
    int version;              /* of its schema */
    const m31ri_stage_message *messages;
    size_t n_messages;
    const m31ri_stage_metric *metrics;
    size_t n_metrics;
} m31ri_stage;

extern const m31ri_stage m31ri_stages[M31RI_STAGES];

/* Patterns of names that are measured wherever they stand, one star at an end; NULL ends them. */
extern const char *const m31ri_measured_names[];

/* The metrics of the specification's section 20, which metrics.json names apart. */
#define M31RI_MANDATORY_METRICS 6
extern const m31ri_stage_metric m31ri_mandatory_metrics[M31RI_MANDATORY_METRICS];

/* The stage of a name; NULL for one that has no schema. */
const m31ri_stage *m31ri_stage_find(const char *name);

/* The message of a name (not NUL-terminated) in a stage; NULL when the schema has none. */
const m31ri_stage_message *m31ri_stage_message_find(const m31ri_stage *stage, const char *name,
                                                    size_t length);

/* True when a message of any stage has a measured field of this name (not NUL-terminated). */
bool m31ri_stage_measures(const char *name, size_t length);

/* The stage of a typed call; NULL for a number that is none. */
const m31ri_stage *m31ri_stage_of_call(uint32_t call);

/* The message of a typed call; NULL for a number that is none. */
const m31ri_stage_message *m31ri_stage_message_of_call(uint32_t call);

#endif
