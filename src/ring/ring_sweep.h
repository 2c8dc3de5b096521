/* ring_sweep.h - ring files in memory-backed storage that nobody will ever ask for again.
 *
 * A ring is removed when the program that made it is dead, nobody is writing it, and its run was
 * deleted from its directory of runs, or has ended. What may still be wanted stays: of a run that
 * only cannot be reached now (its directory of runs is not there either, as on a disk that is not
 * mounted), of one that does not say its run, and anything damaged.
 *
 * Not in a process that holds leases on rings of others (an observer that drains): looking at a
 * ring file would end them. Rings of the calling process are passed over.
 */
#ifndef M31RI_RING_SWEEP_H
#define M31RI_RING_SWEEP_H

/* `directory` NULL: this user's in memory-backed storage. Returns how many were removed. */
int m31ri_rings_sweep(const char *directory);

#endif
