/* show_changes.c - the levels of a series: a line drawn, a row for each change, what it is now. */
#include <math.h>
#include <stdio.h>

#include "m31r/json.h"
#include "show/changes_rows.h"
#include "show/rows.h"
#include "show/table.h"

#define COURSE_COLUMNS 60

void m31ri_add_known(m31r_json *j, const char *key, double x)
{
    if (isnan(x)) {
        m31r_json_add_null(j, key);
    } else {
        m31r_json_add_double(j, key, x);
    }
}

void m31ri_add_change(m31r_json *j, const m31r_change *x)
{
    m31r_json_add_int(j, "at", (int64_t)x->at);
    m31r_json_add_int(j, "n_before", (int64_t)x->n_before);
    m31r_json_add_int(j, "n_after", (int64_t)x->n_after);
    m31r_json_add_double(j, "before", x->before);
    m31r_json_add_double(j, "after", x->after);
    m31ri_add_known(j, "ratio", x->ratio);
    m31ri_add_known(j, "ratio_low", x->ratio_low);
    m31ri_add_known(j, "ratio_high", x->ratio_high);
    m31r_json_add_double(j, "p", x->p);
}

void m31ri_add_changes_facts(m31r_json *j, const m31r_changes_facts *f)
{
    m31r_json_add_int(j, "values", (int64_t)f->n);
    m31r_json_add_int(j, "nan", (int64_t)f->n_nan);
    m31r_json_add_int(j, "infinite", (int64_t)f->n_infinite);
    m31r_json_add_int(j, "older", (int64_t)f->n_older);
    m31r_json_add_bool(j, "has_verdict", f->has_verdict);
    m31r_json_add_bool(j, "is_trend", f->is_trend);
    m31r_json_add_int(j, "changes", (int64_t)f->n_changes);
    m31ri_add_known(j, "level", f->level);
    m31ri_add_known(j, "noise", f->noise);
    m31ri_add_known(j, "slope", f->slope);
    m31ri_add_known(j, "p_slope", f->p_slope);
    m31r_json_add_int(j, "suspects", (int64_t)f->n_suspects);
    m31ri_add_known(j, "suspect_level", f->suspect_level);
}

static m31r_err write_json(const m31r_screen *s, const m31r_changes *c, m31r_error *e)
{
    m31r_change change;
    m31r_err err = M31R_OK;
    for (size_t i = 0; err == M31R_OK && m31r_changes_get(c, i, &change) == M31R_OK; i++) {
        m31r_json *j = m31r_json_new("trend_change");
        m31ri_add_change(j, &change);
        err = m31r_json_write(j, s->out, e);
    }
    if (err == M31R_OK) {
        m31r_json *j = m31r_json_new("trend");
        m31ri_add_changes_facts(j, m31r_changes_summary(c));
        err = m31r_json_write(j, s->out, e);
    }
    return err;
}

static void write_course(const m31r_screen *s, const double *values, size_t n)
{
    m31ri_buf line = M31RI_BUF_INIT;
    m31ri_human_course(&line, values, n, n < COURSE_COLUMNS ? n : COURSE_COLUMNS);
    fprintf(s->out, "%s\n", m31ri_buf_str(&line));
    m31ri_buf_release(&line);
}

static void format_percent(char *out, size_t size, double ratio)
{
    if (isnan(ratio)) {
        snprintf(out, size, "-");
    } else {
        snprintf(out, size, "%+.2f %%", (ratio - 1) * 100);
    }
}

void m31ri_add_change_cells(m31ri_table *t, const m31r_change *x)
{
    char text[3 * M31RI_HUMAN_BYTES], number[M31RI_HUMAN_BYTES];
    m31ri_table_add(t, m31ri_human_number(x->before, number), M31RI_PLAIN);
    m31ri_table_add(t, m31ri_human_number(x->after, number), M31RI_BOLD);
    format_percent(text, sizeof text, x->ratio);
    m31ri_table_add(t, text, M31RI_BOLD);
    char low[M31RI_HUMAN_BYTES], high[M31RI_HUMAN_BYTES];
    format_percent(low, sizeof low, x->ratio_low);
    format_percent(high, sizeof high, x->ratio_high);
    snprintf(text, sizeof text, "%s to %s", low, high);
    m31ri_table_add(t, isnan(x->ratio) ? "" : text, M31RI_DIM);
    snprintf(text, sizeof text, x->p < 1e-300 ? "<1e-300" : "%.1e", x->p);
    m31ri_table_add(t, text, M31RI_DIM);
}

static void write_table(const m31r_screen *s, const m31r_changes *c)
{
    static const m31ri_column columns[] = {{"FROM VALUE", true, 0}, {"BEFORE", true, 0},
                                           {"AFTER", true, 0},      {"CHANGE", true, 0},
                                           {"95 %", false, 0},      {"P", true, 0}};
    m31ri_table *t = m31ri_table_new(columns, sizeof columns / sizeof *columns);
    m31r_change change;
    for (size_t i = 0; m31r_changes_get(c, i, &change) == M31R_OK; i++) {
        char at[M31RI_HUMAN_BYTES];
        m31ri_table_add(t, m31ri_human_count((int64_t)change.at, at), M31RI_PLAIN);
        m31ri_add_change_cells(t, &change);
    }
    if (m31r_changes_summary(c)->n_changes > 0) {
        m31ri_table_write(t, s);
    }
    m31ri_table_free(t);
}

void m31ri_write_changes_facts(const m31r_screen *s, const m31r_changes_facts *f)
{
    char a[M31RI_HUMAN_BYTES], b[M31RI_HUMAN_BYTES];
    size_t n_finite = f->n - f->n_nan - f->n_infinite;
    if (!f->has_verdict) {
        fprintf(s->out, "not enough data: %zu finite values of %d\n", n_finite, M31R_CHANGES_LEAST);
        return;
    }
    fprintf(s->out, "%zu change%s in %zu values; now %s, noise %s\n", f->n_changes,
            f->n_changes == 1 ? "" : "s", n_finite, m31ri_human_number(f->level, a),
            m31ri_human_number(f->noise, b));
    if (f->is_trend) {
        fprintf(s->out, "a trend: %s for each value, from %s\n", m31ri_human_number(f->slope, a),
                m31ri_human_number(f->line_first, b));
    }
    if (f->n_suspects > 0) {
        fprintf(s->out, "suspect: the newest %zu at %s; repeat the run\n", f->n_suspects,
                m31ri_human_number(f->suspect_level, a));
    }
    if (f->n_nan + f->n_infinite > 0) {
        fprintf(s->out, "%zu values are missing or NaN, %zu infinite: left out\n", f->n_nan,
                f->n_infinite);
    }
    if (f->n_older > 0) {
        fprintf(s->out, "%zu older values were not looked at\n", f->n_older);
    }
}

m31r_err m31r_show_changes(const m31r_screen *s, const m31r_changes *c, const double *values,
                           size_t n, m31r_error *e)
{
    if (s->is_json) {
        return write_json(s, c, e);
    }
    if (n > 0) {
        write_course(s, values, n);
    }
    write_table(s, c);
    m31ri_write_changes_facts(s, m31r_changes_summary(c));
    return M31R_OK;
}
