/* show_runs.c - the table of runs: newest first, with how many there are in each state above it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "m31r/json.h"
#include "show/rows.h"
#include "show/table.h"

static const m31ri_column columns[] = {
    {"RUN", false, 32},   {"NAME", false, 24}, {"TAGS", false, 32},   {"STAGE", false, 12},
    {"STATE", false, 24}, {"STEP", true, 0},   {"METRIC", false, 16}, {"LAST", true, 0},
    {"BEST", true, 0},    {"@ STEP", true, 0}, {"TOK/S", true, 0},    {"TIME", true, 0},
    {"CODE", false, 12},  {"DATA", false, 28},
};
#define N_COLUMNS (sizeof columns / sizeof columns[0])

static const char *state_text(const m31r_facts *f, char out[64])
{
    char text[M31RI_HUMAN_BYTES];
    if (f->state == M31R_STATE_CRASHED) {
        int64_t gone_ns = f->end_ns != M31R_UNKNOWN ? m31ri_wall_ns() - f->end_ns : 0;
        snprintf(out, 64, "lost %s", m31ri_human_duration(gone_ns > 0 ? gone_ns : 0, text));
        return out;
    }
    const char *name = f->state == M31R_STATE_RUNNING ? "live" : m31r_state_name(f->state);
    bool is_bad = f->state >= M31R_STATE_FAILED;
    if (is_bad && f->cause[0] != '\0' && strcmp(f->cause, "exit_status") != 0) {
        snprintf(out, 64, "%s %.40s", name, f->cause);
    } else if (is_bad && f->exit_status > 0) {
        snprintf(out, 64, "%s exit %lld", name, (long long)f->exit_status);
    } else {
        snprintf(out, 64, "%s", name);
    }
    return out;
}

static const char *code_text(const m31r_facts *f, char out[64])
{
    bool is_hash = strlen(f->commit.value) >= 40;
    snprintf(out, 64, "%.*s%s", is_hash ? 7 : 12,
             f->commit.value[0] != '\0' ? f->commit.value : "?", f->is_dirty ? "+" : "");
    return out;
}

static void add_tags(m31ri_table *t, const m31r_facts *f)
{
    char text[160];
    bool is_release = f->release[0] != '\0';
    snprintf(text, sizeof text, "%.64s%s%s%.80s", f->release, is_release ? " (release)" : "",
             is_release && f->tags[0] != '\0' ? " " : "", f->tags);
    m31ri_table_add(t, text, is_release ? M31RI_GREEN : M31RI_PLAIN);
}

static void add_number(m31ri_table *t, double x)
{
    char text[M31RI_HUMAN_BYTES];
    m31ri_table_add(t, isnan(x) ? "" : m31ri_human_number(x, text),
                    isinf(x) ? M31RI_RED : M31RI_PLAIN);
}

static void add_count(m31ri_table *t, int64_t n)
{
    char text[M31RI_HUMAN_BYTES];
    m31ri_table_add(t, n < 0 ? "" : m31ri_human_count(n, text), M31RI_PLAIN);
}

static const char *step_text(const m31r_run_row *row, int64_t attempt, char out[64])
{
    char text[M31RI_HUMAN_BYTES];
    const char *step = row->last_step < 0 ? "" : m31ri_human_count(row->last_step, text);
    if (attempt > 1) {
        snprintf(out, 64, "%s (att %lld)", step, (long long)attempt);
    } else {
        snprintf(out, 64, "%s", step);
    }
    return out;
}

/* `attempt`: 1 for a run that resumes none. */
static void add_row(m31ri_table *t, const m31r_run_row *row, int64_t attempt)
{
    const m31r_facts *f = row->facts;
    char text[64];
    char data[160];
    m31ri_table_add(t, m31ri_short_id(f->run_id), M31RI_BOLD);
    m31ri_table_add(t, f->name[0] != '\0' ? f->name : "-", M31RI_PLAIN);
    add_tags(t, f);
    m31ri_table_add(t, f->stage[0] != '\0' ? f->stage : "?", M31RI_PLAIN);
    m31ri_table_add(t, state_text(f, text), m31ri_state_style(f->state));
    m31ri_table_add(t, step_text(row, attempt, text), M31RI_PLAIN);
    m31ri_table_add(t, row->metric, M31RI_DIM);
    add_number(t, row->metric_last);
    add_number(t, row->metric_best);
    add_count(t, row->metric_best_step);
    add_number(t, row->tokens_per_sec);
    bool has_time = f->start_ns != M31R_UNKNOWN && f->end_ns != M31R_UNKNOWN;
    char time[M31RI_HUMAN_BYTES];
    m31ri_table_add(t, has_time ? m31ri_human_duration(f->end_ns - f->start_ns, time) : "-",
                    M31RI_PLAIN);
    m31ri_table_add(t, code_text(f, text), M31RI_PLAIN);
    bool is_trial = strcmp(f->kind, "trial") == 0;
    snprintf(data, sizeof data, "%.120s%s", f->dataset.value[0] != '\0' ? f->dataset.value : "?",
             is_trial ? " trial" : "");
    m31ri_table_add(t, f->problem[0] != '\0' ? f->problem : data,
                    f->problem[0] != '\0' ? M31RI_RED : M31RI_PLAIN);
}

static m31r_err write_row_json(const m31r_screen *s, const m31r_run_row *row, m31r_error *e)
{
    m31r_json *j = m31r_json_new("run");
    m31ri_add_facts(j, row->facts);
    m31ri_add_step(j, "last_step", row->last_step);
    m31r_json_add_text(j, "metric", row->metric[0] != '\0' ? row->metric : NULL);
    m31ri_add_known_double(j, "metric_last", row->metric_last);
    m31ri_add_known_double(j, "metric_best", row->metric_best);
    m31ri_add_step(j, "metric_best_step", row->metric_best_step);
    m31ri_add_known_double(j, "tokens_per_sec", row->tokens_per_sec);
    return m31r_json_write(j, s->out, e);
}

typedef struct run_counts {
    int64_t n, trials, states[M31R_STATE_CRASHED + 1];
    uint64_t trial_bytes;
} run_counts;

/* The showing of a list under way. */
typedef struct showing {
    const m31r_screen *screen;
    m31r_runs *runs;
    m31ri_table *table; /* NULL in JSON */
    const m31r_runs_view *view;
    size_t n_shown;
    run_counts counts;
} showing;

static m31r_err write_counts_json(const m31r_screen *s, const run_counts *counts, m31r_error *e)
{
    m31r_json *j = m31r_json_new("run_counts");
    m31r_json_add_int(j, "runs", counts->n);
    for (int i = 0; i <= M31R_STATE_CRASHED; i++) {
        m31r_json_add_int(j, m31r_state_name((m31r_state)i), counts->states[i]);
    }
    m31r_json_add_int(j, "trials", counts->trials);
    m31r_json_add_int(j, "trial_bytes", (int64_t)counts->trial_bytes);
    return m31r_json_write(j, s->out, e);
}

static void write_counts(const m31r_screen *s, const run_counts *counts, size_t n_shown)
{
    char text[M31RI_HUMAN_BYTES];
    const char *separator = ": ";
    fprintf(s->out, "%s run%s", m31ri_human_count(counts->n, text), counts->n == 1 ? "" : "s");
    for (int i = 1; i <= M31R_STATE_CRASHED + 1; i++) {
        int state = i % (M31R_STATE_CRASHED + 1); /* unknown comes last */
        if (counts->states[state] > 0) {
            fprintf(s->out, "%s%s %s", separator, m31ri_human_count(counts->states[state], text),
                    state == M31R_STATE_RUNNING ? "live" : m31r_state_name((m31r_state)state));
            separator = ", ";
        }
    }
    if (counts->trials > 0) {
        char bytes[M31RI_HUMAN_BYTES];
        fprintf(s->out, " (%s trial%s, %s)", m31ri_human_count(counts->trials, text),
                counts->trials == 1 ? "" : "s",
                m31ri_human_bytes((int64_t)counts->trial_bytes, bytes));
    }
    if (n_shown < (size_t)counts->n) {
        fprintf(s->out, "   newest %zu", n_shown);
    }
    fputc('\n', s->out);
}

static void write_legend(const m31r_screen *s)
{
    fprintf(
        s->out,
        "%s\"+\" uncommitted changes   \"?\" not known   \"lost\" writer gone, no end recorded\n"
        "next      m31r show RUN | compare RUN RUN | runs -w 'state==\"failed\" and ts>=-7d' | "
        "--cols | --json%s\n",
        m31ri_style_on(s, M31RI_DIM), m31ri_style_off(s, M31RI_DIM));
}

static m31r_err show_row(showing *v, size_t i, m31r_run_row *row, m31r_error *e)
{
    m31r_run_value attempt = {.i = 1};
    m31r_err err = m31r_runs_get(v->runs, i, row, e);
    if (err == M31R_OK && v->screen->is_json) {
        return write_row_json(v->screen, row, e);
    }
    bool resumes = err == M31R_OK && row->facts->resumes[0] != '\0';
    if (resumes && (err = m31r_runs_value(v->runs, i, "attempt", &attempt, e)) == M31R_OK) {
        err = m31r_runs_get(v->runs, i, row, e);
    }
    if (err == M31R_OK) {
        add_row(v->table, row, attempt.i);
    }
    return err;
}

static void add_value(m31ri_table *t, const char *field, const m31r_run_value *value)
{
    char text[M31RI_HUMAN_BYTES];
    if (strcmp(field, "id") == 0) {
        m31ri_table_add(t, m31ri_short_id(value->text), M31RI_BOLD);
    } else if (value->type == 'd') {
        add_number(t, value->d);
    } else if (value->type == 'i') {
        m31ri_table_add(t, m31ri_human_count(value->i, text), M31RI_PLAIN);
    } else {
        m31ri_table_add(t, value->type == 's' ? value->text : "-", M31RI_PLAIN);
    }
}

static void write_value(m31r_json *j, const char *field, const m31r_run_value *value)
{
    if (value->type == 's') {
        m31r_json_add_text(j, field, value->text);
    } else if (value->type == 'i') {
        m31r_json_add_int(j, field, value->i);
    } else if (value->type == 'd') {
        m31r_json_add_double(j, field, value->d);
    } else {
        m31r_json_add_null(j, field);
    }
}

static m31r_err show_fields(showing *v, size_t i, m31r_error *e)
{
    m31r_json *j = v->screen->is_json ? m31r_json_new("fields") : NULL;
    m31r_err err = M31R_OK;
    for (size_t k = 0; k < v->view->n_fields && err == M31R_OK; k++) {
        m31r_run_value value;
        err = m31r_runs_value(v->runs, i, v->view->fields[k], &value, e);
        if (err == M31R_OK && j != NULL) {
            write_value(j, v->view->fields[k], &value);
        } else if (err == M31R_OK) {
            add_value(v->table, v->view->fields[k], &value);
        }
    }
    if (err != M31R_OK) {
        m31r_json_free(j);
        return err;
    }
    return j != NULL ? m31r_json_write(j, v->screen->out, e) : M31R_OK;
}

static m31r_err show_one(showing *v, size_t i, m31r_error *e)
{
    m31r_run_row row = {0};
    bool is_shown = i < v->n_shown;
    m31r_err err = is_shown && v->view->n_fields == 0 ? show_row(v, i, &row, e)
                                                      : m31r_runs_facts(v->runs, i, &row.facts, e);
    if (err == M31R_OK) {
        v->counts.n++;
        v->counts.states[row.facts->state]++;
        if (strcmp(row.facts->kind, "trial") == 0) {
            uint64_t bytes = 0;
            (void)m31r_runs_bytes(v->runs, i, &bytes, NULL); /* removed meanwhile: none */
            v->counts.trial_bytes += bytes;
            v->counts.trials++;
        }
    }
    return err == M31R_OK && is_shown && v->view->n_fields > 0 ? show_fields(v, i, e) : err;
}

static m31r_err show_all(showing *v, m31r_error *e)
{
    int64_t limit = v->view->limit;
    size_t n = m31r_runs_count(v->runs);
    m31r_err err = M31R_OK;
    v->n_shown = limit > 0 && (size_t)limit < n ? (size_t)limit : n;
    for (size_t i = 0; i < n && err == M31R_OK; i++) {
        err = show_one(v, i, e);
        if (err == M31R_E_NOTFOUND) {
            err = M31R_OK; /* removed since it was listed */
        }
    }
    if (err == M31R_OK && v->screen->is_json) {
        err = write_counts_json(v->screen, &v->counts, e);
    } else if (err == M31R_OK) {
        write_counts(v->screen, &v->counts, v->n_shown);
        if (v->counts.n > 0) {
            m31ri_table_write(v->table, v->screen);
            write_legend(v->screen);
        }
    }
    return err;
}

static bool is_number(const char *field)
{
    static const char *const numbers[] = {"step",      "last",           "best",
                                          "best_step", "tokens_per_sec", "duration_s",
                                          "lost",      "attempt",        "seed"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(field, numbers[i]) == 0) {
            return true;
        }
    }
    return strncmp(field, "metrics.", 8) == 0;
}

m31r_err m31r_show_runs(const m31r_screen *s, m31r_runs *runs, const m31r_runs_view *view,
                        m31r_error *e)
{
    showing v = {.screen = s, .runs = runs, .view = view};
    m31ri_column *own = m31ri_calloc(view->n_fields + 1, sizeof *own);
    if (own == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a table");
    }
    for (size_t i = 0; i < view->n_fields; i++) {
        own[i] = (m31ri_column){view->fields[i], is_number(view->fields[i]), 40};
    }
    if (!s->is_json) {
        v.table = view->n_fields > 0 ? m31ri_table_new(own, view->n_fields)
                                     : m31ri_table_new(columns, N_COLUMNS);
    }
    m31r_err err = show_all(&v, e);
    m31ri_table_free(v.table);
    m31ri_free(own);
    return err;
}
