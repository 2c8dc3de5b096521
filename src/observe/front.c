/* front.c - the process that the user started: it waits, passes signals on, and does the guard's
 * work when that is killed.
 *
 * A signal that the terminal sent reached the program too, because it is in our process group:
 * passed on are only those that a process sent to us. The front is a subreaper: a killed guard's
 * keeper becomes its child, and a killed keeper's program, so that its status is not lost; and it
 * holds the read ends of the program's output, so that the program meets no closed pipe in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/os_pty.h"
#include "observe/caretaker.h"
#include "observe/keeper.h"

#define STOPPED_MS 100 /* a stopped guard is continued after so long; keys are tried again */
#define KEYS_BYTES 4096
#define SUSPEND_NS                                                                                 \
    50000000 /* for a program to do something of its own about the key that stops it */

typedef struct front {
    m31ri_plan *plan;
    m31ri_shared *shared;
    int signals; /* signalfd */
    int program_pidfd;
    pid_t guard; /* -1: dead, and we are the caretaker */
    bool is_guard_stopped;
    m31ri_caretaker caretaker;
    int early_signal;      /* came before there was a program */
    char keys[KEYS_BYTES]; /* typed, not yet taken by the program */
    size_t n_keys;
    bool has_no_keys;        /* our terminal is gone */
    int64_t suspend_mono_ns; /* when to look whether the key that stops programs did; 0: never */
} front;

static void set_raw(front *f, bool raw)
{
    const m31ri_wiring *w = &f->plan->wiring;
    if (!w->is_interactive || raw == (atomic_load(&f->shared->is_raw) != 0)) {
        return;
    }
    if (!raw) {
        m31ri_terminal_restore(0, &w->terminal);
        atomic_store(&f->shared->is_raw, 0);
    } else if (m31ri_terminal_is_ours(0)) {
        atomic_store(&f->shared->is_raw, 1); /* before: whoever finds us dead restores */
        m31ri_terminal_raw(0, &w->terminal);
    }
}

/* Stops us as the shell expects of a job; returns when we are continued. */
static void suspend(front *f)
{
    sigset_t one;
    set_raw(f, false);
    sigemptyset(&one);
    sigaddset(&one, SIGTSTP);
    kill(0, SIGTSTP);                     /* pending, for us, until unblocked */
    sigprocmask(SIG_UNBLOCK, &one, NULL); /* stops here */
    sigprocmask(SIG_BLOCK, &one, NULL);
    set_raw(f, true);
    m31ri_wiring_follow_size(&f->plan->wiring);
}

static void pass_on(front *f, int number)
{
    pid_t program = (pid_t)atomic_load(&f->shared->program_pid);
    if (atomic_load(&f->shared->phase) == M31RI_PHASE_OPENING) {
        f->early_signal = number;
    } else if (atomic_load(&f->shared->phase) == M31RI_PHASE_RUNNING) {
        m31ri_pidfd_signal(f->program_pidfd, program, number);
    }
}

static void note_asked(front *f, int number)
{
    const bool *terminal = f->plan->wiring.ours_is_terminal;
    bool ignores_hangup = terminal[0] || terminal[1] || terminal[2];
    bool asks = number == SIGINT || number == SIGTERM || (number == SIGHUP && !ignores_hangup);
    bool is_heard =
        sigismember(&f->plan->signals.ignored, number) != 1; /* nohup, `&` in a script */
    if (asks && is_heard && atomic_load(&f->shared->phase) < M31RI_PHASE_ENDED) {
        atomic_store(&f->shared->asked_mono_ns, m31ri_mono_ns());
        atomic_store(&f->shared->asked_signal, number);
    }
}

/* True when the user wants us gone although the record is not finished: the keeper finishes it
 * alone. */
static bool take_signal(front *f, int number, bool from_process)
{
    bool asks = number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
    if (number == SIGCHLD) {
        return false;
    }
    if (number == SIGWINCH) {
        m31ri_wiring_follow_size(&f->plan->wiring);
    }
    note_asked(f, number);
    if (from_process) {
        pass_on(f, number);
    }
    if (number == SIGTSTP) {
        raise(SIGSTOP);
    }
    if (number == SIGCONT && !from_process) {
        return false;
    }
    if (number == SIGCONT) {
        set_raw(f, true);
    }
    return asks && atomic_load(&f->shared->phase) >= M31RI_PHASE_ENDED;
}

static bool take_signals(front *f)
{
    int number;
    bool from_process;
    bool gives_up = false;
    while (m31ri_signals_next(f->signals, &number, &from_process)) {
        gives_up |= take_signal(f, number, from_process);
    }
    return gives_up;
}

/* The guard's stops and end. False when the observing processes have done what there was to do. */
static bool watch_guard(front *f)
{
    int status;
    if (f->guard < 0) {
        return m31ri_caretaker_look(&f->caretaker);
    }
    if (waitpid(f->guard, &status, WNOHANG | WUNTRACED | WCONTINUED) != f->guard) {
        return true;
    }
    if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
        f->is_guard_stopped = WIFSTOPPED(status);
        return true;
    }
    if (WIFEXITED(status)) {
        return false;
    }
    f->guard = -1;
    f->is_guard_stopped = false;
    f->caretaker = (m31ri_caretaker){.plan = f->plan, .signals = f->signals};
    return m31ri_caretaker_look(&f->caretaker);
}

/* The key that stops programs (Ctrl-Z) was typed, and the program's terminal heeds it. */
static bool has_suspend_key(const front *f, const char *keys, size_t n)
{
    struct termios t;
    return tcgetattr(f->plan->wiring.outer[M31RI_OUT], &t) == 0 && (t.c_lflag & ISIG) != 0 &&
           t.c_cc[VSUSP] != 0 && memchr(keys, t.c_cc[VSUSP], n) != NULL;
}

/* The program leads a session of its own, without a shell above it: the kernel lets no key stop
 * such a group (it could not be continued). We are there to continue it, so we do what the kernel
 * does not, unless the program catches the signal. */
static void stop_program(front *f)
{
    pid_t program = (pid_t)atomic_load(&f->shared->program_pid);
    if (f->suspend_mono_ns == 0 || m31ri_mono_ns() < f->suspend_mono_ns) {
        return;
    }
    f->suspend_mono_ns = 0;
    if (atomic_load(&f->shared->phase) == M31RI_PHASE_RUNNING &&
        tcgetpgrp(f->plan->wiring.outer[M31RI_OUT]) == program &&
        m31ri_signal_is_default(program, SIGTSTP)) {
        kill(-program, SIGSTOP);
    }
}

static void pass_keys(front *f, const struct pollfd *in)
{
    int master = f->plan->wiring.outer[M31RI_OUT];
    if (in->revents != 0 && f->n_keys < sizeof f->keys) {
        ssize_t n = read(0, f->keys + f->n_keys, sizeof f->keys - f->n_keys);
        f->has_no_keys = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
        if (n > 0 && has_suspend_key(f, f->keys + f->n_keys, (size_t)n)) {
            f->suspend_mono_ns = m31ri_mono_ns() + SUSPEND_NS;
        }
        f->n_keys += n > 0 ? (size_t)n : 0;
    }
    if (f->n_keys > 0) {
        ssize_t n = write(master, f->keys, f->n_keys);
        if (n > 0) {
            f->n_keys -= (size_t)n;
            memmove(f->keys, f->keys + n, f->n_keys);
        }
    }
}

static int wait_ms(const front *f)
{
    if (f->is_guard_stopped || f->n_keys > 0 || f->suspend_mono_ns != 0) {
        return STOPPED_MS;
    }
    return f->guard < 0 ? m31ri_caretaker_wait_ms(&f->caretaker) : -1;
}

/* Nothing came: who is still stopped was not stopped for a moment. */
static void continue_stopped(front *f)
{
    if (f->is_guard_stopped) {
        f->is_guard_stopped = false;
        kill(f->guard, SIGCONT);
    }
    if (f->guard < 0) {
        m31ri_caretaker_continue(&f->caretaker);
    }
}

static void wait_for_news(front *f, struct pollfd set[3])
{
    bool is_raw = atomic_load(&f->shared->is_raw) != 0;
    bool wants_keys =
        is_raw && !f->has_no_keys && f->n_keys < sizeof f->keys && m31ri_terminal_is_ours(0);
    set[0] = (struct pollfd){f->signals, POLLIN, 0};
    set[1] = (struct pollfd){f->plan->wake_front[0], POLLIN, 0};
    set[2] = (struct pollfd){wants_keys ? 0 : -1, POLLIN, 0};
    if (poll(set, 3, wait_ms(f)) == 0) {
        continue_stopped(f);
    }
    m31ri_wake_clear(f->plan->wake_front);
}

static void follow_phase(front *f)
{
    int phase = atomic_load(&f->shared->phase);
    pid_t program = (pid_t)atomic_load(&f->shared->program_pid);
    if (phase == M31RI_PHASE_RUNNING && f->program_pidfd < 0) {
        f->program_pidfd = m31ri_pidfd_open(program);
        set_raw(f, true);
        if (f->early_signal != 0) {
            m31ri_pidfd_signal(f->program_pidfd, program, f->early_signal);
        }
    }
    if (phase >= M31RI_PHASE_ENDED) {
        set_raw(f, false);
    } else if (atomic_load(&f->shared->is_stopped) != 0 && f->plan->wiring.is_interactive) {
        suspend(f);
        atomic_store(&f->shared->is_stopped, 0);
        kill(-program, SIGCONT);
    }
}

static void work(front *f)
{
    struct pollfd set[3];
    for (;;) {
        wait_for_news(f, set);
        if (take_signals(f)) {
            return;
        }
        if (!watch_guard(f)) {
            return;
        }
        follow_phase(f);
        pass_keys(f, &set[2]);
        stop_program(f);
        if (atomic_load(&f->shared->phase) == M31RI_PHASE_DONE) {
            return;
        }
    }
}

static int take_over_signals(void)
{
    static const int taken[] = {SIGHUP,   SIGINT,  SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
                                SIGWINCH, SIGCONT, SIGTSTP, SIGCHLD, SIGALRM};
    signal(SIGCHLD, SIG_DFL); /* inherited as ignored, children would vanish uncollected */
    signal(SIGPIPE, SIG_IGN);
    return m31ri_signals_open(taken, sizeof taken / sizeof *taken);
}

static m31r_err result(const front *f, m31r_observe_end *end, m31r_error *e)
{
    const m31ri_shared *s = f->shared;
    if (atomic_load(&s->phase) == M31RI_PHASE_OPENING) {
        if (s->error.code != M31R_OK && e != NULL) {
            *e = s->error;
        }
        return s->error.code != M31R_OK ? s->error.code
                                        : m31ri_fail(e, M31R_E_IO,
                                                     "the observing process was killed before the "
                                                     "program was started");
    }
    int status = atomic_load(&s->wait_status);
    memset(end, 0, sizeof *end);
    end->has_status = atomic_load(&s->has_status) != 0;
    if (end->has_status && WIFSIGNALED(status)) {
        end->signal = WTERMSIG(status);
    } else if (end->has_status) {
        end->exit_status = WEXITSTATUS(status);
    }
    return M31R_OK;
}

m31r_err m31ri_front_wait(m31ri_plan *p, m31r_observe_end *end, m31r_error *e)
{
    front f = {.plan = p, .shared = p->shared, .program_pidfd = -1};
    m31ri_become_subreaper();
    f.signals = take_over_signals();
    atomic_store(&p->shared->front_pid, getpid());
    p->front_pidfd = m31ri_pidfd_open(getpid());
    f.guard = fork();
    if (f.guard < 0) {
        return m31ri_fail_sys(e, errno, NULL, "starting the observing processes");
    }
    if (f.guard == 0) {
        m31ri_guard_main(p, f.signals);
    }
    m31ri_wiring_close_inner(&p->wiring);
    work(&f);
    set_raw(&f, false);
    close(f.signals);
    return result(&f, end, e);
}
