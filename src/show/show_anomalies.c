/* show_anomalies.c - what went wrong inside a run: one line each, worst to see in colour, with the
 * place of the point and of the record. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "m31r/anomaly.h"
#include "show/rows.h"
#include "show/table.h"
#include "show/text.h"

#define TIME_AT 11 /* of a timestamp */
#define WARNED 3   /* that a view of the run names */

static const m31ri_column columns[] = {
    {"STEP", true, 0},     {"TIME", false, 0},   {"KIND", false, 0}, {"SEVERITY", false, 0},
    {"METRIC", false, 40}, {"RANK", true, 0},    {"OVER", true, 0},  {"EVIDENCE", false, 0},
    {"POINT", false, 0},   {"RECORD", false, 0},
};

static m31ri_style style_of(const char *severity)
{
    return strcmp(severity, "error") == 0     ? M31RI_RED
           : strcmp(severity, "warning") == 0 ? M31RI_YELLOW
                                              : M31RI_PLAIN;
}

static void add_place(m31ri_table *t, const char *file, uint64_t line)
{
    char text[224] = "";
    if (file[0] != '\0' && line > 0) {
        snprintf(text, sizeof text, "%s:%llu", file, (unsigned long long)line);
    }
    m31ri_table_add(t, text, M31RI_DIM);
}

static void add_step_cell(m31ri_table *t, int64_t step)
{
    char number[M31RI_HUMAN_BYTES];
    m31ri_table_add(t, step == M31R_NO_STEP ? "" : m31ri_human_count(step, number), M31RI_PLAIN);
}

static void add_row(m31ri_table *t, const m31r_anomaly_facts *a)
{
    char time[9] = "";
    char rank[16] = "";
    m31ri_style style = style_of(a->severity);
    if (strlen(a->ts) > TIME_AT + sizeof time) {
        memcpy(time, a->ts + TIME_AT, sizeof time - 1);
    }
    if (a->rank >= 0) {
        snprintf(rank, sizeof rank, "%d", a->rank);
    }
    add_step_cell(t, a->step);
    m31ri_table_add(t, time, M31RI_DIM);
    m31ri_table_add(t, a->kind, style);
    m31ri_table_add(t, a->severity, style);
    m31ri_table_add(t, a->metric, M31RI_PLAIN);
    m31ri_table_add(t, rank, M31RI_PLAIN);
    if (a->is_open) {
        m31ri_table_add(t, "open", style);
    } else {
        add_step_cell(t, a->cleared_step);
    }
    m31ri_table_add(t, a->evidence, M31RI_PLAIN);
    add_place(t, a->file, a->line);
    add_place(t, a->record_file, a->record_line);
}

static void add_number(m31r_json *j, const char *key, double x)
{
    if (isnan(x)) {
        m31r_json_add_null(j, key);
    } else if (isinf(x)) {
        m31r_json_add_text(j, key, x > 0 ? "Infinity" : "-Infinity");
    } else {
        m31r_json_add_double(j, key, x);
    }
}

static void add_file(m31r_json *j, const char *file_key, const char *line_key, const char *file,
                     uint64_t line)
{
    m31r_json_add_text(j, file_key, file[0] != '\0' ? file : NULL);
    if (line > 0) {
        m31r_json_add_int(j, line_key, (int64_t)line);
    } else {
        m31r_json_add_null(j, line_key);
    }
}

static m31r_err write_json(const m31r_screen *s, const m31r_facts *f, const m31r_anomaly_facts *a,
                           m31r_error *e)
{
    m31r_json *j = m31r_json_new("anomaly");
    m31r_json_add_text(j, "run_id", f->run_id);
    m31r_json_add_text(j, "anomaly", a->kind);
    m31r_json_add_text(j, "severity", a->severity);
    m31r_json_add_text(j, "metric", a->metric[0] != '\0' ? a->metric : NULL);
    if (a->rank >= 0) {
        m31r_json_add_int(j, "rank", a->rank);
    } else {
        m31r_json_add_null(j, "rank");
    }
    m31ri_add_step(j, "step", a->step);
    m31r_json_add_text(j, "ts", a->ts);
    m31r_json_add_bool(j, "open", a->is_open);
    m31ri_add_step(j, "cleared_step", a->cleared_step);
    m31r_json_add_text(j, "evidence", a->evidence);
    add_number(j, "value", a->value);
    add_number(j, "usual", a->usual);
    add_number(j, "limit", a->limit);
    m31r_json_add_int(j, "n", a->n);
    add_file(j, "file", "line", a->file, a->line);
    add_file(j, "record_file", "record_line", a->record_file, a->record_line);
    return m31r_json_write(j, s->out, e);
}

m31r_err m31r_show_anomalies(const m31r_screen *s, const m31r_reader *r,
                             const m31r_anomalies *anomalies, m31r_error *e)
{
    m31r_anomaly_facts a;
    size_t n = m31r_anomalies_count(anomalies);
    m31r_err err = M31R_OK;
    if (s->is_json) {
        for (size_t i = 0; err == M31R_OK && m31r_anomalies_get(anomalies, i, &a) == M31R_OK; i++) {
            err = write_json(s, m31r_reader_facts(r), &a, e);
        }
        return err;
    }
    fputs(m31ri_style_on(s, M31RI_BOLD), s->out);
    m31r_show_text(s, m31r_reader_facts(r)->run_id);
    fprintf(s->out, "%s  %zu %s\n", m31ri_style_off(s, M31RI_BOLD), n,
            n == 1 ? "anomaly" : "anomalies");
    m31ri_table *t = m31ri_table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; m31r_anomalies_get(anomalies, i, &a) == M31R_OK; i++) {
        add_row(t, &a);
    }
    if (n > 0) {
        m31ri_table_write(t, s);
    }
    m31ri_table_free(t);
    if (n > M31R_ANOMALIES_LIMIT) {
        fprintf(s->out, "and %zu more\n", n - M31R_ANOMALIES_LIMIT);
    }
    return M31R_OK;
}

m31r_err m31r_show_anomaly_row(const m31r_screen *s, const m31r_anomaly_row *a, m31r_error *e)
{
    if (!s->is_json) {
        fprintf(s->out, "%llu %s%s%s ", (unsigned long long)a->row,
                m31ri_style_on(s, style_of(a->severity)), a->kind,
                m31ri_style_off(s, style_of(a->severity)));
        m31r_show_text(s, a->column);
        fputs(": ", s->out);
        m31r_show_text(s, a->evidence);
        fputc('\n', s->out);
        return M31R_OK;
    }
    m31r_json *j = m31r_json_new("anomaly_row");
    m31r_json_add_int(j, "row", (int64_t)a->row);
    m31r_json_add_text(j, "anomaly", a->kind);
    m31r_json_add_text(j, "severity", a->severity);
    m31r_json_add_text(j, "column", a->column);
    m31r_json_add_text(j, "evidence", a->evidence);
    add_number(j, "value", a->value);
    add_number(j, "usual", a->usual);
    add_number(j, "limit", a->limit);
    m31r_json_add_int(j, "n", a->n);
    return m31r_json_write(j, s->out, e);
}

/* What was recorded while the run was observed; NULL when that cannot be read: a view of the run
 * does without. */
static m31r_anomalies *recorded(const m31r_reader *r)
{
    m31r_anomalies *anomalies = NULL;
    return m31r_anomalies_open_recorded(&anomalies, r, NULL) == M31R_OK ? anomalies : NULL;
}

void m31ri_add_warned(m31r_json *j, const m31r_reader *r)
{
    m31r_anomalies *anomalies = recorded(r);
    m31r_json_add_int(j, "anomalies",
                      anomalies != NULL ? (int64_t)m31r_anomalies_count(anomalies) : 0);
    m31r_anomalies_close(anomalies);
}

static void write_warned(const m31r_screen *s, const m31r_anomaly_facts *a)
{
    char step[M31RI_HUMAN_BYTES];
    fprintf(s->out, "%s%s%s", m31ri_style_on(s, style_of(a->severity)), a->kind,
            m31ri_style_off(s, style_of(a->severity)));
    if (a->metric[0] != '\0') {
        fputs(" in ", s->out);
        m31r_show_text(s, a->metric);
    }
    if (a->step != M31R_NO_STEP) {
        fprintf(s->out, " at step %s", m31ri_human_count(a->step, step));
    }
}

/* The worst first, each sort in its order. */
void m31ri_write_warned(const m31r_screen *s, const m31r_reader *r)
{
    static const char *const severities[] = {"error", "warning", "info"};
    m31r_anomalies *anomalies = recorded(r);
    size_t n = anomalies != NULL ? m31r_anomalies_count(anomalies) : 0;
    size_t n_written = 0;
    m31r_anomaly_facts a;
    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0;
             n_written < WARNED && n > 0 && m31r_anomalies_get(anomalies, i, &a) == M31R_OK; i++) {
            if (strcmp(a.severity, severities[k]) == 0) {
                fprintf(s->out, "%s%s%s", m31ri_style_on(s, M31RI_DIM),
                        n_written == 0 ? "warned    " : ", ", m31ri_style_off(s, M31RI_DIM));
                write_warned(s, &a);
                n_written++;
            }
        }
    }
    if (n > n_written) {
        fprintf(s->out, ", %zu more: m31r anomalies", n - n_written);
    }
    if (n_written > 0) {
        fputc('\n', s->out);
    }
    m31r_anomalies_close(anomalies);
}
