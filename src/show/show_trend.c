/* show_trend.c - the history of a metric: for each group its course, a row for each change, what it
 * is now and what the gate says; then what was set aside. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "m31r/json.h"
#include "show/changes_rows.h"
#include "show/rows.h"
#include "show/table.h"
#include "show/text.h"

#define COURSE_COLUMNS 60
#define COMMIT_COLUMNS 12
#define DATE_COLUMNS 16 /* "2026-11-23T14:06" */

static const char *const better_names[] = {"unknown", "lower", "higher"};

/* The commit of the run before the i-th; "" when there is none. */
static const char *commit_before(const m31r_trend *t, size_t group, size_t i)
{
    m31r_trend_run before = {.commit = ""};
    if (i > 0) {
        (void)m31r_trend_run_at(t, group, i - 1, &before);
    }
    return before.commit;
}

static m31r_err write_json_points(const m31r_screen *s, const m31r_trend *t, size_t group,
                                  const m31r_trend_group *g, m31r_error *e)
{
    m31r_trend_run run;
    m31r_err err = M31R_OK;
    for (size_t i = 0; err == M31R_OK && m31r_trend_run_at(t, group, i, &run) == M31R_OK; i++) {
        m31r_json *j = m31r_json_new("trend_point");
        m31r_json_add_text(j, "group", g->name);
        m31r_json_add_text(j, "run_id", run.run_id);
        m31r_json_add_text(j, "ts", run.ts);
        m31r_json_add_text(j, "commit", run.commit);
        m31r_json_add_double(j, "value", run.value);
        err = m31r_json_write(j, s->out, e);
    }
    return err;
}

static m31r_err write_json_changes(const m31r_screen *s, const m31r_trend *t, size_t group,
                                   const m31r_trend_group *g, m31r_error *e)
{
    m31r_change x;
    m31r_err err = M31R_OK;
    for (size_t i = 0; err == M31R_OK && m31r_changes_get(g->changes, i, &x) == M31R_OK; i++) {
        m31r_trend_run run;
        (void)m31r_trend_run_at(t, group, x.at, &run);
        m31r_json *j = m31r_json_new("trend_change");
        m31r_json_add_text(j, "group", g->name);
        m31r_json_add_text(j, "run_id", run.run_id);
        m31r_json_add_text(j, "ts", run.ts);
        m31r_json_add_text(j, "commit_before", commit_before(t, group, x.at));
        m31r_json_add_text(j, "commit", run.commit);
        m31ri_add_change(j, &x);
        err = m31r_json_write(j, s->out, e);
    }
    return err;
}

static void add_run_id(m31r_json *j, const m31r_trend *t, size_t group, const char *key, size_t at)
{
    m31r_trend_run run;
    bool is_there = at != SIZE_MAX && m31r_trend_run_at(t, group, at, &run) == M31R_OK;
    m31r_json_add_text(j, key, is_there ? run.run_id : NULL);
}

static m31r_err write_json_group(const m31r_screen *s, const m31r_trend *t, size_t group,
                                 const m31r_trend_group *g, m31r_error *e)
{
    m31r_json *j = m31r_json_new("trend");
    m31r_json_add_text(j, "group", g->name);
    m31ri_add_changes_facts(j, m31r_changes_summary(g->changes));
    if (g->verdict != M31R_GATE_NONE) {
        m31r_json_add_text(j, "verdict", m31r_gate_verdict_name(g->verdict));
        m31r_json_add_text(j, "reason", g->reason);
        m31ri_add_known(j, "worse", g->worse);
        m31ri_add_known(j, "worse_low", g->worse_low);
        m31ri_add_known(j, "worse_high", g->worse_high);
        m31ri_add_known(j, "p", g->p);
        m31ri_add_known(j, "baseline_level", g->baseline_level);
        add_run_id(j, t, group, "baseline_run", g->baseline_at);
        add_run_id(j, t, group, "first_bad_run", g->first_bad);
        m31r_json_add_int(j, "more_runs", (int64_t)g->more_runs);
    }
    return m31r_json_write(j, s->out, e);
}

static m31r_err write_json_summary(const m31r_screen *s, const m31r_trend *t, m31r_error *e)
{
    const m31r_trend_facts *f = m31r_trend_summary(t);
    m31r_trend_aside aside;
    m31r_json *j = m31r_json_new("trend_summary");
    m31r_json_add_text(j, "metric", f->metric);
    m31r_json_add_text(j, "statistic", f->statistic);
    m31r_json_add_text(j, "better", better_names[f->better]);
    m31r_json_add_double(j, "gate", f->gate);
    m31r_json_add_text(j, "verdict", m31r_gate_verdict_name(f->verdict));
    m31r_json_add_int(j, "groups", (int64_t)f->n_groups);
    m31r_json_add_int(j, "runs", (int64_t)f->n_runs);
    m31r_json_open(j, "aside", '[');
    for (size_t i = 0; m31r_trend_aside_at(t, i, &aside) == M31R_OK; i++) {
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "reason", aside.reason);
        m31r_json_add_int(j, "runs", (int64_t)aside.n_runs);
        m31r_json_close(j);
    }
    m31r_json_close(j);
    return m31r_json_write(j, s->out, e);
}

static m31r_err write_json(const m31r_screen *s, const m31r_trend *t, bool shows_points,
                           m31r_error *e)
{
    m31r_trend_group g;
    m31r_err err = M31R_OK;
    for (size_t i = 0; err == M31R_OK && m31r_trend_group_at(t, i, &g) == M31R_OK; i++) {
        err = shows_points ? write_json_points(s, t, i, &g, e) : M31R_OK;
        if (err == M31R_OK) {
            err = write_json_changes(s, t, i, &g, e);
        }
        if (err == M31R_OK) {
            err = write_json_group(s, t, i, &g, e);
        }
    }
    return err == M31R_OK ? write_json_summary(s, t, e) : err;
}

static void write_course(const m31r_screen *s, const m31r_trend *t, size_t group, size_t n)
{
    m31ri_buf line = M31RI_BUF_INIT;
    double *values = m31ri_calloc(n + 1, sizeof *values);
    m31r_trend_run run;
    for (size_t i = 0; values != NULL && m31r_trend_run_at(t, group, i, &run) == M31R_OK; i++) {
        values[i] = run.value;
    }
    if (values != NULL) {
        m31ri_human_course(&line, values, n, n < COURSE_COLUMNS ? n : COURSE_COLUMNS);
        fprintf(s->out, "%s\n", m31ri_buf_str(&line));
    }
    m31ri_free(values);
    m31ri_buf_release(&line);
}

static void write_points(const m31r_screen *s, const m31r_trend *t, size_t group)
{
    static const m31ri_column columns[] = {{"RUN", false, 0},
                                           {"DATE", false, DATE_COLUMNS},
                                           {"COMMIT", false, COMMIT_COLUMNS},
                                           {"VALUE", true, 0}};
    m31ri_table *table = m31ri_table_new(columns, sizeof columns / sizeof *columns);
    m31r_trend_run run;
    for (size_t i = 0; m31r_trend_run_at(t, group, i, &run) == M31R_OK; i++) {
        char text[M31RI_HUMAN_BYTES];
        snprintf(text, sizeof text, "%.16s", run.ts);
        m31ri_table_add(table, m31ri_short_id(run.run_id), M31RI_PLAIN);
        m31ri_table_add(table, text, M31RI_DIM);
        snprintf(text, sizeof text, "%.12s", run.commit);
        m31ri_table_add(table, text, M31RI_DIM);
        m31ri_table_add(table, m31ri_human_number(run.value, text), M31RI_PLAIN);
    }
    m31ri_table_write(table, s);
    m31ri_table_free(table);
}

static void write_changes(const m31r_screen *s, const m31r_trend *t, size_t group,
                          const m31r_changes *c)
{
    static const m31ri_column columns[] = {{"FROM RUN", false, 0}, {"DATE", false, DATE_COLUMNS},
                                           {"COMMITS", false, 0},  {"BEFORE", true, 0},
                                           {"AFTER", true, 0},     {"CHANGE", true, 0},
                                           {"95 %", false, 0},     {"P", true, 0}};
    m31ri_table *table = m31ri_table_new(columns, sizeof columns / sizeof *columns);
    m31r_change x;
    for (size_t i = 0; m31r_changes_get(c, i, &x) == M31R_OK; i++) {
        char text[64];
        m31r_trend_run run;
        (void)m31r_trend_run_at(t, group, x.at, &run);
        m31ri_table_add(table, m31ri_short_id(run.run_id), M31RI_BOLD);
        snprintf(text, sizeof text, "%.16s", run.ts);
        m31ri_table_add(table, text, M31RI_PLAIN);
        snprintf(text, sizeof text, "%.12s..%.12s", commit_before(t, group, x.at), run.commit);
        m31ri_table_add(table, text, M31RI_PLAIN);
        m31ri_add_change_cells(table, &x);
    }
    if (m31r_changes_summary(c)->n_changes > 0) {
        m31ri_table_write(table, s);
    }
    m31ri_table_free(table);
}

static void write_verdict(const m31r_screen *s, const m31r_trend_group *g)
{
    static const m31ri_style styles[] = {M31RI_PLAIN, M31RI_GREEN, M31RI_YELLOW, M31RI_BOLD_RED};
    m31ri_style style = styles[g->verdict];
    bool says_itself = g->verdict == M31R_GATE_UNDECIDED; /* its reason starts with the word */
    fprintf(s->out, "%s%s%s%s%s\n", m31ri_style_on(s, style),
            says_itself ? "" : m31r_gate_verdict_name(g->verdict), says_itself ? "" : ": ",
            g->reason, m31ri_style_off(s, style));
}

static void write_head(const m31r_screen *s, const m31r_trend_facts *f)
{
    char gate[64] = "";
    if (f->gate > 0) {
        snprintf(gate, sizeof gate, "   gate %.3g %%", f->gate * 100);
    }
    fprintf(s->out, "%s (%s%s%s)%s\n", f->metric, f->statistic,
            f->better == M31R_BETTER_UNKNOWN ? "" : ", better: ",
            f->better == M31R_BETTER_UNKNOWN ? "" : better_names[f->better], gate);
}

static void write_asides(const m31r_screen *s, const m31r_trend *t)
{
    m31r_trend_aside aside;
    for (size_t i = 0; m31r_trend_aside_at(t, i, &aside) == M31R_OK; i++) {
        fprintf(s->out, "%s%zu %s", i == 0 ? "set aside: " : ", ", aside.n_runs, aside.reason);
    }
    if (m31r_trend_summary(t)->n_aside > 0) {
        fputc('\n', s->out);
    }
}

m31r_err m31r_show_trend(const m31r_screen *s, const m31r_trend *t, bool shows_points,
                         m31r_error *e)
{
    m31r_trend_group g;
    if (s->is_json) {
        return write_json(s, t, shows_points, e);
    }
    write_head(s, m31r_trend_summary(t));
    for (size_t i = 0; m31r_trend_group_at(t, i, &g) == M31R_OK; i++) {
        m31ri_buf name = M31RI_BUF_INIT;
        m31ri_text_escape(&name, g.name, strlen(g.name), 0);
        fprintf(s->out, "\n%s\n", m31ri_buf_str(&name));
        m31ri_buf_release(&name);
        write_course(s, t, i, g.n_runs);
        if (shows_points) {
            write_points(s, t, i);
        }
        write_changes(s, t, i, g.changes);
        m31ri_write_changes_facts(s, m31r_changes_summary(g.changes));
        if (g.verdict != M31R_GATE_NONE) {
            write_verdict(s, &g);
        }
    }
    write_asides(s, t);
    return M31R_OK;
}
