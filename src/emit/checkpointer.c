/* checkpointer.c - see checkpointer.h.
 *
 * Hashing costs about 0.1 ms for each 64 KiB of records, which must be nobody's who emits: a thread
 * does it that runs when nobody else wants the processor, and only while there is something to do.
 */
#include "emit/checkpointer.h"

#include <signal.h>

#include "base/os_process.h"
#include "emit/state.h"

static void *list_blocks(void *argument)
{
    m31ri_checkpointer *c = argument;
    m31ri_thread_be_idle();
    m31ri_checkpoints_pass(c->list, &c->must_stop);
    atomic_store_explicit(&c->is_done, true, memory_order_release); /* pairs with is_at_work */
    return NULL;
}

static bool is_at_work(m31ri_checkpointer *c)
{
    return c->is_started && !atomic_load_explicit(&c->is_done, memory_order_acquire);
}

static void join(m31ri_checkpointer *c)
{
    if (c->is_started) {
        pthread_join(c->thread, NULL);
        c->is_started = false;
    }
}

void m31ri_checkpointer_tick(m31r_run *run)
{
    m31ri_checkpointer *c = &run->checkpointer;
    if (c->is_given_up || is_at_work(c)) {
        return;
    }
    join(c);
    if (c->list == NULL) {
        c->is_given_up = m31ri_checkpoints_open(run->dir.fd, &c->list, NULL) != M31R_OK;
    }
    if (c->is_given_up || !m31ri_checkpoints_are_due(c->list)) {
        return;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's */
    atomic_store_explicit(&c->is_done, false, memory_order_relaxed);
    c->is_started = pthread_create(&c->thread, NULL, list_blocks, c) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void m31ri_checkpointer_stop(m31r_run *run)
{
    m31ri_checkpointer *c = &run->checkpointer;
    atomic_store_explicit(&c->must_stop, true, memory_order_relaxed);
    join(c);
    m31ri_checkpoints_close(c->list);
    c->list = NULL;
    c->is_given_up = true;
}

void m31ri_checkpointer_forget(m31r_run *run)
{
    run->checkpointer.is_started = false;
    run->checkpointer.list = NULL; /* the parent's thread may be in it: left as it is */
    run->checkpointer.is_given_up = true;
}
