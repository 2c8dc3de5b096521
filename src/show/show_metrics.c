/* show_metrics.c - metrics as a table, as JSON, and one of them as a plot of dots. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "m31r/json.h"
#include "show/rows.h"
#include "show/table.h"

#define COURSE_COLUMNS 12
#define PLOT_ROWS 12
#define PLOT_COLUMNS 72

static void add_finite(m31r_json *j, const char *key, double x, bool is_known)
{
    if (is_known) {
        m31r_json_add_double(j, key, x);
    } else {
        m31r_json_add_null(j, key);
    }
}

void m31ri_add_metric(m31r_json *j, const m31r_metric_facts *m)
{
    static const char *const better[] = {NULL, "lower", "higher"};
    bool any = m->n > m->n_nonfinite;
    m31r_json_add_text(j, "name", m->name);
    m31r_json_add_text(j, "unit", m->unit[0] != '\0' ? m->unit : NULL);
    m31r_json_add_text(j, "better", better[m->better]);
    m31r_json_add_int(j, "count", (int64_t)m->n);
    m31r_json_add_int(j, "nonfinite", (int64_t)m->n_nonfinite);
    m31r_json_add_int(j, "segments", (int64_t)m->n_segments);
    add_finite(j, "first", m->first, m->n > 0);
    m31ri_add_step(j, "first_step", m->first_step);
    add_finite(j, "last", m->last, m->n > 0);
    m31ri_add_step(j, "last_step", m->last_step);
    add_finite(j, "min", m->min, any);
    m31ri_add_step(j, "min_step", m->min_step);
    add_finite(j, "max", m->max, any);
    m31ri_add_step(j, "max_step", m->max_step);
    add_finite(j, "best", m->best, any && m->better != M31R_BETTER_UNKNOWN);
    m31ri_add_step(j, "best_step", m->best_step);
    add_finite(j, "mean", m->mean, any);
    add_finite(j, "std", m->std, any && !isnan(m->std));
    add_finite(j, "p50", m->p50, any);
    add_finite(j, "p90", m->p90, any);
    add_finite(j, "p99", m->p99, any);
    m31r_json_add_bool(j, "quantiles_exact", m->quantiles_are_exact);
}

static void add_number(m31ri_table *t, double x, bool is_known)
{
    char text[M31RI_HUMAN_BYTES];
    m31ri_table_add(t, is_known ? m31ri_human_number(x, text) : "",
                    is_known && !isfinite(x) ? M31RI_RED : M31RI_PLAIN);
}

static void add_step_cell(m31ri_table *t, int64_t step)
{
    char text[M31RI_HUMAN_BYTES];
    m31ri_table_add(t, step < 0 ? "" : m31ri_human_count(step, text), M31RI_PLAIN);
}

static void add_course(m31ri_table *t, const m31r_metric_facts *m)
{
    m31ri_buf course = M31RI_BUF_INIT;
    m31ri_human_course(&course, m->trace, m->n_trace, COURSE_COLUMNS);
    m31ri_table_add(t, m31ri_buf_str(&course), M31RI_CYAN);
    m31ri_buf_release(&course);
}

static void add_note(m31ri_table *t, const m31r_metric_facts *m)
{
    char note[128] = "";
    if (m->n_nonfinite > 0) {
        snprintf(note, sizeof note, "%" PRIu64 " non-finite", m->n_nonfinite);
    }
    if (m->n_segments > 1) {
        size_t n = strlen(note);
        snprintf(note + n, sizeof note - n, "%s%" PRIu64 " segments", n > 0 ? ", " : "",
                 m->n_segments);
    }
    m31ri_table_add(t, note, M31RI_YELLOW);
}

void m31ri_write_metrics(const m31r_screen *s, const m31r_series *series)
{
    static const m31ri_column columns[] = {
        {"metric", false, 28}, {"last", true, 0},    {"best", true, 0}, {"@ step", true, 0},
        {"unit", false, 10},   {"course", false, 0}, {"note", false, 0}};
    m31ri_table *t = m31ri_table_new(columns, sizeof columns / sizeof columns[0]);
    m31r_metric_facts m;
    for (size_t i = 0; m31r_series_get(series, i, &m) == M31R_OK; i++) {
        bool has_best = m.better != M31R_BETTER_UNKNOWN && isfinite(m.best);
        m31ri_table_add(t, m.name, M31RI_PLAIN);
        add_number(t, m.last, m.n > 0);
        add_number(t, m.best, has_best);
        add_step_cell(t, has_best ? m.best_step : -1);
        m31ri_table_add(t, m.unit, M31RI_DIM);
        add_course(t, &m);
        add_note(t, &m);
    }
    if (m31r_series_count(series) > 0) {
        m31ri_table_write(t, s);
    } else {
        fputs("no metrics\n", s->out);
    }
    m31ri_table_free(t);
}

static void add_full_row(m31ri_table *t, const m31r_metric_facts *m)
{
    bool any = m->n > m->n_nonfinite;
    char text[M31RI_HUMAN_BYTES];
    m31ri_table_add(t, m->name, M31RI_BOLD);
    m31ri_table_add(t, m->unit, M31RI_DIM);
    m31ri_table_add(t, m31ri_human_count((int64_t)m->n, text), M31RI_PLAIN);
    add_number(t, m->last, m->n > 0);
    add_step_cell(t, m->last_step);
    add_number(t, m->best, any && m->better != M31R_BETTER_UNKNOWN);
    add_number(t, m->min, any);
    add_number(t, m->max, any);
    add_number(t, m->mean, any);
    add_number(t, m->p50, any);
    add_number(t, m->p99, any);
    add_course(t, m);
    add_note(t, m);
}

m31r_err m31r_show_metrics(const m31r_screen *s, const m31r_metric_facts *metrics, size_t n,
                           m31r_error *e)
{
    static const m31ri_column columns[] = {
        {"METRIC", false, 32}, {"UNIT", false, 10}, {"N", true, 0},   {"LAST", true, 0},
        {"@ STEP", true, 0},   {"BEST", true, 0},   {"MIN", true, 0}, {"MAX", true, 0},
        {"MEAN", true, 0},     {"P50", true, 0},    {"P99", true, 0}, {"COURSE", false, 0},
        {"NOTE", false, 0}};
    m31ri_table *t =
        s->is_json ? NULL : m31ri_table_new(columns, sizeof columns / sizeof columns[0]);
    m31r_err err = M31R_OK;
    for (size_t i = 0; i < n && err == M31R_OK; i++) {
        if (s->is_json) {
            m31r_json *j = m31r_json_new("metric");
            m31ri_add_metric(j, &metrics[i]);
            err = m31r_json_write(j, s->out, e);
        } else {
            add_full_row(t, &metrics[i]);
        }
    }
    if (!s->is_json && n > 0) {
        m31ri_table_write(t, s);
    } else if (!s->is_json) {
        fputs("no metrics\n", s->out);
    }
    m31ri_table_free(t);
    return err;
}

/* Braille cells are two dots wide and four high; this is the bit of each. */
static const unsigned char dots[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

typedef struct plot {
    unsigned char cells[PLOT_ROWS][PLOT_COLUMNS];
    size_t columns;
    double low, high;
} plot;

static void set_dot(plot *p, size_t x, double value)
{
    double range = p->high - p->low;
    size_t height = PLOT_ROWS * 4;
    double place = range > 0 ? (p->high - value) / range : 0.5;
    size_t y = (size_t)(place * (double)(height - 1) + 0.5);
    p->cells[y / 4][x / 2] |= dots[y % 4][x % 2];
}

static void draw(plot *p, const m31r_metric_facts *m)
{
    p->low = INFINITY;
    p->high = -INFINITY;
    for (size_t i = 0; i < m->n_trace; i++) {
        p->low = isfinite(m->trace[i]) && m->trace[i] < p->low ? m->trace[i] : p->low;
        p->high = isfinite(m->trace[i]) && m->trace[i] > p->high ? m->trace[i] : p->high;
    }
    for (size_t x = 0; x < p->columns * 2; x++) {
        double value = m->trace[x * m->n_trace / (p->columns * 2)];
        if (isfinite(value)) {
            set_dot(p, x, value);
        }
    }
}

static void write_plot_row(const m31r_screen *s, const plot *p, size_t row)
{
    char text[M31RI_HUMAN_BYTES] = "";
    if (row == 0 || row == PLOT_ROWS - 1) {
        m31ri_human_number(row == 0 ? p->high : p->low, text);
    }
    fprintf(s->out, "%12s %s", text, row == 0 || row == PLOT_ROWS - 1 ? "┤" : "│");
    fputs(m31ri_style_on(s, M31RI_CYAN), s->out);
    for (size_t x = 0; x < p->columns; x++) {
        unsigned bits = p->cells[row][x];
        /* U+2800 + bits, as UTF-8. */
        fprintf(s->out, "%c%c%c", 0xe2, 0xa0 | (bits >> 6), 0x80 | (bits & 0x3f));
    }
    fprintf(s->out, "%s\n", m31ri_style_off(s, M31RI_CYAN));
}

void m31r_show_plot(const m31r_screen *s, const m31r_metric_facts *m)
{
    plot p = {.columns = PLOT_COLUMNS};
    char first[M31RI_HUMAN_BYTES];
    char last[M31RI_HUMAN_BYTES];
    if (s->width > 24 && (size_t)s->width - 16 < p.columns) {
        p.columns = (size_t)s->width - 16;
    }
    m31r_show_text(s, m->name);
    if (m->unit[0] != '\0') {
        fputs(" (", s->out);
        m31r_show_text(s, m->unit);
        fputc(')', s->out);
    }
    fputc('\n', s->out);
    if (m->n == m->n_nonfinite) {
        fputs("  no finite point\n", s->out);
        return;
    }
    draw(&p, m);
    for (size_t row = 0; row < PLOT_ROWS; row++) {
        write_plot_row(s, &p, row);
    }
    if (m->first_step != M31R_NO_STEP && m->last_step != M31R_NO_STEP) {
        m31ri_human_count(m->first_step, first);
        m31ri_human_count(m->last_step, last);
        fprintf(s->out, "%14s%-*s%s\n", "", (int)(p.columns - strlen(last)), first, last);
    }
}
