/* rows.c - what the views of a run share: the id, the state's colour, the facts in JSON. */
#include "show/rows.h"

#include <string.h>

m31ri_style m31ri_state_style(m31r_state state)
{
    static const m31ri_style styles[] = {M31RI_YELLOW, M31RI_CYAN,   M31RI_GREEN, M31RI_RED,
                                         M31RI_RED,    M31RI_YELLOW, M31RI_RED};
    return styles[state];
}

/* The id without its year: still a part that names the run, and short enough for a table. */
const char *m31ri_short_id(const char *run_id)
{
    return strlen(run_id) >= 16 && run_id[8] == 'T' ? run_id + 4 : run_id;
}

static void add_words(m31r_json *j, const char *key, const char *words)
{
    m31r_json_open(j, key, '[');
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        m31r_json_add_bytes(j, NULL, words, length);
        words += length + (words[length] == ' ');
    }
    m31r_json_close(j);
}

static void add_identity(m31r_json *j, const char *key, const m31r_identity_value *v)
{
    m31r_json_open(j, key, '{');
    m31ri_add_known_text(j, "value", v->value);
    m31ri_add_known_text(j, "digest", v->digest);
    m31ri_add_known_text(j, "source", v->source);
    m31ri_add_known_text(j, "status", v->status);
    m31r_json_close(j);
}

void m31ri_add_facts(m31r_json *j, const m31r_facts *f)
{
    m31r_json_add_text(j, "run_id", f->run_id);
    m31r_json_add_text(j, "path", f->path);
    m31ri_add_known_text(j, "name", f->name);
    m31ri_add_known_text(j, "stage", f->stage);
    m31ri_add_known_text(j, "run_kind", f->kind);
    m31r_json_add_text(j, "state", m31r_state_name(f->state));
    m31r_json_add_text(j, "state_why", f->state_why);
    m31ri_add_known_text(j, "problem", f->problem);
    m31ri_add_known_text(j, "start", f->start);
    m31ri_add_known_text(j, "end", f->end);
    bool has_time = f->start_ns != M31R_UNKNOWN && f->end_ns != M31R_UNKNOWN;
    if (has_time) {
        m31r_json_add_double(j, "duration_s", (double)(f->end_ns - f->start_ns) / 1e9);
    } else {
        m31r_json_add_null(j, "duration_s");
    }
    m31ri_add_known_int(j, "exit_status", f->exit_status);
    m31ri_add_known_text(j, "signal", f->signal);
    m31ri_add_known_text(j, "cause", f->cause);
    add_identity(j, "config", &f->config);
    add_identity(j, "dataset", &f->dataset);
    add_identity(j, "tokenizer", &f->tokenizer);
    add_identity(j, "seed", &f->seed);
    add_identity(j, "commit", &f->commit);
    m31r_json_add_bool(j, "dirty", f->is_dirty);
    add_words(j, "tags", f->tags);
    m31ri_add_known_text(j, "release", f->release);
    m31ri_add_known_text(j, "resumes", f->resumes);
    m31ri_add_known_int(j, "lost_records", f->lost_records);
    m31ri_add_known_int(j, "lost_points", f->lost_points);
    m31ri_add_known_int(j, "redacted", f->n_redacted);
    m31r_json_add_bool(j, "log_prompts", f->keeps_prompts);
}
