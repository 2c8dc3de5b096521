/* adopt.c - a run whose observer was killed, continued by its heir.
 *
 * The kernel has freed the dead one's locks. metadata.json is read back, and what it says that came
 * from notices is built again by folding all of them, so that nothing counts twice. Lanes go on
 * where their files end.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "emit/anomaly_watch.h"
#include "emit/state.h"
#include "m31r/version.h"
#include "store/notices.h"

#define METADATA_BYTES (64 * 1024 * 1024)

static m31r_err read_metadata(m31r_run *run, m31r_error *e)
{
    m31ri_buf bytes = M31RI_BUF_INIT;
    m31r_err err = m31ri_read_file(run->dir.fd, "metadata.json", METADATA_BYTES, &bytes, e);
    if (err == M31R_OK) {
        run->metadata.root = json_loadb(bytes.data, bytes.length, 0, NULL);
        err =
            json_is_object(run->metadata.root)
                ? M31R_OK
                : m31ri_fail(e, M31R_E_CORRUPT, "metadata.json of %s is no object", run->dir.path);
    }
    m31ri_buf_release(&bytes);
    return err;
}

/* What is made of notices is made again from all of them. */
static void fold_again(m31r_run *run)
{
    m31ri_metadata *m = &run->metadata;
    m31ri_process self = m31ri_process_self();
    m31ri_metadata_set(m, "unknown_notices", json_integer(0));
    m31ri_metadata_set(m, "lanes", json_array());
    m31ri_metadata_set(m, "artifacts", json_array());
    m31ri_metadata_set(m, "privacy.found", json_array());
    m31ri_metadata_set(m, "lost",
                       json_pack("{s:i, s:i, s:{}}", "records", 0, "points", 0, "reasons"));
    m31ri_metadata_set(m, "writer",
                       json_pack("{s:I, s:I, s:s, s:s, s:s, s:s}", "pid", (json_int_t)self.pid,
                                 "start_ticks", (json_int_t)self.start_ticks, "boot_id",
                                 self.boot_id, "host", self.host, "role", "observer",
                                 "library_version", m31r_version()));
    m31ri_notices_fold(&run->dir, &run->notices_offset, m, NULL, NULL);
    m31ri_free(m->pending_warnings); /* the dead one has said them */
    m->pending_warnings = NULL;
}

static bool is_pending(const m31r_run *run, const char *what)
{
    const char *state = json_string_value(m31ri_metadata_get(&run->metadata, what));
    return state != NULL && strcmp(state, "pending") == 0;
}

static m31r_err take_over(m31r_run *run, const char *path, m31r_error *e)
{
    const m31ri_identity *id = run->identity;
    run->privacy = id->privacy;
    m31ri_privacy_after_fork(run->privacy);
    snprintf(run->stage, sizeof run->stage, "%s", id->stage);
    snprintf(run->seed, sizeof run->seed, "%s", id->seed);
    run->settings = &id->settings;
    m31r_err err = m31ri_run_dir_adopt(path, &run->dir, e);
    err = err == M31R_OK ? m31ri_points_open(run, e) : err;
    err = err == M31R_OK ? read_metadata(run, e) : err;
    err = err == M31R_OK ? m31ri_lane_new_closed(run, "", &run->main_lane, e) : err;
    if (err != M31R_OK) {
        return err;
    }
    run->main_lane->next = run->lanes;
    run->lanes = run->main_lane;
    fold_again(run);
    m31ri_anomaly_watch_open(run);
    err = m31ri_metrics_json_open(&run->dir, m31ri_anomaly_listener(run), &run->metrics_json, e);
    m31ri_anomaly_watch_begin(run);
    if (err == M31R_OK &&
        (is_pending(run, "digests.dataset.state") || is_pending(run, "digests.tokenizer.state"))) {
        m31ri_fingerprint_job_start(run);
    }
    return err;
}

m31r_err m31ri_run_adopt_observer(const char *path, m31ri_identity *identity, m31r_run **out,
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
    run->is_observer = true;
    err = take_over(run, path, e);
    if (err != M31R_OK) {
        m31ri_run_free(run);
        return err;
    }
    m31ri_registry_add(run);
    err = m31r_lane_open(run, "observer", &run->observer_lane, e);
    if (err != M31R_OK) {
        m31ri_run_abandon(run); /* its files stay as they are; the program is what matters now */
        return err;
    }
    *out = run;
    return M31R_OK;
}
