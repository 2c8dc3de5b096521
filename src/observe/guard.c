/* guard.c - the process between the front and the keeper: it waits for one of them to die.
 *
 * It is the keeper's parent and holds the read ends of the program's output. When front and keeper
 * are killed at once it becomes the program's parent, makes an heir, and the record goes on. It is
 * never in the way of the data, has a session of its own, and has neither the front's name nor its
 * command line, so that what kills the one by these does not kill the other.
 */
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/caretaker.h"
#include "observe/keeper.h"

static void work(m31ri_caretaker *c)
{
    int number;
    bool from_process;
    while (m31ri_caretaker_look(c)) {
        struct pollfd in = {c->signals, POLLIN, 0};
        if (poll(&in, 1, m31ri_caretaker_wait_ms(c)) == 0) {
            m31ri_caretaker_continue(c);
        }
        while (m31ri_signals_next(c->signals, &number, &from_process)) {
        }
    }
}

_Noreturn void m31ri_guard_main(m31ri_plan *p, int front_signals)
{
    static const int taken[] = {SIGCHLD};
    m31ri_caretaker c = {.plan = p};
    close(front_signals);
    m31ri_process_set_name("run-guard");
    m31ri_become_subreaper();
    m31ri_observer_ignore_signals();
    atomic_store(&p->shared->guard_pid, getpid());
    p->guard_pidfd = m31ri_pidfd_open(getpid());
    c.signals = m31ri_signals_open(taken, sizeof taken / sizeof *taken);
    /* The keeper starts the program in the session that it is in: ours comes after. */
    if (m31ri_caretaker_fork(&c, false) != 0) {
        _exit(1);
    }
    setsid();
    m31ri_wiring_close_inner(&p->wiring);
    work(&c);
    _exit(0);
}
