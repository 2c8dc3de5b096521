/* metric_pattern.h - points taken out of plain text by regular expressions (PCRE2).
 *
 * `loss=loss:? ([0-9.eE+-]+)`: the metric's name, then the pattern. The value is group `value`,
 * else the first group that is not `step`; a group `step` gives the step for every metric of the
 * same line. A pattern with a step group only gives nothing but that. Matching is bounded: a line
 * that takes too long counts as not matched, and the pattern says so once.
 */
#ifndef M31RI_METRIC_PATTERN_H
#define M31RI_METRIC_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "m31r/error.h"

#define M31RI_PATTERN_COUNT 64

typedef struct m31ri_patterns m31ri_patterns;

typedef struct m31ri_match {
    size_t pattern; /* index in the set */
    const char *name;
    double value;
} m31ri_match;

/* Counters of one pattern. Plain data, so that it can lie in shared memory. */
typedef struct m31ri_pattern_count {
    uint64_t n_matched, n_not_number, n_limit;
} m31ri_pattern_count;

/* Compiles `n` specifications. M31R_E_CONFIG with column and a caret in the hint for the first bad
 * one; M31R_E_LIMIT beyond M31RI_PATTERN_COUNT. */
m31r_err m31ri_patterns_new(const char *const *specs, size_t n, m31ri_patterns **out,
                            m31r_error *e);
void m31ri_patterns_free(m31ri_patterns *p);
size_t m31ri_patterns_count(const m31ri_patterns *p);
const char *m31ri_patterns_name(const m31ri_patterns *p, size_t i);
const char *m31ri_patterns_text(const m31ri_patterns *p, size_t i);

/* Points of one line into `out` (at least M31RI_PATTERN_COUNT); `*out_step` is M31R_NO_STEP
 * (INT64_MIN) when no group gave one. `counts` has an entry for each pattern. Returns how many
 * there are. */
size_t m31ri_patterns_match(m31ri_patterns *p, const char *line, size_t length,
                            m31ri_pattern_count *counts, m31ri_match *out, int64_t *out_step);

/* A number as programs print it: 1.5, +.5, 1e-3, 1,234.5, 12%, nan, -inf, Infinity. */
bool m31ri_printed_number_read(const char *text, size_t length, double *out);

/* When `line` holds a number after `name` (or the last word of it), appends a specification that
 * matches it, which has been tried on that line, and returns true. */
bool m31ri_pattern_propose(const char *name, const char *line, size_t length, m31ri_buf *out);

#endif
