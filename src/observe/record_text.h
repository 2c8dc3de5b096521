/* record_text.h - a record as a line for a terminal: key=value, nothing in it that a terminal could
 * act on. */
#ifndef M31RI_RECORD_TEXT_H
#define M31RI_RECORD_TEXT_H

#include <stddef.h>

#include "base/buf.h"

/* Appends `ts=... level=INFO module=trainer msg=step_complete step=10 loss=1.5` and CR LF. A line
 * that is no record is shown escaped. */
void m31ri_record_text(m31ri_buf *out, const char *line, size_t length);

#endif
