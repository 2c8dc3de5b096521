/* ring_overlay.h - what dead programs of a run still have in their rings, for readers: a run is
 * read as `m31r recover` would leave it, and nothing is written.
 *
 * A ring whose program lives is no reader's business: its writer is a few milliseconds behind.
 */
#ifndef M31RI_RING_OVERLAY_H
#define M31RI_RING_OVERLAY_H

#include "read/bytes.h"

/* Puts what the rings of the run in `dir` hold for `file` behind its bytes, and takes half a batch
 * off them. Nothing is done when there is nothing, or when it cannot be read. Takes over and gives
 * back `*bytes`.
 *
 * Errors: M31R_E_NOMEM; `*bytes` is freed then.
 */
m31r_err m31ri_bytes_overlay(m31ri_bytes **bytes, int dir, const char *file, m31r_error *e);

#endif
