/* recover.c - m31r/recover.h: what is left of a run, and its end.
 *
 * The order is that of an end by its owner, and each step finds what an earlier, killed recovery
 * has done: the directory is taken and shut; torn ends go; the notices are folded; the record
 * run_end is written unless it is there; metadata.json gets the end; metrics.json, manifest.json;
 * last `.live` goes. A manifest is made only after the end stands in metadata.json, so a run that
 * has both lacks nothing but the removal of `.live`.
 */
#include "m31r/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/os_process.h"
#include "drain/ring_settle.h"
#include "format/names.h"
#include "format/run_find.h"
#include "format/timestamp.h"
#include "m31r/version.h"
#include "recover/recover_int.h"
#include "ring/ring_sweep.h"
#include "rules/privacy_run.h"
#include "rules/value_key.h"
#include "store/artifact_fate.h"
#include "store/manifest.h"
#include "store/metrics_json.h"
#include "store/notices.h"
#include "store/reserve.h"
#include "store/seal_chain.h"

#define SETTLE_MS 2000 /* for a ring that another process is finishing at this moment */

typedef struct recovery {
    m31r_recovery *out;
    m31r_reader *reader; /* the run as it was found */
    m31ri_run_dir dir;
    m31ri_metadata metadata;
    m31ri_privacy *privacy;
    m31ri_found_end end;
    char ended[M31RI_TIMESTAMP_BYTES + 1];
    char main_lane[128]; /* "" when the stage is not known */
} recovery;

static bool is_on_other_host(const m31r_reader *r, m31ri_process *writer)
{
    m31ri_process self = m31ri_process_self();
    return m31ri_writer_of(r, writer) && writer->host[0] != '\0' &&
           strcmp(writer->host, self.host) != 0;
}

/* What the run lacks. */
static void plan(recovery *r)
{
    const m31r_facts *f = m31r_reader_facts(r->reader);
    r->out->ends = f->end[0] == '\0';
    r->out->seals = r->out->ends || !f->has_manifest;
    r->out->n_torn = r->out->ends ? m31ri_count_torn(r->reader->fd) : 0;
}

/* What is to be done, without writing. */
static m31r_err look(recovery *r, m31r_error *e)
{
    m31r_recovery *out = r->out;
    const m31r_facts *f = m31r_reader_facts(r->reader);
    m31ri_run_life life;
    m31ri_process writer;
    m31r_err err = m31ri_run_dir_life(f->path, &life, e);
    if (err != M31R_OK) {
        return err;
    }
    bool has_end = f->end[0] != '\0';
    snprintf(out->run_id, sizeof out->run_id, "%.159s", f->run_id);
    snprintf(out->path, sizeof out->path, "%s", f->path);
    snprintf(out->why, sizeof out->why, "%s", f->state_why);
    snprintf(out->state, sizeof out->state, "%s", m31r_state_name(f->state));
    snprintf(out->cause, sizeof out->cause, "%s", f->cause);
    if (life == M31RI_RUN_ENDED && has_end) {
        out->kind = M31R_RECOVERY_NOTHING;
        return M31R_OK;
    }
    if (is_on_other_host(r->reader, &writer)) {
        out->kind = M31R_RECOVERY_REMOTE;
        snprintf(out->why, sizeof out->why,
                 "it was written on host %.64s: run `m31r recover` there", writer.host);
        return M31R_OK;
    }
    if (life == M31RI_RUN_LIVE || (!has_end && f->state == M31R_STATE_RUNNING)) {
        out->kind = M31R_RECOVERY_LIVE;
        if (f->state != M31R_STATE_RUNNING) {
            snprintf(out->why, sizeof out->why, "a process of the run is alive");
        }
        return M31R_OK;
    }
    out->kind = M31R_RECOVERY_NEEDED;
    plan(r);
    return M31R_OK;
}

/* A run whose owner died before its first metadata.json gets one that says so. */
static m31r_err make_metadata(recovery *r, m31r_error *e)
{
    const m31r_facts *f = m31r_reader_facts(r->reader);
    m31r_err err = m31ri_metadata_init(&r->metadata, e);
    if (err == M31R_OK) {
        m31ri_metadata_set(&r->metadata, "run_id", json_string(r->dir.run_id));
        if (f->start_ns != M31R_UNKNOWN) {
            char started[M31RI_TIMESTAMP_BYTES + 1];
            m31ri_timestamp_write(f->start_ns, started);
            m31ri_metadata_set(&r->metadata, "timestamp", json_string(started));
        }
    }
    return err;
}

/* There is something that could not be read: it must not be replaced by what is made up. */
static bool is_unread(const recovery *r)
{
    struct stat st;
    return fstatat(r->dir.fd, "metadata.json", &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_size != 0
                                                                              : errno != ENOENT;
}

static m31r_err take_metadata(recovery *r, m31r_error *e)
{
    const m31r_facts *f = m31r_reader_facts(r->reader);
    bool is_empty = r->reader->metadata == NULL && r->reader->text.length == 0;
    if (is_empty && is_unread(r)) {
        return m31ri_fail(e, M31R_E_IO, "%s/metadata.json cannot be read: %s", f->path, f->problem);
    }
    if (is_empty) {
        return make_metadata(r, e);
    }
    if (r->reader->metadata == NULL) {
        return m31ri_fail(e, M31R_E_CORRUPT, "%s: %s; it is left as it is", f->path, f->problem);
    }
    r->metadata.root = json_deep_copy(r->reader->metadata);
    return r->metadata.root != NULL ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
}

/* What is made of notices is made again from all of them, as when an observer's heir takes over. */
static m31r_err fold_notices(recovery *r, m31r_error *e)
{
    m31ri_metadata *m = &r->metadata;
    struct stat st;
    uint64_t offset = 0;
    if (fstatat(r->dir.live_fd, "notices", &st, 0) != 0) {
        return M31R_OK;
    }
    m31ri_metadata_set(m, "unknown_notices", json_integer(0));
    m31ri_metadata_set(m, "lanes", json_array());
    m31ri_metadata_set(m, "artifacts", json_array());
    m31ri_metadata_set(m, "privacy.found", json_array());
    m31ri_metadata_set(m, "rank_ends", json_array());
    m31ri_metadata_set(m, "lost",
                       json_pack("{s:i, s:i, s:{}}", "records", 0, "points", 0, "reasons"));
    m31r_err err = m31ri_notices_fold(&r->dir, &offset, m, NULL, e);
    json_t *redacted = m31ri_redactions_notice(r->privacy);
    (void)m31ri_metadata_fold(m, redacted);
    json_decref(redacted);
    m31ri_metadata_abandon_open_lanes(m);
    return err;
}

/* A digest that nobody computes any more is not pending. */
static void fail_pending(m31ri_metadata *m, const char *what)
{
    char key[64];
    snprintf(key, sizeof key, "digests.%s.state", what);
    const char *state = json_string_value(m31ri_metadata_get(m, key));
    if (state != NULL && strcmp(state, "pending") == 0) {
        m31ri_metadata_set(m, key, json_string("failed"));
        snprintf(key, sizeof key, "digests.%s.error", what);
        m31ri_metadata_set(m, key, json_string("the run's writer died before it was known"));
    }
}

static m31r_err record_end(recovery *r, m31r_error *e)
{
    const m31ri_found_end *end = &r->end;
    if (end->is_recorded || r->main_lane[0] == '\0') {
        return M31R_OK;
    }
    /* The last is left out when no signal is known. */
    const m31r_value keys[] = {m31r_of_string("state"),     m31r_of_string("cause"),
                               m31r_of_string("evidence"),  m31r_of_string("ended"),
                               m31r_of_string("recovered"), m31r_of_string("signal")};
    const m31r_value values[] = {
        m31r_of_string(end->state), m31r_of_string(end->cause), m31r_of_string(end->evidence),
        m31r_of_string(r->ended),   m31r_of_bool(true),         m31r_of_string(end->signal)};
    size_t n = end->signal[0] != '\0' ? 6 : 5;
    return m31ri_add_record(&r->dir, r->main_lane, M31R_ERROR, "run_end", keys, values, n, e);
}

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static void describe_end(recovery *r)
{
    const m31ri_found_end *end = &r->end;
    m31ri_metadata *m = &r->metadata;
    m31ri_process self = m31ri_process_self();
    char now[M31RI_TIMESTAMP_BYTES + 1];
    m31ri_timestamp_write(m31ri_wall_ns(), now);
    m31ri_metadata_set(m, "state", json_string(end->state));
    m31ri_metadata_set(m, "end", json_string(r->ended));
    m31ri_metadata_set(m, "exit_status",
                       end->has_exit_status ? json_integer(end->exit_status) : json_null());
    m31ri_metadata_set(m, "signal", text_or_null(end->signal));
    m31ri_metadata_set(m, "cause", text_or_null(end->cause));
    m31ri_metadata_set(m, "cause_evidence", text_or_null(end->evidence));
    m31ri_metadata_set(m, "recovered",
                       json_pack("{s:s, s:I, s:s, s:s}", "at", now, "pid", (json_int_t)self.pid,
                                 "host", self.host, "library_version", m31r_version()));
    fail_pending(m, "dataset");
    fail_pending(m, "tokenizer");
}

static m31r_err end_run(recovery *r, m31r_error *e)
{
    /* What the owner would have told its redactor: the same rules hold for what it could not write.
     */
    r->privacy = m31ri_privacy_of_run(r->dir.fd);
    m31r_err err = r->privacy != NULL
                       ? M31R_OK
                       : m31ri_fail(e, M31R_E_IO,
                                    "%s/config_snapshot.yaml, whose privacy rules hold for what is "
                                    "still to be written, cannot be read",
                                    r->dir.path);
    if (err == M31R_OK) {
        m31ri_value_key_find(r->privacy, r->dir.fd, r->dir.run_id);
    }
    const char *into = r->main_lane[0] != '\0' ? r->main_lane : NULL;
    if (err == M31R_OK) { /* what follows looks at the lanes, and nothing may come behind run_end */
        int left = m31ri_rings_settle(&r->dir, r->privacy, M31RI_SETTLE_OR_LEAVE, SETTLE_MS);
        if (left != 0) {
            err = m31ri_fail_sys(e, left, r->dir.path, "writing what a dead program left");
            m31ri_fail_hint(e, "Nothing is lost: make room, or mend the disk, and recover again.");
        }
    }
    err = err == M31R_OK ? m31ri_mend_lanes(&r->dir, r->privacy, into, e) : err;
    err = err == M31R_OK ? fold_notices(r, e) : err;
    if (err != M31R_OK) {
        return err;
    }
    m31ri_reserve_free(&r->dir);
    if (r->main_lane[0] != '\0') {
        m31ri_find_end(r->dir.fd, m31r_reader_facts(r->reader)->stage, &r->end);
    }
    if (r->end.is_recorded) { /* by its owner, or by a recovery that was killed */
        memcpy(r->ended, r->end.ended, sizeof r->ended);
    } else {
        m31ri_judge_end(&r->metadata, r->out->why, &r->end);
    }
    m31ri_artifact_fates(&r->metadata, &r->dir, NULL, NULL);
    err = record_end(r, e);
    if (err == M31R_OK) {
        describe_end(r);
        snprintf(r->out->state, sizeof r->out->state, "%s", r->end.state);
        snprintf(r->out->cause, sizeof r->out->cause, "%s", r->end.cause);
    }
    return err;
}

static m31r_err seal(recovery *r, m31r_error *e)
{
    m31ri_metrics_json *metrics = NULL;
    if (json_object_del(r->metadata.root, "seal") == 0) { /* it was pending */
        r->metadata.is_dirty = true;
    }
    m31r_err err = m31ri_metrics_json_open(&r->dir, NULL, &metrics, e);
    err = err == M31R_OK ? m31ri_metrics_json_update(metrics, true, e) : err;
    m31ri_metrics_json_close(metrics);
    err = err == M31R_OK ? m31ri_metadata_save(&r->metadata, &r->dir, true, e) : err;
    return err == M31R_OK ? m31ri_manifest_write(&r->dir, e) : err;
}

static void choose_main_lane(recovery *r)
{
    const char *stage = m31r_reader_facts(r->reader)->stage;
    if (m31ri_stage_name_is_valid(stage, strlen(stage))) {
        m31ri_lane_file_write(stage, "", 0, r->main_lane, sizeof r->main_lane);
    }
}

/* Reads the run again, now that nobody else may end it: somebody may have since it was looked at.
 */
static m31r_err take(recovery *r, m31r_error *e)
{
    m31r_reader *again = NULL;
    const char *path = m31r_reader_facts(r->reader)->path;
    m31r_err err = m31ri_run_dir_take(path, &r->dir, e);
    err = err == M31R_OK ? m31ri_reader_open_path(&again, path, e) : err;
    if (err == M31R_OK) {
        m31r_reader_close(r->reader);
        r->reader = again;
        plan(r);
    }
    return err;
}

static m31r_err finish(recovery *r, m31r_error *e)
{
    m31r_err err = take(r, e);
    if (err != M31R_OK) {
        return err;
    }
    const m31r_facts *f = m31r_reader_facts(r->reader);
    int64_t ended_ns = f->end_ns != M31R_UNKNOWN ? f->end_ns : m31ri_wall_ns();
    m31ri_timestamp_write(ended_ns, r->ended);
    choose_main_lane(r);
    err = r->out->seals ? take_metadata(r, e) : M31R_OK;
    err = err == M31R_OK && r->out->ends ? end_run(r, e) : err;
    err = err == M31R_OK && r->out->seals ? seal(r, e) : err;
    if (err == M31R_OK && !r->out->seals) {
        m31ri_seal_chain_complete(r->dir.fd);
    }
    err = err == M31R_OK ? m31ri_run_dir_end(&r->dir, e) : err;
    (void)m31ri_rings_sweep(NULL); /* of runs that were deleted */
    return err;
}

static m31r_err recover_path(const char *path, bool is_dry, m31r_recovery *out, m31r_error *e)
{
    recovery r = {.out = out, .dir = M31RI_RUN_DIR_INIT};
    memset(out, 0, sizeof *out);
    snprintf(out->path, sizeof out->path, "%s", path);
    m31r_err err = m31ri_reader_open_path(&r.reader, path, e);
    err = err == M31R_OK ? look(&r, e) : err;
    if (err == M31R_OK && !is_dry && out->kind == M31R_RECOVERY_NEEDED) {
        err = finish(&r, e);
        out->kind = err == M31R_OK ? M31R_RECOVERY_DONE : out->kind;
    }
    m31ri_run_dir_release(&r.dir);
    m31ri_metadata_release(&r.metadata);
    m31ri_privacy_free(r.privacy);
    m31r_reader_close(r.reader);
    return err;
}

m31r_err m31r_recover(const char *root, const char *run, bool is_dry, m31r_recovery *out,
                      m31r_error *e)
{
    char *path = NULL;
    m31r_err err = m31ri_run_find(root != NULL ? root : "experiments", run, &path, e);
    err = err == M31R_OK ? recover_path(path, is_dry, out, e) : err;
    m31ri_free(path);
    return err;
}

m31r_err m31r_recover_all(const char *root, bool is_dry,
                          bool (*each)(void *context, const m31r_recovery *r,
                                       const m31r_error *failed),
                          void *context, m31r_error *e)
{
    m31ri_run_list list = {0};
    m31r_recovery *r = m31ri_alloc(sizeof *r);
    root = root != NULL ? root : "experiments";
    m31r_err err = r != NULL ? m31ri_run_list_read(root, &list, e)
                             : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    bool goes_on = true;
    for (size_t i = 0; err == M31R_OK && i < list.n && goes_on; i++) {
        m31r_error failed = {0};
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", root, list.runs[i].run_id);
        bool is_fine = recover_path(path, is_dry, r, &failed) == M31R_OK;
        goes_on = each(context, r, is_fine ? NULL : &failed);
    }
    m31ri_run_list_release(&list);
    m31ri_free(r);
    return err;
}

const char *m31r_recovery_kind_name(m31r_recovery_kind kind)
{
    static const char *const names[] = {"nothing", "live", "remote", "needed", "done"};
    return kind >= 0 && kind <= M31R_RECOVERY_DONE ? names[kind] : names[0];
}
