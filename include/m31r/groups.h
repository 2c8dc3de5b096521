/* groups.h - records counted by the values of their fields, with the statistics of one of them.
 *
 * What a person wants to know of many records at once: how many of each module and level, how slow
 * each route is. Records are added one after another, or all of a scan; memory grows with the
 * number of groups, and by 8 bytes for each number whose quantiles are wanted, up to a limit. It is
 * no query engine: what to count is chosen by the scan's filter.
 *
 * Invariants: groups come largest first, then by their values as bytes, so the same records give
 * the same lines. Quantiles are exact while all groups together have at most
 * M31R_GROUPS_EXACT_VALUES finite values (8 bytes each), after that within 1 %.
 *
 *     m31r_groups_options options = M31R_GROUPS_OPTIONS_INIT;
 *     const char *const by[] = {"module", "level"};
 *     options.by = by;
 *     options.n_by = 2;
 *     m31r_groups_open(&groups, &options, &e);
 *     m31r_groups_add_scan(groups, scan, &e);
 *     m31r_show_groups(&screen, groups, &e);
 *     m31r_groups_close(groups);
 *
 * One thread at a time for each object; different objects are independent.
 */
#ifndef M31R_GROUPS_H
#define M31R_GROUPS_H

#include "m31r/scan.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_GROUPS_LIMIT 100000          /* groups; more are an error */
#define M31R_GROUPS_BY_LIMIT 8            /* fields to group by */
#define M31R_GROUPS_EXACT_VALUES 67108864 /* finite values of all groups, for exact quantiles */
#define M31R_GROUPS_VALUE_BYTES 256       /* of a value; longer ones are cut, "..." behind them */
#define M31R_GROUPS_SKETCH_ERROR 0.01     /* relative error of quantiles that are not exact */

typedef struct m31r_groups m31r_groups;

/* Start from M31R_GROUPS_OPTIONS_INIT. Strings must live as long as the groups. */
typedef struct m31r_groups_options {
    size_t size;           /* sizeof(m31r_groups_options) */
    const char *const *by; /* names of fields; NULL: all records are one group */
    size_t n_by;
    const char *field;     /* whose numbers are summed up; NULL: records are only counted */
    uint64_t exact_values; /* kept for exact quantiles; 0: M31R_GROUPS_EXACT_VALUES */
} m31r_groups_options;

#define M31R_GROUPS_OPTIONS_INIT                                                                   \
    {                                                                                              \
        .size = sizeof(m31r_groups_options)                                                        \
    }

/* One group. Statistics are of finite numbers; NaN when there is none. */
typedef struct m31r_group {
    const char *values[M31R_GROUPS_BY_LIMIT]; /* JSON text, in the order of `by`; "null": missing */
    size_t lengths[M31R_GROUPS_BY_LIMIT];     /* their bytes: they are not NUL-terminated */
    uint64_t n;                               /* records; with a field, those that have a number */
    uint64_t n_nonfinite;                     /* of these NaN or infinite */
    double min, max, mean, p50, p90, p99;
    bool quantiles_are_exact;
} m31r_group;

/* Starts counting.
 *
 * Returns: M31R_OK and the groups in `*out`.
 * Errors:  M31R_E_ARG (options), M31R_E_NOMEM.
 * Owns:    the caller closes it.
 * Thread:  any.
 */
M31R_API m31r_err m31r_groups_open(m31r_groups **out, const m31r_groups_options *options,
                                   m31r_error *e);

/* Counts one record. A number may stand as the string "NaN", "Infinity" or "-Infinity".
 *
 * Returns: M31R_OK, also for a record without the number that is asked for.
 * Errors:  M31R_E_LIMIT (more groups than the limit), M31R_E_NOMEM.
 * Owns:    nothing; what is needed of the record is copied.
 * Thread:  one at a time per groups.
 */
M31R_API m31r_err m31r_groups_add(m31r_groups *g, const m31r_record *record, m31r_error *e);

/* Counts all records that a scan has left. A large file is read by several threads; the result does
 * not depend on their number.
 *
 * Returns: M31R_EOF when all are counted (when following: all that there are now).
 * Errors:  M31R_E_LIMIT (more groups than the limit), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  one at a time per groups and per scan.
 */
M31R_API m31r_err m31r_groups_add_scan(m31r_groups *g, m31r_scan *scan, m31r_error *e);

/* What was asked for.
 *
 * Returns: the options, never NULL.
 * Owns:    the groups; valid until m31r_groups_close().
 * Thread:  any.
 */
M31R_API const m31r_groups_options *m31r_groups_asked(const m31r_groups *g);

/* Records that were added, and those of them that had no number in the field.
 *
 * Returns: the number.
 * Thread:  one at a time per groups.
 */
M31R_API uint64_t m31r_groups_records(const m31r_groups *g);
M31R_API uint64_t m31r_groups_without(const m31r_groups *g);

/* Number of groups.
 *
 * Returns: the number.
 * Thread:  one at a time per groups.
 */
M31R_API size_t m31r_groups_count(const m31r_groups *g);

/* The i-th group, the largest first.
 *
 * Returns: M31R_OK and the group in `*out`.
 * Errors:  M31R_E_NOTFOUND (no such), M31R_E_NOMEM.
 * Owns:    the groups; the pointers die at the next m31r_groups_add() or at m31r_groups_close().
 * Thread:  one at a time per groups.
 */
M31R_API m31r_err m31r_groups_get(m31r_groups *g, size_t i, m31r_group *out);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `g`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_groups_close(m31r_groups *g);

#ifdef __cplusplus
}
#endif
#endif
