/* diff_int.h - a difference while it is made: identity, lanes, points, and how numbers part. */
#ifndef M31RI_DIFF_INT_H
#define M31RI_DIFF_INT_H

#include "analyse/kept.h"
#include "analyse/trace.h"
#include "m31r/diff.h"
#include "m31r/scan.h"
#include "read/reader_int.h"

/* How one number parts, while it is being read. */
typedef struct m31ri_parting {
    m31r_divergence said;
    m31ri_trace trace;
    double course[M31R_TRACE_LIMIT];
    bool is_metric; /* from the points: a field of the same name is not counted again */
} m31ri_parting;

struct m31r_diff {
    const m31r_reader *a, *b;
    bool is_overlap; /* one continues the other: only these steps are compared */
    int64_t first_step, last_step;
    m31r_diff_options options;
    m31ri_kept kept;
    m31r_diff_fact *facts;
    size_t n_facts;
    m31r_diff_part *parts;
    int64_t *elapsed_ns; /* of the first difference of each part, since its run's start */
    size_t n_parts;
    m31ri_parting **partings;
    size_t n_partings, last_parting;
    const char *why; /* the first reason why equality is not proved */
};

/* Two values as they stand in the file. */
typedef struct m31ri_value_pair {
    const char *a, *b;
    size_t a_length, b_length;
} m31ri_value_pair;

/* diff_value.c: the same number within the tolerance? Both must be JSON numbers or one of the three
 * that are not finite. `*out_a`, `*out_b` get them; false in `*out_are_numbers` when one is none.
 */
bool m31ri_diff_same_number(const m31r_diff *d, const m31ri_value_pair *pair, double out[2],
                            bool *out_are_numbers);

/* diff_value.c: the same text but for each run's own id? */
bool m31ri_diff_same_text(const m31r_diff *d, const m31ri_value_pair *pair);

/* diff_value.c: takes note of a number that both have. False when memory is out. */
bool m31ri_diff_note(m31r_diff *d, const char *const name[2], const double values[2], int64_t step,
                     bool is_metric);

/* diff_part.c: is a record or point of this step compared? `has_step` false: it has none. */
bool m31ri_diff_takes(const m31r_diff *d, bool has_step, int64_t step);

/* diff_part.c: adds an empty part; NULL when memory is out. It dies at the next call. */
m31r_diff_part *m31ri_diff_add_part(m31r_diff *d, const char *name);

/* diff_identity.c, diff_points.c, diff_lanes.c: the facts that differ; the others add parts. */
m31r_err m31ri_diff_identity(m31r_diff *d, m31r_error *e);
m31r_err m31ri_diff_points(m31r_diff *d, m31r_error *e);
m31r_err m31ri_diff_lanes(m31r_diff *d, m31r_error *e);

#endif
