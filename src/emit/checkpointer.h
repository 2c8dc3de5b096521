/* checkpointer.h - the thread of an owner that lists the whole blocks of a live run. */
#ifndef M31RI_CHECKPOINTER_H
#define M31RI_CHECKPOINTER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "m31r/run.h"
#include "store/checkpoints.h"

typedef struct m31ri_checkpointer {
    pthread_t thread;
    bool is_started, is_given_up;
    atomic_bool is_done;   /* release by the thread, acquire by the tick */
    atomic_bool must_stop; /* relaxed: looked at between two blocks */
    m31ri_checkpoints *list;
} m31ri_checkpointer;

/* Owner, at a tick: starts the thread when there is something for it to do. */
void m31ri_checkpointer_tick(m31r_run *run);

/* Ends it, with what it is doing left off. */
void m31ri_checkpointer_stop(m31r_run *run);

/* In a forked child, where the thread is not. */
void m31ri_checkpointer_forget(m31r_run *run);

#endif
