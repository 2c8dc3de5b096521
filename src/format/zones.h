/* zones.h - what is in the pieces of a segment, so that a reader can pass over a piece unread.
 *
 * A zone sums up the lines of one piece: times, steps, levels, modules. It may be used to leave a
 * piece out only when `is_whole`: every line is a record with its four fields, so that nothing has
 * to be counted or reported of them but their number. The text form stands in FORMAT.md section 12.
 */
#ifndef M31RI_ZONES_H
#define M31RI_ZONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "m31r/error.h"

#define M31RI_ZONE_MODULES 64 /* different modules a segment's index can name */

typedef struct m31ri_zone {
    uint64_t plain_bytes, n_lines;
    bool is_whole;
    int64_t min_ns, max_ns;     /* min > max: there is none */
    int64_t min_step, max_step; /* likewise */
    uint32_t levels;            /* bit level/10: DEBUG is 1 << 1 */
    uint64_t modules;           /* bit i: modules[i] */
} m31ri_zone;

typedef struct m31ri_zones {
    m31ri_zone *zones;
    size_t n, capacity;
    char *modules[M31RI_ZONE_MODULES]; /* as they stand in the line, without their quotes */
    size_t n_modules;
    bool has_more_modules; /* then the bits of modules say nothing */
    uint64_t plain_bytes;
    char plain_sha256[M31RI_SHA256_HEX]; /* of all plain bytes */
} m31ri_zones;

/* Adds the zone of a piece, which is read line by line. Errors: M31R_E_NOMEM. */
m31r_err m31ri_zones_add(m31ri_zones *z, const char *bytes, size_t length, m31r_error *e);
void m31ri_zones_release(m31ri_zones *z);

/* The text form: one JSON object. */
void m31ri_zones_write(const m31ri_zones *z, m31ri_buf *out);

/* Errors: M31R_E_CORRUPT (not that form), M31R_E_NOMEM. Owns: m31ri_zones_release(). */
m31r_err m31ri_zones_read(const char *text, size_t length, m31ri_zones *out, m31r_error *e);

#endif
