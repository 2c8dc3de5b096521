/* writer.c - the thread of a program that brings what its rings hold into the files.
 *
 * It looks on a timer, so that no caller pays for waking it: a millisecond after there was
 * something to do, then less and less often. It holds the writer lease of the ring file; when
 * another process has that, there is nothing for it to do.
 */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/os_futex.h"
#include "base/os_mapping.h"
#include "drain/drain.h"
#include "emit/state.h"
#include "store/reserve.h"

#define FIRST_PAUSE_US 1000
#define LONGEST_PAUSE_US 10000 /* how late a record may be seen */
#define TICK_NS (1000 * 1000 * 1000LL)
#define FORK_WAIT_MS 100

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

static void *write_on(void *argument)
{
    m31ri_rings *rs = argument;
    m31ri_ring_live *live = rs->file.live;
    int64_t pause_us = FIRST_PAUSE_US;
    int64_t sync_ns = m31ri_mono_ns(), tick_ns = sync_ns + TICK_NS;
    for (;;) {
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
        const m31ri_drain_options o = {.dir = &rs->run->dir,
                                       .privacy = rs->run->privacy,
                                       .block_timeout_ns = rs->block_timeout_ns,
                                       .written = rs->run->sink.is_on ? print : NULL,
                                       .rotate = rotate,
                                       .make_room = make_room,
                                       .context = rs->run};
        if (m31ri_lease_take(rs->file.fd, M31RI_LEASE_WRITER)) {
            m31ri_drain_close(rs->drain);
            rs->drain = NULL;
            is_written = m31ri_drain_open(&rs->file, &o, &rs->drain, NULL) == M31R_OK;
            rs->has_writer = is_written && start_thread(rs);
            if (!rs->has_writer) {
                m31ri_lease_end(rs->file.fd, M31RI_LEASE_WRITER);
            }
            is_written = rs->has_writer;
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
        pthread_join(rs->writer, NULL);
        rs->has_writer = false;
        m31ri_lease_end(rs->file.fd, M31RI_LEASE_WRITER);
    }
    pthread_mutex_unlock(&rs->writer_lock);
}
