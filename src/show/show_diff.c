/* show_diff.c - a difference: the verdict, what the identity says, the first difference with its
 * surroundings, how numbers part, what was set aside. */
#include <stdio.h>
#include <string.h>

#include "m31r/json.h"
#include "show/rows.h"
#include "show/table.h"
#include "show/text.h"

#define DIVERGENCES 20 /* told to a person; all of them in JSON */
#define COURSE_COLUMNS 10

static void add_run(m31r_json *j, const char *key, const m31r_reader *r)
{
    const m31r_facts *f = m31r_reader_facts(r);
    m31r_json_open(j, key, '{');
    m31r_json_add_text(j, "run_id", f->run_id);
    m31r_json_add_text(j, "path", f->path);
    m31r_json_add_text(j, "state", m31r_state_name(f->state));
    m31r_json_close(j);
}

static void add_line_number(m31r_json *j, const char *key, uint64_t line)
{
    if (line > 0) {
        m31r_json_add_int(j, key, (int64_t)line);
    } else {
        m31r_json_add_null(j, key);
    }
}

static void add_first(m31r_json *j, const char *key, const m31r_diff_part *part)
{
    if (part == NULL || !part->differs) {
        m31r_json_add_null(j, key);
        return;
    }
    const m31r_diff_place *p = &part->first;
    m31r_json_open(j, key, '{');
    m31r_json_add_text(j, "part", part->name);
    m31r_json_add_text(j, "file_a", p->file_a[0] != '\0' ? p->file_a : NULL);
    add_line_number(j, "line_a", p->line_a);
    m31r_json_add_text(j, "file_b", p->file_b[0] != '\0' ? p->file_b : NULL);
    add_line_number(j, "line_b", p->line_b);
    m31ri_add_step(j, "step", p->step != M31R_UNKNOWN ? p->step : M31R_NO_STEP);
    m31r_json_add_text(j, "field", p->field[0] != '\0' ? p->field : NULL);
    m31r_json_add_text(j, "a", p->a);
    m31r_json_add_text(j, "b", p->b);
    m31r_json_open(j, "context", '[');
    for (size_t i = 0; i < p->n_context; i++) {
        const m31r_diff_line *line = &p->context[i];
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "in", line->side == '=' ? "both" : line->side == 'a' ? "a" : "b");
        m31r_json_add_int(j, "line", (int64_t)line->line);
        m31r_json_add_raw(j, "record", line->text, strlen(line->text));
        m31r_json_close(j);
    }
    m31r_json_close(j);
    m31r_json_close(j);
}

static void add_part(m31r_json *j, const m31r_diff_part *part)
{
    m31r_json_open(j, NULL, '{');
    m31r_json_add_text(j, "name", part->name);
    m31r_json_add_text(j, "what", part->is_points ? "points" : "records");
    m31r_json_add_text(j, "set_aside", part->set_aside[0] != '\0' ? part->set_aside : NULL);
    m31r_json_add_bool(j, "differs", part->differs);
    m31r_json_add_bool(j, "aligned", part->is_aligned);
    m31r_json_add_int(j, "n_a", (int64_t)part->n_a);
    m31r_json_add_int(j, "n_b", (int64_t)part->n_b);
    m31r_json_add_int(j, "same", (int64_t)part->n_same);
    m31r_json_add_int(j, "differ", (int64_t)part->n_differ);
    m31r_json_add_int(j, "debug_ignored", (int64_t)part->n_debug);
    m31r_json_add_int(j, "unread", (int64_t)part->n_unread);
    add_first(j, "first", part);
    m31r_json_close(j);
}

static void add_divergences(m31r_json *j, const m31r_diff *d, const char *key, bool is_measured)
{
    m31r_divergence v;
    m31r_json_open(j, key, '[');
    for (size_t i = 0; m31r_diff_divergence(d, i, &v) == M31R_OK; i++) {
        if (v.is_measured != is_measured) {
            continue;
        }
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "name", v.name);
        m31r_json_add_int(j, "compared", (int64_t)v.n);
        m31r_json_add_int(j, "differ", (int64_t)v.n_differ);
        m31ri_add_step(j, "first_step", v.first_step);
        m31r_json_add_double(j, "max_relative", v.max_relative);
        m31ri_add_step(j, "max_step", v.max_step);
        m31r_json_add_double(j, "last_relative", v.last_relative);
        m31ri_add_step(j, "last_step", v.last_step);
        m31r_json_close(j);
    }
    m31r_json_close(j);
}

static void add_overlap(m31r_json *j, const m31r_diff *d)
{
    int64_t first;
    int64_t last;
    if (!m31r_diff_overlap(d, &first, &last)) {
        m31r_json_add_null(j, "overlap");
        return;
    }
    m31r_json_open(j, "overlap", '{');
    m31ri_add_step(j, "first_step", first <= last ? first : M31R_NO_STEP);
    m31ri_add_step(j, "last_step", first <= last ? last : M31R_NO_STEP);
    m31r_json_close(j);
}

static m31r_err write_json(const m31r_screen *s, const m31r_reader *const runs[2],
                           const m31r_diff *d, m31r_error *e)
{
    const char *why;
    m31r_json *j = m31r_json_new("diff");
    add_run(j, "a", runs[0]);
    add_run(j, "b", runs[1]);
    m31r_json_add_text(j, "verdict", m31r_diff_verdict_name(m31r_diff_result(d, &why)));
    m31r_json_add_text(j, "why", why[0] != '\0' ? why : NULL);
    add_overlap(j, d);
    m31r_json_open(j, "identity", '[');
    for (size_t i = 0; m31r_diff_identity(d, i) != NULL; i++) {
        const m31r_diff_fact *fact = m31r_diff_identity(d, i);
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "what", fact->what);
        m31r_json_add_text(j, "a", fact->a[0] != '\0' ? fact->a : NULL);
        m31r_json_add_text(j, "b", fact->b[0] != '\0' ? fact->b : NULL);
        m31r_json_close(j);
    }
    m31r_json_close(j);
    add_first(j, "first", m31r_diff_first(d));
    m31r_json_open(j, "parts", '[');
    for (size_t i = 0; m31r_diff_part_at(d, i) != NULL; i++) {
        add_part(j, m31r_diff_part_at(d, i));
    }
    m31r_json_close(j);
    add_divergences(j, d, "divergence", false);
    add_divergences(j, d, "measured", true);
    return m31r_json_write(j, s->out, e);
}

/* Safe text of at most the screen's width less `used` columns; without a width the whole. */
static void write_cut(const m31r_screen *s, const char *text, size_t used)
{
    m31ri_buf safe = M31RI_BUF_INIT;
    size_t width = s->width > (int)used + 20 ? (size_t)s->width - used : 0;
    m31ri_text_escape(&safe, text, strlen(text), width);
    fputs(m31ri_buf_str(&safe), s->out);
    m31ri_buf_release(&safe);
}

static void write_place(const m31r_screen *s, const m31r_diff_part *part)
{
    const m31r_diff_place *p = &part->first;
    const char *files[2] = {p->file_a, p->file_b};
    uint64_t lines[2] = {p->line_a, p->line_b};
    fprintf(s->out, "%sfirst%s     ", m31ri_style_on(s, M31RI_BOLD),
            m31ri_style_off(s, M31RI_BOLD));
    for (int i = 0; i < 2; i++) {
        fputs(i == 0 ? "A " : "   B ", s->out);
        if (lines[i] == 0) {
            fputs(part->is_points ? "no such point" : "has no record there", s->out);
            continue;
        }
        m31r_show_text(s, files[i]);
        fprintf(s->out, ":%llu", (unsigned long long)lines[i]);
    }
    if (p->step != M31R_UNKNOWN && p->step != M31R_NO_STEP) {
        char text[M31RI_HUMAN_BYTES];
        fprintf(s->out, "   step %s", m31ri_human_count(p->step, text));
    }
    if (p->field[0] != '\0') {
        fputs("   ", s->out);
        m31r_show_text(s, p->field);
        fprintf(s->out, "  %s", m31ri_style_on(s, M31RI_RED));
        m31r_show_text(s, p->a != NULL ? p->a : "(absent)");
        fputs(" | ", s->out);
        m31r_show_text(s, p->b != NULL ? p->b : "(absent)");
        fputs(m31ri_style_off(s, M31RI_RED), s->out);
    }
    fputc('\n', s->out);
    for (size_t i = 0; i < p->n_context; i++) {
        const m31r_diff_line *line = &p->context[i];
        m31ri_style style = line->side == '='   ? M31RI_DIM
                            : line->side == 'a' ? M31RI_RED
                                                : M31RI_GREEN;
        fprintf(s->out, "  %s%s %6llu  ", m31ri_style_on(s, style),
                line->side == '='   ? " "
                : line->side == 'a' ? "A"
                                    : "B",
                (unsigned long long)line->line);
        write_cut(s, line->text, 12);
        fprintf(s->out, "%s\n", m31ri_style_off(s, style));
    }
}

static void write_parts(const m31r_screen *s, const m31r_diff *d)
{
    static const m31ri_column columns[] = {
        {"PART", false, 40}, {"A", true, 0},      {"B", true, 0},    {"SAME", true, 0},
        {"DIFFER", true, 0}, {"UNREAD", true, 0}, {"NOTE", false, 0}};
    m31ri_table *t = m31ri_table_new(columns, 7);
    const m31r_diff_part *p;
    for (size_t i = 0; (p = m31r_diff_part_at(d, i)) != NULL; i++) {
        char text[M31RI_HUMAN_BYTES];
        char note[160];
        const uint64_t numbers[] = {p->n_a, p->n_b, p->n_same, p->n_differ, p->n_unread};
        bool is_aside = p->set_aside[0] != '\0';
        m31ri_table_add(t, p->name, M31RI_PLAIN);
        for (size_t k = 0; k < 5; k++) {
            bool is_shown = k < 3 || numbers[k] > 0;
            bool is_bad = k >= 3 && !is_aside;
            m31ri_table_add(t, is_shown ? m31ri_human_count((int64_t)numbers[k], text) : "",
                            is_bad ? M31RI_RED : M31RI_PLAIN);
        }
        snprintf(note, sizeof note, "%s%s%s%s", is_aside ? "set aside: " : "", p->set_aside,
                 is_aside && !p->is_aligned ? ", " : "",
                 !p->is_aligned ? "the rest was only counted" : "");
        m31ri_table_add(t, note, M31RI_DIM);
    }
    m31ri_table_write(t, s);
    m31ri_table_free(t);
}

static void write_percent(char out[M31RI_HUMAN_BYTES], double relative)
{
    char text[M31RI_HUMAN_BYTES];
    snprintf(out, M31RI_HUMAN_BYTES, "%.40s %%", m31ri_human_number(relative * 100, text));
}

static void add_divergence_row(m31ri_table *t, const m31r_divergence *v)
{
    char text[M31RI_HUMAN_BYTES];
    m31ri_buf course = M31RI_BUF_INIT;
    m31ri_human_course(&course, v->course, v->n_course, COURSE_COLUMNS);
    m31ri_table_add(t, v->name, M31RI_PLAIN);
    m31ri_table_add(t, m31ri_human_count((int64_t)v->n, text), M31RI_PLAIN);
    m31ri_table_add(t, m31ri_human_count((int64_t)v->n_differ, text), M31RI_PLAIN);
    m31ri_table_add(t, m31ri_human_count(v->first_step, text), M31RI_PLAIN);
    write_percent(text, v->max_relative);
    m31ri_table_add(t, text, M31RI_PLAIN);
    m31ri_table_add(t, m31ri_human_count(v->max_step, text), M31RI_PLAIN);
    write_percent(text, v->last_relative);
    m31ri_table_add(t, text, M31RI_PLAIN);
    m31ri_table_add(t, m31ri_buf_str(&course), M31RI_PLAIN);
    m31ri_buf_release(&course);
}

static void write_divergences(const m31r_screen *s, const m31r_diff *d)
{
    static const m31ri_column columns[] = {
        {"NUMBER", false, 32}, {"COMPARED", true, 0}, {"DIFFER", true, 0}, {"FROM STEP", true, 0},
        {"LARGEST", true, 0},  {"@ STEP", true, 0},   {"LAST", true, 0},   {"COURSE", false, 0}};
    m31ri_table *t = m31ri_table_new(columns, 8);
    m31r_divergence v;
    size_t n = 0;
    size_t n_measured = 0;
    for (size_t i = 0; m31r_diff_divergence(d, i, &v) == M31R_OK; i++) {
        n_measured += v.is_measured;
        if (!v.is_measured && n++ < DIVERGENCES) {
            add_divergence_row(t, &v);
        }
    }
    if (n > 0) {
        fputs("how they part (relative difference by step)\n", s->out);
        m31ri_table_write(t, s);
    }
    if (n > DIVERGENCES) {
        fprintf(s->out, "%zu more: --json\n", n - DIVERGENCES);
    }
    m31ri_table_free(t);
    fputs(n_measured > 0 ? "set aside  ts, measured:" : "set aside  ts", s->out);
    for (size_t i = 0; m31r_diff_divergence(d, i, &v) == M31R_OK; i++) {
        if (v.is_measured) {
            fputc(' ', s->out);
            m31r_show_text(s, v.name);
        }
    }
    fputc('\n', s->out);
}

static void write_overlap(const m31r_screen *s, const m31r_diff *d)
{
    int64_t first;
    int64_t last;
    char from[M31RI_HUMAN_BYTES];
    char to[M31RI_HUMAN_BYTES];
    if (m31r_diff_overlap(d, &first, &last) && first <= last) {
        fprintf(s->out, "overlap   one continues the other: of both only steps %s..%s\n",
                m31ri_human_count(first, from), m31ri_human_count(last, to));
    }
}

m31r_err m31r_show_diff(const m31r_screen *s, const m31r_reader *const runs[2], const m31r_diff *d,
                        m31r_error *e)
{
    if (s->is_json) {
        return write_json(s, runs, d, e);
    }
    const char *why;
    m31r_diff_verdict verdict = m31r_diff_result(d, &why);
    m31ri_style style = verdict == M31R_DIFF_EQUAL ? M31RI_GREEN : M31RI_BOLD_RED;
    for (int i = 0; i < 2; i++) {
        fputs(i == 0 ? "A " : "   B ", s->out);
        m31r_show_text(s, m31r_reader_facts(runs[i])->run_id);
    }
    fprintf(s->out, "   %s%s%s%s", m31ri_style_on(s, style), m31r_diff_verdict_name(verdict),
            m31ri_style_off(s, style), why[0] != '\0' ? ": " : "");
    m31r_show_text(s, why);
    fputc('\n', s->out);
    for (size_t i = 0; m31r_diff_identity(d, i) != NULL; i++) {
        const m31r_diff_fact *fact = m31r_diff_identity(d, i);
        fprintf(s->out, "%-9s %s  ", i == 0 ? "identity" : "", fact->what);
        m31r_show_text(s, fact->a[0] != '\0' ? fact->a : "?");
        fputs(" -> ", s->out);
        m31r_show_text(s, fact->b[0] != '\0' ? fact->b : "?");
        fputc('\n', s->out);
    }
    write_overlap(s, d);
    if (m31r_diff_first(d) != NULL) {
        write_place(s, m31r_diff_first(d));
    }
    write_parts(s, d);
    write_divergences(s, d);
    return M31R_OK;
}
