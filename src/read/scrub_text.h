/* scrub_text.h - words of a person that are written about a run: through the rules of that run. */
#ifndef M31RI_SCRUB_TEXT_H
#define M31RI_SCRUB_TEXT_H

#include "base/buf.h"
#include "m31r/reader.h"

/* Appends `text` to `out` as it may be written: the rules are those of the run that `r` has open.
 *
 * Errors: M31R_E_NOMEM. */
m31r_err m31ri_text_scrub(const m31r_reader *r, const char *text, m31ri_buf *out, m31r_error *e);

#endif
