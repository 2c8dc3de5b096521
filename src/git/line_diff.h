/* line_diff.h - two texts as hunks of a unified diff. */
#ifndef M31RI_LINE_DIFF_H
#define M31RI_LINE_DIFF_H

#include "base/buf.h"
#include "m31r/error.h"

#define M31RI_LINE_DIFF_BYTES (1024u * 1024 * 1024) /* of one text: more is refused */

/* Appends what makes `after` of `before`, with three lines of context; nothing when they are equal.
 * The result is right for any two texts; where they share little it may be longer than it had to
 * be.
 * Errors: M31R_E_LIMIT, M31R_E_NOMEM (`out` holds a part then). Thread: any. */
m31r_err m31ri_line_diff(const m31ri_buf *before, const m31ri_buf *after, m31ri_buf *out,
                         m31r_error *e);

#endif
