/* groups_int.h - groups from the inside: groups.c keeps them, groups_scan.c fills them. */
#ifndef M31RI_GROUPS_INT_H
#define M31RI_GROUPS_INT_H

#include "base/buf.h"
#include "m31r/groups.h"
#include "stat/sketch.h"

#define M31RI_GROUP_QUANTILES 3

/* A value of a record; `text` NULL: it has none. */
typedef struct m31ri_group_value {
    const char *text; /* strings without quotes, still escaped */
    size_t length;
    char type; /* as in m31r_field */
    bool is_escaped;
} m31ri_group_value;

typedef struct m31ri_group {
    char *name; /* JSON texts of the values, with commas between */
    uint64_t hash, n, n_nonfinite;
    double min, max;
    long double sum;
    double *values; /* finite ones, in any order */
    size_t n_values, room;
    double quantiles[M31RI_GROUP_QUANTILES]; /* p99 p90 p50; set when they are asked for */
    m31ri_sketch sketch;                     /* instead of values, see has_sketches */
} m31ri_group;

struct m31r_groups {
    m31r_groups_options options;
    uint64_t n_records, n_without;
    m31ri_group *groups; /* in order of first appearance */
    size_t n_groups;
    uint32_t *table; /* by hash: index + 1, or 0; a power of two */
    size_t table_size;
    uint64_t n_values, exact_limit;
    bool has_sketches;
    m31ri_buf key, scratch;
    m31ri_group **order; /* NULL until asked for, and again after an addition */
};

uint64_t m31ri_groups_hash(const char *bytes, size_t length);

/* The group of n_by values, made when it is new. */
m31r_err m31ri_groups_find(m31r_groups *g, const m31ri_group_value *values, m31ri_group **out,
                           m31r_error *e);

/* False when memory is out. */
bool m31ri_groups_add_number(m31r_groups *g, m31ri_group *group, double x);

#endif
