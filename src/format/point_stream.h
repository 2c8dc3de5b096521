/* point_stream.h - the lines of a points' file, one after another, read by what the lines before
 * have shown.
 *
 * Metrics come in turns, with one step and nearly one time; so the name that came behind the last
 * one is tried first, then the last step, the last minute, the last segment. A line that is not as
 * expected goes to m31ri_point_read(), and both say the same of every line. Not thread-safe.
 */
#ifndef M31RI_POINT_STREAM_H
#define M31RI_POINT_STREAM_H

#include "base/name_table.h"
#include "format/number.h"
#include "format/point.h"
#include "format/timestamp.h"

/* A name as it stands in lines. */
typedef struct m31ri_point_head {
    char text[M31RI_POINT_NAME_LIMIT + 8]; /* with the comma behind it */
    uint32_t length;                       /* 0: it has to be quoted, and is not tried */
    uint32_t next;                         /* the name that came behind it last time */
} m31ri_point_head;

/* Zeroed memory is a stream that has seen nothing. */
typedef struct m31ri_point_stream {
    m31ri_name_table names;
    m31ri_point_head *heads; /* by number of the name */
    size_t n_heads, capacity;
    uint32_t last; /* name of the last point */
    char step_text[M31RI_NUMBER_BYTES];
    size_t step_length; /* with the comma behind it; 0: none is known */
    int64_t step;
    m31ri_minute minute;
    char tail[24]; /* ",0\n": comma, segment and the line's end */
    size_t tail_length;
    uint32_t segment;
    m31ri_buf scratch;
} m31ri_point_stream;

/* How a line was read. */
typedef enum m31ri_point_found {
    M31RI_POINT_OK,
    M31RI_POINT_BAD, /* no point */
    M31RI_POINT_NOMEM
} m31ri_point_found;

#define M31RI_POINT_BEYOND 32

/* Reads the line that text[0, length) begins with when it is as expected: like the lines before,
 * and with its newline in the text. Returns its bytes with the newline; 0: nothing is said of it.
 * M31RI_POINT_BEYOND newlines stand behind the text. */
size_t m31ri_point_stream_walk(m31ri_point_stream *s, const char *text, size_t length,
                               m31ri_point *out);

/* Reads line[0, length) into `*out`, whose name lives as long as the line and the stream, until the
 * next call. */
m31ri_point_found m31ri_point_stream_read(m31ri_point_stream *s, const char *line, size_t length,
                                          m31ri_point *out);

/* Number of the name of the last point read. */
size_t m31ri_point_stream_name(const m31ri_point_stream *s);

void m31ri_point_stream_release(m31ri_point_stream *s);

#endif
