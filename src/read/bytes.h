/* bytes.h - where the bytes of a file of lines come from: a plain file or a stream; a compressed
 * segment or a row of rotated ones is another kind behind the same four functions.
 *
 * It knows nothing of lines. The caller gives the room, so that bytes are put where they are needed
 * and not copied again: a reader of lines keeps the torn end of the last block and has the next
 * block put behind it. Read by read(2) and pread(2), never mapped: a file that is cut while it is
 * read ends earlier, and nothing else happens.
 *
 * Invariants: `at` gives the same bytes as `next` does, by the offset in the plain (uncompressed)
 * bytes.
 *
 * A new kind: a struct with m31ri_bytes as its first member, a const m31ri_bytes_kind, and a case
 * in m31ri_bytes_open(), which looks at the file's name and first bytes.
 */
#ifndef M31RI_BYTES_H
#define M31RI_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/error.h"

typedef struct m31ri_bytes m31ri_bytes;

/* What a kind can do. Errors are M31R_E_IO and M31R_E_NOMEM; a kind that checks its bytes also has
 * M31R_E_CORRUPT: `n_lost_lines` cannot be read, and the next call goes on behind them. */
typedef struct m31ri_bytes_kind {
    /* The next bytes, 1 to `capacity` (> 0) of them into `*out_n`; 0 when there are none (now). */
    m31r_err (*next)(m31ri_bytes *b, char *to, size_t capacity, size_t *out_n, m31r_error *e);

    /* The bytes from `offset` on, as `next`; any number of threads at once. NULL when the bytes can
     * only be read in order. */
    m31r_err (*at)(const m31ri_bytes *b, uint64_t offset, char *to, size_t capacity, size_t *out_n,
                   m31r_error *e);

    /* True when there are more bytes than were read; `*out_is_anew` when the file became shorter,
     * and `next` starts again at its beginning. */
    bool (*has_grown)(m31ri_bytes *b, bool *out_is_anew);

    void (*free)(m31ri_bytes *b);
} m31ri_bytes_kind;

/* Where room begins matters: to an address that is no multiple of this, the kernel copies from its
 * cache six times slower (measured, x86-64). */
#define M31RI_READ_ALIGNMENT 64

/* How far into `room` `n` bytes must begin so that what is read behind them is well placed. */
static inline size_t m31ri_bytes_shift(const char *room, size_t n)
{
    return (0 - ((uintptr_t)room + n)) % M31RI_READ_ALIGNMENT;
}

struct m31ri_bytes {
    const m31ri_bytes_kind *kind;
    const char *name; /* for messages; must live as long */
    uint64_t size;    /* plain bytes there were at opening; 0 when not known */
    bool is_regular;  /* not a pipe or terminal */

    /* Of the file at opening, by a kind that has `at`. */
    uint64_t device, inode;
    int64_t changed_ns;

    /* Set by the caller after opening, NULL by default: `next` may leave out pieces of which an
     * index says that no record passes. */
    const struct m31r_filter *filter;
    uint64_t n_lines_left_out; /* before what the last `next` gave; the caller takes it back to 0 */
    int64_t ns_left_out;       /* the latest time in them */
    uint64_t n_lost_lines;     /* with M31R_E_CORRUPT; 1 when the number is not known */
};

/* Takes over `fd` when `owns_fd`, also on failure.
 *
 * Returns: M31R_OK and the bytes in `*out`, to be given back with out->kind->free().
 * Errors:  M31R_E_NOMEM; what the kinds have.
 */
m31r_err m31ri_bytes_open(m31ri_bytes **out, int fd, bool owns_fd, const char *name, m31r_error *e);

/* bytes_zstd.c: the kind for a compressed file, and whether it is one: by its name (.zst), or by
 * first bytes of which something can be made. */
bool m31ri_bytes_is_zstd(int fd, const char *name);
m31r_err m31ri_bytes_open_zstd(m31ri_bytes **out, int fd, bool owns_fd, const char *name,
                               m31r_error *e);

/* bytes_lane.c: a lane as one stream: its rotated segments in order, then the file `lane_file` in
 * `dir`, which stays the caller's. With `is_following` also what they become while they are read;
 * without it a lane that was never rotated is the kind of its file. `lane_file` is the name.
 * Errors: also M31R_E_NOTFOUND when there is no such file and no segment. */
m31r_err m31ri_bytes_open_lane(m31ri_bytes **out, int dir, const char *lane_file, bool is_following,
                               m31r_error *e);

#endif
