/* pattern.h - points taken out of plain text by regular expressions (PCRE2).
 *
 * A specification is NAME=REGEX, such as `loss=loss:? ([0-9.eE+-]+)`. The value is group `value`,
 * else the first group that is not `step`; a group `step` gives the step to every metric of the
 * same line, and a pattern with that group only gives nothing else. Numbers are read as programs
 * print them: 1.5, +.5, 1e-3, 1,234.5, 12%, nan, -inf.
 *
 * Invariants: bytes are matched, not characters; each match costs a bounded time, and a line that
 * would take longer counts as given up.
 *
 *     const char *spec = "loss=loss:? ([0-9.eE+-]+)";
 *     m31r_patterns_new(&spec, 1, &patterns, &e);
 *     m31r_pattern_point points[M31R_PATTERN_LIMIT];
 *     m31r_pattern_count counts[M31R_PATTERN_LIMIT] = {0};
 *     size_t n = m31r_patterns_match(patterns, line, strlen(line), counts, points);
 *     m31r_patterns_free(patterns);
 */
#ifndef M31R_PATTERN_H
#define M31R_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_PATTERN_LIMIT 64 /* patterns of a set */

typedef struct m31r_patterns m31r_patterns;

/* One value found in a line. */
typedef struct m31r_pattern_point {
    size_t pattern;   /* index in the set */
    const char *name; /* of the metric; lives as long as the set */
    double value;
    int64_t step; /* of the whole line; M31R_NO_STEP (INT64_MIN) when no group gave one */
} m31r_pattern_point;

/* What became of the lines that one pattern was tried on. Plain data: it may lie in shared memory.
 */
typedef struct m31r_pattern_count {
    uint64_t n_matched;    /* gave a value, or the step it is for */
    uint64_t n_not_number; /* matched, but the group was no number */
    uint64_t n_limit;      /* took too long and was given up */
} m31r_pattern_count;

/* Compiles `n` specifications into a set; 0 makes an empty one.
 *
 * Returns: M31R_OK and the set in `*out`.
 * Errors:  M31R_E_CONFIG for the first bad one, `e->column` and a caret in the hint say where;
 *          M31R_E_LIMIT beyond M31R_PATTERN_LIMIT; M31R_E_NOMEM.
 * Owns:    the caller frees it; the specifications are copied.
 * Thread:  any.
 */
M31R_API m31r_err m31r_patterns_new(const char *const *specs, size_t n, m31r_patterns **out,
                                    m31r_error *e);

/* Frees a set. NULL is fine.
 *
 * Owns:   frees `p`, and the names of its points.
 * Thread: excludes every other call on the same set.
 */
M31R_API void m31r_patterns_free(m31r_patterns *p);

/* Number of patterns; 0 for NULL.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API size_t m31r_patterns_count(const m31r_patterns *p);

/* Name of the metric of pattern `i`, which is less than m31r_patterns_count().
 *
 * Returns: the name.
 * Owns:    the set.
 * Thread:  any.
 */
M31R_API const char *m31r_patterns_name(const m31r_patterns *p, size_t i);

/* The expression of pattern `i`, which is less than m31r_patterns_count().
 *
 * Returns: the text behind NAME=.
 * Owns:    the set.
 * Thread:  any.
 */
M31R_API const char *m31r_patterns_text(const m31r_patterns *p, size_t i);

/* Finds the points of one line: at most one a pattern, in the order of the set.
 *
 * `counts` has an entry for each pattern and is added to; `out` has room for M31R_PATTERN_LIMIT.
 * A NULL set finds nothing.
 *
 * Returns: how many points are in `out`.
 * Owns:    nothing.
 * Thread:  one at a time per set.
 */
M31R_API size_t m31r_patterns_match(m31r_patterns *p, const char *line, size_t length,
                                    m31r_pattern_count *counts, m31r_pattern_point *out);

#ifdef __cplusplus
}
#endif
#endif
