/* run.c - opening, joining, leaving and ending a run.
 *
 * A process is the owner of the run it made or a joiner of one that is in progress; an inert handle
 * stands for a run that was refused. After a fork the child's copy becomes a joiner at its first
 * call, whatever the parent was.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "emit/anomaly_watch.h"
#include "emit/hash_queue.h"
#include "emit/state.h"
#include "identity/environment.h"
#include "m31r/log.h"
#include "rules/value_key.h"
#include "store/notices.h"

#define CLOSE_WAIT_MS                                                                              \
    2000 /* for other processes of the run, when the program itself is the owner */

m31r_err m31ri_run_new(m31ri_role role, m31r_run **out, m31r_error *e)
{
    m31r_run *run = m31ri_calloc(1, sizeof *run);
    if (run == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a run");
    }
    run->role = role;
    run->dir = (m31ri_run_dir)M31RI_RUN_DIR_INIT;
    run->nowhere.public_part.level = INT32_MAX;
    run->fork_generation = m31ri_fork_generation();
    run->rank = m31ri_rank_of_environment();
    run->opened_mono_ns = m31ri_mono_ns();
    pthread_mutex_init(&run->lock, NULL);
    pthread_mutex_init(&run->points.lock, NULL);
    m31ri_stdout_sink_init(&run->sink, false);
    m31ri_settings_init(&run->own_settings);
    run->settings = &run->own_settings;
    *out = run;
    return M31R_OK;
}

static void free_lanes_and_loggers(m31r_run *run)
{
    while (run->loggers != NULL) {
        m31ri_logger *next = run->loggers->next;
        m31ri_free(run->loggers);
        run->loggers = next;
    }
    while (run->lanes != NULL) {
        m31r_lane *next = run->lanes->next;
        m31ri_lane_free(run->lanes);
        run->lanes = next;
    }
    run->main_lane = run->observer_lane = NULL;
}

static void free_owner_parts(m31r_run *run)
{
    m31ri_metrics_json_close(run->metrics_json);
    run->metrics_json = NULL;
    m31ri_anomaly_watch_close(run);
    m31ri_metadata_release(&run->metadata);
    if (run->identity != NULL) {
        m31ri_identity_release(run->identity); /* with the privacy rules */
        m31ri_free(run->identity);
        run->identity = NULL;
    } else {
        m31ri_privacy_free(run->privacy);
    }
    run->privacy = NULL;
}

void m31ri_run_free(m31r_run *run)
{
    free_lanes_and_loggers(run);
    m31ri_points_close(run);
    m31ri_stage_state_free(run->stages);
    m31ri_run_free_names(run);
    free_owner_parts(run);
    m31ri_settings_release(&run->own_settings);
    m31ri_free(run->config_path);
    m31ri_free(run->config_sha256);
    m31ri_free(run->config_original_sha256);
    m31ri_stdout_sink_release(&run->sink);
    m31ri_run_dir_release(&run->dir);
    pthread_mutex_destroy(&run->points.lock);
    pthread_mutex_destroy(&run->lock);
    m31ri_free(run);
}

/* Says once, on stderr, that what is given to this handle is not kept. */
static void say_inert(m31r_run *run)
{
    static const char text[] =
        "m31r: a call on a run that is not open: what it was given is not kept\n";
    m31r_run *speaker = run != NULL ? run : m31ri_inert_run();
    if (!speaker->inert_was_said) {
        speaker->inert_was_said = true;
        m31ri_write_all(2, text, sizeof text - 1, NULL);
    }
}

bool m31ri_run_enter(m31r_run *run)
{
    if (run == NULL || run->role == M31RI_ROLE_INERT ||
        atomic_load_explicit(&run->is_over, memory_order_relaxed)) {
        say_inert(run);
        return false;
    }
    if (run->fork_generation != m31ri_fork_generation()) {
        m31ri_run_after_fork(run);
    }
    return run->role != M31RI_ROLE_INERT;
}

void m31ri_run_say_no_rings(m31r_run *run, const char *reason)
{
    const m31r_value key = m31r_of_string("reason"), value = m31r_of_string(reason);
    m31ri_lane_write(run->main_lane, M31R_WARNING, "m31r", m31r_of_string("rings_unavailable"),
                     &key, &value, 1);
}

/* From here on calls go through rings; without them (no room in memory-backed storage) each writes
 * for itself, which the record says. */
void m31ri_run_begin_rings(m31r_run *run)
{
    m31r_error e;
    if (m31ri_rings_begin(run, &e) != M31R_OK) {
        m31ri_run_say_no_rings(run, e.message);
    }
}

/* The child of a fork: a process of its own, with lanes of its own. The parent's files stay the
 * parent's. */
void m31ri_run_after_fork(m31r_run *run)
{
    m31r_error e;
    run->fork_generation = m31ri_fork_generation();
    bool was_open = run->role != M31RI_ROLE_INERT;
    m31ri_privacy_after_fork(run->privacy);
    m31ri_rings_forget(run);
    run->direct_names = NULL; /* another thread may have been in the middle of it */
    m31ri_compressor_forget(run);
    m31ri_checkpointer_forget(run);
    m31ri_append_close(run->points.append);
    run->points.append = NULL;
    for (m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        m31ri_append_close(lane->append);
        lane->append = NULL;
        lane->n_records = 0;
        lane->first_thread = 0;
    }
    m31ri_metrics_json_close(run->metrics_json);
    run->metrics_json = NULL;
    m31ri_anomaly_watch_forget(run);
    run->job.is_running = false; /* its thread is in the parent */
    run->role = M31RI_ROLE_INERT;
    if (!was_open || m31ri_run_dir_rejoin_after_fork(&run->dir, &e) != M31R_OK) {
        return;
    }
    run->role = M31RI_ROLE_JOINER;
    m31r_lane *lane = NULL;
    if (m31ri_points_open(run, &e) != M31R_OK || m31ri_lane_claim_main(run, &lane, &e) != M31R_OK) {
        run->role = M31RI_ROLE_INERT;
        return;
    }
    /* Loggers and callers hold the parent's lane objects: they take over the new file. */
    m31r_lane *mine = run->main_lane;
    mine->append = lane->append;
    lane->append = NULL;
    memcpy(mine->name, lane->name, sizeof mine->name);
    memcpy(mine->file, lane->file, sizeof mine->file);
    mine->is_ordered = false; /* which child gets which ordinal is not program order */
    m31ri_lane_free(lane);
    for (m31r_lane *other = run->lanes; other != NULL; other = other->next) {
        if (other != mine) {
            char name[33];
            snprintf(name, sizeof name, "%.16s-%.15s", mine->name, other->name);
            snprintf(other->name, sizeof other->name, "%s", name);
            m31ri_lane_file_write(run->stage, other->name, run->rank, other->file,
                                  sizeof other->file);
            m31ri_lane_reopen(other, NULL);
        }
    }
    m31ri_lane_announce(mine, "open");
    m31ri_run_begin_rings(run);
}

static void add_lane(m31r_run *run, m31r_lane *lane, m31ri_lane_way way)
{
    lane->next = run->lanes;
    run->lanes = lane;
    if (way == M31RI_LANE_DIRECT) {
        lane->is_ordered = false; /* whichever thread has something to say */
    } else if (run->rings != NULL) {
        m31ri_rings_add_lane(run->rings, lane);
    }
    m31ri_lane_announce(lane, "open");
}

static m31r_err open_main_lane(m31r_run *run, m31r_error *e)
{
    m31r_err err = m31ri_lane_claim_main(run, &run->main_lane, e);
    if (err == M31R_OK) {
        add_lane(run, run->main_lane, M31RI_LANE_BY_RINGS);
    }
    return err;
}

/* Owner: takes over `identity`, makes the directory and everything that must be in it from the
 * start. */
static m31r_err make_run(m31r_run *run, m31r_error *e)
{
    const m31ri_identity *id = run->identity;
    run->privacy = id->privacy;
    snprintf(run->stage, sizeof run->stage, "%s", id->stage);
    snprintf(run->seed, sizeof run->seed, "%s", id->seed);
    run->settings = &id->settings;
    m31r_err err = m31ri_run_dir_create(id->root, m31ri_wall_ns(), id->digest, &run->dir, e);
    if (err == M31R_OK && run->settings->privacy_hash) {
        /* from now on: what the run is known by (config, argv) is the same in the next run */
        m31ri_value_key_make(run->privacy, run->dir.fd, run->dir.run_id, run->dir.path);
    }
    if (err == M31R_OK) {
        err = m31ri_points_open(run, e);
    }
    if (err == M31R_OK) {
        err = open_main_lane(run, e);
    }
    return err == M31R_OK ? m31ri_owner_begin(run, e) : err;
}

/* A directory was made and then something in it failed: the error names the file, this the place.
 */
static void say_where(const m31r_run *run, m31r_error *e)
{
    if (run->dir.path != NULL && e != NULL && e->hint[0] == '\0') {
        m31ri_fail_hint(
            e,
            "no run could be made in %s, and nothing of it is left: make room there, or "
            "name another directory of runs",
            run->identity->root);
    }
}

static m31r_err open_owner(m31ri_identity *identity, bool is_observer, m31r_run **out,
                           m31r_error *e)
{
    m31r_run *run = NULL;
    m31r_err err = m31ri_run_new(M31RI_ROLE_OWNER, &run, e);
    if (err != M31R_OK) {
        m31ri_identity_release(identity);
        m31ri_free(identity);
        return err;
    }
    run->identity = identity;
    run->is_observer = is_observer;
    err = make_run(run, e);
    if (err != M31R_OK) {
        m31ri_fingerprint_job_stop(run, 0);
        say_where(run, e);
        m31ri_run_dir_undo(&run->dir);
        m31ri_run_free(run);
        return err;
    }
    m31ri_registry_add(run);
    *out = run;
    return M31R_OK;
}

m31r_err m31ri_run_open_observer(m31ri_identity *identity, m31r_run **out, m31r_error *e)
{
    m31r_run *run = NULL;
    m31r_err err = open_owner(identity, true, &run, e);
    if (err != M31R_OK) {
        return err;
    }
    err = m31r_lane_open(run, "observer", &run->observer_lane, e);
    if (err != M31R_OK) {
        m31r_run_close(run);
        return err;
    }
    m31ri_lane_give_up_file(run->main_lane);
    *out = run;
    return M31R_OK;
}

m31r_err m31ri_run_open_program(const m31r_run_options *o, m31r_run **out, m31r_error *e)
{
    m31ri_identity *identity = m31ri_calloc(1, sizeof *identity);
    if (identity == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a run's identity");
    }
    m31r_err err = m31ri_identity_gather(o, NULL, false, identity, e);
    if (err != M31R_OK) {
        m31ri_free(identity);
        return err;
    }
    bool to_stdout = identity->settings.to_stdout && !o->no_stdout;
    bool to_file = identity->settings.to_file;
    if (!to_stdout && !to_file) {
        m31ri_identity_release(identity);
        m31ri_free(identity);
        return m31ri_fail(e, M31R_E_CONFIG,
                          "observability: stdout and file are both off: records would go nowhere");
    }
    err = open_owner(identity, false, out, e);
    if (err == M31R_OK) {
        m31ri_run_tell_environment(*out, getpid());
        m31ri_stdout_sink_init(&(*out)->sink, to_stdout);
        m31ri_owner_choose_sinks(*out, to_file);
        (*out)->takes_stacks = (*out)->settings->error_stack;
        (*out)->catches_crashes = (*out)->settings->crash_handler;
        if (to_file) {
            m31ri_run_begin_rings(*out);
        }
    }
    return err;
}

static m31r_lane *find_lane(m31r_run *run, const char *name)
{
    for (m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        if (strcmp(lane->name, name) == 0) {
            return lane;
        }
    }
    return NULL;
}

m31r_err m31ri_run_lane(m31r_run *run, const char *name, m31ri_lane_way way, m31r_lane **out,
                        m31r_error *e)
{
    m31r_lane *lane = find_lane(run, name);
    if (lane == NULL) {
        m31r_err err = m31ri_lane_new(run, name, &lane, e);
        if (err != M31R_OK) {
            return err;
        }
        add_lane(run, lane, way);
    }
    *out = lane;
    return M31R_OK;
}

m31r_err m31r_lane_open(m31r_run *run, const char *name, m31r_lane **out, m31r_error *e)
{
    if (!m31ri_run_enter(run)) {
        return m31ri_fail(e, M31R_E_CLOSED, "the run is not open");
    }
    if (name == NULL || !m31ri_lane_name_is_valid(name, strlen(name))) {
        return m31ri_fail(e, M31R_E_ARG, "lane name \"%s\" is not [a-z0-9_-]{1,32} or is reserved",
                          name != NULL ? name : "(null)");
    }
    pthread_mutex_lock(&run->lock);
    m31r_err err = m31ri_run_lane(run, name, M31RI_LANE_BY_RINGS, out, e);
    pthread_mutex_unlock(&run->lock);
    return err;
}

void m31ri_run_tell_environment(m31r_run *run, int64_t pid)
{
    m31ri_notice(run, m31ri_environment_loaded(pid, &run->environment_seen));
}

void m31ri_run_tell_linked(m31r_run *run, const char *program, const char *libraries)
{
    m31ri_notice(run, m31ri_environment_linked(program, libraries));
}

static m31r_err first_lane_error(const m31r_run *run)
{
    for (const m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        if (lane->outage.n_lost_total != 0) {
            return M31R_E_IO;
        }
    }
    return run->points.outage.n_lost_total != 0 ? M31R_E_IO : M31R_OK;
}

static void leave(m31r_run *run)
{
    for (m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
        bool is_ours = lane->append != NULL;
        m31ri_lane_settle(lane);
        m31ri_lane_sync(lane);
        m31ri_notice(run, m31ri_outage_notice(&lane->outage, "records"));
        if (is_ours) {
            m31ri_lane_announce(lane, "closed");
        }
    }
    m31ri_notice(run, m31ri_outage_notice(&run->points.outage, "points"));
    m31ri_rank_tell(run, "closed", NULL);
    m31ri_tell_redactions(run);
    m31ri_notice(run, json_pack("{s:s, s:I}", "kind", "close", "pid", (json_int_t)getpid()));
}

m31r_err m31r_run_close(m31r_run *run)
{
    return m31r_run_end(run, M31R_END_FINISHED, NULL);
}

static m31r_err end_as_owner(m31r_run *run, m31ri_run_end end)
{
    static const m31ri_key_verdict no_key = {M31RI_KEY_NONE, NULL};
    m31ri_buf clean = M31RI_BUF_INIT;
    if (end.cause != NULL &&
        m31ri_privacy_clean(run->privacy, no_key, end.cause, strlen(end.cause), &clean) != 0) {
        end.cause = m31ri_buf_str(&clean);
    }
    m31r_err err = m31ri_owner_end(run, &end, CLOSE_WAIT_MS, NULL, NULL);
    m31ri_buf_release(&clean);
    return err;
}

/* Everything that the end of this process's part writes; the handle is still there. */
static m31r_err end_part(m31r_run *run, m31r_end how, const char *cause)
{
    static const char *const states[] = {"finished", "failed", "interrupted"};
    const m31ri_run_end end = {.state = states[how <= M31R_END_INTERRUPTED ? how : M31R_END_FAILED],
                               .cause = cause};
    m31ri_compressor_stop(run);
    m31ri_run_tell_environment(run, getpid());
    m31r_err err = first_lane_error(run);
    if (run->role == M31RI_ROLE_OWNER) {
        m31r_err end_err = end_as_owner(run, end);
        return err != M31R_OK ? err : end_err;
    }
    if (how != M31R_END_FINISHED) {
        m31ri_notice(
            run, json_pack("{s:s, s:s, s:s?}", "kind", "end", "state", end.state, "cause", cause));
    }
    leave(run);
    return err;
}

m31r_err m31r_run_end(m31r_run *run, m31r_end how, const char *cause)
{
    if (run == NULL || run->role == M31RI_ROLE_INERT) {
        return M31R_OK;
    }
    m31ri_registry_remove(run);
    if (run->fork_generation != m31ri_fork_generation()) {
        m31ri_run_free(run); /* a child that never used it: the run is the parent's */
        return M31R_OK;
    }
    m31ri_hash_queue_stop(run); /* it still writes records */
    m31ri_rings_end(run);
    m31r_err err = end_part(run, how, cause);
    m31ri_run_free(run);
    return err;
}

/* What the program's other threads may hold is not freed: loggers, lanes, rings, rules. */
void m31ri_run_end_at_exit(m31r_run *run)
{
    m31ri_registry_remove(run);
    m31ri_hash_queue_stop(run);
    atomic_store_explicit(&run->is_over, true, memory_order_relaxed);
    m31ri_rings_end_at_exit(run);
    end_part(run, M31R_END_FINISHED, NULL);
    m31ri_metrics_json_close(run->metrics_json);
    run->metrics_json = NULL;
    m31ri_metadata_release(&run->metadata);
    m31ri_registry_retire(run);
}

m31r_err m31r_run_flush(m31r_run *run, int wait_ms)
{
    if (!m31ri_run_enter(run)) {
        return M31R_E_CLOSED;
    }
    return run->rings != NULL ? m31ri_rings_flush(run->rings, wait_ms) : M31R_OK;
}

m31r_err m31ri_run_leave(m31r_run *run)
{
    m31r_err err = first_lane_error(run);
    m31ri_registry_remove(run);
    m31ri_run_free(run);
    return err;
}

/* The observer of a rank above 0: rank 0's ends the run. */
static void end_rank(m31r_run *run, const m31ri_run_end *end)
{
    m31ri_owner_write_end(run, "rank_end", end);
    m31ri_rank_tell(run, end->state, end);
    leave(run);
}

m31r_err m31ri_run_end_observed(m31r_run *run, const m31ri_run_end *end, int wait_ms,
                                m31ri_run_end *out_end, m31r_error *e)
{
    m31ri_registry_remove(run);
    m31ri_compressor_stop(run);
    m31r_err err = M31R_OK;
    if (run->role == M31RI_ROLE_OWNER) {
        err = m31ri_owner_end(run, end, wait_ms, out_end, e);
    } else {
        end_rank(run, end);
        *out_end = *end;
    }
    m31ri_run_free(run);
    return err;
}

void m31ri_run_abandon(m31r_run *run)
{
    m31ri_registry_remove(run);
}

m31r_lane *m31ri_run_observer_lane(m31r_run *run)
{
    return run->observer_lane;
}

void m31ri_run_lane_file(const m31r_run *run, const char *lane, char *out, size_t size)
{
    m31ri_lane_file_write(run->stage, lane, run->rank, out, size);
}

bool m31ri_run_was_ended(const m31r_run *run)
{
    return m31ri_run_dir_was_ended(&run->dir);
}

const m31ri_run_dir *m31ri_run_directory(const m31r_run *run)
{
    return &run->dir;
}

void m31ri_run_set_metadata(m31r_run *run, const char *dotted, json_t *value)
{
    pthread_mutex_lock(&run->lock);
    m31ri_metadata_set(&run->metadata, dotted, value);
    pthread_mutex_unlock(&run->lock);
}
