/* run_drain.c - an observer that drains the rings of its run's programs. */
#include "drain/drainer.h"
#include "emit/state.h"
#include "store/reserve.h"

static bool make_room(void *context, size_t bytes)
{
    const m31r_run *run = context;
    return m31ri_reserve_give(&run->dir, bytes);
}

void m31ri_run_drain_rings(m31r_run *run)
{
    const m31ri_settings *s = run->settings;
    const m31ri_drainer_options o = {.dir = &run->dir,
                                     .privacy = run->privacy,
                                     .block_timeout_ns = (int64_t)(s->block_timeout_s * 1e9),
                                     .sync_interval_ns = (int64_t)(s->sync_interval_s * 1e9),
                                     .rotate_bytes = (uint64_t)s->rotate_mib * 1024 * 1024,
                                     .make_room = make_room,
                                     .context = run};
    run->drainer = m31ri_drainer_start(&o);
}

void m31ri_run_end_drain(m31r_run *run)
{
    if (run != NULL) {
        m31ri_drainer_stop(run->drainer);
        run->drainer = NULL;
    }
}

double m31ri_run_clock_step(m31r_run *run)
{
    return (double)m31ri_drainer_take_clock_step(run->drainer) * 1e-9;
}
