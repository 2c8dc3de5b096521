/* ring_ways.c - the short way of a record (m31r/hot.h): opened once the long way has decided what
 * there is to decide, closed when the rings end.
 *
 * It is open for a call when three things agree: the thread's cell, the logger and the call site
 * all carry the serial of the same rings. Each of them alone closes it: the cell, because a fork
 * wipes it or a signal's handler found the rings' memory gone; the logger, because the rings have
 * ended; the site, because its last record went to another run. A logger also carries the thread
 * that its lane is of, as long as it is one: a second one goes the long way, where that is said.
 */
#include "emit/ring_thread.h"
#include "emit/state.h"

_Thread_local m31ri_thread_cache m31ri_mine __attribute__((tls_model("initial-exec")));

static m31r_hot nowhere; /* never written: nothing passes and there is no room */

_Thread_local m31r_hot *m31r_hot_1 __attribute__((tls_model("initial-exec"))) = &nowhere;

#define THREAD_BITS UINT32_MAX

static uint64_t pass_of(const m31ri_rings *rs, uint64_t thread)
{
    return rs->serial << 32 | (uint32_t)thread;
}

void m31ri_rings_remember(m31ri_thread_cache mine)
{
    m31ri_mine = mine;
    m31r_hot_1 = mine.ring != NULL ? mine.ring->ring.hot : &nowhere;
}

void m31ri_rings_let_pass(const m31ri_rings *rs, const m31ri_thread_ring *t)
{
    if (t->ring.is_steady) {
        __atomic_store_n(&t->ring.hot->pass, pass_of(rs, t->owner), __ATOMIC_SEQ_CST);
        if (!m31ri_rings_are_ours(rs)) { /* a handler has just closed all of them */
            __atomic_store_n(&t->ring.hot->pass, 0, __ATOMIC_RELAXED);
        }
    }
}

static bool is_open(const m31ri_rings *rs, const m31r_log *log, const m31r_site *site)
{
    uint64_t mine = __atomic_load_n(&m31r_hot_1->pass, __ATOMIC_RELAXED);
    uint64_t pass = __atomic_load_n(&log->pass, __ATOMIC_RELAXED);
    uint64_t open = __atomic_load_n(&log->open, __ATOMIC_RELAXED);
    uint64_t known = __atomic_load_n(&site->pass, __ATOMIC_RELAXED);
    return mine == 0 || (((mine ^ pass) & ~open) == 0 && known >> 32 == (uint32_t)rs->serial);
}

void m31ri_rings_open_way(m31ri_rings *rs, m31r_log *log, m31r_site *site, uint32_t id)
{
    m31ri_logger *l = (m31ri_logger *)log;
    if (is_open(rs, log, site)) {
        return;
    }
    pthread_mutex_lock(&rs->lock);
    /* Who ends the rings takes them from the logger under the same lock. */
    if (__atomic_load_n(&l->rings, __ATOMIC_RELAXED) == rs && m31ri_rings_are_ours(rs)) {
        bool is_ordered = __atomic_load_n(&l->lane->is_ordered, __ATOMIC_RELAXED);
        uint64_t first = __atomic_load_n(&l->lane->first_thread, __ATOMIC_RELAXED);
        __atomic_store_n(&log->id, l->ring_id, __ATOMIC_RELAXED);
        __atomic_store_n(&log->open, is_ordered ? 0 : THREAD_BITS, __ATOMIC_RELAXED);
        /* pairs with the acquire in m31r_hot_begin */
        __atomic_store_n(&log->pass, pass_of(rs, first), __ATOMIC_RELEASE);
        __atomic_store_n(&site->pass, rs->serial << 32 | id, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&rs->lock);
}

void m31ri_rings_close_threads(const m31ri_rings *rs)
{
    for (uint32_t i = 0; i < M31RI_RING_SLOTS; i++) {
        m31r_hot *hot = __atomic_load_n(&rs->threads[i].ring.hot, __ATOMIC_RELAXED);
        if (hot != NULL) {
            __atomic_store_n(&hot->pass, 0, __ATOMIC_SEQ_CST);
        }
    }
}

void m31ri_rings_close_loggers(m31ri_rings *rs)
{
    pthread_mutex_lock(&rs->lock);
    for (m31ri_logger *l = rs->run->loggers; l != NULL; l = l->next) {
        __atomic_store_n(&l->rings, NULL, __ATOMIC_RELEASE);
        __atomic_store_n(&l->public_part.pass, 0, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&rs->lock);
}
