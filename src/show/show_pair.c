/* show_pair.c - what was measured in two runs, side by side, with the interval of the ratios. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "m31r/json.h"
#include "show/changes_rows.h"
#include "show/rows.h"

static void add_side(m31r_json *j, const char *key, const m31r_pair_side *side)
{
    m31r_json_open(j, key, '{');
    m31r_json_add_int(j, "points", (int64_t)side->n);
    m31r_json_add_int(j, "warm_up", (int64_t)side->n_warm_up);
    m31r_json_add_int(j, "nonfinite", (int64_t)side->n_nonfinite);
    m31r_json_add_int(j, "older", (int64_t)side->n_older);
    m31r_json_add_int(j, "block", (int64_t)side->block);
    m31ri_add_known(j, "median", side->median);
    m31ri_add_known(j, "p99", side->p99);
    m31r_json_close(j);
}

static void add_ratio(m31r_json *j, const char *key, const m31r_pair_ratio *r)
{
    m31r_json_open(j, key, '{');
    m31ri_add_known(j, "ratio", r->ratio);
    m31ri_add_known(j, "low", r->low);
    m31ri_add_known(j, "high", r->high);
    m31r_json_close(j);
}

static m31r_err write_json(const m31r_screen *s, const m31r_pair_metric *m, m31r_error *e)
{
    m31r_json *j = m31r_json_new("pair");
    m31r_json_add_text(j, "metric", m->name);
    add_side(j, "a", &m->a);
    add_side(j, "b", &m->b);
    add_ratio(j, "median", &m->median);
    add_ratio(j, "p99", &m->p99);
    m31r_json_add_text(j, "verdict", m31r_gate_verdict_name(m->verdict));
    return m31r_json_write(j, s->out, e);
}

static void add_ratio_cell(m31ri_table *t, const m31r_pair_ratio *r)
{
    char text[96] = "";
    if (!isnan(r->ratio)) {
        snprintf(text, sizeof text, "%+.1f %% (%+.1f to %+.1f)", (r->ratio - 1) * 100,
                 (r->low - 1) * 100, (r->high - 1) * 100);
    }
    m31ri_table_add(t, text, M31RI_BOLD);
}

static void add_row(m31ri_table *t, const m31r_pair_metric *m)
{
    static const m31ri_style styles[] = {M31RI_DIM, M31RI_GREEN, M31RI_YELLOW, M31RI_BOLD_RED};
    char text[96];
    m31ri_table_add(t, m->name, M31RI_PLAIN);
    snprintf(text, sizeof text, "%zu, %zu", m->a.n, m->b.n);
    m31ri_table_add(t, text, M31RI_DIM);
    snprintf(text, sizeof text, "%zu, %zu", m->a.n_warm_up, m->b.n_warm_up);
    m31ri_table_add(t, text, M31RI_DIM);
    m31ri_table_add(t, isnan(m->a.median) ? "-" : m31ri_human_number(m->a.median, text),
                    M31RI_PLAIN);
    m31ri_table_add(t, isnan(m->b.median) ? "-" : m31ri_human_number(m->b.median, text),
                    M31RI_PLAIN);
    add_ratio_cell(t, &m->median);
    add_ratio_cell(t, &m->p99);
    bool is_short = isnan(m->a.median) || isnan(m->b.median);
    m31ri_table_add(t, is_short ? "too few points" : m31r_gate_verdict_name(m->verdict),
                    styles[m->verdict]);
}

m31r_err m31r_show_pair(const m31r_screen *s, const m31r_pair *p, m31r_error *e)
{
    static const m31ri_column columns[] = {{"METRIC", false, 48},    {"POINTS", true, 0},
                                           {"WARM-UP", true, 0},     {"MEDIAN A", true, 0},
                                           {"MEDIAN B", true, 0},    {"MEDIAN (95 %)", false, 0},
                                           {"P99 (95 %)", false, 0}, {"VERDICT", false, 0}};
    m31r_pair_metric m;
    m31r_err err = M31R_OK;
    m31ri_table *t = m31ri_table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; err == M31R_OK && m31r_pair_at(p, i, &m) == M31R_OK; i++) {
        if (s->is_json) {
            err = write_json(s, &m, e);
        } else {
            add_row(t, &m);
        }
    }
    if (!s->is_json) {
        m31ri_table_write(t, s);
    }
    m31ri_table_free(t);
    return err;
}
