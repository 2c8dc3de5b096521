/* sampler.c - once a second: what the program and all that descend from it use, and the GPUs.
 *
 * The tree hangs below the observing processes: the keeper is a subreaper, so that a program's
 * orphans stay in the tree. Each sample is one record and a few points without a step, which are
 * joined to steps by time.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/keeper.h"

#define MIB (1024.0 * 1024.0)
#define NAME_BYTES 40
#define FIXED_FIELDS 7
#define FIRST_NS                                                                                   \
    10000000 /* what has just begun has no size yet; what ends soon needs its sample               \
              */

void m31ri_sampler_begin(m31ri_keeper *k)
{
    if (k->plan->sample_interval_s <= 0 || k->run == NULL) {
        return;
    }
    const char *why = NULL;
    k->sampler.tree = m31ri_proc_tree_new();
    k->sampler.gpu = m31ri_gpu_open(&why);
    k->next_sample_ns = m31ri_mono_ns() + FIRST_NS;
    if (k->is_heir) {
        return;
    }
    m31r_metric_define(k->run, "system.cpu_percent", "%", M31R_BETTER_UNKNOWN);
    m31r_metric_define(k->run, "system.rss_mb", "MiB", M31R_BETTER_UNKNOWN);
    m31r_metric_define(k->run, "system.read_mb", "MiB", M31R_BETTER_UNKNOWN);
    m31r_metric_define(k->run, "system.write_mb", "MiB", M31R_BETTER_UNKNOWN);
    const m31ri_field fields[] = {{"interval_s", m31r_of_double(k->plan->sample_interval_s)},
                                  {"gpu", m31r_of_bool(k->sampler.gpu != NULL)},
                                  {"no_gpu_because", m31r_of_string(why)}};
    m31ri_keeper_report(k, M31R_INFO, "sampling", fields, k->sampler.gpu != NULL ? 2 : 3);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void point(m31ri_keeper *k, const char *name, double value)
{
    m31r_metric(k->run, name, value, M31R_NO_STEP);
}

/* Two fields and two points a GPU; how many fields. */
static size_t add_gpus(m31ri_keeper *k, char names[][NAME_BYTES], m31ri_field *fields)
{
    m31ri_gpu_sample gpus[M31RI_GPU_COUNT];
    size_t n = k->sampler.gpu != NULL ? m31ri_gpu_read(k->sampler.gpu, gpus) : 0;
    for (size_t i = 0; i < n; i++) {
        char metric[64];
        snprintf(names[2 * i], NAME_BYTES, "gpu%u_util_percent", gpus[i].index);
        snprintf(names[2 * i + 1], NAME_BYTES, "gpu%u_memory_mb", gpus[i].index);
        fields[2 * i] = (m31ri_field){names[2 * i], m31r_of_uint(gpus[i].util_percent)};
        fields[2 * i + 1] =
            (m31ri_field){names[2 * i + 1], m31r_of_double((double)gpus[i].memory_bytes / MIB)};
        snprintf(metric, sizeof metric, "system.gpu%u.util_percent", gpus[i].index);
        point(k, metric, gpus[i].util_percent);
        snprintf(metric, sizeof metric, "system.gpu%u.memory_mb", gpus[i].index);
        point(k, metric, (double)gpus[i].memory_bytes / MIB);
    }
    return 2 * n;
}

/* Percent of one processor since the last sample; negative for the first, which has nothing to
 * compare with. */
static double cpu_percent(m31ri_sampler *s, uint64_t cpu_ns)
{
    int64_t now_ns = m31ri_mono_ns();
    double percent = -1;
    if (s->last_mono_ns != 0 && now_ns > s->last_mono_ns) {
        uint64_t spent = cpu_ns > s->last_cpu_ns ? cpu_ns - s->last_cpu_ns : 0;
        percent = 100.0 * (double)spent / (double)(now_ns - s->last_mono_ns);
    }
    s->last_mono_ns = now_ns;
    s->last_cpu_ns = cpu_ns;
    return percent;
}

void m31ri_sampler_take(m31ri_keeper *k)
{
    m31ri_sampler *s = &k->sampler;
    m31ri_proc_usage use;
    int64_t roots[M31RI_ROOTS];
    m31ri_keeper_roots(k, roots);
    if (s->tree == NULL ||
        !m31ri_proc_tree_usage(s->tree, roots, M31RI_ROOTS, roots, M31RI_OBSERVERS, &use)) {
        return;
    }
    char names[2 * M31RI_GPU_COUNT][NAME_BYTES];
    m31ri_field fields[FIXED_FIELDS + 2 * M31RI_GPU_COUNT];
    double cpu = cpu_percent(s, use.cpu_ns);
    s->peak_rss_bytes = larger(s->peak_rss_bytes, use.rss_bytes);
    s->read_bytes = larger(s->read_bytes, use.read_bytes);
    s->write_bytes = larger(s->write_bytes, use.write_bytes);
    fields[0] = (m31ri_field){"cpu_percent", cpu >= 0 ? m31r_of_double(cpu) : m31r_of_string(NULL)};
    fields[1] = (m31ri_field){"rss_mb", m31r_of_double((double)use.rss_bytes / MIB)};
    fields[2] = (m31ri_field){"peak_rss_mb", m31r_of_double((double)s->peak_rss_bytes / MIB)};
    fields[3] = (m31ri_field){"read_mb", m31r_of_double((double)s->read_bytes / MIB)};
    fields[4] = (m31ri_field){"write_mb", m31r_of_double((double)s->write_bytes / MIB)};
    fields[5] = (m31ri_field){"processes", m31r_of_uint(use.n_processes)};
    fields[6] = (m31ri_field){"threads", m31r_of_uint(use.n_threads)};
    size_t n = FIXED_FIELDS + add_gpus(k, names, fields + FIXED_FIELDS);
    if (cpu >= 0) {
        point(k, "system.cpu_percent", cpu);
    }
    point(k, "system.rss_mb", (double)use.rss_bytes / MIB);
    point(k, "system.read_mb", (double)s->read_bytes / MIB);
    point(k, "system.write_mb", (double)s->write_bytes / MIB);
    m31ri_keeper_report(k, M31R_INFO, "system_sample", fields, n);
}

void m31ri_sampler_end(m31ri_keeper *k)
{
    m31ri_proc_tree_free(k->sampler.tree);
    m31ri_gpu_close(k->sampler.gpu);
    k->sampler.tree = NULL;
    k->sampler.gpu = NULL;
}
