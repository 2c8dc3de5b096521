/* point.h - a metric point as bytes: one line of metrics.csv, `name,step,value,ts,segment`.
 *
 * The name is quoted as in RFC 4180 when it holds a comma, quote or line break (control characters
 * are refused before); `step` is empty for none; `value` is shortest-round-trip, NaN, Infinity or
 * -Infinity; `ts` as in records; `segment` counts from 0. Lines end in one LF.
 */
#ifndef M31RI_POINT_H
#define M31RI_POINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define M31RI_POINT_HEADER "name,step,value,ts,segment\n"
#define M31RI_POINT_NAME_LIMIT 128

typedef struct m31ri_point {
    const char *name;
    size_t name_length;
    int64_t step; /* M31R_NO_STEP (INT64_MIN) for none */
    double value;
    bool is_float; /* write with the digits of a 32-bit float */
    int64_t wall_ns;
    uint32_t segment;
} m31ri_point;

/* True for 1 to 128 bytes of valid UTF-8 without control characters. */
bool m31ri_point_name_is_valid(const char *name, size_t length);

void m31ri_point_write(m31ri_buf *out, const m31ri_point *p);

/* Reads one line without its newline. `scratch` takes a name that had to be unquoted. False when it
 * is not a point. */
bool m31ri_point_read(const char *line, size_t length, m31ri_point *out, m31ri_buf *scratch);

#endif
