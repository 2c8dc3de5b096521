/* rings.c - a run's rings in this process: made, given to threads, ended, forgotten after a fork.
 *
 * A thread finds its ring by a number that no other thread of this process ever has; the pages of a
 * slot are taken from the file system when it is first used, so that a store never meets a hole.
 */
#include "emit/rings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/os_futex.h"
#include "base/os_mapping.h"
#include "drain/drain.h"
#include "emit/crash.h"
#include "emit/hot_cells.h"
#include "emit/ring_thread.h"
#include "emit/state.h"
#include "m31r/metric.h"
#include "ring/ring_clock.h"
#include "ring/ring_commit.h"
#include "ring/ring_sweep.h"

#define SLOT_BYTES (1024 * 1024)
#define SHARED_SLOT 0
#define END_WAIT_MS 10000
#define CALL_NS (2 * 1000 * 1000) /* longer than any call stores into a ring */
#define LOOK_US (100 * 1000)      /* a caller that waits looks so often whether somebody writes */

static atomic_uint_fast64_t last_serial, last_thread; /* relaxed: only their being unique counts */
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* its value is the thread's number; its end frees the thread's rings */

static void leave_all(void *number)
{
    m31ri_rings_remember(
        (m31ri_thread_cache){0, NULL}); /* what other destructors emit takes a ring anew */
    m31ri_registry_each_rings(m31ri_rings_leave, (uint64_t)(uintptr_t)number);
    m31ri_hot_cells_leave((uint64_t)(uintptr_t)number);
    m31ri_crash_leave_thread();
}

static void make_key(void)
{
    pthread_key_create(&key, leave_all);
}

/* This thread's number; its end will be told from now on. */
static uint64_t thread_number(void)
{
    pthread_once(&key_once, make_key);
    uint64_t number = (uint64_t)(uintptr_t)pthread_getspecific(key);
    if (number == 0) {
        number = atomic_fetch_add_explicit(&last_thread, 1, memory_order_relaxed) + 1;
        pthread_setspecific(key, (void *)(uintptr_t)number);
    }
    return number;
}

/* A slot that nobody has: free, or left by a thread and drained since. */
static bool is_for_taking(const m31ri_rings *rs, uint32_t i)
{
    m31ri_ring_slot *slot = m31ri_ring_file_slot(&rs->file, i);
    uint32_t state = atomic_load_explicit(&slot->state, memory_order_relaxed);
    if (state == M31RI_SLOT_FREE) {
        return true;
    }
    /* pairs with the release in m31ri_take_commit */
    return state == M31RI_SLOT_LEFT && atomic_load_explicit(&slot->tail, memory_order_acquire) ==
                                           atomic_load_explicit(&slot->head, memory_order_relaxed);
}

/* Slot `i` becomes the thread's; 0: of all that have none. */
static bool give_ring(m31ri_rings *rs, uint32_t i, uint64_t number)
{
    m31ri_thread_ring *t = &rs->threads[i];
    m31r_hot *cell = m31ri_hot_cell_take(number);
    if (cell == NULL) {
        return false;
    }
    m31ri_ring_init(&t->ring, cell, &rs->file, i);
    cell->sequence = t->n_put; /* goes on, whoever has the slot */
    t->ring.keeps_room = rs->run->settings->drops_low;
    t->owner = number;
    t->last_step = M31R_NO_STEP;
    if (number != 0) {
        m31ri_rings_let_pass(rs, t);
    }
    return true;
}

static void take_ring_back(m31ri_thread_ring *t)
{
    if (t->ring.hot != NULL) {
        t->n_put = t->ring.hot->sequence;
        m31ri_hot_cell_give(t->ring.hot);
        __atomic_store_n(&t->ring.hot, NULL, __ATOMIC_RELAXED);
    }
    t->owner = 0;
    m31ri_buf_release(&t->line);
    m31ri_buf_release(&t->scrubbed);
}

static m31ri_thread_ring *take_slot(m31ri_rings *rs, uint64_t number)
{
    for (uint32_t i = SHARED_SLOT + 1; i < rs->file.header->n_slots; i++) {
        m31ri_thread_ring *t = &rs->threads[i];
        if (!is_for_taking(rs, i)) {
            continue;
        }
        t->has_room = t->has_room || m31ri_ring_file_take_room(&rs->file, i) == 0;
        if (!t->has_room || !give_ring(rs, i, number)) {
            break;
        }
        atomic_store_explicit(&t->ring.slot->state, M31RI_SLOT_USED, memory_order_relaxed);
        return t;
    }
    return &rs->threads[SHARED_SLOT];
}

m31ri_thread_ring *m31ri_rings_of_thread(m31ri_rings *rs)
{
    if (!m31ri_rings_are_ours(rs)) {
        return NULL; /* a child of a fork, before its first long way */
    }
    uint64_t number = thread_number();
    m31ri_thread_ring *mine = NULL;
    pthread_mutex_lock(&rs->lock);
    for (uint32_t i = SHARED_SLOT + 1; i < rs->file.header->n_slots && mine == NULL; i++) {
        mine = rs->threads[i].owner == number ? &rs->threads[i] : NULL;
    }
    mine = mine != NULL ? mine : take_slot(rs, number);
    pthread_mutex_unlock(&rs->lock);
    m31ri_crash_enter_thread();
    if (mine != &rs->threads[SHARED_SLOT]) {
        m31ri_rings_remember((m31ri_thread_cache){rs->serial, mine});
    }
    return mine;
}

void m31ri_rings_leave(m31ri_rings *rs, uint64_t owner)
{
    if (!m31ri_rings_are_ours(rs)) {
        return;
    }
    pthread_mutex_lock(&rs->lock);
    for (uint32_t i = SHARED_SLOT + 1; i < rs->file.header->n_slots; i++) {
        if (rs->threads[i].owner == owner) {
            take_ring_back(&rs->threads[i]);
            /* pairs with the acquire in m31ri_ring_init, by way of the lock */
            atomic_store_explicit(&rs->threads[i].ring.slot->state, M31RI_SLOT_LEFT,
                                  memory_order_release);
        }
    }
    pthread_mutex_unlock(&rs->lock);
}

/* ------------------------------------------------------------------ begin */

static m31r_err make_file(m31ri_rings *rs, m31r_error *e)
{
    char points[M31RI_RING_NAME_BYTES];
    m31ri_run_points_file(rs->run, points, sizeof points);
    const m31ri_ring_shape shape = {.run_id = rs->run->dir.run_id,
                                    .run_path = rs->run->dir.path,
                                    .points_file = points,
                                    .n_slots = M31RI_RING_SLOTS,
                                    .slot_bytes = SLOT_BYTES};
    (void)m31ri_rings_sweep(NULL); /* what they hold is memory */
    m31r_err err = m31ri_ring_file_make(&shape, &rs->file, e);
    if (err != M31R_OK) {
        return err;
    }
    int room = m31ri_ring_file_take_room(&rs->file, SHARED_SLOT);
    if (room != 0) {
        err = m31ri_fail_sys(e, room, rs->file.path, "taking room for a ring in %s", rs->file.path);
        m31ri_ring_file_remove(&rs->file);
        return err;
    }
    m31ri_ring_clock_begin(&rs->file);
    m31ri_commit first = {.generation = 1, .n_rings = M31RI_RING_SLOTS};
    m31ri_commit_publish(&rs->file, &first);
    if (!give_ring(rs, SHARED_SLOT, 0)) {
        m31ri_ring_file_remove(&rs->file);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for rings");
    }
    return M31R_OK;
}

/* `.live/ring.<pid>.<n>`, whose content is the path of the ring file: how others find it. */
static m31r_err write_note(m31ri_rings *rs, m31r_error *e)
{
    const char *stem = strrchr(rs->file.path, '/') + 1 + strlen(rs->run->dir.run_id) + 1;
    snprintf(rs->note, sizeof rs->note, "ring.%.*s", (int)(strlen(stem) - strlen(".ring")), stem);
    char half[sizeof rs->note + 8]; /* whoever finds the note finds all of it */
    snprintf(half, sizeof half, "new.%s", rs->note);
    m31r_err err =
        m31ri_create_file(rs->run->dir.live_fd, half, rs->file.path, strlen(rs->file.path), e);
    if (err == M31R_OK &&
        renameat(rs->run->dir.live_fd, half, rs->run->dir.live_fd, rs->note) != 0) {
        err = m31ri_fail_sys(e, errno, rs->note, "naming %s", rs->note);
        unlinkat(rs->run->dir.live_fd, half, 0);
    }
    return err;
}

static m31ri_rings *new_rings(m31r_run *run)
{
    m31ri_rings *rs = m31ri_calloc(1, sizeof *rs);
    atomic_uint_fast64_t *token = m31ri_mapping_fork_token();
    if (rs == NULL || token == NULL) {
        m31ri_free(rs);
        m31ri_mapping_fork_token_free(token);
        return NULL;
    }
    rs->run = run;
    rs->file.fd = -1;
    rs->serial = atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed) + 1;
    atomic_store_explicit(token, rs->serial, memory_order_relaxed);
    rs->token = token;
    rs->block_timeout_ns = (int64_t)(run->settings->block_timeout_s * 1e9);
    pthread_mutex_init(&rs->lock, NULL);
    pthread_mutex_init(&rs->shared_lock, NULL);
    pthread_mutex_init(&rs->writer_lock, NULL);
    pthread_mutex_init(&rs->pass_lock, NULL);
    return rs;
}

static void free_rings(m31ri_rings *rs)
{
    m31ri_drain_close(rs->drain);
    for (uint32_t i = 0; i < M31RI_RING_SLOTS; i++) {
        take_ring_back(&rs->threads[i]);
    }
    for (uint32_t i = 0; i < M31RI_MAX_SITES; i++) {
        m31ri_free(atomic_load_explicit(&rs->sites[i], memory_order_relaxed));
    }
    for (uint32_t i = 0; i < M31RI_SERIES_SLOTS; i++) {
        m31ri_free(atomic_load_explicit(&rs->series[i], memory_order_relaxed));
    }
    m31ri_mapping_fork_token_free(rs->token);
    m31ri_modules_release(&rs->modules);
    pthread_mutex_destroy(&rs->lock);
    pthread_mutex_destroy(&rs->shared_lock);
    pthread_mutex_destroy(&rs->writer_lock);
    pthread_mutex_destroy(&rs->pass_lock);
    m31ri_free(rs);
}

void m31ri_rings_add_lane(m31ri_rings *rs, m31r_lane *lane)
{
    const char *name = lane->name[0] != '\0' ? lane->name : lane->run->stage;
    pthread_mutex_lock(&rs->lock);
    uint32_t id = m31ri_dictionary_add_lane(&rs->file, rs->n_lanes + 1, lane->file, name);
    rs->n_lanes += id != 0;
    lane->ring_id = id;
    lane->first_thread = 0; /* numbered otherwise from here on */
    pthread_mutex_unlock(&rs->lock);
}

void m31ri_rings_add_logger(m31ri_rings *rs, m31r_log *log)
{
    m31ri_logger *l = (m31ri_logger *)log;
    m31ri_buf module = M31RI_BUF_INIT; /* names stay in the ring as long as it does */
    m31ri_privacy_scrub(rs->run->privacy, NULL, 0, l->module, strlen(l->module), &module);
    pthread_mutex_lock(&rs->lock);
    uint32_t id = l->lane->ring_id == 0 || !m31ri_buf_ok(&module)
                      ? 0
                      : m31ri_dictionary_add_logger(&rs->file, rs->n_loggers + 1, l->lane->ring_id,
                                                    m31ri_buf_str(&module));
    rs->n_loggers += id != 0;
    l->ring_id = id;
    pthread_mutex_unlock(&rs->lock);
    m31ri_buf_release(&module);
    /* pairs with the plain load in m31r_log_emit: the number is there before the way is open */
    __atomic_store_n(&l->rings, id != 0 ? rs : NULL, __ATOMIC_RELEASE);
}

m31r_err m31ri_rings_begin(m31r_run *run, m31r_error *e)
{
    m31ri_rings *rs = new_rings(run);
    if (rs == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for rings");
    }
    m31r_err err = make_file(rs, e);
    if (err == M31R_OK) {
        err = write_note(rs, e);
        if (err != M31R_OK) {
            m31ri_ring_file_remove(&rs->file);
        }
    }
    if (err == M31R_OK && !m31ri_writer_start(rs)) {
        err = m31ri_fail(e, M31R_E_IO, "no thread can be started that writes what rings hold");
        unlinkat(run->dir.live_fd, rs->note, 0);
        m31ri_ring_file_remove(&rs->file);
    }
    if (err != M31R_OK) {
        free_rings(rs);
        return err;
    }
    run->rings = rs;
    if (run->takes_stacks || run->catches_crashes) {
        m31ri_stack_warm_up();
        m31ri_rings_know_modules(rs);
    }
    rs->file.is_gone = &rs->is_broken;
    m31ri_crash_watch(rs, run->catches_crashes);
    for (m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        if (lane->append != NULL) {
            m31ri_rings_add_lane(rs, lane);
        }
        if (lane->n_records != 0) { /* what the rings will say of the lane does not have them */
            m31ri_lane_announce(lane, "open");
        }
    }
    for (m31ri_logger *l = run->loggers; l != NULL; l = l->next) {
        m31ri_rings_add_logger(rs, &l->public_part);
    }
    run->step_logger = m31r_run_logger(run, "trainer");
    return M31R_OK;
}

/* ------------------------------------------------------------------ waiting, ending */

static bool is_drained(const m31ri_rings *rs)
{
    for (uint32_t i = 0; i < rs->file.header->n_slots; i++) {
        m31ri_ring_slot *slot = m31ri_ring_file_slot(&rs->file, i);
        if (atomic_load_explicit(&slot->tail, memory_order_acquire) !=
            atomic_load_explicit(&slot->head, memory_order_acquire)) {
            return false;
        }
    }
    return true;
}

/* Sleeps until the writer has come on, at most `most_us`; makes sure that somebody writes. */
static void sleep_until_drained(m31ri_rings *rs, int64_t most_us)
{
    m31ri_ring_live *live = rs->file.live;
    atomic_fetch_add_explicit(&live->n_waiting, 1, memory_order_seq_cst);
    uint32_t seen = atomic_load_explicit(&live->drained, memory_order_acquire);
    m31ri_ring_wake(live);
    m31ri_futex_wait(&live->drained, seen, most_us < LOOK_US ? most_us : LOOK_US);
    atomic_fetch_sub_explicit(&live->n_waiting, 1, memory_order_relaxed);
    m31ri_writer_start(rs);
}

char *m31ri_rings_wait_room(m31ri_rings *rs, m31ri_ring *r, uint64_t bytes)
{
    int saved = errno;
    int64_t until_ns = m31ri_mono_ns() + rs->block_timeout_ns;
    char *at = NULL;
    bool is_degraded = atomic_load_explicit(&rs->file.live->is_degraded, memory_order_relaxed) != 0;
    while (bytes <= m31ri_ring_longest(r) && (at = m31ri_ring_reserve(r, bytes)) == NULL) {
        int64_t left_ns = until_ns - m31ri_mono_ns();
        if (left_ns <= 0 || (is_degraded && r->was_full) || !m31ri_rings_are_ours(rs)) {
            break;
        }
        sleep_until_drained(rs, left_ns / 1000);
    }
    r->was_full = at == NULL;
    if (at == NULL) {
        atomic_fetch_add_explicit(&r->slot->n_dropped, 1, memory_order_relaxed);
    }
    errno = saved;
    return at;
}

char *m31ri_rings_room_or_drop(m31ri_ring *r, uint64_t bytes)
{
    char *at = m31ri_ring_reserve_low(r, bytes);
    if (at == NULL) {
        atomic_fetch_add_explicit(&r->slot->n_dropped, 1, memory_order_relaxed);
    }
    return at;
}

m31r_err m31ri_rings_flush(m31ri_rings *rs, int wait_ms)
{
    int64_t until_ns = m31ri_mono_ns() + wait_ms * 1000000LL;
    while (!is_drained(rs)) {
        int64_t left_ns = until_ns - m31ri_mono_ns();
        if (left_ns <= 0) {
            return M31R_E_IO;
        }
        sleep_until_drained(rs, left_ns / 1000);
    }
    return M31R_OK;
}

/* CRITICAL: until the disk has it, or no longer than is allowed. */
m31r_err m31ri_rings_sync(m31ri_rings *rs)
{
    m31ri_ring_live *live = rs->file.live;
    int64_t until_ns = m31ri_mono_ns() + rs->block_timeout_ns;
    uint32_t mine = atomic_fetch_add_explicit(&live->wants_sync, 1, memory_order_acq_rel) + 1;
    for (;;) {
        uint32_t synced = atomic_load_explicit(&live->synced, memory_order_acquire);
        if ((int32_t)(synced - mine) >= 0) {
            return M31R_OK;
        }
        int64_t left_ns = until_ns - m31ri_mono_ns();
        if (left_ns <= 0 || !m31ri_rings_are_ours(rs)) {
            return M31R_E_IO;
        }
        sleep_until_drained(rs, left_ns / 1000);
    }
}

uint64_t m31ri_rings_dropped(const m31ri_rings *rs)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < rs->file.header->n_slots; i++) {
        n += atomic_load_explicit(&m31ri_ring_file_slot(&rs->file, i)->n_dropped,
                                  memory_order_relaxed);
    }
    return n;
}

uint64_t m31ri_rings_lost(const m31ri_rings *rs)
{
    return m31ri_rings_dropped(rs) +
           atomic_load_explicit(&rs->file.live->n_lost, memory_order_relaxed);
}

uint32_t m31ri_rings_n_put(const m31ri_rings *rs, uint32_t i)
{
    const m31ri_thread_ring *t = &rs->threads[i];
    const m31r_hot *hot = t->ring.hot;
    return (uint32_t)(hot != NULL ? __atomic_load_n(&hot->sequence, __ATOMIC_RELAXED) : t->n_put);
}

/* What a ring without memory held and nobody had written. */
static uint64_t count_gone(m31ri_rings *rs)
{
    uint64_t n = 0;
    uint32_t told[M31RI_RING_SLOTS];
    if (rs->drain == NULL && m31ri_drainer_taken(&rs->run->dir, rs->note, told)) {
        for (uint32_t i = 0; i < M31RI_RING_SLOTS; i++) {
            rs->taken[i] = told[i] != 0 ? told[i] : rs->taken[i];
        }
    }
    pthread_mutex_lock(&rs->lock);
    for (uint32_t i = 0; i < M31RI_RING_SLOTS; i++) {
        uint32_t n_taken = rs->drain != NULL ? m31ri_drain_taken(rs->drain, i) : 0;
        n += m31ri_rings_n_put(rs, i) - (n_taken != 0 ? n_taken : rs->taken[i]);
    }
    pthread_mutex_unlock(&rs->lock);
    return n;
}

static void tell_loss(void *run, json_t *notice)
{
    m31ri_notice(run, notice);
}

/* What the drain counted becomes the lanes' own. */
static void take_counts(m31ri_rings *rs)
{
    if (rs->drain != NULL) {
        m31ri_drain_each_loss(rs->drain, tell_loss, rs->run);
    }
    for (m31r_lane *lane = rs->run->lanes; lane != NULL && rs->drain != NULL; lane = lane->next) {
        uint64_t n_records, n_lost;
        m31ri_drain_counts(rs->drain, lane->ring_id, &n_records, &n_lost);
        lane->n_records += n_records;
        lane->outage.n_lost_total += n_lost;
    }
    if (rs->drain != NULL) {
        rs->run->points.outage.n_lost_total += m31ri_drain_points_lost(rs->drain);
    }
    rs->run->main_lane->outage.n_lost_total += m31ri_rings_dropped(rs);
}

/* From here on no call finds its way into a ring any more. */
static void shut(m31ri_rings *rs)
{
    m31ri_rings_close_loggers(rs);
    m31ri_rings_flush(rs, END_WAIT_MS);
    m31ri_writer_stop(rs);
    atomic_store_explicit(rs->token, 0, memory_order_relaxed);
    m31ri_crash_unwatch(rs);
}

/* What was put in between the writer's last look and the shutting. */
static void drain_rest(m31ri_rings *rs)
{
    if (m31ri_writer_take(rs)) {
        m31ri_drain_look(rs->drain);
        while (m31ri_drain_pass(rs->drain)) {
        }
        m31ri_lease_end(rs->file.fd, M31RI_LEASE_WRITER);
        return;
    }
    /* An observer that is stopped may write at any moment, and what the disk refused is for
     * recovery: the files are theirs. */
    bool is_gone = atomic_load_explicit(&rs->is_broken, memory_order_acquire);
    for (m31r_lane *lane = rs->run->lanes; lane != NULL; lane = lane->next) {
        if (lane->ring_id != 0 && !is_gone) {
            m31ri_lane_give_up_file(lane);
        }
    }
}

/* The lanes are written directly again. What a failing disk kept in the rings stays for recovery.
 */
static void give_lanes_back(m31ri_rings *rs)
{
    m31r_run *run = rs->run;
    take_counts(rs);
    run->rings = NULL;
    for (m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        bool has_told = rs->drain != NULL && lane->ring_id != 0 &&
                        m31ri_drain_has_told(rs->drain, lane->ring_id);
        if (has_told && lane->append != NULL) {
            m31ri_append_check(
                lane->append); /* goes on in the new file, and does not say it again */
        }
        lane->check_mono_ns = 0;
        lane->ring_id = 0;
        lane->first_thread = 0;
    }
    if (is_drained(rs)) {
        unlink(rs->file.path); /* first: a ring without a note would be found by nobody */
        unlinkat(run->dir.live_fd, rs->note, 0);
    }
}

/* The loss is said by the lane as any other: with the next record. */
static void lose_gone(m31ri_rings *rs)
{
    m31r_lane *lane = rs->run->main_lane;
    uint64_t n = atomic_load_explicit(&rs->is_broken, memory_order_acquire) ? count_gone(rs) : 0;
    pthread_mutex_lock(&lane->lock);
    if (n != 0) {
        m31ri_outage_begin(&lane->outage, EFAULT, n, rs->file.path);
        lane->outage.retry_mono_ns = 0; /* the lane itself can be written */
    }
    pthread_mutex_unlock(&lane->lock);
}

bool m31ri_rings_give_up(m31ri_rings *rs)
{
    m31r_run *run = rs->run;
    if (pthread_mutex_trylock(&rs->writer_lock) != 0) {
        return false;
    }
    if (pthread_mutex_trylock(&run->lock) != 0) {
        pthread_mutex_unlock(&rs->writer_lock);
        return false;
    }
    m31ri_rings_close_loggers(rs);
    nanosleep(&(struct timespec){0, CALL_NS}, NULL); /* calls that were on their way have ended */
    lose_gone(rs);
    give_lanes_back(rs);
    rs->is_shut = true;
    rs->has_writer = false;
    pthread_detach(pthread_self());
    rs->forgotten = run->forgotten_rings;
    run->forgotten_rings = rs;
    pthread_mutex_unlock(&run->lock);
    pthread_mutex_unlock(&rs->writer_lock);
    m31ri_run_say_no_rings(run, "the file of the rings was cut short, or its memory is gone");
    return true;
}

void m31ri_rings_end(m31r_run *run)
{
    m31ri_rings *rs = run->rings;
    if (rs != NULL) {
        shut(rs);
        drain_rest(rs);
        lose_gone(rs);
        give_lanes_back(rs);
        m31ri_ring_file_close(&rs->file);
        free_rings(rs);
    }
}

void m31ri_rings_end_at_exit(m31r_run *run)
{
    m31ri_rings *rs = run->rings;
    if (rs != NULL) {
        shut(rs);
        drain_rest(rs);
        lose_gone(rs);
        give_lanes_back(rs);
        m31ri_drain_close(rs->drain);
        rs->drain = NULL;
        rs->forgotten = run->forgotten_rings;
        run->forgotten_rings = rs;
    }
}

void m31ri_rings_forget(m31r_run *run)
{
    m31ri_rings *rs = run->rings;
    if (rs == NULL) {
        return;
    }
    m31ri_rings_close_loggers(rs);
    for (uint32_t i = 0; i < M31RI_RING_SLOTS; i++) {
        m31ri_hot_cell_give(rs->threads[i].ring.hot); /* wiped */
        rs->threads[i].ring.hot = NULL;
    }
    for (m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        lane->ring_id = 0;
    }
    /* The parent's writer may have been in the middle of anything: its memory is left as it is. */
    m31ri_drain_forget(rs->drain);
    m31ri_crash_unwatch(rs);
    m31ri_ring_file_close(&rs->file);
    rs->forgotten = run->forgotten_rings;
    run->forgotten_rings = rs;
    run->rings = NULL;
}
