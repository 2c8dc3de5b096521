/* drainer.c - one thread that looks for rings, and one for each ring that it found.
 *
 * Nothing here decides what is written or how often: that is the drain's, under the ring's lease.
 * A thread that dies with its process leaves a lease that is free and statements that say how far
 * it was, like any other writer.
 */
#include "drain/drainer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "base/os_futex.h"
#include "base/os_mapping.h"
#include "drain/drain.h"
#include "drain/ring_settle.h"
#include "store/notices.h"

#define LOCK_FILE "drainer"
#define TAKEN_PREFIX "taken."
#define TAKEN_WAIT_MS 200
#define LOOK_NS (20 * 1000 * 1000) /* pause between two looks for new rings */
#define AGAIN_NS                                                                                   \
    (1000 * 1000 * 1000LL)            /* before a ring that could not be served is tried again     \
                                       */
#define ASK_NS (1000 * 1000 * 1000LL) /* pause between two requests for a rotation */
#define FIRST_PAUSE_US 1000
#define LONGEST_PAUSE_US 10000 /* how late a record may be seen */
#define NOTE_LIMIT 4096

/* One ring and its thread. */
typedef struct served {
    struct served *next;
    m31ri_drainer *of;
    char note[64];
    pthread_t thread;
    atomic_bool is_done; /* pairs with the load in reap */
    int64_t done_mono_ns;
    m31ri_ring_file file;
    m31ri_ring_header header; /* a copy, for when the file's memory goes */
    atomic_bool is_cut;       /* that has happened */
    m31ri_drain *drain;       /* NULL: the lease is not ours */
    int64_t sync_ns, ask_ns;
    bool wants_rotation;
} served;

struct m31ri_drainer {
    m31ri_drainer_options options;
    pthread_t scout;
    atomic_bool must_stop;
    atomic_int_fast64_t clock_step_ns;
    int lock_fd;
    bool is_locked;
    served *rings; /* the scout's */
};

static bool must_stop(const m31ri_drainer *d)
{
    return atomic_load_explicit(&d->must_stop, memory_order_acquire);
}

static void pause_ns(int64_t ns)
{
    nanosleep(&(struct timespec){ns / 1000000000, ns % 1000000000}, NULL);
}

/* ------------------------------------------------------------------ a ring without memory */

#define GUARDED 64 /* rings served at one time that are; of the others a cut file ends us */

/* A handler gets no object handed to it: this is the process's own. */
static _Atomic(served *) guarded[GUARDED];

/* A ring's file was cut short under us: memory of our own comes in its place, and the thread that
 * serves it sees that. Any other fault goes the way of its default. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    uintptr_t at = (uintptr_t)info->si_addr;
    for (int i = 0; i < GUARDED; i++) {
        served *s = atomic_load_explicit(&guarded[i], memory_order_acquire);
        uintptr_t base = s != NULL ? (uintptr_t)s->file.base : 0;
        if (base != 0 && at >= base && at < base + s->file.bytes &&
            m31ri_mapping_replace(s->file.base, s->file.bytes)) {
            memcpy(s->file.base, &s->header, sizeof s->header);
            atomic_store_explicit(&s->is_cut, true, memory_order_release);
            return;
        }
    }
    signal(number, SIG_DFL);
}

static void install_guard(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

static void guard(served *s)
{
    s->header = *s->file.header;
    s->file.is_gone = &s->is_cut;
    for (int i = 0; i < GUARDED; i++) {
        served *none = NULL;
        if (atomic_compare_exchange_strong(&guarded[i], &none, s)) {
            return;
        }
    }
}

static void unguard(served *s)
{
    for (int i = 0; i < GUARDED; i++) {
        served *mine = s;
        atomic_compare_exchange_strong(&guarded[i], &mine, NULL);
    }
}

/* ------------------------------------------------------------------ one ring */

/* The lane's file is held by the program, so it is the program that rotates it. */
static bool ask_for_rotation(void *context, const char *file, uint64_t size, int64_t wall_ns)
{
    served *s = context;
    (void)file;
    (void)wall_ns;
    s->wants_rotation |= size >= s->of->options.rotate_bytes;
    return false;
}

static bool make_room(void *context, size_t bytes)
{
    const m31ri_drainer_options *o = &((const served *)context)->of->options;
    return o->make_room != NULL && o->make_room(o->context, bytes);
}

static bool open_ring(served *s)
{
    m31ri_buf path = M31RI_BUF_INIT;
    bool is_open =
        m31ri_read_file(s->of->options.dir->live_fd, s->note, NOTE_LIMIT, &path, NULL) == M31R_OK &&
        m31ri_ring_file_open(m31ri_buf_str(&path), true, &s->file, NULL) == M31R_OK;
    m31ri_buf_release(&path);
    if (is_open && strcmp(s->file.header->run_id, s->of->options.dir->run_id) != 0) {
        m31ri_ring_file_close(&s->file);
        is_open = false;
    }
    return is_open;
}

static bool is_programs(const served *s)
{
    /* pairs with the release of whoever sets it: the lease itself orders what is written */
    return atomic_load_explicit(&s->file.live->stand, memory_order_acquire) == M31RI_STAND_PROGRAM;
}

static bool take_lease(served *s)
{
    const m31ri_drainer_options *o = &s->of->options;
    const m31ri_drain_options options = {.dir = o->dir,
                                         .privacy = o->privacy,
                                         .block_timeout_ns = o->block_timeout_ns,
                                         .rotate = ask_for_rotation,
                                         .make_room = make_room,
                                         .context = s};
    if (is_programs(s) || !m31ri_lease_take(s->file.fd, M31RI_LEASE_WRITER)) {
        return false;
    }
    if (m31ri_drain_open(&s->file, &options, &s->drain, NULL) != M31R_OK) {
        s->drain = NULL;
        m31ri_lease_end(s->file.fd, M31RI_LEASE_WRITER);
    }
    return s->drain != NULL;
}

static void tell_loss(void *context, json_t *notice)
{
    m31ri_notice_add(context, notice, NULL);
}

/* Everything that was begun is done; the program is woken, in case it waits for the lease. */
static void let_go(served *s)
{
    if (s->drain != NULL) {
        m31ri_drain_sync(s->drain);
        m31ri_drain_each_loss(s->drain, tell_loss, (void *)(uintptr_t)s->of->options.dir);
        m31ri_drain_close(s->drain);
        s->drain = NULL;
        m31ri_lease_end(s->file.fd, M31RI_LEASE_WRITER);
        m31ri_futex_wake(&s->file.live->stand);
    }
}

static void hand_over_for_rotation(served *s)
{
    int64_t now = m31ri_mono_ns();
    if (s->wants_rotation && now >= s->ask_ns) {
        s->ask_ns = now + ASK_NS;
        atomic_store_explicit(&s->file.live->stand, M31RI_STAND_PROGRAM, memory_order_release);
        let_go(s);
    }
    s->wants_rotation = false;
}

/* A batch, and durability when it is due. True when there was something to do. */
static bool write_some(served *s)
{
    m31ri_ring_live *live = s->file.live;
    bool has_done = m31ri_drain_pass(s->drain);
    int64_t now = m31ri_mono_ns();
    bool is_awaited = atomic_load_explicit(&live->wants_sync, memory_order_acquire) !=
                      atomic_load_explicit(&live->synced, memory_order_acquire);
    if (is_awaited || now >= s->sync_ns) {
        m31ri_drain_sync(s->drain);
        s->sync_ns = now + s->of->options.sync_interval_ns;
    }
    int64_t step_ns = m31ri_drain_take_clock_step(s->drain);
    if (step_ns != 0) {
        atomic_store_explicit(&s->of->clock_step_ns, step_ns, memory_order_relaxed);
    }
    return has_done;
}

/* The file has its name, and is as long as when it was mapped. */
static bool is_whole(const served *s)
{
    struct stat st;
    return !m31ri_ring_file_is_gone(&s->file) && fstat(s->file.fd, &st) == 0 && st.st_nlink != 0 &&
           (uint64_t)st.st_size == s->file.bytes;
}

/* The program that lost its ring counts what was lost: it has to know what was not. */
static void tell_taken(const served *s)
{
    uint32_t taken[M31RI_RING_SLOTS];
    char name[sizeof s->note + sizeof TAKEN_PREFIX];
    for (uint32_t i = 0; i < M31RI_RING_SLOTS; i++) {
        taken[i] = m31ri_drain_taken(s->drain, i);
    }
    snprintf(name, sizeof name, TAKEN_PREFIX "%s", s->note);
    (void)m31ri_replace_file(s->of->options.dir->live_fd, name, taken, sizeof taken, false, NULL);
}

/* Serves the ring until its program is dead (true), it is damaged, or we are to stop. */
static bool serve_open(served *s)
{
    int64_t pause_us = FIRST_PAUSE_US;
    for (;;) {
        uint32_t seen = atomic_load_explicit(&s->file.live->wake, memory_order_acquire);
        bool stops = must_stop(s->of);
        if (!is_whole(s)) {
            if (s->drain != NULL) {
                tell_taken(s);
            }
            return false;
        }
        bool is_ours = s->drain != NULL || take_lease(s);
        if (is_ours && write_some(s)) {
            pause_us = FIRST_PAUSE_US;
            hand_over_for_rotation(s);
            continue;
        }
        if (is_ours && is_programs(s)) {
            let_go(s);
        }
        if (m31ri_ring_file_is_dead(&s->file)) {
            return true;
        }
        if (stops) {
            return false;
        }
        m31ri_futex_wait(&s->file.live->wake, seen, pause_us);
        pause_us = pause_us * 2 < LONGEST_PAUSE_US ? pause_us * 2 : LONGEST_PAUSE_US;
    }
}

static void *serve(void *argument)
{
    served *s = argument;
    bool is_dead = true; /* what cannot be opened is for whoever settles to judge */
    if (open_ring(s)) {
        guard(s);
        is_dead = serve_open(s);
        let_go(s);
        unguard(s);
        m31ri_ring_file_close(&s->file);
    }
    if (is_dead) {
        m31ri_ring_settle(s->of->options.dir, s->of->options.privacy, s->note);
    }
    s->done_mono_ns = m31ri_mono_ns();
    atomic_store_explicit(&s->is_done, true, memory_order_release);
    return NULL;
}

/* ------------------------------------------------------------------ all rings */

static bool start_thread(pthread_t *thread, void *(*function)(void *), void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_started = pthread_create(thread, NULL, function, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

static bool is_known(const m31ri_drainer *d, const char *note)
{
    const served *s = d->rings;
    while (s != NULL && strcmp(s->note, note) != 0) {
        s = s->next;
    }
    return s != NULL;
}

static void add_ring(m31ri_drainer *d, const char *note)
{
    served *s = strlen(note) < sizeof s->note ? m31ri_calloc(1, sizeof *s) : NULL;
    if (s == NULL) {
        return;
    }
    s->of = d;
    s->file.fd = -1;
    snprintf(s->note, sizeof s->note, "%s", note);
    if (!start_thread(&s->thread, serve, s)) {
        m31ri_free(s);
        return;
    }
    s->next = d->rings;
    d->rings = s;
}

static void look(m31ri_drainer *d)
{
    m31ri_dir_list list;
    if (m31ri_dir_list_fd(d->options.dir->live_fd, &list, NULL) != M31R_OK) {
        return;
    }
    for (size_t i = 0; i < list.n; i++) {
        const char *name = list.entries[i].name;
        if (m31ri_ring_note_is_of_other(name) && !is_known(d, name)) {
            add_ring(d, name);
        }
    }
    m31ri_dir_list_release(&list);
}

/* Rings that are done; one that has still its note is tried again after a while. */
static void reap(m31ri_drainer *d, bool waits)
{
    for (served **at = &d->rings; *at != NULL;) {
        served *s = *at;
        bool is_done = atomic_load_explicit(&s->is_done, memory_order_acquire);
        bool is_due = is_done && m31ri_mono_ns() - s->done_mono_ns >= AGAIN_NS;
        if (!is_due && !waits) {
            at = &s->next;
            continue;
        }
        pthread_join(s->thread, NULL);
        *at = s->next;
        m31ri_free(s);
    }
}

static void *scout(void *argument)
{
    m31ri_drainer *d = argument;
    while (!must_stop(d)) {
        d->is_locked = d->is_locked || m31ri_lease_take(d->lock_fd, 0);
        if (d->is_locked) {
            look(d);
            reap(d, false);
        }
        pause_ns(LOOK_NS);
    }
    return NULL;
}

m31ri_drainer *m31ri_drainer_start(const m31ri_drainer_options *o)
{
    m31ri_drainer *d = m31ri_calloc(1, sizeof *d);
    if (d == NULL) {
        return NULL;
    }
    d->options = *o;
    install_guard();
    d->lock_fd = m31ri_open(o->dir->live_fd, LOCK_FILE, O_RDWR | O_CREAT, 0600);
    d->is_locked = d->lock_fd >= 0 && m31ri_lease_take(d->lock_fd, 0);
    if (d->lock_fd < 0 || !start_thread(&d->scout, scout, d)) {
        if (d->lock_fd >= 0) {
            close(d->lock_fd);
        }
        m31ri_free(d);
        return NULL;
    }
    return d;
}

void m31ri_drainer_stop(m31ri_drainer *d)
{
    if (d == NULL) {
        return;
    }
    atomic_store_explicit(&d->must_stop, true, memory_order_release);
    pthread_join(d->scout, NULL);
    reap(d, true);
    close(d->lock_fd);
    m31ri_free(d);
}

int64_t m31ri_drainer_take_clock_step(m31ri_drainer *d)
{
    return d == NULL ? 0 : atomic_exchange_explicit(&d->clock_step_ns, 0, memory_order_relaxed);
}

bool m31ri_drainer_is_there(const m31ri_run_dir *dir)
{
    int fd = m31ri_open(dir->live_fd, LOCK_FILE, O_RDONLY | O_NONBLOCK, 0);
    bool is_there = fd >= 0 && m31ri_lease_is_held(fd, 0);
    if (fd >= 0) {
        close(fd);
    }
    return is_there;
}

bool m31ri_drainer_taken(const m31ri_run_dir *dir, const char *note, uint32_t out[M31RI_RING_SLOTS])
{
    char name[128];
    m31ri_buf bytes = M31RI_BUF_INIT;
    const size_t size = M31RI_RING_SLOTS * sizeof *out;
    snprintf(name, sizeof name, TAKEN_PREFIX "%s", note);
    for (int i = 0; i < TAKEN_WAIT_MS && bytes.length != size && m31ri_drainer_is_there(dir); i++) {
        pause_ns(1000 * 1000);
        m31ri_buf_clear(&bytes);
        (void)m31ri_read_file(dir->live_fd, name, size, &bytes, NULL);
    }
    bool is_told = bytes.length == size;
    if (is_told) {
        memcpy(out, bytes.data, size);
        unlinkat(dir->live_fd, name, 0);
    }
    m31ri_buf_release(&bytes);
    return is_told;
}
