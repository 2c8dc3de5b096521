/* segment.h - rotated files of records: their names, compressing one, and the cap of a directory.
 *
 * A segment is finished: nobody writes to it any more. Compressing takes a plain one's place by a
 * compressed one in such an order that at every instant at least one whole file is there; a reader
 * that meets both counts them once (format/segments.h). For a writer that rotates:
 *
 *     m31ri_segment_name_write("train.log", ordinal, now_ns, name);
 *     renameat(dir, "train.log", dir, name);      // then open a new train.log
 *     m31ri_segment_compress(dir, name, NULL, &e); // later, on another thread
 *
 * Ordinals go on from m31ri_segment_next_ordinal(), which looks at the directory.
 */
#ifndef M31RI_SEGMENT_H
#define M31RI_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "format/segments.h"
#include "m31r/error.h"

typedef struct m31ri_segment_report {
    uint64_t plain_bytes, bytes;
    uint64_t n_frames;
} m31ri_segment_report;

/* The ordinal of the lane's next segment: one more than the highest that is there; 1 when there is
 * none. Errors: M31R_E_IO, M31R_E_NOMEM. Thread: any. */
m31r_err m31ri_segment_next_ordinal(int dir, const char *lane_file, uint32_t *out, m31r_error *e);

/* Compresses the plain segment `file` of `dir` into `file`.zst: written beside it, synced, read
 * back and compared, renamed, and only then the plain one removed. What a killed compressor left is
 * finished or done again. `report` may be NULL.
 *
 * Returns: M31R_OK; also when it was compressed already.
 * Errors:  M31R_E_ARG (not a plain segment's name), M31R_E_NOTFOUND (neither file is there),
 *          M31R_E_BUSY (another process compresses it, or its writer still holds the lock, or it
 *          grew), M31R_E_IO, M31R_E_NOMEM, M31R_E_CORRUPT (what was written is not what is read
 *          back). The plain one then stays.
 * Thread:  any; one segment by one caller at a time. */
m31r_err m31ri_segment_compress(int dir, const char *file, m31ri_segment_report *report,
                                m31r_error *e);

/* What the cap did. */
typedef struct m31ri_cap_report {
    uint64_t n_deleted, bytes_deleted;
    uint64_t n_kept;      /* segments that would have gone, but hold ERROR or CRITICAL */
    uint64_t bytes_after; /* of all *.log and *.log.zst files of the directory */
} m31ri_cap_report;

/* Deletes the oldest rotated segments of all lanes of `dir`, by their time and then their name,
 * until its *.log and *.log.zst files have at most `limit_bytes`. Never deleted: a file that is
 * written to, a lane's newest segment (the next ordinal goes on from it), and a segment that holds
 * an ERROR or CRITICAL record or that cannot be read to its end. `report` is filled also on
 * failure.
 * Errors: M31R_E_IO, M31R_E_NOMEM. Thread: any. */
m31r_err m31ri_segments_cap(int dir, uint64_t limit_bytes, m31ri_cap_report *report, m31r_error *e);

/* A rotated segment of a directory of records. */
typedef struct m31ri_old_segment {
    const char *file;
    uint64_t bytes;
    int64_t wall_ns; /* when it was rotated */
    bool is_newest;  /* of its lane */
    bool is_compressed;
} m31ri_old_segment;

/* Hands the rotated segments of all lanes of `dir` to `each`, the newest first, until one fails.
 * Errors: M31R_E_IO, M31R_E_NOMEM, and what `each` returns. */
m31r_err m31ri_segments_each_newest_first(
    int dir, m31r_err (*each)(void *context, const m31ri_old_segment *s, m31r_error *e),
    void *context, m31r_error *e);

/* Why a segment is not to be deleted whatever its age: the newest of its lane, or one that holds an
 * ERROR or CRITICAL record or cannot be read to its end; NULL when it may go. */
const char *m31ri_segment_stays(int dir, const m31ri_old_segment *s);

/* Sizes of a directory of records that no run owns. */
typedef struct m31ri_logs_limits {
    uint64_t rotate_bytes; /* a file of so many is rotated */
    uint64_t cap_bytes;    /* the directory is kept below */
} m31ri_logs_limits;

/* Rotates `file` of `dir`, which any number of processes append to under its lock, when it has
 * reached its limit; then compresses the segments before that one and caps the directory. The
 * newest segment stays plain: a process that had opened the file may write its record there still.
 * A file that another process holds, or that ends inside a line, is left to the next call. `report`
 * is filled also on failure.
 * Errors: M31R_E_IO, M31R_E_NOMEM. Thread: any. */
m31r_err m31ri_logs_keep_small(int dir, const char *file, const m31ri_logs_limits *limits,
                               m31ri_cap_report *report, m31r_error *e);

#endif
