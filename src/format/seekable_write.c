/* seekable_write.c - frames, their index and their table, by libzstd. */
#include <string.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/sha256.h"
#include "format/seekable.h"
#include "format/seekable_int.h"

struct m31ri_frame_writer {
    ZSTD_CCtx *context;
    m31ri_frame_list list;
    uint64_t offset; /* behind the last frame */
};

m31ri_frame_writer *m31ri_frame_writer_new(void)
{
    m31ri_frame_writer *w = m31ri_calloc(1, sizeof *w);
    ZSTD_CCtx *context = w != NULL ? ZSTD_createCCtx() : NULL;
    if (context == NULL) {
        m31ri_free(w);
        return NULL;
    }
    w->context = context;
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, M31RI_FRAME_LEVEL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    return w;
}

void m31ri_frame_writer_free(m31ri_frame_writer *w)
{
    if (w != NULL) {
        ZSTD_freeCCtx(w->context);
        m31ri_free(w->list.frames);
        m31ri_free(w);
    }
}

m31r_err m31ri_frame_list_add(m31ri_frame_list *l, m31ri_frame frame, m31r_error *e)
{
    if (l->n == l->capacity) {
        size_t capacity = l->capacity * 2 + 16;
        m31ri_frame *grown = m31ri_realloc(l->frames, capacity * sizeof *grown);
        if (grown == NULL) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for %zu frames", capacity);
        }
        l->frames = grown;
        l->capacity = capacity;
    }
    l->frames[l->n++] = frame;
    return M31R_OK;
}

m31r_err m31ri_frame_write(m31ri_frame_writer *w, const char *plain, size_t length, m31ri_buf *out,
                           m31r_error *e)
{
    if (length == 0 || length > M31RI_FRAME_MOST_BYTES) {
        return m31ri_fail(e, M31R_E_LIMIT, "a frame of %zu bytes", length);
    }
    if (!m31ri_buf_reserve(out, ZSTD_compressBound(length))) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a frame of %zu bytes", length);
    }
    size_t n = ZSTD_compress2(w->context, out->data + out->length, out->capacity - out->length,
                              plain, length);
    if (ZSTD_isError(n)) {
        return m31ri_fail(e, M31R_E_NOMEM, "zstd: %s", ZSTD_getErrorName(n));
    }
    m31ri_frame frame = {w->offset, (uint32_t)n, (uint32_t)length};
    out->length += n;
    w->offset += n;
    return m31ri_frame_list_add(&w->list, frame, e);
}

static void put_u32(m31ri_buf *out, uint32_t x)
{
    const char bytes[4] = {(char)x, (char)(x >> 8), (char)(x >> 16), (char)(x >> 24)};
    m31ri_buf_add(out, bytes, sizeof bytes);
}

m31r_err m31ri_frame_write_end(const m31ri_frame_writer *w, const m31ri_zones *zones,
                               m31ri_buf *out, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    uint8_t digest[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    m31ri_zones_write(zones, &text);
    m31ri_sha256_of(m31ri_buf_str(&text), text.length, digest);
    m31ri_sha256_hex(digest, hex);
    hex[M31RI_SHA256_HEX - 1] = '\n';
    put_u32(out, INDEX_MAGIC);
    put_u32(out, (uint32_t)(M31RI_SHA256_HEX + text.length));
    m31ri_buf_add(out, hex, M31RI_SHA256_HEX);
    m31ri_buf_add(out, m31ri_buf_str(&text), text.length);
    put_u32(out, TABLE_MAGIC);
    put_u32(out, (uint32_t)(w->list.n * ENTRY_BYTES + FOOTER_BYTES));
    for (size_t i = 0; i < w->list.n; i++) {
        put_u32(out, w->list.frames[i].bytes);
        put_u32(out, w->list.frames[i].plain_bytes);
    }
    put_u32(out, (uint32_t)w->list.n);
    m31ri_buf_add_char(out, 0); /* descriptor: no checksums in the table, the frames have theirs */
    put_u32(out, FOOTER_MAGIC);
    bool is_fine = m31ri_buf_ok(&text) && m31ri_buf_ok(out);
    m31ri_buf_release(&text);
    return is_fine ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory for a segment's index");
}
