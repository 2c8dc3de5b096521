/* show_runs.c - the table of runs: newest first, with how many there are in each state above it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "m31r/json.h"
#include "show/rows.h"
#include "show/table.h"

static const m31ri_column columns[] = {
    {"RUN", false, 32},  {"NAME", false, 24},   {"STAGE", false, 12}, {"STATE", false, 24},
    {"STEP", true, 0},   {"METRIC", false, 16}, {"LAST", true, 0},    {"BEST", true, 0},
    {"@ STEP", true, 0}, {"TOK/S", true, 0},    {"TIME", true, 0},    {"CODE", false, 12},
    {"DATA", false, 28},
};
#define N_COLUMNS (sizeof columns / sizeof columns[0])

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

static const char *state_text(const m31r_facts *f, char out[64])
{
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

static void add_row(m31ri_table *t, const m31r_run_row *row)
{
    const m31r_facts *f = row->facts;
    char text[64];
    char data[160];
    m31ri_table_add(t, m31ri_short_id(f->run_id), M31RI_BOLD);
    m31ri_table_add(t, f->name[0] != '\0' ? f->name : "-", M31RI_PLAIN);
    m31ri_table_add(t, f->stage[0] != '\0' ? f->stage : "?", M31RI_PLAIN);
    m31ri_table_add(t, state_text(f, text), m31ri_state_style(f->state));
    add_count(t, row->last_step);
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

static void add_optional(m31r_json *j, const char *key, double x)
{
    if (isnan(x)) {
        m31r_json_add_null(j, key);
    } else {
        m31r_json_add_double(j, key, x);
    }
}

void m31ri_add_step(m31r_json *j, const char *key, int64_t step)
{
    if (step < 0) {
        m31r_json_add_null(j, key);
    } else {
        m31r_json_add_int(j, key, step);
    }
}

static m31r_err write_row_json(const m31r_screen *s, const m31r_run_row *row, m31r_error *e)
{
    m31r_json *j = m31r_json_new("run");
    m31ri_add_facts(j, row->facts);
    m31ri_add_step(j, "last_step", row->last_step);
    m31r_json_add_text(j, "metric", row->metric[0] != '\0' ? row->metric : NULL);
    add_optional(j, "metric_last", row->metric_last);
    add_optional(j, "metric_best", row->metric_best);
    m31ri_add_step(j, "metric_best_step", row->metric_best_step);
    add_optional(j, "tokens_per_sec", row->tokens_per_sec);
    return m31r_json_write(j, s->out, e);
}

typedef struct run_counts {
    int64_t n, trials, states[M31R_STATE_CRASHED + 1];
} run_counts;

static m31r_err write_counts_json(const m31r_screen *s, const run_counts *counts, m31r_error *e)
{
    m31r_json *j = m31r_json_new("run_counts");
    m31r_json_add_int(j, "runs", counts->n);
    for (int i = 0; i <= M31R_STATE_CRASHED; i++) {
        m31r_json_add_int(j, m31r_state_name((m31r_state)i), counts->states[i]);
    }
    m31r_json_add_int(j, "trials", counts->trials);
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
        fprintf(s->out, " (%s trial%s)", m31ri_human_count(counts->trials, text),
                counts->trials == 1 ? "" : "s");
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
        "%s\"+\" uncommitted changes   \"?\" not known   times without an end run to the newest "
        "change\nnext      m31r show RUN | logs RUN --level WARNING | verify RUN | runs --all%s\n",
        m31ri_style_on(s, M31RI_DIM), m31ri_style_off(s, M31RI_DIM));
}

m31r_err m31r_show_runs(const m31r_screen *s, m31r_runs *runs, int64_t limit, m31r_error *e)
{
    run_counts counts = {0};
    size_t n = m31r_runs_count(runs);
    size_t n_shown = limit > 0 && (size_t)limit < n ? (size_t)limit : n;
    m31ri_table *table = s->is_json ? NULL : m31ri_table_new(columns, N_COLUMNS);
    m31r_err err = M31R_OK;
    for (size_t i = 0; i < n && err == M31R_OK; i++) {
        m31r_run_row row;
        err =
            i < n_shown ? m31r_runs_get(runs, i, &row, e) : m31r_runs_facts(runs, i, &row.facts, e);
        if (err == M31R_E_NOTFOUND) {
            err = M31R_OK; /* removed since it was listed */
            continue;
        }
        if (err != M31R_OK) {
            break;
        }
        counts.n++;
        counts.states[row.facts->state]++;
        counts.trials += strcmp(row.facts->kind, "trial") == 0;
        if (i < n_shown && s->is_json) {
            err = write_row_json(s, &row, e);
        } else if (i < n_shown) {
            add_row(table, &row);
        }
    }
    if (err == M31R_OK && s->is_json) {
        err = write_counts_json(s, &counts, e);
    } else if (err == M31R_OK) {
        write_counts(s, &counts, n_shown);
        if (counts.n > 0) {
            m31ri_table_write(table, s);
            write_legend(s);
        }
    }
    m31ri_table_free(table);
    return err;
}
