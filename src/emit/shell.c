/* shell.c - one record or point from a script, by a process that does nothing else. */
#include "m31r/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/os_file.h"
#include "emit/state.h"
#include "format/point.h"
#include "store/segment.h"

#define LANE "shell"

/* Of logs/, which nobody owns and nothing ends. */
static const m31ri_logs_limits logs_limits = {.rotate_bytes = 64 << 20, .cap_bytes = 1 << 30};

static const char *run_to_join(void)
{
    const char *path = getenv("M31R_RUN_DIR");
    return path != NULL && *path != '\0' ? path : NULL;
}

/* No run: a place of the same shape, logs/ below the working directory, whose main lane's file is
 * shell.log. */
static m31r_err open_logs(m31r_run **out, m31r_error *e)
{
    m31r_run *run = NULL;
    m31r_err err = m31ri_make_dirs("logs", e);
    if (err == M31R_OK) {
        err = m31ri_run_new(M31RI_ROLE_JOINER, &run, e);
    }
    if (err != M31R_OK) {
        return err;
    }
    run->dir.fd = m31ri_open_dir(AT_FDCWD, "logs", true);
    run->privacy = m31ri_privacy_new(NULL);
    run->is_shell = true;
    snprintf(run->stage, sizeof run->stage, LANE);
    if (run->dir.fd < 0 || run->privacy == NULL) {
        err = m31ri_fail_sys(e, run->dir.fd < 0 ? errno : ENOMEM, "logs", "opening logs/");
        m31ri_run_free(run);
        return err;
    }
    *out = run;
    return M31R_OK;
}

static m31r_err open_place(const char **out_lane, m31r_run **out, m31r_error *e)
{
    const char *path = run_to_join();
    m31r_err err = path != NULL ? m31ri_run_join(path, false, out, e) : open_logs(out, e);
    if (err == M31R_OK) {
        (*out)->is_shell = true;
        *out_lane = path != NULL ? LANE : "";
    }
    return err;
}

/* What the cap of logs/ deleted is said in logs/ itself. */
static void say_deleted(m31r_lane *lane, const m31ri_cap_report *report)
{
    const m31r_value keys[] = {m31r_of_string("count"), m31r_of_string("bytes")};
    const m31r_value values[] = {m31r_of_uint(report->n_deleted),
                                 m31r_of_uint(report->bytes_deleted)};
    if (report->n_deleted > 0) {
        (void)m31ri_lane_write(lane, M31R_WARNING, "m31r", m31r_of_string("segments_deleted"), keys,
                               values, 2);
    }
}

static m31r_err append(m31r_run *run, const char *lane_name, const m31r_shell_record *r,
                       m31r_error *e)
{
    m31r_lane *lane = NULL;
    m31ri_cap_report deleted = {0};
    if (run_to_join() == NULL) {
        /* A directory that cannot be kept small still takes the record. */
        (void)m31ri_logs_keep_small(run->dir.fd, LANE ".log", &logs_limits, &deleted, NULL);
    }
    m31r_err err = m31ri_lane_new(run, lane_name, &lane, e);
    if (err != M31R_OK) {
        return err;
    }
    lane->is_ordered = false;
    run->lanes = lane;
    say_deleted(lane, &deleted);
    err = m31ri_lane_write(lane, r->level, r->module, m31r_of_string(r->message), r->keys,
                           r->values, r->n);
    if (err != M31R_OK) {
        return m31ri_fail_sys(e, lane->outage.error != 0 ? lane->outage.error : EIO, lane->file,
                              "writing to %s", lane->file);
    }
    if (r->level == M31R_CRITICAL) {
        m31ri_notice(run, json_pack("{s:s, s:s}", "kind", "critical", "module", r->module));
    }
    m31ri_lane_announce(lane, "closed");
    return M31R_OK;
}

m31r_err m31r_shell_log(const m31r_shell_record *record, m31r_error *e)
{
    m31r_run *run = NULL;
    const char *lane_name = NULL;
    if (record->module == NULL ||
        !m31ri_module_name_is_valid(record->module, strlen(record->module))) {
        return m31ri_fail(e, M31R_E_ARG, "module \"%s\" is not [a-zA-Z0-9_.-]{1,64}",
                          record->module != NULL ? record->module : "");
    }
    m31r_err err = open_place(&lane_name, &run, e);
    if (err != M31R_OK) {
        return err;
    }
    err = append(run, lane_name, record, e);
    m31r_err leave_err = m31ri_run_leave(run);
    return err != M31R_OK ? err : leave_err;
}

static m31r_err check_point(const char *name, int64_t step, m31r_error *e)
{
    if (name == NULL || !m31ri_point_name_is_valid(name, strlen(name))) {
        return m31ri_fail(e, M31R_E_ARG,
                          "a metric's name is 1 to 128 bytes of UTF-8 without control characters");
    }
    if (step < 0 && step != M31R_NO_STEP) {
        return m31ri_fail(e, M31R_E_ARG, "step %lld is below 0", (long long)step);
    }
    if (run_to_join() == NULL) {
        m31ri_fail(e, M31R_E_ARG, "no run to put the point into: M31R_RUN_DIR is not set");
        m31ri_fail_hint(e, "run the script under `m31r run -- SCRIPT`");
        return M31R_E_ARG;
    }
    return M31R_OK;
}

m31r_err m31r_shell_metric(const char *name, double value, int64_t step, m31r_error *e)
{
    m31r_run *run = NULL;
    const char *lane_name = NULL;
    m31r_err err = check_point(name, step, e);
    if (err == M31R_OK) {
        err = open_place(&lane_name, &run, e);
    }
    if (err != M31R_OK) {
        return err;
    }
    const m31r_value v = m31r_of_double(value);
    m31ri_points_add(run, &name, &v, 1, step);
    int error = run->points.outage.error;
    m31ri_run_leave(run);
    return error == 0 ? M31R_OK : m31ri_fail_sys(e, error, "metrics.csv", "writing to metrics.csv");
}
