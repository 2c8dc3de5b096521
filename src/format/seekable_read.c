/* seekable_read.c - the table of a compressed segment, its index, and one frame at a time.
 *
 * Nothing in the file is believed: sizes are held against the file's own, a frame against its
 * checksum, the index against its digest. Without a table that fits there is an error, and the
 * caller may still read the file from its start.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/sha256.h"
#include "format/seekable_int.h"

static m31r_err read_at(int fd, uint64_t offset, size_t length, m31ri_buf *out, m31r_error *e)
{
    m31ri_buf_clear(out);
    if (!m31ri_buf_reserve(out, length)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for %zu bytes", length);
    }
    while (out->length < length) {
        ssize_t n =
            pread(fd, out->data + out->length, length - out->length, (off_t)(offset + out->length));
        if (n == 0) {
            return m31ri_fail(e, M31R_E_CORRUPT, "the file became shorter while it was read");
        }
        if (n < 0 && errno != EINTR) {
            return m31ri_fail_sys(e, errno, NULL, "reading");
        }
        out->length += n > 0 ? (size_t)n : 0;
    }
    return M31R_OK;
}

static uint32_t u32_at(const m31ri_buf *b, size_t at)
{
    const unsigned char *p = (const unsigned char *)b->data + at;
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static m31r_err not_seekable(m31r_error *e, const char *why)
{
    return m31ri_fail(e, M31R_E_CORRUPT, "no seek table: %s", why);
}

/* Enters the frames of the table that ends the file; `*out_at` is where the table begins. */
static m31r_err read_table(m31ri_seekable *s, uint64_t file_bytes, uint64_t *out_at, m31r_error *e)
{
    if (file_bytes < SKIPPABLE_BYTES + FOOTER_BYTES) {
        return not_seekable(e, "the file is too short");
    }
    m31r_err err = read_at(s->fd, file_bytes - FOOTER_BYTES, FOOTER_BYTES, &s->packed, e);
    if (err != M31R_OK) {
        return err;
    }
    uint32_t n = u32_at(&s->packed, 0);
    unsigned descriptor = (unsigned char)s->packed.data[4];
    if (u32_at(&s->packed, 5) != FOOTER_MAGIC || (descriptor & 0x7c) != 0) {
        return not_seekable(e, "the file does not end in one");
    }
    uint32_t entry_bytes = ENTRY_BYTES + ((descriptor & CHECKSUM_FLAG) != 0 ? 4 : 0);
    uint64_t bytes = SKIPPABLE_BYTES + (uint64_t)n * entry_bytes + FOOTER_BYTES;
    if (bytes > file_bytes) {
        return not_seekable(e, "its number of frames does not fit the file");
    }
    err = read_at(s->fd, file_bytes - bytes, (size_t)bytes, &s->packed, e);
    if (err != M31R_OK) {
        return err;
    }
    if (u32_at(&s->packed, 0) != TABLE_MAGIC || u32_at(&s->packed, 4) != bytes - SKIPPABLE_BYTES) {
        return not_seekable(e, "its header does not fit its size");
    }
    uint64_t offset = 0;
    for (uint32_t i = 0; i < n && err == M31R_OK; i++) {
        size_t at = SKIPPABLE_BYTES + (size_t)i * entry_bytes;
        m31ri_frame frame = {offset, u32_at(&s->packed, at), u32_at(&s->packed, at + 4)};
        offset += frame.bytes;
        if (offset > file_bytes - bytes || frame.plain_bytes > M31RI_FRAME_MOST_BYTES) {
            return not_seekable(e, "a frame of it does not fit the file");
        }
        err = m31ri_frame_list_add(&s->list, frame, e);
    }
    *out_at = file_bytes - bytes;
    return err;
}

static bool fits_frames(const m31ri_seekable *s, const m31ri_zones *z)
{
    uint64_t plain_bytes = 0;
    bool fits = z->n == s->list.n;
    for (size_t i = 0; i < s->list.n && fits; i++) {
        fits = z->zones[i].plain_bytes == s->list.frames[i].plain_bytes;
        plain_bytes += s->list.frames[i].plain_bytes;
    }
    return fits && plain_bytes == z->plain_bytes;
}

/* The index between the last frame and the table. One that does not hold is not used. */
static m31r_err read_index(m31ri_seekable *s, uint64_t table_at, m31r_error *e)
{
    const m31ri_frame *last = s->list.n > 0 ? &s->list.frames[s->list.n - 1] : NULL;
    uint64_t at = last != NULL ? last->offset + last->bytes : 0;
    uint64_t bytes = table_at - at;
    uint8_t digest[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    if (bytes < SKIPPABLE_BYTES + M31RI_SHA256_HEX || bytes > M31RI_FRAME_MOST_BYTES) {
        return M31R_OK;
    }
    m31r_err err = read_at(s->fd, at, (size_t)bytes, &s->packed, e);
    if (err != M31R_OK || u32_at(&s->packed, 0) != INDEX_MAGIC ||
        u32_at(&s->packed, 4) != bytes - SKIPPABLE_BYTES) {
        return err;
    }
    const char *text = s->packed.data + SKIPPABLE_BYTES + M31RI_SHA256_HEX;
    size_t length = (size_t)bytes - SKIPPABLE_BYTES - M31RI_SHA256_HEX;
    m31ri_sha256_of(text, length, digest);
    m31ri_sha256_hex(digest, hex);
    if (memcmp(hex, s->packed.data + SKIPPABLE_BYTES, M31RI_SHA256_HEX - 1) != 0) {
        return M31R_OK;
    }
    err = m31ri_zones_read(text, length, &s->zones, NULL);
    s->has_zones = err == M31R_OK && fits_frames(s, &s->zones);
    return M31R_OK;
}

m31r_err m31ri_seekable_init(m31ri_seekable *s, int fd, m31r_error *e)
{
    struct stat st;
    uint64_t table_at = 0;
    memset(s, 0, sizeof *s);
    s->fd = fd;
    if (fstat(fd, &st) != 0) {
        return m31ri_fail_sys(e, errno, NULL, "asking for the size");
    }
    m31r_err err = S_ISREG(st.st_mode) ? read_table(s, (uint64_t)st.st_size, &table_at, e)
                                       : not_seekable(e, "not a regular file");
    if (err == M31R_OK) {
        err = read_index(s, table_at, e);
    }
    if (err == M31R_OK && (s->context = ZSTD_createDCtx()) == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for zstd");
    }
    if (err != M31R_OK) {
        m31ri_seekable_release(s);
    }
    return err;
}

void m31ri_seekable_release(m31ri_seekable *s)
{
    ZSTD_freeDCtx(s->context);
    m31ri_zones_release(&s->zones);
    m31ri_buf_release(&s->packed);
    m31ri_free(s->list.frames);
    memset(s, 0, sizeof *s);
}

m31r_err m31ri_seekable_read(m31ri_seekable *s, size_t i, m31ri_buf *out, m31r_error *e)
{
    const m31ri_frame *frame = &s->list.frames[i];
    m31r_err err = read_at(s->fd, frame->offset, frame->bytes, &s->packed, e);
    m31ri_buf_clear(out);
    if (err != M31R_OK) {
        return err;
    }
    if (!m31ri_buf_reserve(out, (size_t)frame->plain_bytes + 1)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a frame of %u bytes",
                          (unsigned)frame->plain_bytes);
    }
    size_t n = ZSTD_decompressDCtx(s->context, out->data, frame->plain_bytes, s->packed.data,
                                   frame->bytes);
    if (ZSTD_isError(n) || n != frame->plain_bytes) {
        m31ri_fail(e, M31R_E_CORRUPT, "frame %zu at byte %llu: %s", i,
                   (unsigned long long)frame->offset,
                   ZSTD_isError(n) ? ZSTD_getErrorName(n) : "not as long as the table says");
        if (e != NULL) {
            e->offset = frame->offset;
        }
        return M31R_E_CORRUPT;
    }
    out->length = n;
    out->data[n] = '\0';
    return M31R_OK;
}

m31r_err m31ri_seekable_walk(int fd, bool (*take)(void *context, const char *plain, size_t length),
                             void *context, m31r_error *e)
{
    m31ri_seekable s;
    m31ri_buf plain = M31RI_BUF_INIT;
    m31r_err err = m31ri_seekable_init(&s, fd, e);
    for (size_t i = 0; err == M31R_OK && i < s.list.n; i++) {
        err = m31ri_seekable_read(&s, i, &plain, e);
        if (err == M31R_OK && !take(context, m31ri_buf_str(&plain), plain.length)) {
            err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for the plain bytes of a segment");
        }
    }
    m31ri_seekable_release(&s);
    m31ri_buf_release(&plain);
    return err;
}
