/* A program that uses the library, for the tests of m31r run: joiner WHAT [N]. */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <m31r/m31r.h>

/* A forked child that holds the run for `seconds` after its parent has ended. */
static int leave_child(m31r_run *run, m31r_log *log, unsigned seconds)
{
    int begun[2];
    char byte;
    if (pipe(begun) != 0) {
        return 1;
    }
    if (fork() == 0) {
        close(1);
        close(2);
        m31r_info(log, "child_begin", "seconds", (int)seconds);
        close(begun[0]);
        close(begun[1]);
        sleep(seconds);
        m31r_info(log, "child_end");
        m31r_run_close(run);
        _exit(0);
    }
    close(begun[1]);
    return read(begun[0], &byte, 1) == 0 ? 0 : 1; /* the child has a lane of its own now */
}

/* A forked child that writes for the first time when its parent is dead, and then stays. */
static int leave_orphan(m31r_log *log, unsigned seconds)
{
    int alive[2];
    char byte;
    if (pipe(alive) != 0) {
        return 1;
    }
    if (fork() == 0) {
        close(1);
        close(2);
        close(alive[1]);
        if (read(alive[0], &byte, 1) == 0) {
            m31r_info(log, "orphan", "seconds", (int)seconds);
            sleep(seconds);
        }
        _exit(0);
    }
    _exit(0); /* without a word: its lane is free from here on */
}

/* Emits number 0 .. n-1, pauses of `pause_us` between them; the file `acknowledged` says how many
 * calls have returned. `last`: "critical", and the process
 * kills itself; "exit", without closing; or nothing. */
static void count_up(m31r_run *run, m31r_log *log, int n, unsigned pause_us, const char *last)
{
    char blob[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
    int fd = open("acknowledged", O_RDWR | O_CREAT, 0600);
    for (int i = 0; i < n; i++) {
        m31r_info(log, "count", "i", i, "x", 0.1 * i, "blob", blob);
        if (i % 10 == 9) {
            m31r_metric(run, "tens", i, i);
        }
        int64_t returned = i + 1;
        if (pwrite(fd, &returned, sizeof returned, 0) < 0) {
            _exit(3);
        }
        if (pause_us != 0) {
            usleep(pause_us);
        }
    }
    if (strcmp(last, "critical") == 0) {
        m31r_critical(log, "count", "i", n);
        kill(getpid(), SIGKILL);
    } else if (strcmp(last, "exit") == 0) {
        _exit(0);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int n = argc > 2 ? atoi(argv[2]) : 1;
    m31r_run *run = m31r_run_here(NULL);
    m31r_log *log = m31r_run_logger(run, "joiner");
    m31r_info(log, "joined", "what", what);
    if (strcmp(what, "leave") == 0) {
        return leave_child(run, log, (unsigned)n);
    }
    if (strcmp(what, "orphan") == 0) {
        return leave_orphan(log, (unsigned)n);
    }
    if (strcmp(what, "hang") == 0) {
        pause();
    }
    if (strcmp(what, "count") == 0) { /* N PAUSE_US LAST */
        count_up(run, log, n, argc > 3 ? (unsigned)atoi(argv[3]) : 0, argc > 4 ? argv[4] : "");
    } else if (strcmp(what, "flood") == 0) {
        for (int i = 0; i < n; i++) {
            m31r_info(log, "flood", "i", i);
        }
    } else if (strcmp(what, "progress") == 0) {
        for (int i = 0; i <= n; i++) {
            m31r_progress(run, (uint64_t)i, (uint64_t)n);
            if (i == n / 2) {
                printf("half way\n");
                fflush(stdout);
            }
            usleep(25000);
        }
    } else if (strcmp(what, "memory") == 0) {
        m31r_memory memory = {0, 0, 0, false};
        (void)m31r_memory_read(&memory, true);
        m31r_info(log, "memory", "has_gpu", memory.has_gpu, "gpu_bytes", memory.gpu_bytes,
                  "rss_bytes", memory.rss_bytes);
        m31r_train_step(run, .step = 1, .loss = 2.5, .lr = 0.1, .grad_norm = 1, .tokens = 64);
    } else if (strcmp(what, "nan") == 0) {
        m31r_metric(run, "loss", 1.5, 1);
        m31r_metric(run, "loss", NAN, 2);
        m31r_metric(run, "lr", 0.5, 2);
    }
    m31r_run_close(run);
    return strcmp(what, "nan") == 0 ? n : 0;
}
