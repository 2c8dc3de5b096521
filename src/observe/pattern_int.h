/* pattern_int.h - what the observer needs of patterns beyond m31r/pattern.h. */
#ifndef M31RI_PATTERN_INT_H
#define M31RI_PATTERN_INT_H

#include <stdbool.h>

#include "base/buf.h"
#include "m31r/pattern.h"

/* A number as programs print it: 1.5, +.5, 1e-3, 1,234.5, 12%, nan, -inf, Infinity. */
bool m31ri_printed_number_read(const char *text, size_t length, double *out);

/* When `line` holds a number after `name` (or the last word of it), appends a specification that
 * matches it, which has been tried on that line, and returns true. */
bool m31ri_pattern_propose(const char *name, const char *line, size_t length, m31ri_buf *out);

#endif
