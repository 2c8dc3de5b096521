/* notes_file.c - notes.jsonl read; notes_file.h has the lines. */
#include "format/notes_file.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/json_text.h"
#include "format/record.h"

static const char *const messages[] = {"note", "tag", "untag", "release"};
static const char *const keys[] = {"note", "tag", "tag", "release"};
#define N_KINDS (sizeof messages / sizeof *messages)

const char *m31ri_note_message(m31r_note_kind kind)
{
    return messages[kind];
}

const char *m31ri_note_key(m31r_note_kind kind)
{
    return keys[kind];
}

bool m31ri_tag_is_valid(const char *tag)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = strnlen(tag, M31R_TAG_BYTES + 1);
    return length > 0 && length <= M31R_TAG_BYTES && strspn(tag, allowed) == length &&
           strchr("._-", tag[0]) == NULL;
}

bool m31ri_words_have(const char *words, const char *word)
{
    size_t length = strlen(word);
    while (*words != '\0') {
        size_t n = strcspn(words, " ");
        if (n == length && memcmp(words, word, n) == 0) {
            return true;
        }
        words += n + (words[n] == ' ');
    }
    return false;
}

/* One line taken apart. */
typedef struct line_parts {
    bool is_ours;
    int kind; /* -1: none of ours */
    bool is_removal;
    m31ri_json_member ts, texts[N_KINDS], path, sha256, reason;
} line_parts;

static bool is_text(const m31ri_json_member *m, const char *text)
{
    return m->type == 's' && m->value_length == strlen(text) &&
           memcmp(m->value, text, m->value_length) == 0;
}

static bool take_member(void *context, const m31ri_json_member *m)
{
    line_parts *parts = context;
    const m31ri_json_member key = {.value = m->key, .value_length = m->key_length, .type = 's'};
    if (is_text(&key, "module")) {
        parts->is_ours = is_text(m, M31RI_NOTES_MODULE);
    } else if (is_text(&key, "ts") && m->type == 's') {
        parts->ts = *m;
    }
    if (is_text(&key, "msg")) {
        parts->is_removal = is_text(m, M31RI_NOTE_REMOVED);
    }
    if (m->type == 's') {
        m31ri_json_member *const to = is_text(&key, "path")     ? &parts->path
                                      : is_text(&key, "sha256") ? &parts->sha256
                                      : is_text(&key, "reason") ? &parts->reason
                                                                : NULL;
        if (to != NULL) {
            *to = *m;
        }
    }
    for (size_t i = 0; i < N_KINDS; i++) {
        if (is_text(&key, "msg") && is_text(m, messages[i])) {
            parts->kind = (int)i;
        } else if (is_text(&key, keys[i]) && m->type == 's') {
            parts->texts[i] = *m;
        }
    }
    return true;
}

static char *plain(const m31ri_json_member *m)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_json_unescape(&text, m->value, m->value_length);
    char *copy = m31ri_buf_ok(&text) ? m31ri_strdup(m31ri_buf_str(&text)) : NULL;
    m31ri_buf_release(&text);
    return copy;
}

static m31r_err add(m31ri_notes *n, const line_parts *parts, m31r_error *e)
{
    if (n->n == n->capacity) {
        size_t capacity = n->capacity * 2 + 8;
        m31r_note *grown = m31ri_realloc(n->items, capacity * sizeof *grown);
        if (grown == NULL) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for notes");
        }
        n->items = grown;
        n->capacity = capacity;
    }
    m31r_note note = {.kind = (m31r_note_kind)parts->kind,
                      .text = plain(&parts->texts[parts->kind]),
                      .ts = plain(&parts->ts)};
    n->items[n->n++] = note; /* released with the others */
    return note.text != NULL && note.ts != NULL
               ? M31R_OK
               : m31ri_fail(e, M31R_E_NOMEM, "out of memory for notes");
}

static m31r_err add_removed(m31ri_notes *n, const line_parts *parts, m31r_error *e)
{
    if (n->n_removed == n->removed_capacity) {
        size_t capacity = n->removed_capacity * 2 + 8;
        m31ri_note_removed *grown = m31ri_realloc(n->removed, capacity * sizeof *grown);
        if (grown == NULL) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for notes");
        }
        n->removed = grown;
        n->removed_capacity = capacity;
    }
    m31ri_note_removed r = {plain(&parts->path), plain(&parts->sha256), plain(&parts->reason),
                            plain(&parts->ts)};
    n->removed[n->n_removed++] = r; /* released with the others */
    return r.path != NULL && r.sha256 != NULL && r.reason != NULL && r.ts != NULL
               ? M31R_OK
               : m31ri_fail(e, M31R_E_NOMEM, "out of memory for notes");
}

const m31ri_note_removed *m31ri_notes_find_removed(const m31ri_notes *n, const char *path,
                                                   const char *sha256)
{
    for (size_t i = 0; i < n->n_removed; i++) {
        if (strcmp(n->removed[i].path, path) == 0 && strcmp(n->removed[i].sha256, sha256) == 0) {
            return &n->removed[i];
        }
    }
    return NULL;
}

static m31r_err read_line(m31ri_notes *n, const char *line, size_t length, m31r_error *e)
{
    line_parts parts = {.kind = -1};
    m31ri_json_class c = m31ri_json_read_object(line, length, take_member, &parts, NULL);
    if (c == M31RI_JSON_OK && parts.is_ours && parts.is_removal && parts.path.value != NULL &&
        parts.sha256.value != NULL && parts.reason.value != NULL && parts.ts.value != NULL) {
        return add_removed(n, &parts, e);
    }
    if (c != M31RI_JSON_OK || !parts.is_ours || parts.kind < 0 || parts.ts.value == NULL ||
        parts.texts[parts.kind].value == NULL) {
        return M31R_OK;
    }
    return add(n, &parts, e);
}

/* The tag holds when the last line about it sets it; only there it is listed. */
static bool is_last_of_its_tag(const m31ri_notes *n, size_t at)
{
    for (size_t i = at + 1; i < n->n; i++) {
        const m31r_note *later = &n->items[i];
        if ((later->kind == M31R_NOTE_TAG || later->kind == M31R_NOTE_UNTAG) &&
            strcmp(later->text, n->items[at].text) == 0) {
            return false;
        }
    }
    return true;
}

static m31r_err sum_up(m31ri_notes *n, m31r_error *e)
{
    m31ri_buf tags = M31RI_BUF_INIT;
    const char *release = "";
    for (size_t i = 0; i < n->n; i++) {
        const m31r_note *note = &n->items[i];
        if (note->kind == M31R_NOTE_TAG && m31ri_tag_is_valid(note->text) &&
            is_last_of_its_tag(n, i)) {
            m31ri_buf_add_format(&tags, "%s%s", tags.length > 0 ? " " : "", note->text);
        } else if (note->kind == M31R_NOTE_RELEASE && release[0] == '\0') {
            release = m31ri_tag_is_valid(note->text) ? note->text : "?";
        }
    }
    n->tags = m31ri_buf_ok(&tags) ? m31ri_strdup(m31ri_buf_str(&tags)) : NULL;
    n->release = m31ri_strdup(release);
    m31ri_buf_release(&tags);
    return n->tags != NULL && n->release != NULL
               ? M31R_OK
               : m31ri_fail(e, M31R_E_NOMEM, "out of memory for notes");
}

m31r_err m31ri_notes_read(int run, m31ri_notes *out, m31r_error *e)
{
    m31ri_notes n = {0};
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = m31ri_read_file(run, M31RI_NOTES_FILE, M31RI_NOTES_BYTES, &text, e);
    err = err == M31R_E_NOTFOUND ? M31R_OK : err;
    const char *at = m31ri_buf_str(&text);
    const char *end = at + text.length;
    while (err == M31R_OK && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        err = read_line(&n, at, (size_t)(stop - at), e);
        at = stop + 1;
    }
    m31ri_buf_release(&text);
    err = err == M31R_OK ? sum_up(&n, e) : err;
    if (err != M31R_OK) {
        m31ri_notes_release(&n);
        return err;
    }
    *out = n;
    return M31R_OK;
}

void m31ri_notes_release(m31ri_notes *n)
{
    for (size_t i = 0; i < n->n; i++) {
        m31ri_free((char *)(uintptr_t)n->items[i].text);
        m31ri_free((char *)(uintptr_t)n->items[i].ts);
    }
    for (size_t i = 0; i < n->n_removed; i++) {
        m31ri_free(n->removed[i].path);
        m31ri_free(n->removed[i].sha256);
        m31ri_free(n->removed[i].reason);
        m31ri_free(n->removed[i].ts);
    }
    m31ri_free(n->removed);
    m31ri_free(n->items);
    m31ri_free(n->tags);
    m31ri_free(n->release);
    *n = (m31ri_notes){0};
}
