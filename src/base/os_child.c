/* os_child.c - fork and exec, subreapers, pidfds.
 *
 * Between fork and exec only signal-safe calls are made: the parent may have threads. Argument and
 * environment lists are made before.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os_pty.h"

#define LOWEST_FD 3

void m31ri_signal_state_save(m31ri_signal_state *out)
{
    sigemptyset(&out->ignored);
    sigprocmask(SIG_BLOCK, NULL, &out->mask);
    for (int s = 1; s < NSIG; s++) {
        struct sigaction now;
        if (sigaction(s, NULL, &now) == 0 && now.sa_handler == SIG_IGN) {
            sigaddset(&out->ignored, s);
        }
    }
}

const char *m31ri_signal_name(int signal, char scratch[16])
{
    static const struct {
        int number;
        const char *name;
    } known[] = {{SIGHUP, "SIGHUP"},       {SIGINT, "SIGINT"},       {SIGQUIT, "SIGQUIT"},
                 {SIGILL, "SIGILL"},       {SIGTRAP, "SIGTRAP"},     {SIGABRT, "SIGABRT"},
                 {SIGBUS, "SIGBUS"},       {SIGFPE, "SIGFPE"},       {SIGKILL, "SIGKILL"},
                 {SIGUSR1, "SIGUSR1"},     {SIGSEGV, "SIGSEGV"},     {SIGUSR2, "SIGUSR2"},
                 {SIGPIPE, "SIGPIPE"},     {SIGALRM, "SIGALRM"},     {SIGTERM, "SIGTERM"},
                 {SIGSTKFLT, "SIGSTKFLT"}, {SIGCHLD, "SIGCHLD"},     {SIGCONT, "SIGCONT"},
                 {SIGSTOP, "SIGSTOP"},     {SIGTSTP, "SIGTSTP"},     {SIGTTIN, "SIGTTIN"},
                 {SIGTTOU, "SIGTTOU"},     {SIGURG, "SIGURG"},       {SIGXCPU, "SIGXCPU"},
                 {SIGXFSZ, "SIGXFSZ"},     {SIGVTALRM, "SIGVTALRM"}, {SIGPROF, "SIGPROF"},
                 {SIGWINCH, "SIGWINCH"},   {SIGPOLL, "SIGPOLL"},     {SIGPWR, "SIGPWR"},
                 {SIGSYS, "SIGSYS"}};
    snprintf(scratch, 16, "SIG%d", signal);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].number == signal) {
            return known[i].name;
        }
    }
    return scratch;
}

static void restore_signals(const m31ri_program *p)
{
    for (int s = 1; s < NSIG; s++) {
        bool ignore =
            sigismember(&p->signals->ignored, s) == 1 || (s == SIGHUP && p->ignores_hangup);
        signal(s, ignore ? SIG_IGN
                         : SIG_DFL); /* refused for KILL, STOP and libc's own: as it should be */
    }
    sigprocmask(SIG_SETMASK, &p->signals->mask, NULL);
}

/* The parent's word that it knows us; false when it died first. */
static bool wait_for_parent(int gate)
{
    char byte;
    ssize_t n;
    do {
        n = read(gate, &byte, 1);
    } while (n < 0 && errno == EINTR);
    return n == 1;
}

static void exec_program(const m31ri_program *p, int gate, int report)
{
    bool ok = p->terminal < 0 || m31ri_pty_take(p->terminal);
    ok = ok && dup2(p->in, 0) == 0 && dup2(p->out, 1) == 1 && dup2(p->err, 2) == 2;
    if (ok) {
        restore_signals(p);
        if (!wait_for_parent(gate)) {
            _exit(126);
        }
        execvpe(p->argv[0], (char *const *)p->argv, p->environment);
    }
    int err = errno;
    ssize_t n = write(report, &err, sizeof err);
    (void)n;
    _exit(err == ENOENT ? 127 : 126);
}

/* Lets the child go on to exec; what that failed with, or 0. */
static int let_go(const m31ri_program *p, pid_t pid, int gate, int report)
{
    int exec_errno = 0;
    ssize_t n;
    if (p->begun != NULL) {
        p->begun(p->context, pid);
    }
    do {
        n = write(gate, "", 1); /* EPIPE: it could not get so far, and says why */
    } while (n < 0 && errno == EINTR);
    do {
        n = read(report, &exec_errno, sizeof exec_errno);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof exec_errno ? exec_errno : 0;
}

int m31ri_program_start(const m31ri_program *p, pid_t *out_pid, int *out_exec_errno)
{
    int report[2], gate[2];
    if (!m31ri_pipe_open(0, report)) {
        return errno;
    }
    if (!m31ri_pipe_open(0, gate)) {
        int gate_errno = errno;
        close(report[0]);
        close(report[1]);
        return gate_errno;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(report[0]);
        close(gate[1]);
        exec_program(p, gate[0], report[1]);
    }
    int err = errno;
    close(report[1]);
    close(gate[0]);
    int exec_errno = pid < 0 ? 0 : let_go(p, pid, gate[1], report[0]);
    close(gate[1]);
    close(report[0]);
    if (pid < 0) {
        return err;
    }
    *out_pid = pid;
    *out_exec_errno = exec_errno;
    return 0;
}

void m31ri_become_subreaper(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

void m31ri_core_off(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* a core pattern that is a pipe does not heed the limit */
}

int m31ri_pidfd_open(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* not every libc has it by name */
    return fd >= 0 && fd < LOWEST_FD ? fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD) : fd;
}

bool m31ri_pidfd_is_over(int pidfd)
{
    struct pollfd p = {pidfd, POLLIN, 0};
    return pidfd < 0 || poll(&p, 1, 0) > 0;
}

void m31ri_pidfd_signal(int pidfd, pid_t pid, int signal)
{
    if (pidfd >= 0) {
        syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
    } else if (pid > 0) {
        kill(pid, signal);
    }
}

int m31ri_signals_open(const int *signals, size_t n)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < n; i++) {
        sigaddset(&set, signals[i]);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool m31ri_signals_next(int fd, int *out_signal, bool *from_process)
{
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != (ssize_t)sizeof info) {
        return false;
    }
    *out_signal = (int)info.ssi_signo;
    *from_process = info.ssi_code <= 0;
    return true;
}

bool m31ri_signal_is_default(pid_t pid, int signal)
{
    static const char *const keys[] = {"\nSigIgn:\t", "\nSigCgt:\t"};
    char path[40];
    char text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *at = strstr(text, keys[i]);
        if (at == NULL || (strtoull(at + strlen(keys[i]), NULL, 16) >> (signal - 1) & 1) != 0) {
            return false;
        }
    }
    return true;
}

bool m31ri_pipe_open(size_t size_bytes, int out_ends[2])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (ends[i] < LOWEST_FD) {
            int high = fcntl(ends[i], F_DUPFD_CLOEXEC, LOWEST_FD);
            close(ends[i]);
            ends[i] = high;
        }
    }
    if (ends[0] < 0 || ends[1] < 0) {
        return false;
    }
    if (size_bytes > 0) {
        fcntl(ends[1], F_SETPIPE_SZ,
              (int)size_bytes); /* refused beyond the user's quota: then it stays small */
    }
    out_ends[0] = ends[0];
    out_ends[1] = ends[1];
    return true;
}

int m31ri_reopen_nonblocking(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !(S_ISFIFO(st.st_mode) || (S_ISCHR(st.st_mode) && isatty(fd)))) {
        return -1;
    }
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return again >= 0 && again < LOWEST_FD ? fcntl(again, F_DUPFD_CLOEXEC, LOWEST_FD) : again;
}

void m31ri_fill_standard_fds(void)
{
    for (int fd = 0; fd < LOWEST_FD; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            int filler = open("/dev/null",
                              fd == 0 ? O_RDONLY : O_WRONLY); /* the lowest free one is fd itself */
            (void)filler;
        }
    }
}
