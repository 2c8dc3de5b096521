/* chain_int.h - a chain of attempts from the inside, and what the stream of points asks of it. */
#ifndef M31RI_CHAIN_INT_H
#define M31RI_CHAIN_INT_H

#include "analyse/kept.h"
#include "base/buf.h"
#include "m31r/chain.h"

/* The steps that an attempt has of one metric. */
typedef struct m31ri_chain_steps {
    char *name;
    int64_t first, last;
} m31ri_chain_steps;

typedef struct m31ri_chain_attempt {
    m31r_attempt said;
    m31r_reader *opened;  /* by the chain; NULL for the newest, whose reader is the caller's */
    m31r_overlap overlap; /* with the attempt before it */
    const char *changed;  /* against the attempt before it; "" when nothing */
    m31ri_chain_steps *metrics;
    size_t n_metrics;
} m31ri_chain_attempt;

struct m31r_chain {
    m31ri_chain_attempt *attempts; /* the oldest first */
    size_t n;
    char problem[160];
    m31ri_kept kept;
};

/* chain_steps.c: NULL after the newest. */
const m31r_reader *m31ri_chain_reader(const m31r_chain *c, size_t attempt);
bool m31ri_chain_is_superseded(const m31r_chain *c, size_t attempt, const m31r_point_view *p);

/* chain_steps.c: NULL when the attempt has no point of that metric with a step. */
const m31ri_chain_steps *m31ri_chain_steps_of(const m31ri_chain_attempt *a, const char *name,
                                              size_t length);

/* points.c: the points of attempts `first` to `last`, without the superseded ones. */
m31r_err m31ri_points_open_attempts(m31r_points **out, const m31r_chain *chain, size_t first,
                                    size_t last, m31r_error *e);

/* chain_changed.c: fills what was changed between attempt `i` and the one before it. */
m31r_err m31ri_chain_find_changes(m31r_chain *c, size_t i, m31r_error *e);

/* chain_overlap.c: fills the overlap of attempt `i` with the one before it. */
m31r_err m31ri_chain_compare(m31r_chain *c, size_t i, m31r_error *e);

#endif
