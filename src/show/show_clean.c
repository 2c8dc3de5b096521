/* show_clean.c - what was found in files, and what nobody can say. */
#include <stdio.h>

#include "m31r/json.h"
#include "m31r/show.h"
#include "show/text.h"

m31r_err m31r_show_leak(const m31r_screen *s, const m31r_leak *l, m31r_error *e)
{
    if (s->is_json) {
        m31r_json *j = m31r_json_new("leak");
        m31r_json_add_text(j, "file", l->file);
        m31r_json_add_int(j, "line", (int64_t)l->line);
        m31r_json_add_int(j, "column", (int64_t)l->column);
        m31r_json_add_text(j, "found", l->found);
        m31r_json_add_text(j, "rule", l->rule);
        return m31r_json_write(j, s->out, e);
    }
    m31r_show_text(s, l->file);
    fprintf(s->out, ":%llu:%llu: ", (unsigned long long)l->line, (unsigned long long)l->column);
    m31r_show_text(s, l->found);
    fputs(" (", s->out);
    m31r_show_text(s, l->rule);
    fputs(")\n", s->out);
    return M31R_OK;
}

m31r_err m31r_show_unproved(const m31r_screen *s, const m31r_unproved *u, m31r_error *e)
{
    if (s->is_json) {
        m31r_json *j = m31r_json_new("unproved");
        m31r_json_add_text(j, "file", u->file);
        m31r_json_add_text(j, "why", u->why);
        return m31r_json_write(j, s->out, e);
    }
    fputs("not proved: ", s->out);
    m31r_show_text(s, u->file);
    fputs(": ", s->out);
    m31r_show_text(s, u->why);
    fputc('\n', s->out);
    return M31R_OK;
}

m31r_err m31r_show_privacy(const m31r_screen *s, const char *path, const m31r_privacy_summary *sum,
                           m31r_error *e)
{
    if (s->is_json) {
        m31r_json *j = m31r_json_new("privacy");
        m31r_json_add_text(j, "path", path);
        m31r_json_add_int(j, "files", (int64_t)sum->n_files);
        m31r_json_add_int(j, "lines", (int64_t)sum->n_lines);
        m31r_json_add_int(j, "findings", (int64_t)sum->n_found);
        m31r_json_add_int(j, "unproved", (int64_t)sum->n_unproved);
        m31r_json_add_bool(j, "log_prompts", sum->has_prompts);
        return m31r_json_write(j, s->out, e);
    }
    m31r_show_text(s, path);
    fprintf(s->out, ": %llu found in %llu lines of %llu files; %llu files cannot be proved clean\n",
            (unsigned long long)sum->n_found, (unsigned long long)sum->n_lines,
            (unsigned long long)sum->n_files, (unsigned long long)sum->n_unproved);
    if (sum->has_prompts) {
        fputs("observability.log_prompts is on in a run here: text of users is kept by choice\n",
              s->out);
    }
    return M31R_OK;
}
