/* trend_int.h - a trend from the inside: rows, groups of them, and what a gate says of a group. */
#ifndef M31RI_TREND_INT_H
#define M31RI_TREND_INT_H

#include "trend/history_rows.h"
#include "m31r/trend.h"

#define M31RI_ASIDE_LIMIT 16

typedef struct m31ri_trend_group {
    char *name;
    const json_t **rows; /* oldest first; the trend's history owns them */
    double *values;
    size_t n, capacity;
    m31r_changes *changes;
    size_t accepted_at; /* newest run whose level was accepted; SIZE_MAX: none */
    m31r_trend_group out;
    char reason[M31R_TREND_REASON_BYTES];
} m31ri_trend_group;

struct m31r_trend {
    m31ri_history history;
    m31ri_trend_group *groups;
    size_t groups_capacity;
    uint32_t
        *places; /* of groups by the hash of their name, twice the capacity: index + 1; 0 free */
    m31r_trend_aside asides[M31RI_ASIDE_LIMIT];
    char *metric;
    const char *statistic;
    m31r_trend_facts facts;
};

/* What the runs of a group agree in, "stage=train, host=a", into `out`. */
void m31ri_trend_make_key(const json_t *row, const char *const *by, size_t n_by, m31ri_buf *out);

/* Adds a run to the group of a key, which is made when there is none. */
m31r_err m31ri_trend_add(m31r_trend *t, const m31ri_buf *key, const json_t *row, double value,
                         m31r_error *e);

/* Turns the order of a group's runs round. */
void m31ri_trend_turn_round(m31ri_trend_group *g);

void m31ri_trend_release_groups(m31r_trend *t);

/* Judges a group whose changes are known. `baseline_at`: a run of it; SIZE_MAX: the best level
 * since the accepted one. */
void m31ri_gate_judge(const m31r_trend_facts *facts, m31ri_trend_group *g, size_t baseline_at);

/* Marks the newest run of each group that was accepted for the trend's metric. */
m31r_err m31ri_accepted_read(const char *root, m31r_trend *t, m31r_error *e);

/* Takes a known statistic off the end of "loss.min" and gives its name; NULL: there is none. */
const char *m31ri_split_statistic(char *metric);

/* The member `key` of a row as text; "" when there is none. */
const char *m31ri_row_text(const json_t *row, const char *key);

#endif
