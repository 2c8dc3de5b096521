/* print.c - a program that prints RATE lines a second for SECONDS (buffered as by any pipe writer),
 * or as fast as it can when RATE is 0. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    long rate = argc > 1 ? strtol(argv[1], NULL, 10) : 200000;
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 3;
    long total = argc > 3 ? strtol(argv[3], NULL, 10) : (long)((double)rate * seconds);
    double start = now();
    for (long i = 0; i < total; i++) {
        if (rate > 0 && i % 200 == 0) {
            double ahead = (double)i / (double)rate - (now() - start);
            if (ahead > 0) {
                struct timespec pause = {0, (long)(ahead * 1e9)};
                nanosleep(&pause, NULL);
            }
        }
        printf("step %ld loss %.6f lr 0.000300 tokens/s 181204\n", i, 2.5 + 1.0 / (double)(i + 1));
    }
    fflush(stdout);
    fprintf(stderr, "%.6f\n", now() - start);
    return 0;
}
