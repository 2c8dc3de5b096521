/* rank_tell.c - what the ranks of a run tell its owner, and what the owner makes of it at the end.
 *
 * A rank says that it came, and it or its observer how it ended. The owner waits for those that are
 * still busy, and for those that have not come when rank 0 was done in an instant; both bounded,
 * and not at all when rank 0 failed: then a launcher is waiting for our exit to end the others.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/os_process.h"
#include "emit/state.h"

#define BUSY_WAIT_MS 60000         /* an observer's, for ranks that are still at work */
#define BUSY_WAIT_OF_PROGRAM 10000 /* a program's own, which wants to exit */
#define SHORT_NS (10 * 1000000000LL)
#define COME_NS (3 * 1000000000LL)
#define NAMED_MISSING 16

void m31ri_rank_tell(m31r_run *run, const char *state, const m31ri_run_end *end)
{
    if (run->rank == 0 || run->is_shell || (run->is_observer && end == NULL)) {
        return;
    }
    m31ri_process self = m31ri_process_self();
    json_t *notice = json_pack("{s:s, s:i, s:I, s:s, s:s}", "kind", "rank", "rank", run->rank,
                               "pid", (json_int_t)self.pid, "host", self.host, "state", state);
    if (end != NULL) {
        json_object_set_new(notice, "exit_status",
                            end->has_exit_status ? json_integer(end->exit_status) : json_null());
        json_object_set_new(notice, "signal",
                            end->signal != NULL ? json_string(end->signal) : json_null());
        json_object_set_new(notice, "cause",
                            end->cause != NULL ? json_string(end->cause) : json_null());
        json_object_set_new(notice, "evidence",
                            end->evidence != NULL ? json_string(end->evidence) : json_null());
    }
    m31ri_notice(run, notice);
}

static bool is_finished(const m31ri_run_end *end)
{
    return strcmp(end->state, "finished") == 0;
}

int m31ri_rank_wait_ms(const m31r_run *run, const m31ri_run_end *end, int wait_ms)
{
    bool has_ranks = json_array_size(m31ri_metadata_get(&run->metadata, "rank_ends")) > 0;
    int busy_ms = run->is_observer ? BUSY_WAIT_MS : BUSY_WAIT_OF_PROGRAM;
    return has_ranks && is_finished(end) && wait_ms > 0 ? busy_ms : wait_ms;
}

int m31ri_rank_n_missing(const m31r_run *run)
{
    int n_come = (int)json_array_size(m31ri_metadata_get(&run->metadata, "rank_ends"));
    return run->n_ranks - 1 > n_come ? run->n_ranks - 1 - n_come : 0;
}

int64_t m31ri_rank_come_ns(const m31r_run *run, const m31ri_run_end *end)
{
    bool was_short = run->begun_mono_ns != 0 && m31ri_mono_ns() - run->begun_mono_ns < SHORT_NS;
    return was_short && is_finished(end) ? COME_NS : 0;
}

static bool has_come(const json_t *ends, int rank)
{
    for (size_t i = 0; i < json_array_size(ends); i++) {
        if (json_integer_value(json_object_get(json_array_get(ends, i), "rank")) == rank) {
            return true;
        }
    }
    return false;
}

static void warn(m31r_lane *lane, const char *message, int64_t count, const char *ranks)
{
    const m31r_value keys[] = {m31r_of_string("count"), m31r_of_string("ranks")};
    const m31r_value values[] = {m31r_of_int(count), m31r_of_string(ranks)};
    m31ri_lane_write(lane, M31R_WARNING, "m31r", m31r_of_string(message), keys, values, 2);
}

static void add_rank(m31ri_buf *list, int n, int rank)
{
    if (n < NAMED_MISSING) {
        m31ri_buf_add_format(list, "%s%d", n > 0 ? " " : "", rank);
    } else if (n == NAMED_MISSING) {
        m31ri_buf_add_str(list, " ...");
    }
}

void m31ri_rank_report(m31r_run *run, m31r_lane *lane)
{
    const json_t *ends = m31ri_metadata_get(&run->metadata, "rank_ends");
    m31ri_buf list = M31RI_BUF_INIT;
    int n = 0;
    for (int rank = 1; m31ri_rank_n_missing(run) > 0 && rank < run->n_ranks; rank++) {
        if (!has_come(ends, rank)) {
            add_rank(&list, n++, rank);
        }
    }
    if (n > 0) {
        warn(lane, "ranks_missing", n, m31ri_buf_str(&list));
    }
    m31ri_buf_clear(&list);
    n = 0;
    for (size_t i = 0; i < json_array_size(ends); i++) {
        const json_t *end = json_array_get(ends, i);
        const char *state = json_string_value(json_object_get(end, "state"));
        if (state != NULL && strcmp(state, "abandoned") == 0) {
            add_rank(&list, n++, (int)json_integer_value(json_object_get(end, "rank")));
        }
    }
    if (n > 0) {
        warn(lane, "ranks_abandoned", n, m31ri_buf_str(&list));
    }
    m31ri_buf_release(&list);
}
