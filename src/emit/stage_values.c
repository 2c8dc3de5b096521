/* stage_values.c - values that a typed call leaves to the library: memory, time, sums. */
#include "base/clock.h"
#include "emit/stage_state.h"

#define MIB (1024.0 * 1024.0)
#define MEMORY_NS (20 * 1000 * 1000LL)
#define GPU_NS (1000 * 1000 * 1000LL) /* a driver may take milliseconds */

void m31ri_fill_integer(int64_t *field, uint64_t value)
{
    if (m31ri_is_unset_integer(*field)) {
        *field = value > INT64_MAX ? INT64_MAX : (int64_t)value;
    }
}

void m31ri_fill_number(double *field, double value)
{
    if (m31ri_is_unset_number(*field)) {
        *field = value;
    }
}

void m31ri_fill_gpu_memory(struct m31ri_stage_state *s, double *field)
{
    int64_t now = m31ri_mono_ns();
    m31r_memory memory;
    if (!m31ri_is_unset_number(*field)) {
        return;
    }
    if (s->gpu_mono_ns == 0 || now - s->gpu_mono_ns >= GPU_NS) {
        s->gpu_mono_ns = now;
        s->has_gpu = m31r_memory_read(&memory, true) == M31R_OK && memory.has_gpu;
        s->gpu_memory_mb = s->has_gpu ? (double)memory.gpu_bytes / MIB : 0;
    }
    if (s->has_gpu) {
        *field = s->gpu_memory_mb;
    }
}

/* Asking the system takes longer than all else of a call, so an answer is good for a while. */
void m31ri_fill_memory(struct m31ri_stage_state *s, double *field)
{
    int64_t now = m31ri_mono_ns();
    m31r_memory memory;
    if (!m31ri_is_unset_number(*field)) {
        return;
    }
    if (s->memory_mono_ns == 0 || now - s->memory_mono_ns >= MEMORY_NS) {
        if (m31r_memory_read(&memory, false) != M31R_OK) {
            return;
        }
        s->memory_mb = (double)memory.rss_bytes / MIB;
        s->memory_mono_ns = now;
    }
    *field = s->memory_mb;
}

void m31ri_fill_duration(const m31r_run *run, double *field)
{
    m31ri_fill_number(field, (double)(m31ri_mono_ns() - run->opened_mono_ns) / 1e9);
}
