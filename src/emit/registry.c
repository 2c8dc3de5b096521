/* registry.c - the open runs of this process, for the two events that no object sees: fork and
 * exit.
 *
 * This is the library's only global state. At fork every lock of every run is held for the length
 * of the call, so that the child's copies are consistent; the child counts a new generation, and
 * each run notices at its next call. At exit the runs that nobody closed are closed, because
 * closing is optional.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os_file.h"
#include "emit/hot_cells.h"
#include "emit/state.h"
#include "m31r/log.h"

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;
static m31r_run *open_runs;
static m31r_run *retired_runs;      /* ended at exit: never freed, as threads may still hold them */
static atomic_uint fork_generation; /* relaxed: written by the only thread of a new child */

static void lock_run(m31r_run *run)
{
    if (run->rings != NULL) {
        m31ri_writer_pause(run->rings);
    }
    pthread_mutex_lock(&run->lock);
    for (m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        pthread_mutex_lock(&lane->lock);
    }
    pthread_mutex_lock(&run->points.lock);
    pthread_mutex_lock(&run->sink.lock);
    if (run->rings != NULL) { /* nobody of ours is asking the loader what it has */
        pthread_mutex_lock(&run->rings->lock);
    }
}

static void unlock_run(m31r_run *run)
{
    if (run->rings != NULL) {
        pthread_mutex_unlock(&run->rings->lock);
    }
    pthread_mutex_unlock(&run->sink.lock);
    pthread_mutex_unlock(&run->points.lock);
    for (m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        pthread_mutex_unlock(&lane->lock);
    }
    pthread_mutex_unlock(&run->lock);
    if (run->rings != NULL) {
        m31ri_writer_go_on(run->rings);
    }
}

static void before_fork(void)
{
    pthread_mutex_lock(&registry_lock);
    for (m31r_run *run = open_runs; run != NULL; run = run->next) {
        lock_run(run);
    }
    m31ri_hot_cells_lock();
}

static void after_fork_in_parent(void)
{
    m31ri_hot_cells_unlock();
    for (m31r_run *run = open_runs; run != NULL; run = run->next) {
        unlock_run(run);
    }
    pthread_mutex_unlock(&registry_lock);
}

static void after_fork_in_child(void)
{
    atomic_fetch_add_explicit(&fork_generation, 1, memory_order_relaxed);
    after_fork_in_parent();
}

/* Runs at exit: the runs that nobody closed end here. A run inherited by a child that never used it
 * is the parent's. */
static void close_at_exit(void)
{
    for (;;) {
        pthread_mutex_lock(&registry_lock);
        m31r_run *run = open_runs;
        while (run != NULL && run->fork_generation != m31ri_fork_generation()) {
            run = run->next;
        }
        pthread_mutex_unlock(&registry_lock);
        if (run == NULL) {
            return;
        }
        m31ri_run_end_at_exit(run);
    }
}

static void install(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    atexit(close_at_exit);
}

void m31ri_registry_add(m31r_run *run)
{
    pthread_once(&registry_once, install);
    pthread_mutex_lock(&registry_lock);
    run->next = open_runs;
    open_runs = run;
    pthread_mutex_unlock(&registry_lock);
}

void m31ri_registry_retire(m31r_run *run)
{
    pthread_mutex_lock(&registry_lock);
    run->next = retired_runs;
    retired_runs = run;
    pthread_mutex_unlock(&registry_lock);
}

void m31ri_registry_remove(m31r_run *run)
{
    pthread_mutex_lock(&registry_lock);
    for (m31r_run **link = &open_runs; *link != NULL; link = &(*link)->next) {
        if (*link == run) {
            *link = run->next;
            break;
        }
    }
    pthread_mutex_unlock(&registry_lock);
}

void m31ri_registry_each_rings(void (*visit)(m31ri_rings *, uint64_t), uint64_t argument)
{
    pthread_mutex_lock(&registry_lock);
    for (m31r_run *run = open_runs; run != NULL; run = run->next) {
        if (run->rings != NULL) {
            visit(run->rings, argument);
        }
    }
    pthread_mutex_unlock(&registry_lock);
}

unsigned m31ri_fork_generation(void)
{
    return atomic_load_explicit(&fork_generation, memory_order_relaxed);
}

/* The handle that stands for "refused": every call on it does nothing. */
m31r_run *m31ri_inert_run(void)
{
    static m31r_run inert = {.role = M31RI_ROLE_INERT,
                             .lock = PTHREAD_MUTEX_INITIALIZER,
                             .nowhere = {.public_part = {.level = INT32_MAX}}};
    return &inert;
}
