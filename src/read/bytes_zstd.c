/* bytes_zstd.c - the plain bytes of a compressed file.
 *
 * One of ours has a seek table: frames are read one by one, those of which the index says that no
 * record passes are left out, and a damaged one costs its own lines only. Any other zstd file, or
 * one of ours that was cut off, is read as a stream from its start to where it ends or breaks.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/seekable.h"
#include "m31r/scan.h"
#include "read/bytes.h"

#define INPUT_BYTES (128 * 1024)

typedef struct zstd_bytes {
    m31ri_bytes base;
    int fd;
    bool owns_fd;
    bool is_seekable;
    m31ri_seekable table; /* when seekable */
    size_t frame;         /* the next one */
    m31ri_buf plain;      /* of the last frame */
    size_t given;         /* bytes of it that were given out */
    ZSTD_DStream *stream; /* when not */
    char *input;
    ZSTD_inBuffer in;
    bool is_in_frame, is_over;
} zstd_bytes;

/* Bytes that begin as zstd data are it only when something can be made of them: a line of a log may
 * begin so too. */
static bool can_be_unpacked(const char *bytes, size_t length)
{
    char plain[256];
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer in = {bytes, length, 0};
    ZSTD_outBuffer out = {plain, sizeof plain, 0};
    size_t left = 1;
    while (stream != NULL && in.pos < in.size && out.pos == 0 && left != 0 && !ZSTD_isError(left)) {
        left = ZSTD_decompressStream(stream, &out, &in);
    }
    ZSTD_freeDStream(stream);
    return out.pos > 0 || left == 0;
}

bool m31ri_bytes_is_zstd(int fd, const char *name)
{
    size_t length = strlen(name);
    if (length > 4 && strcmp(name + length - 4, ".zst") == 0) {
        return true;
    }
    unsigned char b[4];
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at < 0 || pread(fd, b, sizeof b, at) != sizeof b) {
        return false;
    }
    bool is_frame = b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd;
    bool is_skippable = (b[0] & 0xf0) == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18;
    char *bytes = is_frame || is_skippable ? m31ri_alloc(INPUT_BYTES) : NULL;
    ssize_t n = bytes != NULL ? pread(fd, bytes, INPUT_BYTES, at) : 0;
    bool is_zstd = n > 0 && can_be_unpacked(bytes, (size_t)n);
    m31ri_free(bytes);
    return is_zstd;
}

/* True when nothing in the zone passes the filter, and nothing in it has to be counted or told. */
static bool is_left_out(const m31r_filter *f, const m31ri_zones *z, const m31ri_zone *zone)
{
    if (f == NULL || !zone->is_whole) {
        return false;
    }
    uint32_t below = f->min_level > 0 ? (1u << ((unsigned)f->min_level + 9) / 10) - 1 : 0;
    if ((zone->levels & ~below) == 0) {
        return true;
    }
    if (f->has_steps && (zone->max_step < f->first_step || zone->min_step > f->last_step)) {
        return true;
    }
    if ((f->since_ns != 0 && zone->max_ns < f->since_ns) ||
        (f->until_ns != 0 && zone->min_ns >= f->until_ns)) {
        return true;
    }
    uint64_t module = 0;
    for (size_t i = 0; f->module != NULL && i < z->n_modules; i++) {
        module |= strcmp(z->modules[i], f->module) == 0 ? UINT64_C(1) << i : 0;
    }
    return f->module != NULL && !z->has_more_modules && (zone->modules & module) == 0;
}

/* Passes over frames that are left out; true when there is one to read. */
static bool find_frame(zstd_bytes *b)
{
    for (; b->frame < b->table.list.n; b->frame++) {
        const m31ri_zone *zone = b->table.has_zones ? &b->table.zones.zones[b->frame] : NULL;
        if (zone == NULL || !is_left_out(b->base.filter, &b->table.zones, zone)) {
            return true;
        }
        b->base.n_lines_left_out += zone->n_lines;
        b->base.ns_left_out =
            zone->max_ns > b->base.ns_left_out ? zone->max_ns : b->base.ns_left_out;
    }
    return false;
}

static m31r_err fail_corrupt(zstd_bytes *b, uint64_t n_lines, m31r_error *e, const char *why)
{
    b->base.n_lost_lines = n_lines > 0 ? n_lines : 1;
    return m31ri_fail(e, M31R_E_CORRUPT, "%s: %s", b->base.name, why);
}

static m31r_err next_of_frames(m31ri_bytes *base, char *to, size_t capacity, size_t *out_n,
                               m31r_error *e)
{
    zstd_bytes *b = (zstd_bytes *)base;
    while (b->given == b->plain.length) {
        m31r_error cause;
        b->given = 0;
        m31ri_buf_clear(&b->plain);
        if (!find_frame(b)) {
            *out_n = 0;
            return M31R_OK;
        }
        size_t i = b->frame++;
        m31r_err err = m31ri_seekable_read(&b->table, i, &b->plain, &cause);
        if (err == M31R_E_CORRUPT) {
            uint64_t n_lines = b->table.has_zones ? b->table.zones.zones[i].n_lines : 0;
            return fail_corrupt(b, n_lines, e, cause.message);
        }
        if (err != M31R_OK) {
            return m31ri_fail(e, err, "%s: %s", b->base.name, cause.message);
        }
    }
    size_t n = b->plain.length - b->given < capacity ? b->plain.length - b->given : capacity;
    memcpy(to, b->plain.data + b->given, n);
    b->given += n;
    *out_n = n;
    return M31R_OK;
}

/* More packed bytes when all were used; `in.size` stays 0 at the end of the file. */
static m31r_err fill_input(zstd_bytes *b, m31r_error *e)
{
    if (b->in.pos < b->in.size) {
        return M31R_OK;
    }
    ssize_t n;
    do {
        n = read(b->fd, b->input, INPUT_BYTES);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return m31ri_fail_sys(e, errno, b->base.name, "cannot read %s", b->base.name);
    }
    b->in = (ZSTD_inBuffer){b->input, (size_t)n, 0};
    return M31R_OK;
}

static m31r_err next_of_stream(m31ri_bytes *base, char *to, size_t capacity, size_t *out_n,
                               m31r_error *e)
{
    zstd_bytes *b = (zstd_bytes *)base;
    ZSTD_outBuffer out = {to, capacity, 0};
    while (out.pos == 0 && !b->is_over) {
        m31r_err err = fill_input(b, e);
        if (err != M31R_OK) {
            return err;
        }
        bool has_input = b->in.size > 0;
        size_t left =
            has_input || b->is_in_frame ? ZSTD_decompressStream(b->stream, &out, &b->in) : 0;
        if (ZSTD_isError(left)) {
            b->is_over = true;
            return fail_corrupt(b, 0, e, ZSTD_getErrorName(left));
        }
        b->is_in_frame = left != 0;
        if (!has_input && out.pos == 0) {
            b->is_over = true;
            if (b->is_in_frame) {
                return fail_corrupt(b, 0, e, "the file ends inside a compressed frame");
            }
        }
    }
    *out_n = out.pos;
    return M31R_OK;
}

/* What is compressed does not grow. */
static bool has_grown(m31ri_bytes *b, bool *out_is_anew)
{
    (void)b;
    *out_is_anew = false;
    return false;
}

static void release(m31ri_bytes *base)
{
    zstd_bytes *b = (zstd_bytes *)base;
    m31ri_seekable_release(&b->table);
    ZSTD_freeDStream(b->stream);
    m31ri_buf_release(&b->plain);
    m31ri_free(b->input);
    if (b->owns_fd) {
        close(b->fd);
    }
    m31ri_free(b);
}

static const m31ri_bytes_kind of_frames = {next_of_frames, NULL, has_grown, release};
static const m31ri_bytes_kind of_stream = {next_of_stream, NULL, has_grown, release};

static m31r_err open_stream(zstd_bytes *b, m31r_error *e)
{
    b->base.kind = &of_stream;
    b->stream = ZSTD_createDStream();
    b->input = m31ri_alloc(INPUT_BYTES);
    if (b->stream == NULL || b->input == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for reading %s", b->base.name);
    }
    return M31R_OK;
}

m31r_err m31ri_bytes_open_zstd(m31ri_bytes **out, int fd, bool owns_fd, const char *name,
                               m31r_error *e)
{
    struct stat st;
    zstd_bytes *b = m31ri_calloc(1, sizeof *b);
    if (b == NULL) {
        if (owns_fd) {
            close(fd);
        }
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for reading %s", name);
    }
    b->fd = fd;
    b->owns_fd = owns_fd;
    b->base.name = name;
    b->base.kind = &of_frames;
    b->base.is_regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    b->base.ns_left_out = INT64_MIN;
    m31r_err err = m31ri_seekable_init(&b->table, fd, e);
    b->is_seekable = err == M31R_OK;
    for (size_t i = 0; i < b->table.list.n; i++) {
        b->base.size += b->table.list.frames[i].plain_bytes;
    }
    if (err == M31R_E_CORRUPT) {
        err = open_stream(b, e);
    }
    if (err != M31R_OK) {
        release(&b->base);
        return err;
    }
    *out = &b->base;
    return M31R_OK;
}
