/* join.c - becoming part of a run that another process has opened.
 *
 * What a joiner must know (stage, seed, level, privacy) stands in the run's own files, so that
 * every process of the run, in any language, goes by the same text.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "emit/state.h"
#include "format/yaml.h"
#include "rules/privacy_run.h"
#include "rules/value_key.h"

#define METADATA_LIMIT (64 * 1024 * 1024)

/* A string of metadata.json; NULL when it is null or memory is out. */
static char *copy_text(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text != NULL ? m31ri_strdup(text) : NULL;
}

static m31r_err read_metadata(m31r_run *run, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = m31ri_read_file(run->dir.fd, "metadata.json", METADATA_LIMIT, &text, e);
    json_t *root = err == M31R_OK ? json_loadb(m31ri_buf_str(&text), text.length, 0, NULL) : NULL;
    m31ri_buf_release(&text);
    if (err != M31R_OK) {
        return err;
    }
    const char *stage = json_string_value(json_object_get(root, "stage"));
    const json_t *seed = json_object_get(root, "seed");
    if (stage == NULL || !m31ri_stage_name_is_valid(stage, strlen(stage))) {
        json_decref(root);
        return m31ri_fail(e, M31R_E_CORRUPT, "%s/metadata.json names no stage", run->dir.path);
    }
    snprintf(run->stage, sizeof run->stage, "%s", stage);
    if (json_is_integer(seed)) {
        snprintf(run->seed, sizeof run->seed, "%lld", (long long)json_integer_value(seed));
    }
    run->config_path = copy_text(root, "config_path");
    run->config_sha256 = copy_text(root, "config_sha256");
    run->config_original_sha256 = copy_text(root, "config_original_sha256");
    json_decref(root);
    return M31R_OK;
}

/* The settings of the run's config. A snapshot that does not parse leaves the defaults: the owner
 * has already judged it. */
static void read_settings(m31r_run *run)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_yaml *yaml = NULL;
    if (m31ri_read_file(run->dir.fd, "config_snapshot.yaml", M31RI_YAML_BYTES, &text, NULL) ==
            M31R_OK &&
        m31ri_yaml_read(m31ri_buf_str(&text), text.length, "config_snapshot.yaml", &yaml, NULL) ==
            M31R_OK) {
        m31ri_settings_read(yaml, "config_snapshot.yaml", &run->own_settings, NULL);
    }
    m31ri_yaml_free(yaml);
    m31ri_buf_release(&text);
}

static m31r_err make_privacy(m31r_run *run, m31r_error *e)
{
    run->privacy = m31ri_privacy_of_settings(run->settings);
    if (run->privacy != NULL && run->settings->privacy_hash) {
        m31ri_value_key_find(run->privacy, run->dir.fd, run->dir.run_id);
    }
    return run->privacy != NULL ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
}

static m31r_err enter_run(m31r_run *run, const char *path, m31r_error *e)
{
    m31r_err err = m31ri_run_dir_join(path, &run->dir, e);
    if (err == M31R_OK) {
        err = read_metadata(run, e);
    }
    if (err == M31R_OK) {
        read_settings(run);
        err = make_privacy(run, e);
    }
    if (err == M31R_OK) {
        err = m31ri_points_open(run, e);
    }
    return err;
}

static bool is_observed(void)
{
    const char *path = getenv("M31R_RUN_DIR");
    return path != NULL && path[0] != '\0';
}

m31r_err m31ri_run_join(const char *path, bool with_main_lane, m31r_run **out, m31r_error *e)
{
    m31r_run *run = NULL;
    m31r_err err = m31ri_run_new(M31RI_ROLE_JOINER, &run, e);
    if (err != M31R_OK) {
        return err;
    }
    err = enter_run(run, path, e);
    if (err == M31R_OK && with_main_lane) {
        err = m31ri_lane_claim_main(run, &run->main_lane, e);
    }
    if (err != M31R_OK) {
        m31ri_run_free(run);
        return err;
    }
    if (with_main_lane) {
        run->lanes = run->main_lane;
        m31ri_lane_announce(run->main_lane, "open");
        m31ri_rank_tell(run, "joined", NULL);
        m31ri_run_tell_environment(run, getpid());
    }
    m31ri_registry_add(run);
    if (with_main_lane) {
        run->takes_stacks = run->settings->error_stack;
        /* Who is observed is so by request: its crashes are part of what is asked for. */
        run->catches_crashes =
            run->settings->crash_handler_set ? run->settings->crash_handler : is_observed();
        m31ri_run_begin_rings(run);
    }
    *out = run;
    return M31R_OK;
}
