/* program_watch.c - the program's stops and its end, as its parent learns them; wake-up pipes.
 *
 * The status is looked at, noted in shared memory, and only then collected: a parent that is killed
 * in between leaves a zombie that the next parent finds. Orphans of the program that become our
 * children are collected too.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observe/keeper.h"

#define CORE_FLAG 0x80

/* As waitpid() would say it: the exit status above eight bits, or the signal in them. */
static int status_of(const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED) {
        return (info->si_status & 0xff) << 8;
    }
    return info->si_status | (info->si_code == CLD_DUMPED ? CORE_FLAG : 0);
}

static void note_end(m31ri_shared *s, int status)
{
    if (atomic_load(&s->phase) < M31RI_PHASE_ENDED) {
        atomic_store(&s->wait_status, status);
        atomic_store(&s->has_status, 1);
        atomic_store(&s->phase, M31RI_PHASE_ENDED);
    }
}

void m31ri_program_watch(m31ri_shared *s)
{
    pid_t program = (pid_t)atomic_load(&s->program_pid);
    pid_t keeper = (pid_t)atomic_load(&s->keeper_pid);
    siginfo_t info;
    int status;
    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
            break;
        }
        if (info.si_pid == program) {
            note_end(s, status_of(&info));
        } else if (info.si_pid == keeper) {
            break; /* its caretaker's own business */
        }
        waitpid(info.si_pid, &status, 0);
    }
    if (program > 0 && waitpid(program, &status, WNOHANG | WUNTRACED | WCONTINUED) == program) {
        if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
            atomic_store(&s->is_stopped, WIFSTOPPED(status) ? 1 : 0);
        } else {
            note_end(s, status);
        }
    }
}

void m31ri_keeper_roots(const m31ri_keeper *k, int64_t roots[M31RI_ROOTS])
{
    const m31ri_shared *s = k->shared;
    bool has_guard = !m31ri_pidfd_is_over(k->plan->guard_pidfd);
    roots[0] = getpid();
    roots[1] = k->front_is_gone ? 0 : atomic_load(&s->front_pid);
    roots[2] = has_guard ? atomic_load(&s->guard_pid) : 0;
    roots[M31RI_OBSERVERS] = atomic_load(&s->program_pid);
}

void m31ri_wake(const int pipe_ends[2])
{
    ssize_t n = write(pipe_ends[1], "", 1);
    (void)n;
}

void m31ri_wake_clear(const int pipe_ends[2])
{
    char bytes[64];
    while (read(pipe_ends[0], bytes, sizeof bytes) > 0) {
    }
}
