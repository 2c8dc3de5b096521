/* keeper.c - the loop that reads the program, and what is due now and then.
 *
 * Everything here is bounded: reading waits for a full printer at most as long as printer.h says;
 * after the program's end its output is waited for a little. Small prints are gathered for two
 * milliseconds, so that a program that prints often does not wake us for every line.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/os_pty.h"
#include "observe/keeper.h"

#define MS_NS (1000LL * 1000)
#define TICK_NS (1000 * MS_NS)
#define TAIL_NS (100 * MS_NS)
#define POLL_MS 100
#define GATHER_NS (2 * MS_NS)
#define QUIET_NS                                                                                   \
    (1000 * MS_NS) /* output that others still hold: given up when quiet for so long... */
#define LEFTOVER_NS (5000 * MS_NS) /* ...or after so long */

void m31ri_observer_ignore_signals(void)
{
    static const int ignored[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP,
                                  SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGALRM};
    sigset_t none;
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        signal(ignored[i], SIG_IGN);
    }
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void watch_program(m31ri_keeper *k)
{
    m31ri_shared *s = k->shared;
    m31ri_program_watch(s);
    bool is_stopped = atomic_load(&s->is_stopped) != 0;
    if (is_stopped != k->was_stopped) {
        k->was_stopped = is_stopped;
        m31ri_keeper_report(k, M31R_INFO, is_stopped ? "program_stopped" : "program_continued",
                            NULL, 0);
        m31ri_wake(k->plan->wake_front);
    }
    if (atomic_load(&s->phase) >= M31RI_PHASE_ENDED && k->ended_mono_ns == 0) {
        k->ended_mono_ns = m31ri_mono_ns();
        m31ri_wake(k->plan->wake_front); /* it gives our terminal back */
    }
}

/* The front's death: nobody passes on keys any more, and our terminal must not stay raw. */
static void lose_front(m31ri_keeper *k)
{
    k->front_is_gone = true;
    if (atomic_load(&k->shared->is_raw) != 0) {
        m31ri_terminal_restore(0, &k->plan->wiring.terminal);
        atomic_store(&k->shared->is_raw, 0);
    }
    if (!k->shared->is_front_loss_told) { /* a keeper that was killed after the front may have */
        m31ri_keeper_report(k, M31R_WARNING, "observer_front_lost", NULL, 0);
        k->shared->is_front_loss_told = true;
    }
}

static bool is_any_full(m31ri_keeper *k)
{
    return m31ri_printer_is_full(&k->printers[M31RI_OUT]) ||
           m31ri_printer_is_full(&k->printers[M31RI_ERR]);
}

enum { SET_OUT, SET_ERR, SET_PROGRAM, SET_FRONT, SET_WAKE, SET_PRINT_OUT, SET_PRINT_ERR, SET_SIZE };

static int64_t sooner(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* How long nothing need be done but what wakes us. */
static int idle_ms(const m31ri_keeper *k)
{
    if (k->run == NULL) {
        return POLL_MS;
    }
    int64_t next_ns = m31ri_mono_ns() + POLL_MS * MS_NS;
    next_ns = k->plan->sample_interval_s > 0 ? sooner(next_ns, k->next_sample_ns) : next_ns;
    next_ns = k->ended_mono_ns == 0 ? sooner(next_ns, k->next_loaded_ns) : next_ns;
    int64_t left_ns = next_ns - m31ri_mono_ns();
    return left_ns < 0 ? 0 : (int)(left_ns / MS_NS) + 1;
}

static void wait_for_work(m31ri_keeper *k, struct pollfd set[SET_SIZE])
{
    bool is_full = is_any_full(k);
    bool has_ended = k->ended_mono_ns != 0;
    for (int i = 0; i < M31RI_STREAMS; i++) {
        m31ri_stream *s = &k->streams[i].stream;
        bool reads = !is_full && !s->shared->is_ended && m31ri_stream_has_room(s);
        set[SET_OUT + i] = (struct pollfd){reads ? s->fd : -1, POLLIN, 0};
        m31ri_printer *p = &k->printers[i];
        set[SET_PRINT_OUT + i] = (struct pollfd){m31ri_printer_waits(p) ? p->fd : -1, POLLOUT, 0};
    }
    set[SET_PROGRAM] = (struct pollfd){has_ended ? -1 : k->program_pidfd, POLLIN, 0};
    set[SET_FRONT] = (struct pollfd){k->front_is_gone ? -1 : k->plan->front_pidfd, POLLIN, 0};
    set[SET_WAKE] = (struct pollfd){k->plan->wake_keeper[0], POLLIN, 0};
    poll(set, SET_SIZE, idle_ms(k));
}

static void gather(m31ri_keeper *k)
{
    int64_t since_ns = m31ri_mono_ns() - k->last_bytes_ns;
    bool is_busy = since_ns < GATHER_NS && k->ended_mono_ns == 0;
    for (int i = 0; is_busy && i < M31RI_STREAMS; i++) {
        m31ri_stream *s = &k->streams[i].stream;
        is_busy = !s->is_terminal && m31ri_stream_waiting(s) < M31RI_STREAM_RING_BYTES / 4;
    }
    if (is_busy) {
        const struct timespec pause = {0, GATHER_NS};
        nanosleep(&pause, NULL);
    }
}

static void read_program(m31ri_keeper *k, const struct pollfd set[SET_SIZE])
{
    if (set[SET_OUT].revents == 0 && set[SET_ERR].revents == 0) {
        return;
    }
    gather(k);
    for (int i = 0; i < M31RI_STREAMS; i++) {
        if (set[SET_OUT + i].revents != 0 && m31ri_stream_read(&k->streams[i].stream)) {
            m31ri_capture_bytes(&k->streams[i], k->shared->streams[i].is_ended != 0);
            k->last_bytes_ns = m31ri_mono_ns();
        }
    }
}

static void do_what_is_due(m31ri_keeper *k)
{
    int64_t now_ns = m31ri_mono_ns();
    double interval_s = k->plan->sample_interval_s;
    m31ri_keeper_leave_ended_run(k);
    if (k->run == NULL) {
        return;
    }
    bool is_held_up = k->records_to != NULL && m31ri_printer_is_full(k->records_to);
    if (now_ns >= k->next_tail_ns && !is_held_up) {
        k->next_tail_ns = now_ns + TAIL_NS;
        m31ri_keeper_show_lanes(k);
    }
    if (now_ns >= k->next_tick_ns) {
        k->next_tick_ns = now_ns + TICK_NS;
        m31ri_run_tick(k->run);
        m31ri_keeper_report_anomalies(k);
        m31ri_keeper_report_disk(k);
        m31ri_keeper_report_clock(k);
        m31ri_keeper_report_progress(k);
    }
    if (interval_s > 0 && now_ns >= k->next_sample_ns) {
        k->next_sample_ns = now_ns + (int64_t)(interval_s * 1e9);
        m31ri_sampler_take(k);
    }
    if (now_ns >= k->next_loaded_ns && k->ended_mono_ns == 0) {
        m31ri_keeper_look_at_loaded(k, now_ns);
    }
    if (m31ri_hint_is_due(&k->hint, k->shared->start_mono_ns, now_ns, false)) {
        m31ri_keeper_report_unmatched(k);
    }
}

/* True when there is nothing more to wait for. */
static bool is_over(const m31ri_keeper *k)
{
    const m31ri_stream_shared *s = k->shared->streams;
    if (k->ended_mono_ns == 0) {
        return false;
    }
    if (s[M31RI_OUT].is_ended && s[M31RI_ERR].is_ended) {
        return true;
    }
    int64_t now_ns = m31ri_mono_ns();
    int64_t quiet_since = k->last_bytes_ns > k->ended_mono_ns ? k->last_bytes_ns : k->ended_mono_ns;
    return now_ns - k->ended_mono_ns > LEFTOVER_NS || now_ns - quiet_since > QUIET_NS;
}

/* The program has ended, and whose child it was is dead too: nobody can learn its status. */
static bool is_end_unseen(const m31ri_keeper *k)
{
    return k->is_heir && k->front_is_gone && m31ri_pidfd_is_over(k->plan->guard_pidfd) &&
           atomic_load(&k->shared->phase) < M31RI_PHASE_ENDED;
}

static void work(m31ri_keeper *k)
{
    struct pollfd set[SET_SIZE];
    while (!is_over(k)) {
        wait_for_work(k, set);
        m31ri_wake_clear(k->plan->wake_keeper);
        if (set[SET_FRONT].revents != 0) {
            lose_front(k);
        }
        read_program(k, set);
        watch_program(k);
        if (set[SET_PROGRAM].revents != 0 && is_end_unseen(k)) {
            atomic_store(&k->shared->phase, M31RI_PHASE_ENDED);
        }
        do_what_is_due(k);
        m31ri_printer_flush(&k->printers[M31RI_OUT]);
        m31ri_printer_flush(&k->printers[M31RI_ERR]);
    }
}

_Noreturn void m31ri_keeper_main(m31ri_plan *p, bool is_heir)
{
    static m31ri_keeper k; /* large, and the process has only one */
    m31r_error e = {0};
    k = (m31ri_keeper){.plan = p, .shared = p->shared, .is_heir = is_heir};
    m31ri_process_set_name("run-keeper");
    m31ri_become_subreaper();
    m31ri_observer_ignore_signals();
    if (is_heir) {
        setsid();
    }
    m31r_err err = m31ri_keeper_open(&k, &e);
    if (err != M31R_OK && !is_heir) {
        p->shared->error = e;
        _exit(1);
    }
    m31ri_wiring_close_inner(&p->wiring);
    if (k.run != NULL) {
        m31ri_run_drain_rings(k.run);
    }
    if (!is_heir) {
        k.shared->start_mono_ns = m31ri_mono_ns();
    }
    m31ri_wake(p->wake_front);
    k.program_pidfd = m31ri_pidfd_open((pid_t)atomic_load(&p->shared->program_pid));
    k.next_tick_ns = m31ri_mono_ns() + TICK_NS;
    m31ri_sampler_begin(&k);
    work(&k);
    m31ri_keeper_end(&k);
    _exit(0);
}
