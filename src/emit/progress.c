/* progress.c - how far the work is, at most once a second, on a lane that `diff` sets aside.
 *
 * The lane is `progress`, opened at the first record; when another process of the run has it, this
 * one says nothing: two bars of one work would only contradict each other.
 */
#include <errno.h>

#include "base/clock.h"
#include "emit/stage_state.h"

#define PACE_NS (1000 * 1000 * 1000LL)

static bool is_due(struct m31ri_stage_state *s, uint64_t done, uint64_t total, int64_t now)
{
    if (s->progress_start_ns == 0) {
        s->progress_start_ns = now;
    }
    bool is_end = total > 0 && done >= total && s->progress_done < total;
    s->progress_done = done;
    if (!is_end && now < s->progress_next_ns) {
        return false;
    }
    s->progress_next_ns = now + PACE_NS;
    return true;
}

static void write_progress(struct m31ri_stage_state *s, uint64_t done, uint64_t total, int64_t now)
{
    double elapsed_s = (double)(now - s->progress_start_ns) / 1e9;
    m31r_log *log = m31r_lane_logger(s->progress_lane, "progress");
    if (total > 0 && done > 0 && done <= total) {
        double left_s = elapsed_s * (double)(total - done) / (double)done;
        m31r_info(log, "progress", "done", done, "total", total, "elapsed_s", elapsed_s, "left_s",
                  left_s);
    } else if (total > 0) {
        m31r_info(log, "progress", "done", done, "total", total, "elapsed_s", elapsed_s);
    } else {
        m31r_info(log, "progress", "done", done, "elapsed_s", elapsed_s);
    }
}

void m31r_progress(m31r_run *run, uint64_t done, uint64_t total)
{
    int saved = errno;
    struct m31ri_stage_state *s = m31ri_run_enter(run) ? m31ri_stage_state_of(run) : NULL;
    if (s != NULL) {
        pthread_mutex_lock(&s->lock);
        int64_t now = m31ri_mono_ns();
        if (is_due(s, done, total, now) && !s->has_no_progress_lane) {
            s->has_no_progress_lane =
                s->progress_lane == NULL &&
                m31r_lane_open(run, "progress", &s->progress_lane, NULL) != M31R_OK;
            if (!s->has_no_progress_lane) {
                write_progress(s, done, total, now);
            }
        }
        pthread_mutex_unlock(&s->lock);
    }
    errno = saved;
}
