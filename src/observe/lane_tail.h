/* lane_tail.h - follows the lanes that the program itself writes, to print its records beside the
 * others. */
#ifndef M31RI_LANE_TAIL_H
#define M31RI_LANE_TAIL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct m31ri_lane_tail m31ri_lane_tail;

/* Follows every *.log in the run directory `dir` but the `n` files named in `without` (borrowed).
 * A `rank` above 0 follows its own lanes only; else those of a rank that has an observer of its own
 * are left to it. NULL when memory is out. */
m31ri_lane_tail *m31ri_lane_tail_new(int dir, const char *const *without, size_t n, int rank);
void m31ri_lane_tail_free(m31ri_lane_tail *t);

/* Hands each new whole line, newline included, to `each`; at most about 1 MiB a file and call.
 * True when there is more. */
bool m31ri_lane_tail_read(m31ri_lane_tail *t,
                          void (*each)(void *context, const char *line, size_t length),
                          void *context);

#endif
