/* ring_take.h - the writing side of a ring file: the records of all rings, in the order of their
 * time.
 *
 * A batch goes from the last commit to a target in each ring; within it the records come merged by
 * their counters. The same batch always comes in the same order, so what is made of it is the same
 * bytes again after a crash. Everything in the file is taken for possibly damaged: a record that
 * cannot be one ends its ring at that place, and the rest of the batch is counted as lost.
 */
#ifndef M31RI_RING_TAKE_H
#define M31RI_RING_TAKE_H

#include "ring/ring_file.h"

typedef struct m31ri_take_ring {
    const char *data;
    uint64_t at, target;
    uint64_t n_damaged; /* bytes given up */
    uint32_t index;     /* of the slot */
    const m31ri_put *next;
} m31ri_take_ring;

typedef struct m31ri_take {
    const m31ri_ring_file *file;
    uint64_t slot_bytes;
    uint32_t n_active;
    m31ri_take_ring rings[M31RI_RING_SLOTS]; /* the first n_active have records left */
    uint64_t n_damaged;
    uint32_t sequences[M31RI_RING_SLOTS]; /* of each slot: behind the last record taken */
    bool is_partial; /* something that was published when it began is left for the next */
} m31ri_take;

/* A batch of what is published now, at most `most_bytes` of each ring, from the places in `commit`,
 * whose targets are set. False when there is nothing. */
bool m31ri_take_begin(m31ri_take *t, const m31ri_ring_file *f, m31ri_commit *commit,
                      uint64_t most_bytes);

/* The batch that an intent speaks of. */
void m31ri_take_again(m31ri_take *t, const m31ri_ring_file *f, const m31ri_commit *intent);

/* The next record, header and payload within the mapping; NULL at the end of the batch. */
const m31ri_put *m31ri_take_next(m31ri_take *t);

/* Wipes what was taken, gives its room back to the callers and wakes those who wait. */
void m31ri_take_commit(const m31ri_ring_file *f, const m31ri_commit *commit);

#endif
