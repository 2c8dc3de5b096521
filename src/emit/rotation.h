/* rotation.h - a lane's file that has grown large gets a name of its own, and is compressed. */
#ifndef M31RI_ROTATION_H
#define M31RI_ROTATION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "m31r/run.h"

/* A thread that compresses what was rotated, and ends when nothing is left to do. */
typedef struct m31ri_compressor {
    pthread_t thread;
    bool is_started;
    atomic_bool is_done;  /* release by the thread, acquire by whoever joins it */
    atomic_bool has_more; /* a segment came while it was at work */
} m31ri_compressor;

/* Gives the lane's file the name of its next segment when it has the size for it. The lane is
 * locked. `wall_ns`: the time of the lane's last record. Returns true when it was rotated. */
bool m31ri_lane_rotate(m31r_lane *lane, uint64_t size, int64_t wall_ns);

/* Waits for the thread, when there is one: before the run's files are listed for good. */
void m31ri_compressor_stop(m31r_run *run);

/* In a forked child: the thread is the parent's. */
void m31ri_compressor_forget(m31r_run *run);

#endif
