/* scan_all.h - all that a scan has left, at once. */
#ifndef M31RI_SCAN_ALL_H
#define M31RI_SCAN_ALL_H

#include "read/pieces.h"

/* Does the work on every record of the scan that passes. A plain file that nothing was read of goes
 * in pieces, by several threads; everything else record by record, and then `take` gets no judge
 * when the record's values were not looked for.
 *
 * Returns: M31R_EOF when all is done.
 * Errors:  those of `use`, M31R_E_IO, M31R_E_NOMEM.
 */
m31r_err m31ri_scan_all(m31r_scan *s, const m31ri_piece_work *work, m31r_error *e);

#endif
