/* show_reproduction.c - what was found before a run is repeated, and what came of it. */
#include <stdio.h>
#include <string.h>

#include "m31r/json.h"
#include "show/rows.h"

static const char *const results[] = {"same", "differs", "refused"};

static m31r_err write_json(const m31r_screen *s, const m31r_reproduction *p, m31r_error *e)
{
    const m31r_facts *facts = m31r_reader_facts(m31r_reproduction_of(p));
    m31r_finding f;
    m31r_json *j = m31r_json_new("reproduction");
    m31r_json_add_text(j, "run_id", facts->run_id);
    m31r_json_add_bool(j, "possible", m31r_reproduction_refused(p) == 0);
    m31r_json_add_text(j, "command", facts->command);
    m31r_json_open(j, "findings", '[');
    for (size_t i = 0; m31r_reproduction_finding(p, i, &f) == M31R_OK; i++) {
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "what", f.what);
        m31r_json_add_text(j, "result", results[f.kind]);
        m31r_json_add_text(j, "text", f.text);
        m31r_json_add_text(j, "todo", f.todo[0] != '\0' ? f.todo : NULL);
        m31r_json_close(j);
    }
    m31r_json_close(j);
    return m31r_json_write(j, s->out, e);
}

static void write_finding(const m31r_screen *s, const m31r_finding *f)
{
    static const m31ri_style styles[] = {M31RI_GREEN, M31RI_YELLOW, M31RI_RED};
    static const char *const words[] = {"same    ", "differs ", "refused "};
    fprintf(s->out, "%s%s%s  ", m31ri_style_on(s, styles[f->kind]), words[f->kind],
            m31ri_style_off(s, styles[f->kind]));
    m31r_show_text(s, f->what);
    fputs(": ", s->out);
    m31r_show_text(s, f->text);
    if (f->todo[0] != '\0') {
        fputs("\n          ", s->out);
        m31r_show_text(s, f->todo);
    }
    fputc('\n', s->out);
}

m31r_err m31r_show_reproduction(const m31r_screen *s, const m31r_reproduction *p, m31r_error *e)
{
    m31r_finding f;
    const m31r_facts *facts = m31r_reader_facts(m31r_reproduction_of(p));
    if (s->is_json) {
        return write_json(s, p, e);
    }
    fprintf(s->out, "%s", m31ri_style_on(s, M31RI_BOLD));
    m31r_show_text(s, facts->run_id);
    fprintf(s->out, "%s   %s\ncommand   ", m31ri_style_off(s, M31RI_BOLD),
            m31r_reproduction_refused(p) == 0 ? "can be repeated" : "cannot be repeated");
    m31r_show_text(s, facts->command);
    fputc('\n', s->out);
    for (size_t i = 0; m31r_reproduction_finding(p, i, &f) == M31R_OK; i++) {
        write_finding(s, &f);
    }
    return M31R_OK;
}

/* What the two runs were made of and ran on, where it is known of both and not the same. What was
 * seen loaded in one of them only may just have been missed in the other. */
static bool is_told(const m31r_compare_row *row)
{
    bool is_group = strcmp(row->group, "code") == 0 || strcmp(row->group, "data") == 0 ||
                    strcmp(row->group, "environment") == 0;
    bool is_loaded = strncmp(row->key, "library ", 8) == 0 ||
                     strncmp(row->key, "program ", 8) == 0 ||
                     strncmp(row->key, "compiler ", 9) == 0;
    bool has_both = row->cells[0].text != NULL && row->cells[1].text != NULL;
    return row->differs && is_group && strcmp(row->key, "branch") != 0 && (!is_loaded || has_both);
}

static void add_differences(m31r_json *j, const m31r_comparison *c)
{
    m31r_compare_row row;
    m31r_json_open(j, "differs", '[');
    for (size_t i = 0; m31r_comparison_row(c, i, &row) == M31R_OK; i++) {
        if (is_told(&row)) {
            m31r_json_open(j, NULL, '{');
            m31r_json_add_text(j, "group", row.group);
            m31r_json_add_text(j, "key", row.key);
            m31r_json_add_text(j, "a", row.cells[0].text);
            m31r_json_add_text(j, "b", row.cells[1].text);
            m31r_json_close(j);
        }
    }
    m31r_json_close(j);
}

static void write_differences(const m31r_screen *s, const m31r_comparison *c)
{
    m31r_compare_row row;
    for (size_t i = 0; m31r_comparison_row(c, i, &row) == M31R_OK; i++) {
        if (is_told(&row)) {
            fprintf(s->out, "%-11s ", row.group);
            m31r_show_text(s, row.key);
            fputs("  ", s->out);
            m31r_show_text(s, row.cells[0].text != NULL ? row.cells[0].text : "-");
            fputs(" -> ", s->out);
            m31r_show_text(s, row.cells[1].text != NULL ? row.cells[1].text : "-");
            fputc('\n', s->out);
        }
    }
}

m31r_err m31r_show_parted_by(const m31r_screen *s, const m31r_reproduction *p, m31r_error *e)
{
    m31r_finding f;
    (void)e;
    for (size_t i = 0; !s->is_json && m31r_reproduction_finding(p, i, &f) == M31R_OK; i++) {
        bool is_told_by_digest_only =
            strncmp(f.what, "source", 6) == 0 || strncmp(f.what, "input ", 6) == 0;
        if (f.kind == M31R_FINDING_DIFFERS && is_told_by_digest_only) {
            write_finding(s, &f);
        }
    }
    return M31R_OK;
}

m31r_err m31r_show_reproduced(const m31r_screen *s, const m31r_reader *const runs[2],
                              const m31r_diff *d, const m31r_comparison *c, m31r_error *e)
{
    bool is_equal = m31r_diff_result(d, NULL) == M31R_DIFF_EQUAL;
    const m31r_diff_part *first = m31r_diff_first(d);
    if (s->is_json) {
        m31r_json *j = m31r_json_new("reproduced");
        m31r_json_add_text(j, "run_id", m31r_reader_facts(runs[0])->run_id);
        m31r_json_add_text(j, "new_run_id", m31r_reader_facts(runs[1])->run_id);
        m31r_json_add_bool(j, "reproduced", is_equal);
        m31r_json_add_text(j, "verdict", m31r_diff_verdict_name(m31r_diff_result(d, NULL)));
        m31ri_add_step(j, "parts_at_step",
                       first != NULL && first->differs ? first->first.step : M31R_UNKNOWN);
        add_differences(j, c);
        return m31r_json_write(j, s->out, e);
    }
    write_differences(s, c);
    fprintf(s->out, "%s%s%s: ", m31ri_style_on(s, is_equal ? M31RI_GREEN : M31RI_RED),
            is_equal ? "reproduced" : "not reproduced",
            m31ri_style_off(s, is_equal ? M31RI_GREEN : M31RI_RED));
    m31r_show_text(s, m31r_reader_facts(runs[1])->run_id);
    fputs(is_equal ? " is equal to " : " parts from ", s->out);
    m31r_show_text(s, m31r_reader_facts(runs[0])->run_id);
    fputc('\n', s->out);
    return M31R_OK;
}
