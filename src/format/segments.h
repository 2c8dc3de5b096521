/* segments.h - a lane as its files: what was rotated away, oldest first, then the file that is
 * written to.
 *
 *     train.log                                     the lane's file, still written to
 *     train.000001.20261123T102651Z.log.zst         its first segment, compressed
 *     train.000002.20261123T114210Z.log             its second one, not yet compressed
 *
 * The ordinal orders the segments of a lane and is never used again, also when older ones were
 * deleted; the time is that of the rotation. No lane can have such a name: lanes have no capitals.
 */
#ifndef M31RI_SEGMENTS_H
#define M31RI_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/os_dir.h"
#include "m31r/error.h"

#define M31RI_SEGMENT_NAME_BYTES 192
#define M31RI_SEGMENT_UTC_BYTES 16 /* "20261123T102651Z" */

/* A segment's name, taken apart. */
typedef struct m31ri_segment_name {
    size_t lane_length; /* of the lane's file without ".log": "train.loader.rank0003" */
    uint32_t ordinal;   /* from 1 */
    const char *utc;    /* into the name */
    bool is_compressed;
} m31ri_segment_name;

/* Name of the plain segment `ordinal` of the lane whose file is `lane_file` ("train.log"), rotated
 * at `wall_ns`. */
void m31ri_segment_name_write(const char *lane_file, uint32_t ordinal, int64_t wall_ns,
                              char out[M31RI_SEGMENT_NAME_BYTES]);

/* False when it is no segment's name. */
bool m31ri_segment_name_read(const char *name, m31ri_segment_name *out);

/* One rotated segment. With both files there, the compressor was interrupted between making one and
 * removing the other: they hold the same bytes, and count once. */
typedef struct m31ri_segment {
    char *file; /* name of the plain file, there or not; with ".zst" behind it the compressed one */
    uint32_t ordinal;
    bool has_plain, has_compressed;
} m31ri_segment;

typedef struct m31ri_segment_list {
    m31ri_segment *segments; /* by ordinal */
    size_t n;
} m31ri_segment_list;

/* The rotated segments of one lane (not its file that is written to) among the names of a
 * directory.
 * Errors: M31R_E_NOMEM. Owns: m31ri_segment_list_release(). Thread: any. */
m31r_err m31ri_segment_list_of(const m31ri_dir_list *names, const char *lane_file,
                               m31ri_segment_list *out, m31r_error *e);

/* The same, with the directory read now. Errors: also M31R_E_IO. */
m31r_err m31ri_segment_list_read(int dir, const char *lane_file, m31ri_segment_list *out,
                                 m31r_error *e);
void m31ri_segment_list_release(m31ri_segment_list *l);

#endif
