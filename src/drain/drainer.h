/* drainer.h - an observer brings what the rings of living programs hold into the run's files, so
 * that a program which is observed spends no time on it.
 *
 * A drainer is there while somebody holds the lock on `.live/drainer`; of several observers (the
 * ranks of a job) one has it, and the next takes it when that one is gone. Each ring it finds is
 * served by a thread, which holds the ring's writer lease for as long as it writes. A program that
 * finds a drainer stands by (emit/writer.c): it takes the lease when the drainer is dead, leaves
 * the ring alone for too long, or asks it to: by the word `stand` of the ring, as drawn there. What
 * a dead program left is finished by the same thread.
 */
#ifndef M31RI_DRAINER_H
#define M31RI_DRAINER_H

#include "ring/ring_layout.h"
#include "rules/privacy.h"
#include "store/run_dir.h"

typedef struct m31ri_drainer m31ri_drainer;

typedef struct m31ri_drainer_options {
    const m31ri_run_dir *dir; /* borrowed, as is `privacy`; `live_fd` is open */
    const m31ri_privacy *privacy;
    int64_t block_timeout_ns; /* how long a failing disk is waited for, once an outage */
    int64_t sync_interval_ns;
    uint64_t rotate_bytes; /* a lane's file of so many is for its program to rotate */
    /* The disk is full: as in m31ri_drain_options. */
    bool (*make_room)(void *context, size_t bytes);
    void *context;
} m31ri_drainer_options;

/* Starts; NULL when there is no memory or no thread: programs then write for themselves. */
m31ri_drainer *m31ri_drainer_start(const m31ri_drainer_options *o);

/* Writes what is there, finishes the rings of the dead, lets go of those of the living, frees. NULL
 * is fine. */
void m31ri_drainer_stop(m31ri_drainer *d);

/* The wall clock was set by so many nanoseconds since the last call; 0: not. */
int64_t m31ri_drainer_take_clock_step(m31ri_drainer *d);

/* True while a drainer of another process is there. */
bool m31ri_drainer_is_there(const m31ri_run_dir *dir);

/* Of a ring whose file was cut short while a drainer served it: up to which record (modulo 2^32)
 * each slot was written. Waits a little for it to be told; false: it was not. */
bool m31ri_drainer_taken(const m31ri_run_dir *dir, const char *note,
                         uint32_t out[M31RI_RING_SLOTS]);

#endif
