/* show_lineage.c - a lineage: one block a run, ancestors first, with what it read and made. */
#include <stdio.h>

#include "m31r/json.h"
#include "m31r/lineage.h"
#include "show/rows.h"
#include "show/text.h"

static const char *const kins[] = {"ancestor", "self", "descendant"};

static void add_parents(m31r_json *j, const m31r_lineage *l, size_t run)
{
    m31r_lineage_parent p;
    m31r_json_open(j, "parents", '[');
    for (size_t i = 0; m31r_lineage_get_parent(l, i, &p) == M31R_OK; i++) {
        if (p.run == run) {
            m31r_json_open(j, NULL, '{');
            m31r_json_add_text(j, "run_id", p.parent);
            m31r_json_add_text(j, "broken", p.broken[0] != '\0' ? p.broken : NULL);
            m31r_json_close(j);
        }
    }
    m31r_json_close(j);
}

/* `*next` is the first file of the run; files are in the order of runs. */
static void add_files(m31r_json *j, const m31r_lineage *l, size_t run, size_t *next)
{
    m31r_lineage_file f;
    m31r_json_open(j, "files", '[');
    for (; m31r_lineage_get_file(l, *next, &f) == M31R_OK && f.run == run; ++*next) {
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "role", f.role);
        m31r_json_add_text(j, "path", f.path);
        m31r_json_add_text(j, "sha256", f.digest);
        m31ri_add_step(j, "step", f.step);
        m31r_json_add_text(j, "made_by", f.maker[0] != '\0' ? f.maker : NULL);
        m31r_json_add_text(j, "broken", f.broken[0] != '\0' ? f.broken : NULL);
        m31r_json_add_bool(j, "target", f.is_target);
        m31r_json_close(j);
    }
    m31r_json_close(j);
}

static m31r_err write_json(const m31r_screen *s, const m31r_lineage *l, m31r_error *e)
{
    m31r_lineage_run r;
    size_t next_file = 0;
    m31r_json *j = m31r_json_new("lineage");
    m31r_json_add_int(j, "broken", (int64_t)m31r_lineage_broken(l));
    m31r_json_open(j, "runs", '[');
    for (size_t i = 0; m31r_lineage_get_run(l, i, &r) == M31R_OK; i++) {
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "run_id", r.run_id);
        m31r_json_add_text(j, "path", r.path);
        m31r_json_add_text(j, "stage", r.stage);
        m31r_json_add_text(j, "state", m31r_state_name(r.state));
        m31r_json_add_text(j, "kin", kins[r.kin]);
        m31r_json_add_int(j, "generations", r.generations);
        m31r_json_add_text(j, "config", r.config);
        m31r_json_add_text(j, "config_sha256", r.config_digest);
        m31r_json_add_text(j, "dataset", r.dataset);
        m31r_json_add_text(j, "tokenizer", r.tokenizer);
        m31r_json_add_text(j, "commit", r.commit);
        m31r_json_add_bool(j, "dirty", r.is_dirty);
        m31r_json_add_text(j, "seed", r.seed);
        m31r_json_add_text(j, "metric", r.metric[0] != '\0' ? r.metric : NULL);
        if (r.metric[0] != '\0') {
            m31r_json_add_double(j, "last", r.metric_last);
        } else {
            m31r_json_add_null(j, "last");
        }
        add_files(j, l, i, &next_file);
        add_parents(j, l, i);
        m31r_json_close(j);
    }
    m31r_json_close(j);
    return m31r_json_write(j, s->out, e);
}

static void put(const m31r_screen *s, const char *label, const char *text)
{
    fprintf(s->out, "%s", label);
    m31r_show_text(s, text[0] != '\0' ? text : "?");
}

static void write_identity(const m31r_screen *s, const m31r_lineage_run *r)
{
    char number[M31RI_HUMAN_BYTES];
    fputs("          ", s->out);
    put(s, "config ", r->config);
    fprintf(s->out, " %.6s", r->config_digest);
    put(s, "  data ", r->dataset);
    put(s, "  tokenizer ", r->tokenizer);
    fprintf(s->out, "  code %.12s%s", r->commit[0] != '\0' ? r->commit : "?",
            r->is_dirty ? "+" : "");
    put(s, "  seed ", r->seed);
    if (r->metric[0] != '\0') {
        put(s, "  ", r->metric);
        fprintf(s->out, " %s", m31ri_human_number(r->metric_last, number));
    }
    fputc('\n', s->out);
}

static void write_file(const m31r_screen *s, const m31r_lineage_file *f)
{
    bool is_input = f->role[0] == 'i' && f->role[1] == 'n';
    m31ri_style style = f->is_target ? M31RI_BOLD : M31RI_PLAIN;
    fprintf(s->out, "  %-7s %s", is_input ? "read" : "made", m31ri_style_on(s, style));
    m31r_show_text(s, f->path);
    fprintf(s->out, "%s  %s%.12s", m31ri_style_off(s, style), m31ri_style_on(s, M31RI_DIM),
            f->digest);
    if (!is_input) {
        put(s, "  ", f->role);
    } else if (f->maker[0] == '\0') {
        fputs("  no run here made it", s->out);
    } else {
        put(s, "  of ", m31ri_short_id(f->maker));
    }
    fputs(m31ri_style_off(s, M31RI_DIM), s->out);
    if (f->broken[0] != '\0') {
        fprintf(s->out, "  %sBROKEN: ", m31ri_style_on(s, M31RI_BOLD_RED));
        m31r_show_text(s, f->broken);
        fputs(m31ri_style_off(s, M31RI_BOLD_RED), s->out);
    }
    fputc('\n', s->out);
}

static void write_parents(const m31r_screen *s, const m31r_lineage *l, size_t run)
{
    m31r_lineage_parent p;
    for (size_t i = 0; m31r_lineage_get_parent(l, i, &p) == M31R_OK; i++) {
        if (p.run != run) {
            continue;
        }
        put(s, "  parent  ", p.parent);
        if (p.broken[0] != '\0') {
            fprintf(s->out, "  %sBROKEN: %s%s", m31ri_style_on(s, M31RI_BOLD_RED), p.broken,
                    m31ri_style_off(s, M31RI_BOLD_RED));
        }
        fputc('\n', s->out);
    }
}

m31r_err m31r_show_lineage(const m31r_screen *s, const m31r_lineage *l, m31r_error *e)
{
    m31r_lineage_run r;
    m31r_lineage_file f;
    size_t next = 0;
    if (s->is_json) {
        return write_json(s, l, e);
    }
    for (size_t i = 0; m31r_lineage_get_run(l, i, &r) == M31R_OK; i++) {
        m31ri_style style = r.kin == M31R_KIN_SELF ? M31RI_BOLD : M31RI_PLAIN;
        static const char *const signs[] = {"^", "=", "v"};
        fprintf(s->out, "%s %s", signs[r.kin], m31ri_style_on(s, style));
        m31r_show_text(s, r.run_id);
        fprintf(s->out, "%s  ", m31ri_style_off(s, style));
        m31r_show_text(s, r.stage);
        fprintf(s->out, "  %s%s%s\n", m31ri_style_on(s, m31ri_state_style(r.state)),
                m31r_state_name(r.state), m31ri_style_off(s, m31ri_state_style(r.state)));
        write_identity(s, &r);
        write_parents(s, l, i);
        for (; m31r_lineage_get_file(l, next, &f) == M31R_OK && f.run == i; next++) {
            write_file(s, &f);
        }
    }
    size_t n = m31r_lineage_broken(l);
    fprintf(s->out, "^ came before  = asked for  v came of it   %zu broken link%s\n", n,
            n == 1 ? "" : "s");
    return M31R_OK;
}
