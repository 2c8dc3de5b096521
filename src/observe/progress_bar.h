/* progress_bar.h - a record of m31r_progress() as a bar for a terminal. */
#ifndef M31RI_PROGRESS_BAR_H
#define M31RI_PROGRESS_BAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends `[#####.....]  50%  500/1,000  12 s left`, at most `columns` - 1 wide and without a
 * newline; without a total how much is done and for how long. False, and nothing appended, when the
 * line is no record of module `progress` with message `progress`. */
bool m31ri_progress_bar(m31ri_buf *out, const char *line, size_t length, int columns);

#endif
