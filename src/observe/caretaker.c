/* caretaker.c - heirs for killed keepers; caretaker.h says who calls. */
#include "observe/caretaker.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/keeper.h"

#define STOPPED_MS 100      /* a stopped keeper is continued after so long */
#define YOUNG_NS 1000000000 /* an heir that dies sooner counts as failing */
#define FAILING_HEIRS 5

static bool has_given_up(const m31ri_caretaker *c)
{
    return c->n_failed > FAILING_HEIRS;
}

/* Whoever comes second to the place of the keeper must not begin. */
static void claim_or_leave(m31ri_shared *s)
{
    int holder = M31RI_KEEPER_NONE;
    int self = (int)getpid();
    if (!atomic_compare_exchange_strong(&s->keeper_pid, &holder, self) && holder != self) {
        _exit(0);
    }
}

int m31ri_caretaker_fork(m31ri_caretaker *c, bool is_heir)
{
    m31ri_shared *s = c->plan->shared;
    int none = M31RI_KEEPER_NONE;
    c->made_ns = m31ri_mono_ns();
    pid_t pid = fork();
    if (pid < 0) {
        return errno;
    }
    if (pid == 0) {
        claim_or_leave(s);
        close(c->signals);
        m31ri_keeper_main(c->plan, is_heir);
    }
    atomic_compare_exchange_strong(&s->keeper_pid, &none, (int)pid);
    return 0;
}

/* No keeper can be had: the program must not be blocked by a full pipe. */
static void discard_output(const m31ri_caretaker *c)
{
    char bytes[65536];
    for (int i = 0; i < M31RI_STREAMS; i++) {
        while (read(c->plan->wiring.outer[i], bytes, sizeof bytes) > 0) {
        }
    }
}

static void make_heir(m31ri_caretaker *c)
{
    c->n_failed = m31ri_mono_ns() - c->made_ns < YOUNG_NS ? c->n_failed + 1 : 0;
    if (!has_given_up(c)) {
        c->plan->shared->n_heirs++;
        m31ri_caretaker_fork(c, true);
    }
}

/* True when there is no living keeper. One that is no child of ours was collected by a caretaker
 * that was killed before it could say so. */
static bool is_keeper_gone(m31ri_caretaker *c)
{
    m31ri_shared *s = c->plan->shared;
    int pid = atomic_load(&s->keeper_pid);
    int status = 0;
    if (pid == M31RI_KEEPER_NONE) {
        return true;
    }
    pid_t got = waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED);
    if (got == pid && (WIFSTOPPED(status) || WIFCONTINUED(status))) {
        c->is_stopped = WIFSTOPPED(status);
        return false;
    }
    if (got == 0 || (got < 0 && errno != ECHILD)) {
        return false;
    }
    c->is_stopped = false;
    atomic_compare_exchange_strong(&s->keeper_pid, &pid, M31RI_KEEPER_NONE);
    return true;
}

/* The program is our child when the keeper that started it is dead. */
static void watch_program(m31ri_caretaker *c)
{
    m31ri_shared *s = c->plan->shared;
    int before = atomic_load(&s->phase);
    if (s->n_heirs == 0) {
        return;
    }
    m31ri_program_watch(s);
    if (atomic_load(&s->phase) != before) {
        m31ri_wake(c->plan->wake_keeper);
    }
}

bool m31ri_caretaker_look(m31ri_caretaker *c)
{
    m31ri_shared *s = c->plan->shared;
    if (atomic_load(&s->phase) == M31RI_PHASE_DONE) {
        return false;
    }
    if (!has_given_up(c) && is_keeper_gone(c)) {
        int phase = atomic_load(&s->phase); /* the keeper's last word: it is dead */
        int none = M31RI_KEEPER_NONE;
        if (phase == M31RI_PHASE_DONE) {
            return false;
        }
        /* Closed at once: one that was forked and has not claimed its place must not start the
         * program after we said that it was not started. */
        if (phase == M31RI_PHASE_OPENING &&
            atomic_compare_exchange_strong(&s->keeper_pid, &none, M31RI_KEEPER_NEVER)) {
            return false;
        }
        if (phase != M31RI_PHASE_OPENING) {
            make_heir(c);
        }
    }
    watch_program(c);
    if (has_given_up(c)) {
        discard_output(c);
        return atomic_load(&s->phase) < M31RI_PHASE_ENDED;
    }
    return true;
}

int m31ri_caretaker_wait_ms(const m31ri_caretaker *c)
{
    bool has_keeper = atomic_load(&c->plan->shared->keeper_pid) > 0;
    return c->is_stopped || !has_keeper || has_given_up(c) ? STOPPED_MS : -1;
}

void m31ri_caretaker_continue(m31ri_caretaker *c)
{
    int pid = atomic_load(&c->plan->shared->keeper_pid);
    if (c->is_stopped && pid > 0) {
        c->is_stopped = false;
        kill(pid, SIGCONT);
    }
}
