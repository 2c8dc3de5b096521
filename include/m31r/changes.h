/* changes.h - where a short noisy series changed its level, by how much and how surely.
 *
 * A series is one value for each run, oldest first. It is cut into regimes by an exact search that
 * bursts of up to four values which are over and single outliers do not mislead, or it is found to
 * follow a line (a trend). There is nothing to tune but the preset, and no random number: the same
 * values give the same answer. It is not made for the points inside one run, which are many and
 * alike.
 *
 * Invariants: values that are not finite are skipped, counted, and keep their index. Changes stand
 * in ascending order. With less than M31R_CHANGES_LEAST finite values there is no verdict. Of a
 * longer series only the newest M31R_CHANGES_VALUES finite values are looked at.
 *
 *     m31r_changes_find(&changes, values, n, M31R_PRESET_PERF, &e);
 *     const m31r_changes_facts *facts = m31r_changes_summary(changes);
 *     for (size_t i = 0; i < facts->n_changes; i++) {
 *         m31r_change change;
 *         m31r_changes_get(changes, i, &change);
 *     }
 *     m31r_changes_free(changes);
 */
#ifndef M31R_CHANGES_H
#define M31R_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_CHANGES_LEAST 10    /* finite values without which there is no verdict */
#define M31R_CHANGES_RECENT 5    /* values: as few as a level has at least */
#define M31R_CHANGES_VALUES 2000 /* finite values that are looked at: the newest */

typedef struct m31r_changes m31r_changes;

/* What kind of series it is. */
typedef enum m31r_preset {
    M31R_PRESET_GENERIC = 0, /* any: at most 15 changes, those that a person would mark */
    M31R_PRESET_PERF = 1     /* a measurement around a level: at most 40, of 0.5 % and more */
} m31r_preset;

/* One change. Levels are medians, the ratio is that of means without outliers; NaN where a level of
 * 0 gives none. */
typedef struct m31r_change {
    size_t at;                /* index of the first value of the new regime */
    size_t n_before, n_after; /* finite values of the regimes on both sides */
    double before, after;
    double ratio, ratio_low, ratio_high; /* after / before, and its 95 % interval */
    double p; /* Welch's test with as many values as their correlation leaves */
} m31r_change;

/* What was found in all. Levels are in the unit of the series; NaN when there is no verdict. */
typedef struct m31r_changes_facts {
    size_t n;                 /* values given */
    size_t n_nan, n_infinite; /* skipped */
    size_t n_older;           /* finite ones beyond the limit: not looked at */
    bool has_verdict;
    bool is_trend; /* regimes are lines, not levels */
    size_t n_changes;
    size_t regime_at, n_regime;   /* the newest regime: its first index, its finite values */
    double level, noise;          /* its median; 1.4826 x its median distance from it */
    double slope;                 /* trend: of the newest regime, for each value */
    double line_first, line_last; /* trend: the line at the newest regime's ends */
    double p_slope;               /* trend: that the slope is none */
    size_t n_suspects;            /* newest finite values, at most 4, that seem to be a new level */
    double suspect_level;         /* their median */
} m31r_changes_facts;

/* Reads a series from a file, "-" for standard input: one value a line, oldest first. An empty
 * line, nan, na, null (in any case) is a missing value, inf and infinity with or without a sign an
 * infinity; both keep their index.
 *
 * Returns: M31R_OK, the values in `*out` and their number in `*out_n`.
 * Errors:  M31R_E_ARG (a line is no number; `line` says which), M31R_E_LIMIT (over 1 GiB),
 *          M31R_E_NOTFOUND (no such file), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller frees `*out` with m31r_values_free().
 * Thread:  any.
 */
M31R_API m31r_err m31r_values_read(double **out, size_t *out_n, const char *path, m31r_error *e);

/* Frees values. NULL is fine.
 *
 * Owns:   frees `values`.
 * Thread: any.
 */
M31R_API void m31r_values_free(double *values);

/* Looks for changes in the `n` `values` (NULL when n is 0).
 *
 * Returns: M31R_OK and what was found in `*out`.
 * Errors:  M31R_E_NOMEM.
 * Owns:    the caller frees it; `values` are not kept.
 * Thread:  any.
 */
M31R_API m31r_err m31r_changes_find(m31r_changes **out, const double *values, size_t n,
                                    m31r_preset preset, m31r_error *e);

/* What was found in all.
 *
 * Returns: the facts, never NULL.
 * Owns:    the changes.
 * Thread:  any.
 */
M31R_API const m31r_changes_facts *m31r_changes_summary(const m31r_changes *c);

/* The i-th change, the oldest first.
 *
 * Returns: M31R_OK and the change in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_changes_get(const m31r_changes *c, size_t i, m31r_change *out);

/* The newest level against an older one, as if they stood side by side; levels are counted from 0,
 * so that the i-th change leads from the i-th to the next. For a trend the ratio is that of the
 * newest line's end to the older one's start. `before` that is the newest: its newest
 * M31R_CHANGES_RECENT values against its others, which may not be enough to say anything.
 *
 * Returns: M31R_OK and the comparison in `*out`; `at` is where its second part starts.
 * Errors:  M31R_E_NOTFOUND (no such level, no verdict, or too few values in the newest).
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_changes_compare(const m31r_changes *c, size_t before, m31r_change *out);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `c`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_changes_free(m31r_changes *c);

#ifdef __cplusplus
}
#endif
#endif
