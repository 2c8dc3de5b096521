/* show_notes.c - notes, tags and releases: of a run, and one just written. */
#include <stdio.h>
#include <string.h>

#include "m31r/notes.h"
#include "show/rows.h"

static const char *const whats[] = {"note", "tag", "untag", "release"};

void m31ri_add_notes(m31r_json *j, const m31r_reader *r)
{
    m31r_note note;
    m31r_json_open(j, "notes", '[');
    for (size_t i = 0; m31r_reader_note(r, i, &note) == M31R_OK; i++) {
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "ts", note.ts);
        m31r_json_add_text(j, "what", whats[note.kind]);
        m31r_json_add_text(j, "text", note.text);
        m31r_json_close(j);
    }
    m31r_json_close(j);
}

static void write_one(const m31r_screen *s, const char *label, const char *ts, const char *text)
{
    char day[24] = "";
    if (strlen(ts) >= 16) {
        snprintf(day, sizeof day, "%.10s %.5sZ  ", ts, ts + 11);
    }
    fprintf(s->out, "%s%-10s%s", m31ri_style_on(s, M31RI_DIM), label,
            m31ri_style_off(s, M31RI_DIM));
    m31r_show_text(s, day);
    m31r_show_text(s, text);
    fputc('\n', s->out);
}

void m31ri_write_notes(const m31r_screen *s, const m31r_reader *r)
{
    const m31r_facts *f = m31r_reader_facts(r);
    m31r_note note;
    if (f->release[0] != '\0') {
        write_one(s, "release", "", f->release);
    }
    if (f->tags[0] != '\0') {
        write_one(s, "tags", "", f->tags);
    }
    for (size_t i = 0; m31r_reader_note(r, i, &note) == M31R_OK; i++) {
        if (note.kind == M31R_NOTE_TEXT) {
            write_one(s, "note", note.ts, note.text);
        }
    }
}

static m31r_err write_json(const m31r_screen *s, m31r_note_kind kind, const m31r_noted *noted,
                           m31r_error *e)
{
    m31r_json *j = m31r_json_new("noted");
    m31r_json_add_text(j, "run_id", noted->run_id);
    m31r_json_add_text(j, "path", noted->path);
    m31r_json_add_text(j, "what", whats[kind]);
    m31r_json_add_text(j, "name", noted->name[0] != '\0' ? noted->name : NULL);
    m31r_json_add_int(j, "redacted", noted->n_redacted);
    m31r_json_add_bool(j, "new", noted->is_news);
    return m31r_json_write(j, s->out, e);
}

m31r_err m31r_show_noted(const m31r_screen *s, m31r_note_kind kind, const m31r_noted *noted,
                         m31r_error *e)
{
    static const char *const done[] = {"noted", "tagged ", "took off the tag ", "release "};
    if (s->is_json) {
        return write_json(s, kind, noted, e);
    }
    m31r_show_text(s, noted->run_id);
    fputs(noted->is_news ? "   " : "   already so: ", s->out);
    m31r_show_text(s, done[kind]);
    m31r_show_text(s, noted->name);
    if (noted->n_redacted > 0) {
        fprintf(s->out, ", %u redacted", noted->n_redacted);
    }
    fputc('\n', s->out);
    return M31R_OK;
}
