/* reproduce_git.c - git and the build, as processes of their own. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os_child.h"
#include "base/os_file.h"
#include "reproduce/reproduce_int.h"

#define ARGUMENTS 32
#define VARIABLES 4096

/* The environment less what would send git elsewhere: a hook of another repository may have called
 * us. */
static void clean_environment(char *out[VARIABLES])
{
    size_t n = 0;
    for (char **v = environ; *v != NULL && n + 1 < VARIABLES; v++) {
        if (strncmp(*v, "GIT_", 4) != 0 || strncmp(*v, "GIT_CONFIG_", 11) == 0) {
            out[n++] = *v;
        }
    }
    out[n] = NULL;
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads to the end; what does not fit into memory is left out. */
static void read_to_end(int fd, m31ri_buf *out)
{
    char bytes[4096];
    ssize_t n;
    while ((n = read(fd, bytes, sizeof bytes)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0) {
            m31ri_buf_add(out, bytes, (size_t)n);
        }
    }
}

static int run_program(const char *const *argv, int out_fd, int read_fd, m31ri_buf *out)
{
    char *variables[VARIABLES];
    m31ri_signal_state signals;
    pid_t pid = -1;
    int exec_errno = 0;
    int in = m31ri_open(AT_FDCWD, "/dev/null", O_RDONLY, 0);
    clean_environment(variables);
    m31ri_signal_state_save(&signals);
    const m31ri_program program = {.argv = argv,
                                   .environment = variables,
                                   .in = in,
                                   .out = out_fd,
                                   .err = out_fd,
                                   .terminal = -1,
                                   .signals = &signals};
    int err = in >= 0 ? m31ri_program_start(&program, &pid, &exec_errno) : errno;
    if (read_fd >= 0) {
        close(out_fd);
        read_to_end(read_fd, out);
        close(read_fd);
    }
    if (in >= 0) {
        close(in);
    }
    return err == 0 ? wait_for(pid) : -1;
}

int m31ri_git(const char *directory, const char *const *arguments, m31ri_buf *out)
{
    const char *argv[ARGUMENTS] = {
        "git", "-C", directory, "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"};
    int ends[2];
    size_t n = 7;
    while (*arguments != NULL && n + 1 < ARGUMENTS) {
        argv[n++] = *arguments++;
    }
    if (!m31ri_pipe_open(0, ends)) {
        return -1;
    }
    return run_program(argv, ends[1], ends[0], out);
}

int m31ri_shell(const char *directory, const char *command)
{
    const char *const argv[] = {"sh",    "-c", "cd -- \"$1\" && eval \"$2\"", "sh", directory,
                                command, NULL};
    return run_program(argv, 2, -1, NULL);
}
