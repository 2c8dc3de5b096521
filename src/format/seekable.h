/* seekable.h - a compressed segment: zstd frames that can be read one by one, and their index.
 *
 *     frame frame ... frame  index frame  seek table frame
 *
 * Each frame is a zstd frame of its own, of about 1 MiB of plain bytes, ended behind a newline,
 * with its size and checksum; the last two are skippable frames, so that `zstd -dc` gives the plain
 * bytes. The seek table is that of zstd's seekable format. FORMAT.md section 12 has every byte.
 */
#ifndef M31RI_SEEKABLE_H
#define M31RI_SEEKABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "format/zones.h"
#include "m31r/error.h"

#define M31RI_FRAME_BYTES (1024 * 1024)           /* plain bytes after which a frame ends */
#define M31RI_FRAME_MOST_BYTES (64 * 1024 * 1024) /* larger frames are not read one by one */
#define M31RI_FRAME_LEVEL 3                       /* zstd's own default */

typedef struct m31ri_frame {
    uint64_t offset; /* in the file */
    uint32_t bytes, plain_bytes;
} m31ri_frame;

typedef struct m31ri_frame_list {
    m31ri_frame *frames;
    size_t n, capacity;
} m31ri_frame_list;

typedef struct m31ri_frame_writer m31ri_frame_writer;

/* Makes frames one after another. NULL when memory is out. */
m31ri_frame_writer *m31ri_frame_writer_new(void);
void m31ri_frame_writer_free(m31ri_frame_writer *w);

/* Appends the next frame to `out` (not empty: `length` is 1 to M31RI_FRAME_MOST_BYTES).
 * Errors: M31R_E_NOMEM, M31R_E_LIMIT. */
m31r_err m31ri_frame_write(m31ri_frame_writer *w, const char *plain, size_t length, m31ri_buf *out,
                           m31r_error *e);

/* Appends the index frame and the seek table. `zones`: one for each frame, digest set. */
m31r_err m31ri_frame_write_end(const m31ri_frame_writer *w, const m31ri_zones *zones,
                               m31ri_buf *out, m31r_error *e);

/* A compressed file opened for reading at any frame. */
typedef struct m31ri_seekable {
    int fd; /* the caller's */
    m31ri_frame_list list;
    m31ri_zones zones;
    bool has_zones; /* as many as frames, and their checksum holds */
    struct ZSTD_DCtx_s *context;
    m31ri_buf packed;
} m31ri_seekable;

/* Reads the seek table and the index; `fd` must stay open and its position is not used.
 * Errors: M31R_E_CORRUPT (no table, or one that does not fit the file: the file may still be read
 *         from its start), M31R_E_IO, M31R_E_NOMEM.
 * Owns:   m31ri_seekable_release(). */
m31r_err m31ri_seekable_init(m31ri_seekable *s, int fd, m31r_error *e);
void m31ri_seekable_release(m31ri_seekable *s);

/* Plain bytes of frame `i` in place of what `out` held.
 * Errors: M31R_E_CORRUPT (checksum, size), M31R_E_IO, M31R_E_NOMEM. */
m31r_err m31ri_seekable_read(m31ri_seekable *s, size_t i, m31ri_buf *out, m31r_error *e);

/* Hands on the plain bytes of the file `fd`, frame by frame, until `take` returns false, which is
 * taken for memory that is out.
 * Errors: as of m31ri_seekable_init() and m31ri_seekable_read(). */
m31r_err m31ri_seekable_walk(int fd, bool (*take)(void *context, const char *plain, size_t length),
                             void *context, m31r_error *e);

#endif
