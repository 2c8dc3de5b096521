/* identity_gather.c - the order in which an identity is gathered, and giving it back.
 *
 * Project file, config and its section, privacy rules (they depend on the section), arguments,
 * values, then the refusal if anything is missing. Only what can be read at once is read: a dataset
 * is looked at by stat alone.
 */
#include "identity/identity.h"

#include <string.h>

#include "base/alloc.h"
#include "identity/identity_int.h"
#include "rules/privacy_run.h"

/* The caller's struct may be of an older, shorter version. */
static void take_options(m31ri_gather *g, const m31r_run_options *o)
{
    g->o = (m31r_run_options)M31R_RUN_OPTIONS_INIT;
    if (o != NULL) {
        memcpy(&g->o, o, o->size < sizeof g->o ? o->size : sizeof g->o);
    }
}

static m31r_err gather(m31ri_gather *g, const char *project, m31r_error *e)
{
    m31r_err err = m31ri_identity_take_project(g, project, e);
    if (err == M31R_OK) {
        err = m31ri_identity_take_config(g, e);
    }
    if (err == M31R_OK) {
        err = m31ri_privacy_read(&g->id->settings, g->id->config_path, &g->id->privacy, e);
    }
    if (err == M31R_OK) {
        err = m31ri_identity_take_argv(g, e);
    }
    if (err == M31R_OK) {
        err = m31ri_identity_take_values(g, e);
    }
    if (err == M31R_OK) {
        err = m31ri_identity_refuse(g, e);
    }
    if (err == M31R_OK) {
        err = m31ri_identity_take_resume(g, e);
    }
    if (err == M31R_OK) {
        err = m31ri_identity_make_snapshot(g, e);
    }
    if (err == M31R_OK) {
        err = m31ri_identity_make_digest(g->id, e);
    }
    if (err == M31R_OK && !m31ri_buf_ok(&g->id->warnings)) {
        err = m31ri_identity_no_memory(e);
    }
    return err;
}

m31r_err m31ri_identity_gather(const m31r_run_options *o, const char *project, bool as_command,
                               m31ri_identity *out, m31r_error *e)
{
    m31ri_identity id;
    memset(&id, 0, sizeof id);
    m31ri_gather g = {.as_command = as_command, .id = &id};
    take_options(&g, o);
    id.is_trial = g.o.is_trial;
    id.reproduces = m31ri_strdup(g.o.reproduces != NULL ? g.o.reproduces : "");
    m31ri_settings_init(&id.settings);
    m31r_err err = id.reproduces != NULL && m31ri_project_init(&g.project)
                       ? M31R_OK
                       : m31ri_identity_no_memory(e);
    if (err == M31R_OK) {
        err = gather(&g, project, e);
    }
    if (err == M31R_OK && g.has_project && g.project.capture_set && !id.settings.capture_set) {
        id.settings.capture = g.project.capture;
        id.settings.capture_set = true;
    }
    m31ri_yaml_free(g.tree);
    m31ri_free(g.project_dir);
    m31ri_project_release(&g.project);
    if (err != M31R_OK) {
        m31ri_identity_release(&id);
        return err;
    }
    *out = id;
    return M31R_OK;
}

static void release_argv(m31ri_identity *id)
{
    for (size_t i = 0; i < id->given.n; i++) {
        if (id->argv != NULL) {
            m31ri_free(id->argv[i]);
        }
        m31ri_free(id->given.items[i]);
    }
    m31ri_free(id->argv);
    m31ri_free(id->given.items);
}

void m31ri_identity_release(m31ri_identity *id)
{
    char *const texts[] = {id->root,
                           id->stage,
                           id->name,
                           id->seed,
                           id->dataset,
                           id->tokenizer,
                           id->dataset_path,
                           id->tokenizer_path,
                           id->config_path,
                           id->resume_run_id,
                           id->source_texts[0],
                           id->source_texts[1],
                           id->source_texts[2],
                           id->reproduces};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        m31ri_free(texts[i]);
    }
    release_argv(id);
    m31ri_settings_release(&id->settings);
    m31ri_privacy_free(id->privacy);
    m31ri_git_facts_release(&id->git);
    m31ri_buf_release(&id->config_bytes);
    m31ri_buf_release(&id->config_snapshot);
    m31ri_buf_release(&id->warnings);
    memset(id, 0, sizeof *id);
}
