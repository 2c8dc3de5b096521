/* ring_batch.h - the records of a batch as lines, lane by lane, and its points: what is then
 * written to files, or shown by a reader that meets a dead program.
 *
 * Pure: the same batch, dictionary, rules and commit give the same bytes.
 */
#ifndef M31RI_RING_BATCH_H
#define M31RI_RING_BATCH_H

#include "base/buf.h"
#include "ring/ring_line.h"
#include "ring/ring_take.h"

typedef struct m31ri_batch_lane {
    m31ri_buf lines;
    uint64_t n_records; /* in `lines` */
} m31ri_batch_lane;

typedef struct m31ri_batch {
    m31ri_dictionary dictionary;
    m31ri_line_maker *maker;
    m31ri_batch_lane lanes[M31RI_RING_LANES + 1]; /* by id, from 1 */
    m31ri_buf points;
    uint64_t n_points;
} m31ri_batch;

/* `privacy` is borrowed; NULL: no rules. False when memory is out; release is fine then too. */
bool m31ri_batch_init(m31ri_batch *b, const m31ri_privacy *privacy);
void m31ri_batch_release(m31ri_batch *b);

/* Forgets the lines; keeps the memory. */
void m31ri_batch_clear(m31ri_batch *b);

/* Appends all records of `t`, whose file's dictionary has been read. `c` tells where the lanes'
 * times are and counts what could not be made: its n_calibrations, last_wall_ns, n_lost. */
void m31ri_batch_make(m31ri_batch *b, m31ri_take *t, m31ri_commit *c);

/* Bytes at the start of the points that stand already in `file` of `dir` from `at` on, whole lines
 * only: what a writer had written when it died. */
size_t m31ri_batch_points_there(const m31ri_batch *b, int dir, const char *file, uint64_t at);

#endif
