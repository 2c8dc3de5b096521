/* sidecar.h - what is known of a large file of records, kept in the user's cache, so that the next
 * question reads only the pieces in which an answer can stand.
 *
 * For each piece (pieces.h): how many lines of each class it has, the highest level, and the least
 * and the greatest step and time; and where the lines of rare levels begin. It is derived from the
 * file, made by the first reader who asks for something that it can answer, and taken further when
 * the file has grown. It is never needed: it is distrusted when device, inode, size, time of change
 * or the bytes at both ends of what it covers are not those of the file, and made again. A line
 * that it leads to is judged like any other.
 *
 * Not thread-safe while it is made; read by any number of threads.
 */
#ifndef M31RI_SIDECAR_H
#define M31RI_SIDECAR_H

#include "m31r/scan.h"
#include "read/bytes.h"

#define M31RI_SIDECAR_BYTES (64 * 1024 * 1024) /* smaller files have none */

/* What every record that passes a filter must be; without a limit the whole range. */
typedef struct m31ri_bounds {
    m31r_level min_level; /* 0: any */
    bool has_steps, has_times;
    bool is_of_expr; /* an expression compares also what is no integer, or no time of ours */
    int64_t first_step, last_step, first_ns, last_ns; /* inclusive */
} m31ri_bounds;

typedef struct m31ri_zone {
    uint32_t lines[M31R_LINE_CLASSES], n_lines;
    uint32_t first_bad_line, first_bad_class;
    uint32_t first_posting, n_postings;
    uint32_t max_level;
    uint32_t has_odd_step, has_odd_time; /* some may be there that are not in the ranges */
    int64_t first_step, last_step, first_ns, last_ns; /* first > last: none */
} m31ri_zone;

/* A line of a rare level. */
typedef struct m31ri_posting {
    uint32_t at : 24; /* from the piece's first byte */
    uint32_t level : 8;
    uint32_t line; /* number in the piece, from 1 */
} m31ri_posting;

typedef struct m31ri_sidecar {
    m31ri_zone *zones;
    size_t n_zones; /* pieces 0 to n_zones - 1 */
    m31ri_posting *postings;
    size_t n_postings;
    m31r_level posted_level; /* every line of that level and above is posted; 0: none is */
} m31ri_sidecar;

typedef enum m31ri_where { M31RI_NOWHERE, M31RI_IN_POSTINGS, M31RI_ANYWHERE } m31ri_where;

/* True when a sidecar could spare reading for such a filter. */
bool m31ri_bounds_of(const m31r_filter *filter, m31ri_bounds *out);

/* That of a file, read from the cache, made or taken further as needed; NULL when there is none and
 * none can be made. To be given back with m31ri_sidecar_free(). */
m31ri_sidecar *m31ri_sidecar_open(const m31ri_bytes *bytes);
void m31ri_sidecar_free(m31ri_sidecar *s);

/* Where in a piece records within the bounds can stand. */
m31ri_where m31ri_sidecar_where(const m31ri_sidecar *s, uint64_t piece, const m31ri_bounds *bounds);

#endif
