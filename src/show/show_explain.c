/* show_explain.c - an explanation: one statement a line with its place, then the last records. */
#include <stdio.h>
#include <string.h>

#include "m31r/json.h"
#include "show/rows.h"
#include "show/text.h"

static void add_statement(m31r_json *j, const m31r_statement *s)
{
    m31r_json_open(j, NULL, '{');
    m31r_json_add_text(j, "topic", s->topic);
    m31r_json_add_text(j, "text", s->text);
    m31r_json_add_text(j, "file", s->file);
    if (s->line > 0) {
        m31r_json_add_int(j, "line", (int64_t)s->line);
        m31r_json_add_int(j, "last_line", (int64_t)s->last_line);
    } else {
        m31r_json_add_null(j, "line");
        m31r_json_add_null(j, "last_line");
    }
    m31r_json_close(j);
}

static m31r_err write_json(const m31r_screen *s, const m31r_reader *r, const m31r_explanation *x,
                           m31r_error *e)
{
    const m31r_facts *f = m31r_reader_facts(r);
    m31r_statement statement;
    m31r_explain_record record;
    m31r_json *j = m31r_json_new("explanation");
    m31r_json_add_text(j, "run_id", f->run_id);
    m31r_json_add_text(j, "path", f->path);
    m31r_json_add_text(j, "state", m31r_state_name(f->state));
    m31r_json_add_text(j, "cause", f->cause[0] != '\0' ? f->cause : NULL);
    m31r_json_open(j, "statements", '[');
    for (size_t i = 0; m31r_explanation_statement(x, i, &statement) == M31R_OK; i++) {
        add_statement(j, &statement);
    }
    m31r_json_close(j);
    m31r_json_open(j, "records", '[');
    for (size_t i = 0; m31r_explanation_record(x, i, &record) == M31R_OK; i++) {
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "file", record.file);
        m31r_json_add_int(j, "line", (int64_t)record.line);
        m31r_json_add_raw(j, "record", record.text, strlen(record.text));
        m31r_json_close(j);
    }
    m31r_json_close(j);
    return m31r_json_write(j, s->out, e);
}

static void write_statement(const m31r_screen *s, const m31r_statement *statement,
                            m31ri_style style)
{
    fprintf(s->out, "%-10s %s", statement->topic, m31ri_style_on(s, style));
    m31r_show_text(s, statement->text);
    fprintf(s->out, "%s  %s[", m31ri_style_off(s, style), m31ri_style_on(s, M31RI_DIM));
    m31r_show_text(s, statement->file);
    if (statement->line > 0) {
        fprintf(s->out, ":%llu", (unsigned long long)statement->line);
    }
    if (statement->last_line > statement->line) {
        fprintf(s->out, "-%llu", (unsigned long long)statement->last_line);
    }
    fprintf(s->out, "]%s\n", m31ri_style_off(s, M31RI_DIM));
}

static void write_record(const m31r_screen *s, const m31r_explain_record *record)
{
    m31ri_buf safe = M31RI_BUF_INIT;
    m31ri_text_escape(&safe, record->text, strlen(record->text),
                      s->width > 60 ? (size_t)s->width - 40 : 0);
    fputs("  ", s->out);
    m31r_show_text(s, record->file);
    fprintf(s->out, ":%llu  %s%s%s\n", (unsigned long long)record->line,
            m31ri_style_on(s, M31RI_DIM), m31ri_buf_str(&safe), m31ri_style_off(s, M31RI_DIM));
    m31ri_buf_release(&safe);
}

m31r_err m31r_show_explanation(const m31r_screen *s, const m31r_reader *r,
                               const m31r_explanation *x, m31r_error *e)
{
    m31r_statement statement;
    m31r_explain_record record;
    if (s->is_json) {
        return write_json(s, r, x, e);
    }
    fputs(m31ri_style_on(s, M31RI_BOLD), s->out);
    m31r_show_text(s, m31r_reader_facts(r)->run_id);
    fprintf(s->out, "%s\n", m31ri_style_off(s, M31RI_BOLD));
    for (size_t i = 0; m31r_explanation_statement(x, i, &statement) == M31R_OK; i++) {
        bool is_state = i == 0;
        write_statement(s, &statement,
                        is_state ? m31ri_state_style(m31r_reader_facts(r)->state) : M31RI_PLAIN);
    }
    fputs("the last records of all lanes\n", s->out);
    for (size_t i = 0; m31r_explanation_record(x, i, &record) == M31R_OK; i++) {
        write_record(s, &record);
    }
    return M31R_OK;
}
