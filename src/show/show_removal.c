/* show_removal.c - what was, or would be, removed, archived or cleaned. */
#include <stdio.h>

#include "m31r/json.h"
#include "show/rows.h"
#include "show/text.h"

m31r_err m31r_show_removal(const m31r_screen *s, const m31r_removal *r, bool is_payload,
                           m31r_error *e)
{
    char bytes[M31RI_HUMAN_BYTES];
    bool is_refused = r->refused[0] != '\0';
    if (s->is_json) {
        m31r_json *j = m31r_json_new("removal");
        m31r_json_add_text(j, "run_id", r->run_id);
        m31ri_add_known_text(j, "name", r->name);
        m31r_json_add_text(j, "state", r->state);
        m31r_json_add_text(j, "what", is_payload ? "payload" : "run");
        m31ri_add_known_text(j, "refused", r->refused);
        m31r_json_add_int(j, "files", (int64_t)r->n_files);
        m31r_json_add_int(j, "bytes", (int64_t)r->bytes);
        m31r_json_add_int(j, "kept", (int64_t)r->n_kept);
        m31ri_add_known_text(j, "tombstone", r->tombstone);
        m31r_json_add_bool(j, "done", r->is_done);
        return m31r_json_write(j, s->out, e);
    }
    m31ri_style style = is_refused ? M31RI_YELLOW : M31RI_RED;
    fprintf(s->out, "%s%-8s%s  ", m31ri_style_on(s, style),
            is_refused   ? "stays"
            : r->is_done ? "removed"
                         : "goes",
            m31ri_style_off(s, style));
    m31r_show_text(s, r->run_id);
    fputs("  ", s->out);
    m31r_show_text(s, r->state);
    if (is_refused) {
        fputs("  ", s->out);
        m31r_show_text(s, r->refused);
        fputc('\n', s->out);
        return M31R_OK;
    }
    fprintf(s->out, "  %s%llu files, %s", is_payload ? "payload: " : "",
            (unsigned long long)r->n_files, m31ri_human_bytes((int64_t)r->bytes, bytes));
    if (r->n_kept > 0) {
        fprintf(s->out, ", %llu kept", (unsigned long long)r->n_kept);
    }
    fputs("   tombstone ", s->out);
    m31r_show_text(s, r->tombstone);
    fputc('\n', s->out);
    return M31R_OK;
}

m31r_err m31r_show_archived(const m31r_screen *s, const m31r_archived *a, m31r_error *e)
{
    char bytes[M31RI_HUMAN_BYTES];
    if (s->is_json) {
        m31r_json *j = m31r_json_new("archived");
        m31r_json_add_text(j, "run_id", a->run_id);
        m31r_json_add_text(j, "to", a->to);
        m31r_json_add_text(j, "verdict", a->verdict);
        m31r_json_add_int(j, "files", (int64_t)a->n_files);
        m31r_json_add_int(j, "bytes", (int64_t)a->bytes);
        m31r_json_add_bool(j, "done", a->is_done);
        return m31r_json_write(j, s->out, e);
    }
    m31r_show_text(s, a->run_id);
    fputs(a->is_done ? "   now in " : "   would go to ", s->out);
    m31r_show_text(s, a->to);
    fputs(" (", s->out);
    m31r_show_text(s, a->verdict);
    if (a->is_done) {
        fprintf(s->out, "; %llu files, %s, each read back and equal",
                (unsigned long long)a->n_files, m31ri_human_bytes((int64_t)a->bytes, bytes));
    }
    fputs(")\n", s->out);
    return M31R_OK;
}

m31r_err m31r_show_cleaned(const m31r_screen *s, const m31r_cleaned *c, m31r_error *e)
{
    static const char *const words[] = {"stays", "goes", "removed"};
    char bytes[M31RI_HUMAN_BYTES];
    if (s->is_json) {
        m31r_json *j = m31r_json_new("cleaned");
        m31r_json_add_text(j, "file", c->file);
        m31r_json_add_text(j, "what", words[c->kind]);
        m31r_json_add_text(j, "why", c->why);
        m31r_json_add_int(j, "bytes", (int64_t)c->bytes);
        return m31r_json_write(j, s->out, e);
    }
    fprintf(s->out, "%-8s  ", words[c->kind]);
    m31r_show_text(s, c->file);
    fprintf(s->out, "  %s  ", m31ri_human_bytes((int64_t)c->bytes, bytes));
    m31r_show_text(s, c->why);
    fputc('\n', s->out);
    return M31R_OK;
}

m31r_err m31r_show_redaction(const m31r_screen *s, const m31r_redaction *r, m31r_error *e)
{
    if (s->is_json) {
        m31r_json *j = m31r_json_new("redaction");
        m31r_json_add_text(j, "run_id", r->run_id);
        m31r_json_add_int(j, "files", (int64_t)r->n_files);
        m31r_json_add_int(j, "blocks", (int64_t)r->n_blocks);
        m31r_json_add_int(j, "records", (int64_t)r->n_records);
        m31r_json_add_int(j, "unreadable", (int64_t)r->n_unreadable);
        m31r_json_add_bool(j, "done", r->is_done);
        return m31r_json_write(j, s->out, e);
    }
    m31r_show_text(s, r->run_id);
    fprintf(s->out, "   %llu records in %llu blocks of %llu files %s\n",
            (unsigned long long)r->n_records, (unsigned long long)r->n_blocks,
            (unsigned long long)r->n_files, r->is_done ? "redacted" : "would be redacted");
    return M31R_OK;
}
