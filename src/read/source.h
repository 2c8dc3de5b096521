/* source.h - one file or stream of lines, read in bounded memory. */
#ifndef M31RI_SOURCE_H
#define M31RI_SOURCE_H

#include "base/buf.h"
#include "m31r/scan.h"
#include "read/bytes.h"

/* Invariant: buffer[start, end) are bytes read and not yet given out; of these `searched` hold no
 * newline. */
typedef struct m31ri_source {
    m31ri_bytes *bytes;
    bool at_end;       /* the last read gave nothing */
    bool is_skipping;  /* inside a line that is longer than the limit */
    bool has_record;   /* `record` waits to be given out */
    char *file, *lane; /* names for the record */
    char *buffer;
    size_t start, end, searched, capacity;
    uint64_t line_number;
    uint64_t n_left_out; /* lines that were not read since none of them passes the filter */
    int64_t order_ns;    /* ts of `record`, never going back: what merging compares */
    m31r_record record;
} m31ri_source;

/* Of bytes that are open: takes them over, also on failure. */
m31r_err m31ri_source_init(m31ri_source *s, m31ri_bytes *bytes, const char *file, const char *lane,
                           m31r_error *e);
void m31ri_source_release(m31ri_source *s);

/* Next line without its newline. M31R_EOF when there is no whole one (now); M31R_E_LIMIT for a line
 * that was too long (and is skipped); M31R_E_CORRUPT for bytes->n_lost_lines that cannot be read
 * (they are counted in line_number, and reading may go on). The bytes die at the next call; a
 * newline stands behind them, and M31RI_READ_BEYOND bytes behind that can be loaded. `takes_last`:
 * at the end, what is left is a line. */
m31r_err m31ri_source_line(m31ri_source *s, bool takes_last, const char **out_line,
                           size_t *out_length, m31r_error *e);

/* What was read already of the next line and what follows, from its start; `*n` 0: nothing. Behind
 * it stand newlines, M31RI_READ_BEYOND of them. */
static inline const char *m31ri_source_peek(const m31ri_source *s, size_t *n)
{
    *n = s->is_skipping || s->searched > 0 ? 0 : s->end - s->start;
    return s->buffer + s->start;
}

/* The caller has taken the next line, which has `n` bytes with its newline, from there. */
static inline void m31ri_source_pass(m31ri_source *s, size_t n)
{
    s->start += n;
    s->line_number++;
}

/* True when the file has more bytes than were read, or became shorter (then reading starts again).
 */
bool m31ri_source_has_grown(m31ri_source *s);

/* All of it was read by other means, up to its end; `is_torn`: inside of a line. */
void m31ri_source_set_ended(m31ri_source *s, bool is_torn);

/* True when it ends in a line without a newline. */
bool m31ri_source_is_torn(const m31ri_source *s);

#endif
