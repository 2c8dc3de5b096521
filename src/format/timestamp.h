/* timestamp.h - the one form of time in every file: "2026-11-23T10:26:51.123456Z", UTC, fixed
 * width. */
#ifndef M31RI_TIMESTAMP_H
#define M31RI_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define M31RI_TIMESTAMP_BYTES 27 /* without NUL */

/* Writes the 27 bytes of `wall_ns` (since 1970, truncated to microseconds) and a NUL. A time before
 * 1970 is written as its start; 64 bits of nanoseconds end in the year 2262. No locale, no time
 * zone, no libc calendar. */
void m31ri_timestamp_write(int64_t wall_ns, char out[M31RI_TIMESTAMP_BYTES + 1]);

/* "20261123T102651Z", 16 bytes and NUL: the form in run ids and file names. */
void m31ri_timestamp_write_compact(int64_t wall_ns, char out[17]);

/* Reads ours and any RFC 3339 time with an offset and 0 to 9 fraction digits ('T', 't' or space
 * between). False for anything else, and for a time that 64 bits of nanoseconds do not hold (before
 * 1677, after 2262). */
bool m31ri_timestamp_read(const char *text, size_t length, int64_t *out_wall_ns);

/* The minute of the last timestamp. Zeroed memory is none. */
typedef struct m31ri_minute {
    char text[17]; /* "2026-11-23T10:26:" */
    bool is_known;
    int64_t wall_ns;
} m31ri_minute;

/* The same; those of one minute, one after the other, cost little. */
bool m31ri_timestamp_read_near(m31ri_minute *minute, const char *text, size_t length,
                               int64_t *out_wall_ns);

#endif
