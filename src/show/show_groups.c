/* show_groups.c - groups of records as a table, or as one JSON line each. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fail.h"
#include "m31r/json.h"
#include "m31r/show.h"
#include "show/members.h"
#include "show/table.h"

#define N_STATISTICS 7

static m31r_err write_json(const m31r_screen *s, const m31r_groups_options *asked,
                           const m31r_group *group, m31r_error *e)
{
    m31r_json *j = m31r_json_new(asked->field != NULL ? "stats" : "count");
    if (asked->field != NULL) {
        m31r_json_add_text(j, "field", asked->field);
    }
    m31r_json_open(j, "by", '{');
    for (size_t i = 0; i < asked->n_by; i++) {
        m31r_json_add_raw(j, asked->by[i], group->values[i], group->lengths[i]);
    }
    m31r_json_close(j);
    m31r_json_add_int(j, "count", (int64_t)group->n);
    if (asked->field != NULL) {
        m31r_json_add_int(j, "nonfinite", (int64_t)group->n_nonfinite);
        m31ri_add_known_double(j, "min", group->min);
        m31ri_add_known_double(j, "max", group->max);
        m31ri_add_known_double(j, "mean", group->mean);
        m31ri_add_known_double(j, "p50", group->p50);
        m31ri_add_known_double(j, "p90", group->p90);
        m31ri_add_known_double(j, "p99", group->p99);
        m31r_json_add_double(j, "quantile_error",
                             group->quantiles_are_exact ? 0 : M31R_GROUPS_SKETCH_ERROR);
    }
    return m31r_json_write(j, s->out, e);
}

/* A string without its quotes, still escaped; nothing for a missing value. */
static void add_value(m31ri_table *t, const char *value, size_t length)
{
    m31ri_buf text = M31RI_BUF_INIT;
    bool is_string = length >= 2 && value[0] == '"';
    if (length != 4 || memcmp(value, "null", 4) != 0) {
        m31ri_buf_add(&text, value + is_string, length - 2 * (size_t)is_string);
    } else {
        m31ri_buf_add_char(&text, '-');
    }
    m31ri_table_add(t, m31ri_buf_str(&text), M31RI_PLAIN);
    m31ri_buf_release(&text);
}

static void add_row(m31ri_table *t, const m31r_groups_options *asked, const m31r_group *group)
{
    const double numbers[] = {group->min, group->max, group->mean,
                              group->p50, group->p90, group->p99};
    char text[M31RI_HUMAN_BYTES];
    for (size_t i = 0; i < asked->n_by; i++) {
        add_value(t, group->values[i], group->lengths[i]);
    }
    m31ri_table_add(t, m31ri_human_count((int64_t)group->n, text), M31RI_BOLD);
    for (size_t i = 0; asked->field != NULL && i < 6; i++) {
        bool is_known = !isnan(numbers[i]);
        m31ri_table_add(t, is_known ? m31ri_human_number(numbers[i], text) : "-", M31RI_PLAIN);
    }
    if (asked->field != NULL) {
        bool has_any = group->n_nonfinite > 0;
        m31ri_table_add(t, has_any ? m31ri_human_count((int64_t)group->n_nonfinite, text) : "",
                        M31RI_RED);
    }
}

static size_t make_columns(m31ri_column *columns, const m31r_groups_options *asked)
{
    static const char *const statistics[N_STATISTICS] = {"MIN", "MAX", "MEAN",      "P50",
                                                         "P90", "P99", "NOT FINITE"};
    size_t n = 0;
    for (size_t i = 0; i < asked->n_by; i++) {
        columns[n++] = (m31ri_column){asked->by[i], false, 48};
    }
    columns[n++] = (m31ri_column){"COUNT", true, 0};
    for (size_t i = 0; asked->field != NULL && i < N_STATISTICS; i++) {
        columns[n++] = (m31ri_column){statistics[i], true, 0};
    }
    return n;
}

m31r_err m31r_show_groups(const m31r_screen *s, m31r_groups *groups, m31r_error *e)
{
    const m31r_groups_options *asked = m31r_groups_asked(groups);
    m31ri_column columns[M31R_GROUPS_BY_LIMIT + 1 + N_STATISTICS];
    size_t n_columns = make_columns(columns, asked);
    m31ri_table *table = s->is_json ? NULL : m31ri_table_new(columns, n_columns);
    m31r_err err = M31R_OK;
    bool is_exact = true;
    size_t n = m31r_groups_count(groups);
    for (size_t i = 0; i < n && err == M31R_OK; i++) {
        m31r_group group;
        err = m31r_groups_get(groups, i, &group);
        if (err != M31R_OK) {
            err = m31ri_fail(e, err, "out of memory for groups");
        } else if (s->is_json) {
            err = write_json(s, asked, &group, e);
        } else {
            is_exact = is_exact && group.quantiles_are_exact;
            add_row(table, asked, &group);
        }
    }
    if (err == M31R_OK && !s->is_json && n > 0) {
        m31ri_table_write(table, s);
        if (asked->field != NULL && !is_exact) {
            fprintf(s->out, "%sp50 p90 p99 of so many values are within 1 %%%s\n",
                    m31ri_style_on(s, M31RI_DIM), m31ri_style_off(s, M31RI_DIM));
        }
    }
    m31ri_table_free(table);
    return err;
}
