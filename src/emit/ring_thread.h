/* ring_thread.h - how a thread finds its ring at once: what it used last, kept in the thread. */
#ifndef M31RI_RING_THREAD_H
#define M31RI_RING_THREAD_H

#include "emit/rings.h"
#include "rules/privacy.h"

typedef struct m31ri_thread_cache {
    uint64_t serial; /* of the rings that `ring` belongs to */
    m31ri_thread_ring *ring;
} m31ri_thread_cache;

/* The thread's calls find this ring from here on, also in line; {0, NULL}: none. */
void m31ri_rings_remember(m31ri_thread_cache mine);

/* The model of access that costs one instruction, also in a shared library. */
extern _Thread_local m31ri_thread_cache m31ri_mine __attribute__((tls_model("initial-exec")));

/* What a caller's redactor needs. */
typedef struct m31ri_line_scratch {
    const m31ri_privacy *privacy;
    m31ri_buf *scrubbed;
} m31ri_line_scratch;

/* False in a forked child, and when the rings have ended. */
static inline bool m31ri_rings_are_ours(const m31ri_rings *rs)
{
    return atomic_load_explicit(rs->token, memory_order_relaxed) == rs->serial;
}

/* The ring of the calling thread, taken when it has none. The shared one is used under shared_lock.
 * NULL in a forked child. */
m31ri_thread_ring *m31ri_rings_of_thread(m31ri_rings *rs);

/* Room in a ring that is full: waits as long as is allowed; NULL, counted, when there is none. */
char *m31ri_rings_wait_room(m31ri_rings *rs, m31ri_ring *r, uint64_t bytes);

/* Room for what may be dropped: NULL, counted, when the ring is three quarters full. */
char *m31ri_rings_room_or_drop(m31ri_ring *r, uint64_t bytes);

/* Waits until the disk has what this process emitted. */
m31r_err m31ri_rings_sync(m31ri_rings *rs);

#endif
