/* load.h - the load of the emit benchmarks, the same for every logger: EMIT(i) makes the record of
 * six fields, WAIT() returns when every record is in the file. Usage of a program: NAME
 * burst|isolated|flat|flat2|off N, one JSON line. */
#ifndef LOAD_H
#define LOAD_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
static inline uint64_t ticks(void)
{
    return __rdtsc();
}
#else
static inline uint64_t ticks(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
#endif

struct fields {
    uint64_t step;
    double loss, lr, grad_norm, tokens_per_sec, memory_mb;
};

static inline struct fields fields_of(uint64_t i)
{
    double x = (double)i;
    struct fields f = {i,
                       2.5 / (1.0 + x * 1e-3),
                       3e-4 * (1.0 - x * 1e-9),
                       0.7 + 1e-6 * (double)(i * 7919 % 100003),
                       181204.0 + x * 0.37,
                       1204.5 + (double)(i % 97)};
    return f;
}

static double clock_s(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double ns_a_tick(void)
{
    double from = clock_s(CLOCK_MONOTONIC);
    uint64_t c = ticks();
    while (clock_s(CLOCK_MONOTONIC) - from < 0.05) {
    }
    return (clock_s(CLOCK_MONOTONIC) - from) * 1e9 / (double)(ticks() - c);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_quantiles(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_size);
    printf("{\"p50_ns\":%.1f,\"p99_ns\":%.1f,\"p999_ns\":%.1f}\n", v[n / 2], v[n * 99 / 100],
           v[n * 999 / 1000]);
}

static void spin_ns(double ns, double tick)
{
    uint64_t c = ticks();
    while ((double)(ticks() - c) * tick < ns) {
    }
}

/* Twenty calls, then 20 us of nothing; the time of a call is a twentieth of the burst's. */
static void run_bursts(size_t n)
{
    double tick = ns_a_tick(), *v = (double *)malloc(n * sizeof *v);
    struct fields f[20];
    uint64_t step = 0;
    for (size_t b = 0; b < n; b++) {
        for (int i = 0; i < 20; i++)
            f[i] = fields_of(step++);
        uint64_t c = ticks();
        for (int i = 0; i < 20; i++)
            EMIT(&f[i]);
        v[b] = (double)(ticks() - c) * tick / 20;
        spin_ns(20000, tick);
    }
    print_quantiles(v, n);
}

/* One call every 50 us, after 8 MiB of other memory went through the caches. */
static void run_isolated(size_t n)
{
    static char cold[8 << 20];
    double tick = ns_a_tick(), *v = (double *)malloc(n * sizeof *v);
    for (size_t b = 0; b < n; b++) {
        struct fields f = fields_of(b);
        for (size_t i = 0; i < sizeof cold; i += 64)
            cold[i]++;
        spin_ns(50000, tick);
        uint64_t c = ticks();
        EMIT(&f);
        v[b] = (double)(ticks() - c) * tick;
    }
    print_quantiles(v, n);
}

static size_t n_each;

static void *produce(void *unused)
{
    for (size_t i = 0; i < n_each; i++) {
        struct fields f = fields_of(i);
        EMIT(&f);
    }
    return unused;
}

static void run_flat(size_t n, int n_threads)
{
    pthread_t threads[8];
    double wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    n_each = n / (size_t)n_threads;
    for (int i = 1; i < n_threads; i++)
        pthread_create(&threads[i], NULL, produce, NULL);
    produce(NULL);
    for (int i = 1; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    WAIT();
    wall = clock_s(CLOCK_MONOTONIC) - wall;
    cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("{\"records_per_s\":%.0f,\"cpu_us\":%.3f,\"rss_mib\":%ld}\n", (double)n / wall,
           cpu * 1e6 / (double)n, u.ru_maxrss / 1024);
}

static void run_load(int argc, char **argv)
{
    size_t n = argc > 2 ? (size_t)atol(argv[2]) : 1000;
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "burst") == 0)
        run_bursts(n);
    else if (strcmp(what, "isolated") == 0)
        run_isolated(n);
    else if (strcmp(what, "flat") == 0)
        run_flat(n, 1);
    else if (strcmp(what, "flat2") == 0)
        run_flat(n, 2);
    else
        fprintf(stderr, "usage: %s burst|isolated|flat|flat2 N\n", argv[0]);
}
#endif
