/* line_split.h - bytes as a program prints them, cut into lines.
 *
 * A line ends at LF or CR LF. A CR that something else follows ends one state of a progress bar: of
 * those at most one a second is kept, the others are counted. A line whose record would be too long
 * comes in numbered parts, cut at white space when there is some, never inside a character. Nothing
 * is copied: lines point into the bytes given.
 *
 *     while (m31ri_split_next(&state, bytes + done, n - done, now_ns, false, &line)) {
 *         done += line.used;
 *     }
 */
#ifndef M31RI_LINE_SPLIT_H
#define M31RI_LINE_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define M31RI_SPLIT_PART_BYTES                                                                     \
    60000 /* of JSON text: below the 64 KiB of a record, with room for its other fields */
#define M31RI_SPLIT_BAR_NS 1000000000

/* Plain data, so that it can lie in shared memory and be copied. Zeroed to start. */
typedef struct m31ri_split_state {
    uint32_t n_parts;       /* parts given of the line that is still going on */
    uint32_t had_bar;       /* a state of a bar was seen in this line */
    uint64_t n_overwritten; /* states not kept since the last one that was */
    int64_t last_bar_ns;    /* when one was kept; 0: never */
} m31ri_split_state;

typedef struct m31ri_line {
    const char *text;
    size_t length;
    size_t used;            /* bytes taken from the input, the line's end included */
    uint32_t part, n_parts; /* 0 when whole; n_parts only on the last part */
    bool is_bar;            /* a state of a progress bar, or the line that one became */
    uint64_t n_overwritten; /* states before it that were not kept */
    bool is_unterminated;   /* the output ended without a newline */
} m31ri_line;

/* The next line of `bytes`, or false when there is no whole one: then the same bytes come again
 * with more after them, or `at_end`.
 * `*used` gets the bytes that are done with, also when it returns false (states of a bar that are
 * not kept). */
bool m31ri_split_next(m31ri_split_state *s, const char *bytes, size_t length, int64_t now_ns,
                      bool at_end, m31ri_line *out);

#endif
