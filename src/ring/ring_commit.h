/* ring_commit.h - the two statements of how far the files are, of which at least one is always
 * whole. */
#ifndef M31RI_RING_COMMIT_H
#define M31RI_RING_COMMIT_H

#include "ring/ring_file.h"

/* The newest whole statement; false when none is: a fresh file, or a damaged one. */
bool m31ri_commit_read(const m31ri_ring_file *f, m31ri_commit *out);

/* Writes `c` as the next statement: an intent after a commit, a commit after an intent. The program
 * publishes the first commit (`generation` 1 before, 2 after) before anybody else sees the file. */
void m31ri_commit_publish(const m31ri_ring_file *f, m31ri_commit *c);

static inline bool m31ri_commit_is_intent(const m31ri_commit *c)
{
    return (c->generation & 1) != 0;
}

#endif
