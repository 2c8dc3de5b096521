/* note_add.c - m31r_note_add(): one line at the end of a run's notes.jsonl.
 *
 * The text goes through the privacy rules that the run's own config chose. A tag is a name, and a
 * name with a marker in it would be another one, so one that the rules would change is refused.
 */
#include "m31r/notes.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/notes_file.h"
#include "format/run_find.h"
#include "keep/keep_int.h"
#include "rules/privacy_run.h"

static m31r_err check_text(const m31r_note *note, m31r_error *e)
{
    size_t length = strnlen(note->text, M31R_NOTE_BYTES + 1);
    if (note->kind == M31R_NOTE_TEXT && (length == 0 || length > M31R_NOTE_BYTES)) {
        return m31ri_fail(e, M31R_E_ARG, "a note is 1 to %d bytes of text", M31R_NOTE_BYTES);
    }
    if (note->kind != M31R_NOTE_TEXT && !m31ri_tag_is_valid(note->text)) {
        return m31ri_fail(e, M31R_E_ARG,
                          "\"%.80s\" is no name for a %s: 1 to %d of A-Z a-z 0-9 . _ -, the first "
                          "a letter or digit",
                          note->text, note->kind == M31R_NOTE_RELEASE ? "release" : "tag",
                          M31R_TAG_BYTES);
    }
    return M31R_OK;
}

/* The text as it may be written, in `out`. */
static m31r_err scrub(const m31r_reader *r, const m31r_note *note, m31ri_buf *out, uint32_t *n,
                      m31r_error *e)
{
    m31ri_privacy *rules = m31ri_privacy_of_run(r->fd);
    if (rules == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the privacy rules");
    }
    *n = m31ri_privacy_scrub(rules, NULL, 0, note->text, strlen(note->text), out);
    m31ri_privacy_free(rules);
    if (!m31ri_buf_ok(out)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a note");
    }
    if (*n > 0 && note->kind != M31R_NOTE_TEXT) {
        m31ri_fail(e, M31R_E_ARG, "that name looks like a secret or personal data: not written");
        m31ri_fail_hint(e, "the rules are in docs/PRIVACY.md");
        return M31R_E_ARG;
    }
    return M31R_OK;
}

static m31r_err append(const m31r_reader *r, m31r_note_kind kind, const m31ri_buf *text,
                       m31r_error *e)
{
    const m31r_value key = m31r_of_string(m31ri_note_key(kind));
    const m31r_value value = m31r_text(m31ri_buf_str(text), text->length);
    return m31ri_note_line(r->fd, M31RI_NOTES_FILE, m31ri_note_message(kind), &key, &value, 1, e);
}

/* A release's name leads to one run: no other run's name, tag or id may be the same. */
static m31r_err check_unique(const m31r_reader *r, const char *name, m31r_error *e)
{
    m31ri_run_list list = {0};
    const char *slash = strrchr(r->path, '/');
    char *root =
        slash != NULL ? m31ri_strndup(r->path, (size_t)(slash - r->path)) : m31ri_strdup(".");
    m31r_err err = root != NULL ? m31ri_run_list_read(root[0] != '\0' ? root : "/", &list, e)
                                : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    for (size_t i = 0; err == M31R_OK && i < list.n; i++) {
        const m31ri_run_entry *other = &list.runs[i];
        bool is_it = strcmp(other->run_id, r->facts.run_id) == 0;
        if (!is_it && (strcmp(other->run_id, name) == 0 || strcmp(other->name, name) == 0 ||
                       m31ri_words_have(other->tags, name))) {
            err = m31ri_fail(e, M31R_E_EXISTS, "the name \"%s\" leads to another run: %s", name,
                             other->run_id);
            m31ri_fail_hint(e, "a release has a name of its own: m31r release RUN NAME");
        }
    }
    m31ri_run_list_release(&list);
    m31ri_free(root);
    return err;
}

/* What a release is called when nobody said. */
static const char *own_name(const m31r_reader *r)
{
    return m31ri_tag_is_valid(r->facts.name) ? r->facts.name : r->facts.run_id;
}

/* Whether there is something to write. */
static m31r_err look(const m31r_reader *r, const m31r_note *note, bool *is_news, m31r_error *e)
{
    const m31ri_notes *notes = &r->notes;
    *is_news = true;
    if (notes->tags == NULL) {
        return m31ri_fail(e, M31R_E_CORRUPT, "%s", r->facts.problem);
    }
    if (note->kind == M31R_NOTE_TAG || note->kind == M31R_NOTE_UNTAG) {
        bool has = m31ri_words_have(notes->tags, note->text);
        *is_news = has == (note->kind == M31R_NOTE_UNTAG);
    } else if (note->kind == M31R_NOTE_RELEASE && notes->release[0] != '\0') {
        *is_news = false;
        return strcmp(notes->release, note->text) == 0
                   ? M31R_OK
                   : m31ri_fail(e, M31R_E_EXISTS, "%s is already the release \"%s\"",
                                r->facts.run_id, notes->release);
    } else if (note->kind == M31R_NOTE_RELEASE) {
        return check_unique(r, note->text, e);
    }
    return M31R_OK;
}

static m31r_err add(const m31r_reader *r, const m31r_note *note, m31r_noted *out, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_noted noted = {0};
    m31r_err err = check_text(note, e);
    if (err == M31R_OK) {
        err = look(r, note, &noted.is_news, e);
    }
    if (err == M31R_OK && noted.is_news) {
        err = scrub(r, note, &text, &noted.n_redacted, e);
        err = err == M31R_OK ? append(r, note->kind, &text, e) : err;
    }
    m31ri_buf_release(&text);
    if (err != M31R_OK) {
        return err;
    }
    snprintf(noted.run_id, sizeof noted.run_id, "%s", r->facts.run_id);
    snprintf(noted.path, sizeof noted.path, "%s", r->path);
    snprintf(noted.name, sizeof noted.name, "%s", note->kind != M31R_NOTE_TEXT ? note->text : "");
    *out = noted;
    return M31R_OK;
}

m31r_err m31r_note_add(const char *root, const char *run, const m31r_note *note, m31r_noted *out,
                       m31r_error *e)
{
    m31r_reader *r = NULL;
    m31r_err err = m31r_reader_open(&r, root, run, e);
    if (err == M31R_OK) {
        m31r_note named = *note;
        bool is_unnamed = named.text == NULL || named.text[0] == '\0';
        if (note->kind == M31R_NOTE_RELEASE && is_unnamed) {
            named.text = r->notes.release != NULL && r->notes.release[0] != '\0' ? r->notes.release
                                                                                 : own_name(r);
        }
        named.text = named.text != NULL ? named.text : "";
        err = add(r, &named, out, e);
    }
    m31r_reader_close(r);
    return err;
}
