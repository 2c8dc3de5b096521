/* m31r.c - the load through libm31r. Also: points N, off N. */
#include <m31r/m31r.h>

static m31r_run *run;
static m31r_log *logger;

#define EMIT(f)                                                                                    \
    m31r_info(logger, "step_complete", "step", (f)->step, "loss", (f)->loss, "lr", (f)->lr,        \
              "grad_norm", (f)->grad_norm, "tokens_per_sec", (f)->tokens_per_sec, "memory_mb",     \
              (f)->memory_mb)
#define WAIT() m31r_run_flush(run, 600000)
#include "load.h"

static void run_points(size_t n)
{
    double wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < n; i++)
        m31r_metric(run, "loss", fields_of(i).loss, (int64_t)i);
    WAIT();
    printf("{\"records_per_s\":%.0f,\"cpu_us\":%.3f,\"lost\":%llu}\n",
           (double)n / (clock_s(CLOCK_MONOTONIC) - wall),
           (clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / (double)n,
           (unsigned long long)m31r_run_lost(run));
}

static void run_off(size_t n)
{
    double cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < n; i++) {
        m31r_debug(logger, "off", "i", i);
        __asm__ volatile("" ::: "memory");
    }
    double with = clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < n; i++)
        __asm__ volatile("" ::: "memory");
    printf("{\"p50_ns\":%.2f}\n",
           (with - (clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu)) * 1e9 / (double)n);
}

int main(int argc, char **argv)
{
    m31r_error e;
    m31r_run_options o = M31R_RUN_OPTIONS_INIT;
    FILE *config = fopen("bench.yaml", "w");
    fputs("config_version: 1\n", config);
    fclose(config);
    o.config = "bench.yaml";
    o.seed = "1";
    o.dataset = o.tokenizer = o.commit = "none";
    o.no_stdout = true;
    if (m31r_run_open(&run, &o, &e) != M31R_OK) {
        fprintf(stderr, "%s; %s\n", e.message, e.hint);
        return 1;
    }
    logger = m31r_run_logger(run, "trainer");
    if (argc > 2 && strcmp(argv[1], "points") == 0)
        run_points((size_t)atol(argv[2]));
    else if (argc > 2 && strcmp(argv[1], "off") == 0)
        run_off((size_t)atol(argv[2]));
    else
        run_load(argc, argv);
    return m31r_run_close(run) == M31R_OK ? 0 : 1;
}
