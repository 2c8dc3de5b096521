/* writer.c - the thread of a program that brings what its rings hold into the files.
 *
 * It looks on a timer, so that no caller pays for waking it: a millisecond after there was
 * something to do, then less and less often. It holds the writer lease of the ring file while it
 * writes. Where an observer drains (drain/drainer.h) it stands by, asleep, and looks ten times a
 * second whether the observer is still there; it writes when that is dead, has left the ring alone
 * for a second, or asks for it because a file is to be rotated, and steps back afterwards.
 */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/os_futex.h"
#include "base/os_mapping.h"
#include "drain/drain.h"
#include "drain/drainer.h"
#include "emit/state.h"
#include "store/reserve.h"

#define FIRST_PAUSE_US 1000
#define LONGEST_PAUSE_US 10000 /* how late a record may be seen */
#define TICK_NS (1000 * 1000 * 1000LL)
#define FORK_WAIT_MS 100
#define STAND_BY_US 100000 /* how late the death of an observer may be seen */
#define ASKED_US 1000      /* the lease is let go of at any moment */
#define ALONE_NS TICK_NS   /* an observer that is there but does not come */

static void print(void *context, const char *lines, size_t length)
{
    m31r_run *run = context;
    const char *end = lines + length;
    while (lines < end) {
        const char *next = (const char *)memchr(lines, '\n', (size_t)(end - lines)) + 1;
        m31ri_stdout_sink_write(&run->sink, lines, (size_t)(next - lines));
        lines = next;
    }
}

static bool make_room(void *context, size_t bytes)
{
    const m31r_run *run = context;
    return m31ri_reserve_give(&run->dir, bytes);
}

/* The lane's file is held by the lane, so it is the lane that rotates it. */
static bool rotate(void *context, const char *file, uint64_t size, int64_t wall_ns)
{
    m31r_run *run = context;
    if (size < (uint64_t)run->settings->rotate_mib * 1024 * 1024) {
        return false;
    }
    run->rings->has_rotated = true;
    bool is_rotated = false;
    if (pthread_mutex_trylock(&run->lock) != 0) {
        return false; /* who has it may be waiting for us: the next batch will do */
    }
    for (m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        if (strcmp(lane->file, file) == 0) {
            pthread_mutex_lock(&lane->lock);
            is_rotated = m31ri_lane_rotate(lane, size, wall_ns);
            pthread_mutex_unlock(&lane->lock);
        }
    }
    pthread_mutex_unlock(&run->lock);
    return is_rotated;
}

/* What is due now and then: durability, housekeeping, and saying that the clock was set. */
static void keep_house(m31ri_rings *rs, int64_t *sync_ns, int64_t *tick_ns)
{
    m31r_run *run = rs->run;
    int64_t now = m31ri_mono_ns();
    m31ri_ring_live *live = rs->file.live;
    bool is_awaited = atomic_load_explicit(&live->wants_sync, memory_order_acquire) !=
                      atomic_load_explicit(&live->synced, memory_order_acquire);
    if (is_awaited || now >= *sync_ns) {
        m31ri_drain_sync(rs->drain);
        *sync_ns = now + (int64_t)(run->settings->sync_interval_s * 1e9);
    }
    int64_t step_ns = m31ri_drain_take_clock_step(rs->drain);
    if (step_ns != 0) {
        m31r_warning(m31r_run_logger(run, "m31r"), "clock_set", "seconds", (double)step_ns * 1e-9);
    }
    if (now >= *tick_ns) {
        *tick_ns = now + TICK_NS;
        if (run->catches_crashes) {
            m31ri_rings_know_modules(rs); /* a handler cannot ask what has been loaded since */
        }
        if (run->role == M31RI_ROLE_OWNER) {
            m31ri_run_tick(run);
        }
    }
}

/* A batch, and what is due beside it. True when there was something to do. */
static bool work(m31ri_rings *rs, int64_t *sync_ns, int64_t *tick_ns)
{
    pthread_mutex_lock(&rs->pass_lock);
    bool has_done = m31ri_drain_pass(rs->drain);
    keep_house(rs, sync_ns, tick_ns);
    pthread_mutex_unlock(&rs->pass_lock);
    return has_done;
}

/* The lease and a drain that knows how far the files are; both or none. */
static bool take_over(m31ri_rings *rs)
{
    if (atomic_load_explicit(&rs->is_broken, memory_order_acquire)) {
        return false;
    }
    const m31ri_drain_options o = {.dir = &rs->run->dir,
                                   .privacy = rs->run->privacy,
                                   .block_timeout_ns = rs->block_timeout_ns,
                                   .written = rs->run->sink.is_on ? print : NULL,
                                   .rotate = rotate,
                                   .make_room = make_room,
                                   .context = rs->run};
    if (!m31ri_lease_take(rs->file.fd, M31RI_LEASE_WRITER)) {
        return false;
    }
    if (rs->drain == NULL && m31ri_drain_open(&rs->file, &o, &rs->drain, NULL) != M31R_OK) {
        rs->drain = NULL;
        m31ri_lease_end(rs->file.fd, M31RI_LEASE_WRITER);
    }
    rs->has_lease = rs->drain != NULL;
    return rs->has_lease;
}

static void tell_loss(void *run, json_t *notice)
{
    m31ri_notice(run, notice);
}

/* The observer goes on from here. */
static void step_back(m31ri_rings *rs)
{
    pthread_mutex_lock(&rs->pass_lock);
    m31ri_drain_sync(rs->drain);
    m31ri_drain_each_loss(rs->drain, tell_loss, rs->run);
    m31ri_drain_close(rs->drain);
    rs->drain = NULL;
    rs->has_lease = false;
    /* pairs with the acquire in drainer.c */
    atomic_store_explicit(&rs->file.live->stand, M31RI_STAND_EITHER, memory_order_release);
    m31ri_lease_end(rs->file.fd, M31RI_LEASE_WRITER);
    pthread_mutex_unlock(&rs->pass_lock);
}

/* An observer is there, and what it asked for was done. */
static bool may_step_back(m31ri_rings *rs, int64_t *look_ns)
{
    int64_t now = m31ri_mono_ns();
    if (rs->run->role != M31RI_ROLE_JOINER || (now < *look_ns && !rs->has_rotated)) {
        return false;
    }
    *look_ns = now + TICK_NS;
    rs->has_rotated = false;
    return m31ri_drainer_is_there(&rs->run->dir);
}

/* Up to which record each ring was empty: what is behind that is lost when the memory goes. */
static void note_taken(m31ri_rings *rs)
{
    pthread_mutex_lock(&rs->lock);
    for (uint32_t i = 0; i < rs->file.header->n_slots; i++) {
        uint32_t n = m31ri_rings_n_put(rs, i);
        const m31ri_ring_slot *slot = m31ri_ring_file_slot(&rs->file, i);
        if (atomic_load_explicit(&slot->tail, memory_order_acquire) ==
            atomic_load_explicit(&slot->head, memory_order_acquire)) {
            rs->taken[i] = n;
        }
    }
    pthread_mutex_unlock(&rs->lock);
}

/* Nobody writes although an observer is there. */
static bool is_left_alone(const m31ri_rings *rs, int64_t *free_ns)
{
    int64_t now = m31ri_mono_ns();
    if (*free_ns == 0 || m31ri_lease_is_held(rs->file.fd, M31RI_LEASE_WRITER)) {
        *free_ns = now;
    }
    return now - *free_ns >= ALONE_NS;
}

/* Sleeps until it is for us to write. False: the thread is to end. */
static bool stand_by(m31ri_rings *rs)
{
    int64_t free_ns = 0, tick_ns = 0;
    for (;;) {
        uint32_t stand = atomic_load_explicit(&rs->file.live->stand, memory_order_acquire);
        bool is_asked = stand == M31RI_STAND_PROGRAM;
        if (atomic_load_explicit(&rs->must_stop, memory_order_acquire) ||
            (atomic_load_explicit(&rs->is_broken, memory_order_acquire) &&
             m31ri_rings_give_up(rs))) {
            return false;
        }
        pthread_mutex_lock(&rs->pass_lock);
        bool is_ours =
            (is_asked || !m31ri_drainer_is_there(&rs->run->dir) || is_left_alone(rs, &free_ns)) &&
            take_over(rs);
        note_taken(rs);
        if (!is_ours && rs->run->catches_crashes && m31ri_mono_ns() >= tick_ns) {
            tick_ns = m31ri_mono_ns() + TICK_NS;
            m31ri_rings_know_modules(rs);
        }
        pthread_mutex_unlock(&rs->pass_lock);
        if (is_ours) {
            return true;
        }
        m31ri_futex_wait(&rs->file.live->stand, stand, is_asked ? ASKED_US : STAND_BY_US);
    }
}

static void *write_on(void *argument)
{
    m31ri_rings *rs = argument;
    m31ri_ring_live *live = rs->file.live;
    int64_t pause_us = FIRST_PAUSE_US;
    int64_t sync_ns = m31ri_mono_ns(), tick_ns = sync_ns + TICK_NS, look_ns = tick_ns;
    for (;;) {
        if (!rs->has_lease && !stand_by(rs)) {
            return NULL;
        }
        uint32_t seen = atomic_load_explicit(&live->wake, memory_order_acquire);
        bool must_stop = atomic_load_explicit(&rs->must_stop, memory_order_acquire);
        if (atomic_load_explicit(&rs->is_broken, memory_order_acquire) && m31ri_rings_give_up(rs)) {
            return NULL; /* `rs` is the run's to keep */
        }
        if (work(rs, &sync_ns, &tick_ns)) {
            pause_us = FIRST_PAUSE_US;
            continue;
        }
        if (must_stop) {
            return NULL;
        }
        if (may_step_back(rs, &look_ns)) {
            step_back(rs);
            continue;
        }
        m31ri_futex_wait(&live->wake, seen, pause_us);
        pause_us = pause_us * 2 < LONGEST_PAUSE_US ? pause_us * 2 : LONGEST_PAUSE_US;
    }
}

void m31ri_writer_pause(m31ri_rings *rs)
{
    rs->is_paused = pthread_mutex_trylock(&rs->pass_lock) == 0;
    for (int waited_ms = 0; !rs->is_paused && waited_ms < FORK_WAIT_MS; waited_ms++) {
        nanosleep(&(struct timespec){0, 1000 * 1000}, NULL);
        rs->is_paused = pthread_mutex_trylock(&rs->pass_lock) == 0;
    }
}

void m31ri_writer_go_on(m31ri_rings *rs)
{
    if (rs->is_paused) {
        rs->is_paused = false;
        pthread_mutex_unlock(&rs->pass_lock);
    }
}

/* Signals are the program's: none is to be delivered to our thread, but its own faults. */
static bool start_thread(m31ri_rings *rs)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        sigdelset(&all, faults[i]);
    }
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store_explicit(&rs->must_stop, false, memory_order_relaxed);
    bool is_started = pthread_create(&rs->writer, NULL, write_on, rs) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

bool m31ri_writer_start(m31ri_rings *rs)
{
    bool is_written = true;
    pthread_mutex_lock(&rs->writer_lock);
    if (rs->is_shut) {
        is_written = false;
    } else if (!rs->has_writer) {
        rs->has_lease = false;
        bool stands_by = m31ri_drainer_is_there(&rs->run->dir);
        if (stands_by || take_over(rs)) {
            rs->has_writer = start_thread(rs);
            is_written = rs->has_writer;
        }
        if (rs->has_lease && !rs->has_writer) {
            rs->has_lease = false;
            m31ri_lease_end(rs->file.fd, M31RI_LEASE_WRITER);
        }
    }
    pthread_mutex_unlock(&rs->writer_lock);
    return is_written;
}

void m31ri_writer_stop(m31ri_rings *rs)
{
    pthread_mutex_lock(&rs->writer_lock);
    rs->is_shut = true;
    if (rs->has_writer) {
        atomic_store_explicit(&rs->must_stop, true, memory_order_release);
        m31ri_ring_wake(rs->file.live);
        m31ri_futex_wake(&rs->file.live->stand);
        pthread_join(rs->writer, NULL);
        rs->has_writer = false;
        if (rs->has_lease) {
            rs->has_lease = false;
            m31ri_lease_end(rs->file.fd, M31RI_LEASE_WRITER);
        }
    }
    pthread_mutex_unlock(&rs->writer_lock);
}

bool m31ri_writer_take(m31ri_rings *rs)
{
    int64_t until_ns = m31ri_mono_ns() + rs->block_timeout_ns;
    while (!take_over(rs) && m31ri_lease_is_held(rs->file.fd, M31RI_LEASE_WRITER) &&
           m31ri_mono_ns() < until_ns) {
        /* pairs with the acquire in drainer.c */
        atomic_store_explicit(&rs->file.live->stand, M31RI_STAND_PROGRAM, memory_order_release);
        m31ri_ring_wake(rs->file.live);
        nanosleep(&(struct timespec){0, 1000 * 1000}, NULL);
    }
    return rs->has_lease;
}
