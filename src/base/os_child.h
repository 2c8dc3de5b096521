/* os_child.h - starting a program as if its user had, and watching processes: the calls that only
 * this system has. */
#ifndef M31RI_OS_CHILD_H
#define M31RI_OS_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Signal dispositions and mask as they were inherited, to be given to the program. */
typedef struct m31ri_signal_state {
    sigset_t mask;
    sigset_t ignored; /* the others had the default action: handlers do not outlive exec */
} m31ri_signal_state;

void m31ri_signal_state_save(m31ri_signal_state *out);

/* "SIGKILL" for 9; "SIG63" for one without a name. Static or `scratch`. */
const char *m31ri_signal_name(int signal, char scratch[16]);

typedef struct m31ri_program {
    const char *const *argv;
    char *const *environment;
    int in, out, err; /* become 0, 1, 2; equal to these when they are inherited */
    int terminal;     /* >= 0: a new session with this as its terminal */
    bool ignores_hangup;
    const m31ri_signal_state *signals;
    void (*begun)(void *context, pid_t pid); /* called in the parent before exec; NULL: nothing */
    void *context;
} m31ri_program;

/* Starts it, once `begun` has returned: a parent that is killed before starts nothing. `*out_pid`
 * is its process, also when exec failed: then `*out_exec_errno` is not 0 and the process has ended
 * with status 127 (not found) or 126. Returns 0 or the errno of pipe or fork.
 */
int m31ri_program_start(const m31ri_program *p, pid_t *out_pid, int *out_exec_errno);

/* Orphans among its descendants become children of the calling process. */
void m31ri_become_subreaper(void);

/* A name for the process list, of at most 15 bytes; the command line that others see becomes the
 * same word where the kernel lets us. What the arguments pointed to stays as it is. */
void m31ri_process_set_name(const char *name);

/* No core file of the calling process. */
void m31ri_core_off(void);

/* A descriptor that is readable when `pid` has ended; -1 when that cannot be had. */
int m31ri_pidfd_open(pid_t pid);

/* True when the process of a pidfd has ended; also for -1. */
bool m31ri_pidfd_is_over(int pidfd);

/* Sends through a pidfd, which never hits another process; by pid when `pidfd` is -1. */
void m31ri_pidfd_signal(int pidfd, pid_t pid, int signal);

/* Blocks the signals and gives a descriptor that is readable when one of them came. -1 and errno on
 * failure. */
int m31ri_signals_open(const int *signals, size_t n);

/* The next signal that came; false when there is none. `*from_process`: a process sent it, not the
 * kernel or a terminal. */
bool m31ri_signals_next(int fd, int *out_signal, bool *from_process);

/* True when `pid` neither catches nor ignores the signal, as far as the system says. */
bool m31ri_signal_is_default(pid_t pid, int signal);

/* Pipe with both ends close-on-exec and not 0-2, with room for `size_bytes` where allowed. */
bool m31ri_pipe_open(size_t size_bytes, int out_ends[2]);

/* A descriptor for the same terminal or pipe with an own non-blocking flag, so that nobody else who
 * shares `fd` is affected; -1 when there can be none (regular files, sockets). */
int m31ri_reopen_nonblocking(int fd);

/* Makes sure that 0, 1 and 2 are open (on /dev/null when they were not), so that no file of ours
 * takes their place. */
void m31ri_fill_standard_fds(void);

#endif
