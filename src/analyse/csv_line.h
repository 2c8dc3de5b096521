/* csv_line.h - fields of records as cells of RFC 4180. */
#ifndef M31RI_CSV_LINE_H
#define M31RI_CSV_LINE_H

#include "base/buf.h"
#include "m31r/scan.h"

/* Appends a cell: a string without its escapes, anything else as it stands, `field` NULL and null
 * empty. Quotes are doubled and a cell that needs them is quoted; the empty string is "", so that
 * it is told from what is missing. What a terminal could act on (controls but tab and line ends,
 * C1, bidi overrides) stays escaped as in JSON, and a backslash before such an escape is not
 * doubled. */
void m31ri_csv_add(m31ri_buf *out, const m31r_field *field);

/* Appends a cell of plain text. */
void m31ri_csv_add_text(m31ri_buf *out, const char *text, size_t length);

/* Appends a number, or an empty cell for NaN. */
void m31ri_csv_add_number(m31ri_buf *out, double x);

#endif
