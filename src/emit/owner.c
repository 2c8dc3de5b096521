/* owner.c - what only the process that made the run does: metadata.json, metrics.json, beginning
 * and end.
 *
 * Everything that happens in the run reaches metadata.json through notices, the owner's own news
 * too, so there is one path and a reader of `.live/notices` can finish what a dead owner could not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/sha256.h"
#include "drain/ring_settle.h"
#include "emit/anomaly_watch.h"
#include "emit/state.h"
#include "m31r/key.h"
#include "m31r/version.h"
#include "format/timestamp.h"
#include "store/artifact_fate.h"
#include "store/manifest.h"
#include "store/notices.h"
#include "store/reserve.h"

#define TICK_NS (1000 * 1000 * 1000LL)
#define FINGERPRINT_WAIT_MS 2000
#define WAIT_STEP_MS 10
#define SETTLE_MS 2000
#define SEAL_BYTES_MOST ((uint64_t)1024 * 1024 * 1024) /* about a second of hashing */

static m31r_value text_of(const char *s)
{
    return m31r_of_string(s);
}

/* One record for each line of `lines`. */
static void warn_lines(m31r_lane *lane, const char *message, const char *lines)
{
    const m31r_value key = text_of("detail");
    while (lines != NULL && *lines != '\0') {
        size_t length = strcspn(lines, "\n");
        const m31r_value value = m31r_text(lines, length);
        m31ri_lane_write(lane, M31R_WARNING, "m31r", text_of(message), &key, &value, 1);
        lines += length + (lines[length] == '\n');
    }
}

/* The first record says what the run is. It holds nothing that differs between two runs of the same
 * thing. */
static m31r_err write_run_start(m31r_run *run)
{
    static const char *const names[] = {"stage",
                                        "kind",
                                        "seed",
                                        "config_sha256",
                                        "dataset_version",
                                        "tokenizer_version",
                                        "git_commit",
                                        "identity_sha256"};
    m31r_value keys[sizeof names / sizeof *names];
    m31r_value values[sizeof names / sizeof *names];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const json_t *v = m31ri_metadata_get(&run->metadata, names[i]);
        keys[i] = text_of(names[i]);
        values[i] =
            json_is_integer(v) ? m31r_of_int(json_integer_value(v)) : text_of(json_string_value(v));
    }
    return m31ri_lane_write(run->main_lane, M31R_INFO, "m31r", text_of("run_start"), keys, values,
                            sizeof names / sizeof *names);
}

static void write_opening_warnings(m31r_run *run)
{
    warn_lines(run->main_lane, "identity_warning", m31ri_buf_str(&run->identity->warnings));
    if (run->settings->log_prompts) {
        warn_lines(run->main_lane, "prompt_logging_enabled",
                   "observability.log_prompts is on: prompts are written to this run's files");
    }
    if (run->settings->privacy_hash) {
        warn_lines(
            run->main_lane, "value_hashes_enabled",
            "observability.privacy_hash is on: equal values that were taken out can be told");
    }
}

static m31r_err describe(m31r_run *run, m31r_error *e)
{
    char started[M31RI_TIMESTAMP_BYTES + 1];
    m31r_err err = m31ri_metadata_init(&run->metadata, e);
    if (err == M31R_OK) {
        err = m31ri_identity_describe(run->identity, &run->metadata, e);
    }
    if (err != M31R_OK) {
        return err;
    }
    m31ri_process self = m31ri_process_self();
    char key[M31RI_RANK_KEY_BYTES];
    m31ri_timestamp_write(m31ri_wall_ns(), started);
    run->begun_mono_ns = m31ri_mono_ns();
    run->n_ranks = m31ri_rank_job_key(key, sizeof key) ? m31ri_rank_count_of_environment() : 0;
    if (run->n_ranks > 0) {
        m31ri_metadata_set(&run->metadata, "ranks", json_integer(run->n_ranks));
    }
    m31ri_metadata_set(&run->metadata, "run_id", json_string(run->dir.run_id));
    m31ri_metadata_set(&run->metadata, "timestamp", json_string(started));
    if (run->dir.live_path != NULL) {
        m31ri_metadata_set(&run->metadata, "live",
                           json_pack("{s:s, s:s, s:s}", "path", run->dir.live_path, "host",
                                     self.host, "because", run->dir.live_because));
    }
    m31ri_metadata_set(
        &run->metadata, "writer",
        json_pack("{s:I, s:I, s:s, s:s, s:s, s:s}", "pid", (json_int_t)self.pid, "start_ticks",
                  (json_int_t)self.start_ticks, "boot_id", self.boot_id, "host", self.host, "role",
                  run->is_observer ? "observer" : "program", "library_version", m31r_version()));
    return m31ri_identity_write_files(run->identity, &run->dir, &run->metadata, e);
}

m31r_err m31ri_owner_begin(m31r_run *run, m31r_error *e)
{
    m31r_err err = describe(run, e);
    if (err == M31R_OK) {
        err = m31ri_metadata_save(&run->metadata, &run->dir, true, e);
    }
    if (err == M31R_OK) {
        m31ri_anomaly_watch_open(run); /* without memory for it the run goes on unwatched */
        err =
            m31ri_metrics_json_open(&run->dir, m31ri_anomaly_listener(run), &run->metrics_json, e);
        m31ri_anomaly_watch_begin(run);
    }
    if (err != M31R_OK) {
        return err;
    }
    if (write_run_start(run) != M31R_OK) {
        return m31ri_fail(e, M31R_E_IO, "cannot write the first record to %s/%s", run->dir.path,
                          run->main_lane->file);
    }
    write_opening_warnings(run);
    m31ri_tell_redactions(run);
    m31ri_reserve_put(&run->dir);
    m31ri_fingerprint_job_start(run);
    return M31R_OK;
}

/* A file that is switched off says so itself; its first and last records are always kept. Under an
 * observer it stays on: the observer prints what is in the files. */
void m31ri_owner_choose_sinks(m31r_run *run, bool to_file)
{
    if (!to_file) {
        warn_lines(run->main_lane, "file_sink_off",
                   "observability.file is off: the records between run_start and run_end are on "
                   "standard output only");
        run->is_file_off = true;
    }
}

static m31r_lane *lane_for_news(m31r_run *run)
{
    return run->observer_lane != NULL ? run->observer_lane : run->main_lane;
}

/* Folds what the run's processes said since the last time; contradictions become WARNING records.
 */
static void fold(m31r_run *run)
{
    m31ri_notices_fold(&run->dir, &run->notices_offset, &run->metadata, NULL, NULL);
    if (run->metadata.pending_warnings != NULL) {
        warn_lines(lane_for_news(run), "identity_contradiction", run->metadata.pending_warnings);
        m31ri_free(run->metadata.pending_warnings);
        run->metadata.pending_warnings = NULL;
    }
}

bool m31ri_run_disk_got_low(m31r_run *run, m31ri_room *out)
{
    if (run->role != M31RI_ROLE_OWNER) {
        return false;
    }
    bool is_low = m31ri_reserve_look(&run->dir, out);
    bool got_low = is_low && !run->is_disk_low;
    if (is_low || out->free_bytes >= 2 * (uint64_t)M31RI_DISK_LOW_BYTES) {
        run->is_disk_low = is_low; /* between the two nothing is said again */
    }
    return got_low;
}

/* Before it is full there is time to make room. The observer says it itself, so that it is seen. */
static void watch_disk(m31r_run *run)
{
    m31ri_room room = {0, 0};
    if (!run->is_observer && m31ri_run_disk_got_low(run, &room)) {
        const m31r_value keys[] = {text_of("free_bytes"), text_of("reserved_bytes")};
        const m31r_value values[] = {m31r_of_uint(room.free_bytes),
                                     m31r_of_uint(room.reserved_bytes)};
        m31ri_lane_write(run->main_lane, M31R_WARNING, "m31r", text_of("disk_low"), keys, values,
                         2);
    }
}

/* The new points into metrics.json, and what the rules say of them into records. */
static void hear_points(m31r_run *run)
{
    m31ri_metrics_json_update(run->metrics_json, false, NULL);
    m31ri_anomaly_watch_check(run, m31ri_wall_ns());
    m31ri_anomaly_watch_report(run);
}

void m31ri_run_tick(m31r_run *run)
{
    if (run == NULL || run->role != M31RI_ROLE_OWNER || pthread_mutex_trylock(&run->lock) != 0) {
        return;
    }
    watch_disk(run);
    if (run->drainer == NULL) { /* which has the rings open, and finishes them */
        (void)m31ri_rings_settle(&run->dir, run->privacy, M31RI_SETTLE_OR_LEAVE, 0);
    }
    m31ri_tell_redactions(run);
    fold(run);
    hear_points(run);
    m31ri_checkpointer_tick(run);
    if (run->metadata.is_dirty) {
        m31ri_metadata_save(&run->metadata, &run->dir, false, NULL);
    }
    pthread_mutex_unlock(&run->lock);
}

/* In a program without an observer, its own calls pace the housekeeping. */
void m31ri_owner_pace(m31r_run *run)
{
    if (run->role != M31RI_ROLE_OWNER || run->is_observer) {
        return;
    }
    int64_t now = m31ri_mono_ns();
    int64_t due = atomic_load_explicit(&run->tick_mono_ns, memory_order_relaxed);
    if (now >= due && atomic_compare_exchange_strong(&run->tick_mono_ns, &due, now + TICK_NS)) {
        m31ri_run_tick(run);
    }
}

static void wait_for_others(m31r_run *run, int wait_ms)
{
    const struct timespec pause = {0, WAIT_STEP_MS * 1000 * 1000};
    for (int waited = 0; waited < wait_ms && m31ri_run_dir_has_others(&run->dir, NULL);
         waited += WAIT_STEP_MS) {
        nanosleep(&pause, NULL);
    }
}

/* A short program of rank 0 may have ended before another rank has come. */
static void wait_for_ranks(m31r_run *run, const m31ri_run_end *end)
{
    const struct timespec pause = {0, WAIT_STEP_MS * 1000 * 1000};
    int64_t until_ns = m31ri_mono_ns() + m31ri_rank_come_ns(run, end);
    m31ri_run_tick(run);
    while (m31ri_rank_n_missing(run) > 0 && m31ri_mono_ns() < until_ns) {
        nanosleep(&pause, NULL);
        m31ri_run_tick(run);
    }
}

static void record_end_in_metadata(m31r_run *run, const m31ri_run_end *end)
{
    char ended[M31RI_TIMESTAMP_BYTES + 1];
    m31ri_metadata *m = &run->metadata;
    m31ri_timestamp_write(m31ri_wall_ns(), ended);
    m31ri_metadata_set(m, "state", json_string(end->state));
    m31ri_metadata_set(m, "end", json_string(ended));
    m31ri_metadata_set(m, "exit_status",
                       end->has_exit_status ? json_integer(end->exit_status) : json_null());
    m31ri_metadata_set(m, "signal", end->signal != NULL ? json_string(end->signal) : json_null());
    m31ri_metadata_set(m, "cause", end->cause != NULL ? json_string(end->cause) : json_null());
    m31ri_metadata_set(m, "cause_evidence",
                       end->evidence != NULL ? json_string(end->evidence) : json_null());
}

/* The last record of a main lane: how it ended. A lane that another process still holds cannot take
 * it; then the observer's does. */
void m31ri_owner_write_end(m31r_run *run, const char *message, const m31ri_run_end *end)
{
    run->is_file_off = false;
    m31r_value keys[5], values[5];
    size_t n = 0;
    m31r_lane *lane =
        m31ri_lane_reopen(run->main_lane, NULL) == M31R_OK ? run->main_lane : lane_for_news(run);
    keys[n] = text_of("state");
    values[n++] = text_of(end->state);
    if (end->has_exit_status) {
        keys[n] = text_of("exit_status");
        values[n++] = m31r_of_int(end->exit_status);
    }
    const char *const names[] = {"signal", "cause", "evidence"};
    const char *const texts[] = {end->signal, end->cause, end->evidence};
    for (int i = 0; i < 3; i++) {
        if (texts[i] != NULL) {
            keys[n] = text_of(names[i]);
            values[n++] = text_of(texts[i]);
        }
    }
    bool is_good = strcmp(end->state, "finished") == 0;
    m31ri_lane_write(lane, is_good ? M31R_INFO : M31R_ERROR, "m31r", text_of(message), keys, values,
                     n);
}

static void close_lanes(m31r_run *run)
{
    for (m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        bool is_ours = lane->append != NULL; /* else another process still writes it */
        m31ri_lane_settle(lane);
        m31ri_lane_sync(lane);
        if (is_ours) {
            m31ri_lane_announce(lane, "closed");
        }
        m31ri_lane_give_up_file(lane);
    }
}

/* What was lost and is in no record because the disk stayed full: metadata.json says it. */
static void count_unsaid_losses(m31r_run *run)
{
    for (const m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        json_t *notice = m31ri_outage_notice(&lane->outage, "records");
        m31ri_metadata_fold(&run->metadata, notice);
        json_decref(notice);
    }
    json_t *notice = m31ri_outage_notice(&run->points.outage, "points");
    m31ri_metadata_fold(&run->metadata, notice);
    json_decref(notice);
}

static void keep_first(m31r_err *first, m31r_err err)
{
    if (*first == M31R_OK && err != M31R_OK) {
        *first = err;
    }
}

/* What the program itself said explains what was seen from outside: a CRITICAL record or a stated
 * failure is one whatever the exit status, and a stated cause is better than "it exited with 1". */
static void heed_the_program(const m31ri_metadata *m, m31ri_run_end *end)
{
    bool was_finished = strcmp(end->state, "finished") == 0;
    bool is_vague = end->cause == NULL || strcmp(end->cause, "exit_status") == 0;
    if (m->stated_state[0] != '\0' && (was_finished || end->has_exit_status) && is_vague) {
        end->state = strcmp(m->stated_state, "failed") == 0 ? "failed" : "interrupted";
        snprintf(end->stated_cause, sizeof end->stated_cause, "%s", m->stated_cause);
        end->cause = m->stated_cause[0] != '\0' ? end->stated_cause : end->cause;
    } else if (m->is_critical && was_finished) {
        end->state = "failed";
        end->cause = "critical";
    }
}

typedef struct fate_news {
    m31r_lane *lane;
    int n;
} fate_news;

#define FATES_TOLD 100 /* metadata.json has them all */

static void tell_fate(void *context, const json_t *artifact)
{
    static const char *const names[] = {"role", "path", "sha256"};
    fate_news *news = context;
    const char *state = json_string_value(json_object_get(artifact, "state"));
    bool is_gone = state != NULL && strcmp(state, "removed") == 0;
    m31r_value keys[3], values[3];
    for (int i = 0; i < 3; i++) {
        keys[i] = text_of(names[i]);
        values[i] = text_of(json_string_value(json_object_get(artifact, names[i])));
    }
    if (news->n++ < FATES_TOLD) {
        m31ri_lane_write(news->lane, M31R_INFO, "m31r",
                         text_of(is_gone ? "artifact_removed" : "artifact_replaced"), keys, values,
                         3);
    }
}

/* Whoever has a key wants his runs signed: that it cannot be used is said while it can be. */
static void warn_of_key(m31r_run *run)
{
    m31r_key key;
    m31r_error e;
    if (m31r_key_show(&key, &e) == M31R_E_CONFIG) {
        warn_lines(lane_for_news(run), "key_unusable", e.message);
    }
}

/* Files of the program that would take seconds to hash: the end does not wait for them, and `m31r
 * recover` seals the run. */
static bool is_seal_put_off(m31r_run *run)
{
    bool is_put_off = m31ri_manifest_cost(&run->dir, run->metadata.root) > SEAL_BYTES_MOST;
    if (is_put_off) {
        m31ri_metadata_set(&run->metadata, "seal", json_string("pending"));
    }
    return is_put_off;
}

m31r_err m31ri_owner_end(m31r_run *run, const m31ri_run_end *end, int wait_ms,
                         m31ri_run_end *out_end, m31r_error *e)
{
    m31ri_run_end final = *end;
    m31r_err err = M31R_OK;
    wait_for_ranks(run, end);
    wait_for_others(run, m31ri_rank_wait_ms(run, end, wait_ms));
    m31ri_run_dir_shut(&run->dir, NULL);
    (void)m31ri_rings_settle(&run->dir, run->privacy, M31RI_SETTLE_OR_COUNT, SETTLE_MS);
    m31ri_fingerprint_job_stop(run, FINGERPRINT_WAIT_MS);
    pthread_mutex_lock(&run->lock);
    m31ri_checkpointer_stop(run);
    hear_points(run);
    fold(run);
    heed_the_program(&run->metadata, &final);
    m31ri_reserve_free(&run->dir);
    m31ri_metadata_abandon_open_lanes(&run->metadata);
    m31ri_rank_report(run, lane_for_news(run));
    warn_of_key(run);
    fate_news news = {lane_for_news(run), 0};
    m31ri_artifact_fates(&run->metadata, &run->dir, tell_fate, &news);
    m31ri_owner_write_end(run, "run_end", &final);
    close_lanes(run);
    fold(run);
    count_unsaid_losses(run);
    m31ri_points_close(run);
    record_end_in_metadata(run, &final);
    m31ri_tell_redactions(run);
    bool is_put_off = is_seal_put_off(run);
    keep_first(&err, m31ri_metrics_json_update(run->metrics_json, true, e));
    keep_first(&err,
               m31ri_metadata_save(&run->metadata, &run->dir, true, err == M31R_OK ? e : NULL));
    if (!is_put_off) {
        keep_first(&err, m31ri_manifest_write(&run->dir, err == M31R_OK ? e : NULL));
    }
    if (err == M31R_OK) {
        err = m31ri_run_dir_end(&run->dir, e);
    }
    pthread_mutex_unlock(&run->lock);
    if (out_end != NULL) {
        *out_end = final;
        if (final.cause == final.stated_cause) {
            out_end->cause = out_end->stated_cause;
        }
    }
    return err;
}
