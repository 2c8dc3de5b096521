/* inflate.h - reading zlib streams, which is what git objects are. Small ones: there is no
 * streaming. */
#ifndef M31RI_INFLATE_H
#define M31RI_INFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "m31r/error.h"

/* Appends what the stream at the start of `bytes` holds; bytes after its end are ignored. The
 * Adler-32 is checked.
 * Errors: M31R_E_CORRUPT, M31R_E_LIMIT (more than `limit` bytes), M31R_E_NOMEM. Thread: any. */
m31r_err m31ri_inflate(const uint8_t *bytes, size_t length, size_t limit, m31ri_buf *out,
                       m31r_error *e);

#endif
