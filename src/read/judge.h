/* judge.h - one line after another, judged: is it a record, and does it pass the filter?
 *
 * A line is walked through in the shapes that are known, and given to the exact parser when that
 * fails; both say the same of every line. What a filter can tell from the beginning of a line is
 * asked there, so that a line which is turned down is not read to its end: that it is a record is
 * then not proved, and it is counted as one. `is_strict` reads every line to its end.
 *
 * Not thread-safe: each thread has its own.
 */
#ifndef M31RI_JUDGE_H
#define M31RI_JUDGE_H

#include "format/record.h"
#include "format/timestamp.h"
#include "m31r/scan.h"
#include "read/line_walk.h"

/* Fields that a judge looks for itself. */
enum { M31RI_TS, M31RI_LEVEL, M31RI_MODULE, M31RI_MSG, M31RI_STEP, M31RI_HEAD };

typedef enum m31ri_verdict {
    M31RI_KEEP, /* a record that passes */
    M31RI_DROP, /* a record that does not */
    M31RI_BAD   /* no record; `class` says what */
} m31ri_verdict;

typedef struct m31ri_judge {
    const m31r_filter *filter;
    bool is_strict;
    const m31ri_walk *walk; /* NULL: every line goes to the exact parser */
    m31ri_shapes shapes;
    uint8_t head[M31RI_HEAD];             /* slots; M31RI_NO_SLOT when not asked for */
    uint8_t expr_slots[M31R_EXPR_FIELDS]; /* by slot of the expression */
    m31ri_minute minute;

    /* Of the line judged last. */
    bool is_found; /* in the shapes: `found`; else `exact` */
    m31ri_found found;
    m31ri_record_head exact;
    m31r_line_class class;
} m31ri_judge;

/* What is asked of a judge. */
typedef struct m31ri_judge_wants {
    const m31r_filter *filter; /* must live as long */
    bool is_strict;
    bool needs_head;          /* m31ri_judge_record() will be called */
    const char *const *names; /* fields whose values will be asked for; must live as long */
    size_t n_names;
    uint8_t *out_slots; /* slots of these */
} m31ri_judge_wants;

/* False when memory is out. Fields beyond the shapes' limit: all lines go to the exact parser. */
bool m31ri_judge_init(m31ri_judge *j, const m31ri_judge_wants *wants);
void m31ri_judge_release(m31ri_judge *j);

/* Judges line[0, length). A newline stands behind it, and M31RI_READ_BEYOND bytes can be loaded.
 * `place` has the file, lane and line number; the rest of it is not looked at. */
m31ri_verdict m31ri_judge_line(m31ri_judge *j, const char *line, size_t length,
                               const m31r_record *place);

/* The same of a line that looks like a record all along (sieve.h), of which nothing but the fields
 * asked for is wanted: it is read only until they are all there. */
m31ri_verdict m31ri_judge_start(m31ri_judge *j, const char *line, size_t length,
                                const m31r_record *place);

/* Fills all of `out` but the place for the line judged last, which is a record. */
void m31ri_judge_record(m31ri_judge *j, const char *line, size_t length, m31r_record *out);

#endif
