/* ring_line.h - records of a ring as lines: what m31ri_record_write and m31ri_point_write would
 * make of the same values, byte for byte, made faster.
 *
 * The constant text of a call site is prepared once: what stands between the values of a line is
 * copied, and only values are made. Records that are out of the ordinary (renamed keys, long
 * strings, values that privacy rules change) go through m31ri_record_write itself.
 *
 * A pure function of the record, the dictionary, the privacy rules and the time given. Not
 * thread-safe: one writer has one.
 */
#ifndef M31RI_RING_LINE_H
#define M31RI_RING_LINE_H

#include "base/buf.h"
#include "ring/ring_dictionary.h"
#include "rules/privacy.h"

typedef struct m31ri_line_maker m31ri_line_maker;

/* `dictionary` and `privacy` (NULL: no rules) are borrowed. NULL when memory is out. */
m31ri_line_maker *m31ri_line_maker_new(const m31ri_dictionary *dictionary,
                                       const m31ri_privacy *privacy);
void m31ri_line_maker_free(m31ri_line_maker *m);

/* Appends the line of any record but a POINT. False when the record makes no sense: a number
 * that the dictionary does not have, a string that does not lie in it. */
bool m31ri_line_write(m31ri_line_maker *m, const m31ri_put *p, int64_t wall_ns, m31ri_buf *out);

/* Appends the line of a record that no call made, with the run's rules and a stack. */
struct m31ri_record_parts;
struct m31ri_stack_view;
void m31ri_line_made(m31ri_line_maker *m, const struct m31ri_record_parts *parts,
                     const struct m31ri_stack_view *stack, m31ri_buf *out);

/* Appends the lines of a POINT or the points of a STEP record; how many, -1 when it makes no
 * sense. */
int m31ri_line_points(m31ri_line_maker *m, const m31ri_put *p, int64_t wall_ns, m31ri_buf *out);

/* The lane that the record goes to; 0 when it makes no sense. */
uint32_t m31ri_line_lane(const m31ri_line_maker *m, const m31ri_put *p);

#endif
