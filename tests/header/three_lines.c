/* three_lines.c - the shortest way in, in C, with all that a user may give a program to record:
 * text that is no text, numbers that are none, a value that must not be written, names that are
 * none, calls on nothing. It must end with 0 whatever becomes of its run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <m31r/m31r.h>

#define LARGE (1 << 20)

static void say_odd_things(m31r_run *run, char *large)
{
    m31r_log *log = m31r_run_logger(run, "odd");
    m31r_info(log, "large", "v", large);
    m31r_info(log, "text", "nul", m31r_text("a\0b", 3), "bytes", "\xff\xfe\n\033[31m\xe2\x80\xae");
    m31r_info(log, "numbers", "a", (double)NAN, "b", (double)-INFINITY, "c", -0.0);
    m31r_info(log, "twice", "k", 1, "k", 2);
    m31r_info(log, "kept_out", "k", m31r_sensitive("hunter2"));
    m31r_metric(run, "odd", (double)NAN, 1);
    m31r_metric(run, "odd", -0.0, 2);
    m31r_metric(run, NULL, 1, 1);
    m31r_metric(run, "two\nlines", 1, 1);
    m31r_info(NULL, "nowhere");
    m31r_metric(NULL, "nowhere", 1, 1);
}

int main(int argc, char **argv)
{
    (void)argv;
    m31r_run *run = m31r_run_here("train.yaml");
    m31r_metric_define(run, "loss", "nats", M31R_BETTER_LOWER);
    for (int i = 0; i < 5; i++) {
        m31r_step(run, i, "loss", 2.0 / (i + 1), "lr", 0.1);
    }
    if (argc > 1) {
        char *large = malloc(LARGE);
        if (large == NULL) {
            return 1;
        }
        memset(large, 'x', LARGE - 1);
        large[LARGE - 1] = '\0';
        say_odd_things(run, large);
        free(large);
    }
    m31r_run_close(run);
    return 0;
}
