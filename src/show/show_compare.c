/* show_compare.c - runs side by side: a row for each thing that differs, a column for each run. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "m31r/json.h"
#include "show/rows.h"
#include "show/table.h"

#define CELL_COLUMNS 40

static m31r_err write_json_row(const m31r_screen *s, const m31r_reader *const *readers,
                               const m31r_compare_row *row, m31r_error *e)
{
    m31r_json *j = m31r_json_new("comparison");
    m31r_json_add_text(j, "group", row->group);
    m31r_json_add_text(j, "key", row->key);
    m31r_json_add_bool(j, "differs", row->differs);
    m31r_json_add_bool(j, "measured", row->is_measured);
    m31r_json_open(j, "values", '[');
    for (size_t i = 0; i < row->n_cells; i++) {
        const m31r_compare_cell *cell = &row->cells[i];
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "run_id", m31r_reader_facts(readers[i])->run_id);
        m31r_json_add_text(j, "value", cell->text);
        if (isnan(cell->delta)) {
            m31r_json_add_null(j, "delta");
        } else {
            m31r_json_add_double(j, "delta", cell->delta);
        }
        if (isnan(cell->relative)) {
            m31r_json_add_null(j, "relative");
        } else {
            m31r_json_add_double(j, "relative", cell->relative);
        }
        m31r_json_close(j);
    }
    m31r_json_close(j);
    return m31r_json_write(j, s->out, e);
}

/* A metric as people read it, with its change against the first run. */
static void format_cell(const m31r_compare_row *row, size_t i, char *out, size_t size)
{
    const m31r_compare_cell *cell = &row->cells[i];
    char text[M31RI_HUMAN_BYTES];
    bool is_metric = strcmp(row->group, "metric") == 0;
    if (cell->text == NULL) {
        snprintf(out, size, "-");
    } else if (is_metric && i > 0 && !isnan(cell->relative)) {
        snprintf(out, size, "%s (%+.2f %%)", m31ri_human_number(cell->number, text),
                 cell->relative * 100);
    } else if (is_metric && !isnan(cell->number)) {
        snprintf(out, size, "%s", m31ri_human_number(cell->number, text));
    } else {
        snprintf(out, size, "%s", cell->text);
    }
}

static void add_row(m31ri_table *t, const m31r_compare_row *row, const char *group)
{
    m31ri_table_add(t, group, M31RI_DIM);
    m31ri_table_add(t, row->key, row->is_measured ? M31RI_DIM : M31RI_BOLD);
    for (size_t i = 0; i < row->n_cells; i++) {
        char text[512];
        format_cell(row, i, text, sizeof text);
        bool is_other = i > 0 && row->differs && !row->is_measured;
        m31ri_table_add(t, text, is_other ? M31RI_YELLOW : M31RI_PLAIN);
    }
}

static void write_table(const m31r_screen *s, const m31r_reader *const *readers,
                        const m31r_comparison *c, bool shows_all)
{
    m31ri_column columns[M31R_COMPARE_LIMIT + 2] = {{"WHAT", false, 0}, {"KEY", false, 48}};
    m31r_compare_row row = {0};
    size_t n_same = 0;
    const char *group = "";
    (void)m31r_comparison_row(c, 0, &row);
    for (size_t i = 0; i < row.n_cells; i++) {
        const char *id = m31r_reader_facts(readers[i])->run_id;
        columns[i + 2] = (m31ri_column){m31ri_short_id(id), false, CELL_COLUMNS};
    }
    m31ri_table *t = m31ri_table_new(columns, row.n_cells + 2);
    for (size_t i = 0; m31r_comparison_row(c, i, &row) == M31R_OK; i++) {
        n_same += !row.differs;
        if (row.differs || shows_all) {
            add_row(t, &row, strcmp(group, row.group) != 0 ? row.group : "");
            group = row.group;
        }
    }
    m31ri_table_write(t, s);
    m31ri_table_free(t);
    if (!shows_all) {
        fprintf(s->out, "%zu more are the same: --all\n", n_same);
    }
}

m31r_err m31r_show_comparison(const m31r_screen *s, const m31r_reader *const *readers,
                              const m31r_comparison *c, bool shows_all, m31r_error *e)
{
    if (!s->is_json) {
        write_table(s, readers, c, shows_all);
        return M31R_OK;
    }
    m31r_compare_row row;
    m31r_err err = M31R_OK;
    for (size_t i = 0; err == M31R_OK && m31r_comparison_row(c, i, &row) == M31R_OK; i++) {
        if (row.differs || shows_all) {
            err = write_json_row(s, readers, &row, e);
        }
    }
    return err;
}
