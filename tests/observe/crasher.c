/* A program that dies in a way that its first argument names; for run_cases_crash.py. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "m31r/m31r.h"

#define FRAME __attribute__((noinline, noclone))

static m31r_run *run;
static m31r_log *logger;
static volatile int zero;
static sigjmp_buf back;

FRAME static void write_to_null(void)
{
    *(volatile int *)(uintptr_t)zero = 1;
}

FRAME static int call_null(void)
{
    int (*volatile f)(void) = NULL;
    return f() + 1;
}

FRAME static int overflow(int depth)
{
    volatile char room[4096];
    room[0] = (char)depth;
    int below = overflow(depth + 1);
    return below + room[0];
}

FRAME static int divide(int by)
{
    return 7 / by;
}

FRAME static void *crash_in_thread(void *unused)
{
    m31r_info(logger, "thread_is_there");
    write_to_null();
    return unused;
}

static void *emit_for_ever(void *unused)
{
    for (int i = 0;; i++) {
        m31r_info(logger, "still_emitting", "i", i);
    }
    return unused;
}

static void own_handler(int number)
{
    static const char text[] = "own handler\n";
    (void)!write(2, text, sizeof text - 1);
    signal(number, SIG_DFL);
}

static void jump_back(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

FRAME static void survive(void)
{
    if (sigsetjmp(back, 1) == 0) {
        write_to_null();
    }
    m31r_info(logger, "survived");
}

static void handle(void (*handler)(int), int number)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigaction(number, &action, NULL);
}

FRAME static void report_error(m31r_log *log)
{
    m31r_error(log, "from_plugin", "n", 1);
}

/* An error raised by way of a library that was not there when the run began. */
static void use_plugin(const char *path)
{
    void *plugin = dlopen(path, RTLD_NOW);
    void (*call)(void (*)(m31r_log *), m31r_log *) = NULL;
    if (plugin == NULL || (*(void **)&call = dlsym(plugin, "plugin_calls_back")) == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        _exit(9);
    }
    call(report_error, logger);
}

static void in_threads(void)
{
    pthread_t a;
    pthread_create(&a, NULL, crash_in_thread, NULL);
    pthread_join(a, NULL);
}

static void while_emitting(void)
{
    pthread_t a;
    pthread_create(&a, NULL, emit_for_ever, NULL);
    usleep(50 * 1000);
    write_to_null();
}

static void die(const char *how)
{
    if (strcmp(how, "null") == 0) {
        write_to_null();
    } else if (strcmp(how, "call_null") == 0) {
        exit(call_null());
    } else if (strcmp(how, "overflow") == 0) {
        exit(overflow(0));
    } else if (strcmp(how, "abort") == 0) {
        abort();
    } else if (strcmp(how, "divide") == 0) {
        exit(divide(zero));
    } else if (strcmp(how, "illegal") == 0) {
        __builtin_trap();
    } else if (strcmp(how, "raise") == 0) {
        raise(SIGSEGV);
    } else if (strcmp(how, "thread") == 0) {
        in_threads();
    } else if (strcmp(how, "emitting") == 0) {
        while_emitting();
    }
}

static void live(const char *how, const char *path)
{
    if (strcmp(how, "survive") == 0) {
        survive();
        m31r_run_flush(run, 5000);
        raise(SIGKILL);
    } else if (strcmp(how, "plugin") == 0) {
        use_plugin(path);
    } else if (strcmp(how, "child") == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            m31r_info(logger, "in_child");
            write_to_null();
        }
        waitpid(pid, NULL, 0);
    }
}

/* Records until the disk is full, then errors, then more records. */
static void fill_disk(void)
{
    char blob[1000];
    memset(blob, 'x', sizeof blob);
    for (int i = 0; i < 100000 && m31r_run_lost(run) == 0; i++) {
        m31r_info(logger, "filling", "i", i, "blob", m31r_text(blob, sizeof blob));
        if (i % 100 == 0) {
            m31r_run_flush(run, 5000);
        }
    }
    for (int i = 0; i < 50; i++) {
        m31r_info(logger, "filling", "blob", m31r_text(blob, sizeof blob));
        m31r_error(logger, "on_a_full_disk", "i", i);
        if (i % 10 == 0) {
            m31r_run_flush(run, 5000);
        }
    }
}

/* Fills the disk by other means, emits, and is killed while the writer waits for room. */
static void die_on_full_disk(void)
{
    char blob[4096] = {0};
    char record[501];
    memset(record, 'y', sizeof record);
    m31r_run_flush(run, 5000);
    int fd = open("ballast", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while (fd >= 0 && write(fd, blob, sizeof blob) > 0) {
    }
    for (int i = 0; i < 100; i++) {
        m31r_info(logger, "last_words", "i", i, "record", m31r_text(record, 500));
    }
    raise(SIGKILL);
}

/* Cuts our own ring's file to nothing, as somebody who cleans /dev/shm might. */
static void cut_rings(bool is_busy)
{
    char command[512];
    const char *slash = strrchr(m31r_run_dir(run), '/');
    int i = 0;
    m31r_run_flush(run, 5000);
    snprintf(command, sizeof command, "for f in /dev/shm/m31r-*/%s.%d.*; do : >\"$f\"; done",
             slash + 1, (int)getpid());
    for (; is_busy && i < 500; i++) { /* some of these are still in the ring */
        m31r_info(logger, "after_the_cut", "i", i);
    }
    if (system(command) != 0) {
        _exit(9);
    }
    for (; i < 1000; i++) {
        m31r_info(logger, "after_the_cut", "i", i);
        usleep(200);
    }
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    if (strcmp(how, "handler") == 0) {
        handle(own_handler, SIGSEGV);
    } else if (strcmp(how, "survive") == 0) {
        handle(jump_back, SIGSEGV);
    }
    run = m31r_run_here(NULL);
    logger = m31r_run_logger(run, "crasher");
    m31r_step(run, 17, "loss", 1.5);
    m31r_info(logger, "before");
    if (strcmp(how, "handler") == 0) {
        write_to_null();
    } else if (strncmp(how, "cut", 3) == 0) {
        cut_rings(how[3] != '\0');
    }
    if (strcmp(how, "fill") == 0) {
        fill_disk();
    } else if (strcmp(how, "die_full") == 0) {
        die_on_full_disk();
    }
    die(how);
    live(how, argc > 2 ? argv[2] : "");
    m31r_run_close(run);
    return 0;
}
