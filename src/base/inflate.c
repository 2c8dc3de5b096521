/* inflate.c - reading zlib streams, by zlib.
 *
 * The output grows as it is needed and stops at the caller's limit, so that a small stream that
 * would unpack to gigabytes is refused after as many bytes as the caller is ready to hold.
 */
#include "base/inflate.h"

#include <limits.h>
#include <zlib.h>

#include "base/fail.h"

#define STEP_BYTES (64 * 1024)

/* Unpacks onto `out` until the stream ends. */
static m31r_err unpack(z_stream *z, size_t limit, m31ri_buf *out, m31r_error *e)
{
    size_t start = out->length;
    for (int state = Z_OK; state != Z_STREAM_END;) {
        if (!m31ri_buf_reserve(out, STEP_BYTES)) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
        }
        z->next_out = (Bytef *)out->data + out->length;
        z->avail_out = STEP_BYTES;
        state = inflate(z, Z_NO_FLUSH);
        out->length += STEP_BYTES - z->avail_out;
        out->data[out->length] = '\0';
        if (out->length - start > limit) {
            return m31ri_fail(e, M31R_E_LIMIT, "unpacks to more than %zu bytes", limit);
        }
        if (state != Z_OK && state != Z_STREAM_END) {
            return m31ri_fail(e, M31R_E_CORRUPT, "not a whole zlib stream: %s",
                              z->msg != NULL ? z->msg : "it ends early");
        }
    }
    return M31R_OK;
}

m31r_err m31ri_inflate(const uint8_t *bytes, size_t length, size_t limit, m31ri_buf *out,
                       m31r_error *e)
{
    z_stream z = {0};
    size_t start = out->length;
    if (length > UINT_MAX) {
        return m31ri_fail(e, M31R_E_LIMIT, "a stream of %zu bytes", length);
    }
    if (inflateInit(&z) != Z_OK) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)length;
    m31r_err err = unpack(&z, limit, out, e);
    inflateEnd(&z);
    if (err != M31R_OK) {
        out->length = start;
    }
    return err;
}
