/* Between fork and exec only system calls are made: other threads may hold any lock. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

enum { NOT_STARTED = 126 };

#if defined(__x86_64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* Refuses socket(2) and every system call of another architecture. */
static bool sockets_refuse(void)
{
#ifdef FILTER_ARCHITECTURE
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
#else
    return false;
#endif
}

static bool network_leave(void)
{
    return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

const char *sandbox_network(void)
{
    pid_t child = fork();
    if (child == 0) {
        _exit((network_leave() ? 1 : 0) | (sockets_refuse() ? 2 : 0));
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return "none";
    }
    static const char *const WAYS[] = {"none", "namespace", "filter", "namespace+filter"};
    return WAYS[WEXITSTATUS(status) & 3];
}

void sandbox_adopt_orphans(void)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* Ends the children that one file of /proc names; whether there were any. */
static bool children_end(const char *path)
{
    bool any = false;
    int child;
    FILE *file = fopen(path, "re");
    while (file != NULL && fscanf(file, "%d", &child) == 1) {
        any = kill(child, SIGKILL) == 0 || any;
        (void)waitpid(child, NULL, 0);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return any;
}

void sandbox_end_orphans(void)
{
    char path[64];
    /* Those of an orphan become ours when it ends, so it takes more than one look. */
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    for (int look = 0; look < 100 && children_end(path); look++) {
    }
}

static void limit_set(int what, unsigned long long value)
{
    const struct rlimit limit = {value, value};
    (void)setrlimit((__rlimit_resource_t)what, &limit);
}

static void limits_set(const sandbox_limits *limits)
{
    limit_set(RLIMIT_CORE, 0);
    limit_set(RLIMIT_AS, (unsigned long long)limits->memory_mb << 20);
    limit_set(RLIMIT_FSIZE, (unsigned long long)limits->file_mb << 20);
    limit_set(RLIMIT_CPU, (unsigned long long)limits->wall_s * 4 + 1);
    limit_set(RLIMIT_NOFILE, 256);
}

/* The child's part; does not return. */
static void become(const sandbox_job *job, int output)
{
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    char *const environment[] = {path, NULL};
    const int empty = open("/dev/null", O_RDONLY);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (empty < 0 || dup2(empty, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
        chdir(job->folder) != 0) {
        _exit(NOT_STARTED);
    }
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)network_leave();
    (void)sockets_refuse();
    limits_set(&job->limits);
    (void)execve(job->argv[0], (char *const *)job->argv, environment);
    _exit(NOT_STARTED);
}

/* Waits for the child until its time is up. Whether it was in time. */
static bool wait_in_time(pid_t child, double wall_s)
{
    const double deadline_s = stage_now_s() + wall_s;
    const int descriptor = (int)syscall(SYS_pidfd_open, child, 0);
    bool is_over = false;
    while (!is_over && stage_now_s() < deadline_s) {
        struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
        const int rest_ms = (int)((deadline_s - stage_now_s()) * 1000) + 1;
        if (descriptor >= 0) {
            is_over = poll(&wanted, 1, rest_ms) > 0;
        } else {
            siginfo_t info = {.si_pid = 0};
            is_over = waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                      info.si_pid != 0;
            (void)poll(NULL, 0, is_over ? 0 : 2);
        }
    }
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
    return is_over;
}

bool sandbox_run(const sandbox_job *job, sandbox_result *out, fault *error)
{
    const int output = open(job->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (output < 0) {
        return fault_set(error, FAULT_RUNTIME, "not_started", "%s: %s", job->output,
                         strerror(errno));
    }
    const double began_s = stage_now_s();
    const pid_t child = fork();
    if (child == 0) {
        become(job, output);
    }
    const int failure = errno;
    (void)close(output);
    if (child < 0) {
        return fault_set(error, FAULT_RUNTIME, "not_started", "%s: %s", job->argv[0],
                         strerror(failure));
    }
    (void)setpgid(child, child);
    *out = (sandbox_result){.is_timeout = !wait_in_time(child, job->limits.wall_s)};
    /* Also after a good end: what it has started must not run on. */
    (void)kill(-child, SIGKILL);
    int status = 0;
    struct rusage usage = {0};
    while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    out->wall_s = stage_now_s() - began_s;
    out->peak_mb = (double)usage.ru_maxrss / 1024;
    out->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    out->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (out->exit_status == NOT_STARTED) {
        return fault_set(error, FAULT_RUNTIME, "not_started", "%s could not be started",
                         job->argv[0]);
    }
    return true;
}
