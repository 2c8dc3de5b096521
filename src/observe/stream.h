/* stream.h - what the program prints on one descriptor, read so that the reader may be killed at
 * any moment.
 *
 * Bytes go from the pipe into a ring in shared memory and stay there until their records are
 * written and that is committed. An heir finds which bytes were read, which were recorded, and in
 * the middle of which line the work was:
 *
 *       recorded            read, not recorded     room
 *     ------------|--------------------------------|-------
 *              cursor                             tail
 */
#ifndef M31RI_STREAM_H
#define M31RI_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/line_split.h"

#define M31RI_STREAM_RING_BYTES                                                                    \
    (512 * 1024) /* room for a whole line of the longest kind and much more */
#define M31RI_STREAM_CANARY_BYTES 16

/* What is done, as of one moment. The counters grow between commits: they are what an heir does not
 * do again. */
typedef struct m31ri_stream_commit {
    uint64_t cursor;
    m31ri_split_state split;
    uint64_t lane_bytes; /* size of the lane's file: whole records after it were made from bytes
                            after `cursor`, and an heir does not make them again */
    uint32_t n_points;   /* points made from bytes after `cursor` */
} m31ri_stream_commit;

/* The shared part, zeroed to start. */
typedef struct m31ri_stream_shared {
    uint64_t tail;
    uint32_t pending;  /* bytes that a read in progress will bring, 0: none */
    uint32_t current;  /* which of the two commits holds */
    uint64_t printed;  /* bytes passed on to our own descriptor as they are */
    uint32_t is_ended; /* end of file was seen, or reading was given up */
    m31ri_stream_commit commits[2];
    uint64_t n_lines, n_json,
        n_bars_overwritten; /* counters for the record, exact but for a kill */
} m31ri_stream_shared;

typedef struct m31ri_stream {
    m31ri_stream_shared *shared;
    char *ring;       /* twice mapped */
    int fd;           /* non-blocking; -1: the program's output is not ours */
    bool is_terminal; /* master of a pseudo-terminal: what waits in it is not told exactly */
} m31ri_stream;

/* Reads what is there, at most the ring's room. True when there are new bytes, or the end. */
bool m31ri_stream_read(m31ri_stream *s);

/* The bytes after the cursor, contiguous. */
const char *m31ri_stream_bytes(const m31ri_stream *s, size_t *length);

/* True when there is room for at least one further byte. */
bool m31ri_stream_has_room(const m31ri_stream *s);

/* The commit that holds; its counters are for the caller to count up. */
m31ri_stream_commit *m31ri_stream_now(const m31ri_stream *s);

/* Makes `used` bytes after the cursor done, with the splitter's state there. */
void m31ri_stream_commit_bytes(m31ri_stream *s, size_t used, const m31ri_split_state *split,
                               uint64_t lane_bytes);

/* The heir's first call: settles a read that was in progress when the reader died. */
void m31ri_stream_recover(m31ri_stream *s);

/* Bytes that wait in the pipe, without reading. */
size_t m31ri_stream_waiting(const m31ri_stream *s);

#endif
