/* open.c - the ways into a run that a program uses: with options, or from where it stands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "emit/state.h"
#include "format/timestamp.h"
#include "m31r/log.h"

static const char *directory_to_join(void)
{
    const char *path = getenv("M31R_RUN_DIR");
    return path != NULL && *path != '\0' ? path : NULL;
}

/* Rank above 0 of a job that no observer watches: the run is made by rank 0. */
static m31r_err join_job(const m31r_run_options *o, const char *key, m31r_run **out, m31r_error *e)
{
    char *path = NULL;
    m31r_err err = m31ri_rank_find(o->root != NULL ? o->root : "experiments", key,
                                   M31RI_RANK_WAIT_MS, &path, e);
    if (err == M31R_OK) {
        err = m31ri_run_join(path, true, out, e);
    }
    m31ri_free(path);
    return err;
}

m31r_err m31r_run_open(m31r_run **out, const m31r_run_options *o, m31r_error *e)
{
    char key[M31RI_RANK_KEY_BYTES];
    m31r_run_options own = M31R_RUN_OPTIONS_INIT;
    if (out == NULL || o == NULL || o->size == 0) {
        return m31ri_fail(e, M31R_E_ARG,
                          "m31r_run_open needs `out` and options made by M31R_RUN_OPTIONS_INIT");
    }
    memcpy(&own, o, o->size < sizeof own ? o->size : sizeof own);
    const char *path = directory_to_join();
    if (path != NULL) {
        return m31ri_run_join(path, true, out, e);
    }
    bool is_job = m31ri_rank_job_key(key, sizeof key);
    if (is_job && m31ri_rank_of_environment() > 0) {
        return join_job(&own, key, out, e);
    }
    m31r_err err = m31ri_run_open_program(&own, out, e);
    if (err == M31R_OK && is_job) {
        m31ri_rank_publish((*out)->identity->root, key, (*out)->dir.path, NULL);
    }
    return err;
}

static void say_refused(const m31r_error *e)
{
    char text[M31R_ERROR_MESSAGE_BYTES + M31R_ERROR_HINT_BYTES + 64];
    int n = snprintf(text, sizeof text, "m31r: not observed: %s%s%s", e->message,
                     e->hint[0] != '\0' ? "; " : "", e->hint);
    for (int i = 0; i < n; i++) {
        if (text[i] == '\n') {
            text[i] = ' ';
        }
    }
    if (n > 0) {
        m31ri_write_all(2, text, (size_t)n, NULL);
        m31ri_write_all(2, "\n", 1, NULL);
    }
}

typedef enum which_config { CONFIG_UNREADABLE, CONFIG_DECLARED, CONFIG_OTHER } which_config;

/* Whether the file that the program names has the bytes of the config that the run was opened
 * with. */
static which_config compare_config(const m31r_run *run, const char *path)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    int fd = m31ri_open_input(path);
    if (fd < 0) {
        return CONFIG_UNREADABLE;
    }
    m31r_err err = m31ri_sha256_fd(fd, digest, NULL, NULL);
    close(fd);
    if (err != M31R_OK) {
        return CONFIG_UNREADABLE;
    }
    m31ri_sha256_hex(digest, hex);
    const char *declared =
        run->config_original_sha256 != NULL ? run->config_original_sha256 : run->config_sha256;
    bool is_same = run->config_path != NULL && declared != NULL && strcmp(hex, declared) == 0;
    return is_same ? CONFIG_DECLARED : CONFIG_OTHER;
}

/* The program says which config it reads; the owner is told when its snapshot is of another. */
static void say_config(m31r_run *run, const char *path)
{
    which_config which = compare_config(run, path);
    m31ri_notice(run, json_pack("{s:s, s:s, s:s, s:b}", "kind", "identity", "key", "config",
                                "value", which == CONFIG_DECLARED ? run->config_path : path,
                                "is_other", (int)(which == CONFIG_OTHER)));
}

m31r_run *m31r_run_here(const char *config)
{
    m31r_run *run = NULL;
    m31r_error e;
    m31r_run_options o = M31R_RUN_OPTIONS_INIT;
    o.config = config;
    if (m31r_run_open(&run, &o, &e) != M31R_OK) {
        say_refused(&e);
        run = m31ri_inert_run();
        run->inert_was_said = true;
        return run;
    }
    if (run->role == M31RI_ROLE_JOINER && config != NULL) {
        say_config(run, config);
    }
    return run;
}

void m31r_run_identify(m31r_run *run, const char *what, const char *value)
{
    static const char *const known[] = {"seed", "dataset", "tokenizer", "config"};
    if (!m31ri_run_enter(run)) {
        return;
    }
    for (size_t i = 0; what != NULL && value != NULL && i < sizeof known / sizeof *known; i++) {
        if (strcmp(what, known[i]) == 0) {
            m31ri_notice(
                run, json_pack("{s:s, s:s, s:s}", "kind", "identity", "key", what, "value", value));
            return;
        }
    }
    m31r_warning(m31r_run_logger(run, "m31r"), "identity_unknown", "what", what, "value", value);
}

const char *m31r_run_id(const m31r_run *run)
{
    return m31r_run_is_live(run) ? run->dir.run_id : "";
}

const char *m31r_run_dir(const m31r_run *run)
{
    return m31r_run_is_live(run) ? run->dir.path : "";
}

bool m31r_run_is_live(const m31r_run *run)
{
    return run != NULL && run->role != M31RI_ROLE_INERT;
}

uint64_t m31r_run_seed(const m31r_run *run, uint64_t fallback)
{
    if (!m31r_run_is_live(run) || run->seed[0] < '0' || run->seed[0] > '9') {
        return fallback;
    }
    return strtoull(run->seed, NULL, 10);
}

uint64_t m31r_run_lost(const m31r_run *run)
{
    uint64_t n = 0;
    if (m31r_run_is_live(run)) {
        for (const m31r_lane *lane = run->lanes; lane != NULL; lane = lane->next) {
            n += lane->outage.n_lost_total;
        }
        n += run->points.outage.n_lost_total;
        n += run->rings != NULL ? m31ri_rings_lost(run->rings) : 0;
    }
    return n;
}
