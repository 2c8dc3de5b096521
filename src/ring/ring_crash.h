/* ring_crash.h - a crash note as a record. */
#ifndef M31RI_RING_CRASH_H
#define M31RI_RING_CRASH_H

#include "ring/ring_batch.h"

/* The program's crash, as the last record of its first lane, once: `c` remembers that it was said.
 * Nothing when there is no note, when the program lived on after it, or while records are still to
 * come. For rings whose program is dead. */
void m31ri_crash_add(m31ri_batch *b, const m31ri_ring_file *f, m31ri_commit *c);

/* True when m31ri_crash_add would say something. */
bool m31ri_crash_is_due(const m31ri_ring_file *f, const m31ri_commit *c);

#endif
