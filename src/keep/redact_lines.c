/* redact_lines.c - one line without what it must not say, in as many bytes as it had.
 *
 * The length stays, so that no other block moves: what is left over becomes blanks before the end
 * of the line, which JSON allows. Where the marker is longer than what it replaces, the whole
 * record goes, and a shorter text says so.
 */
#include <string.h>

#include "format/json_read.h"
#include "format/json_text.h"
#include "keep/redact_int.h"

#define MARK "[redacted]"
#define GONE "record_redacted"

/* Of the line that is looked at: the fields that say when and who, and the one to be replaced. */
typedef struct members {
    const char *key; /* that is looked for; NULL */
    m31ri_json_member ts, level, module, msg, found;
} members;

static bool is_key(const m31ri_json_member *m, const char *key)
{
    return m->key_length == strlen(key) && memcmp(m->key, key, m->key_length) == 0;
}

static bool take_member(void *context, const m31ri_json_member *m)
{
    members *all = context;
    m31ri_json_member *to = is_key(m, "ts")       ? &all->ts
                            : is_key(m, "level")  ? &all->level
                            : is_key(m, "module") ? &all->module
                            : is_key(m, "msg")    ? &all->msg
                                                  : NULL;
    if (to != NULL) {
        *to = *m;
    }
    if (all->key != NULL && is_key(m, all->key)) {
        all->found = *m;
    }
    return true;
}

/* The value of the key that is asked for becomes the marker. False when the line has no such key.
 */
static bool replace_value(const members *all, m31ri_span line, m31ri_buf *out)
{
    const m31ri_json_member *m = &all->found;
    if (m->key == NULL) {
        return false;
    }
    size_t quote = m->type == 's';
    const char *from = m->value - quote, *to = m->value + m->value_length + quote;
    m31ri_buf_add(out, line.at, (size_t)(from - line.at));
    m31ri_buf_add_str(out, "\"" MARK "\"");
    m31ri_buf_add(out, to, (size_t)(line.at + line.length - to));
    return true;
}

static void add_head(const m31ri_json_member *m, const char *key, m31ri_buf *out)
{
    if (m->key != NULL && m->type == 's') {
        m31ri_buf_add_format(out, "\"%s\":\"", key);
        m31ri_buf_add(out, m->value, m->value_length);
        m31ri_buf_add_str(out, "\",");
    }
}

/* What stands for a record of which nothing may stay but when it was and whose: the longest text
 * that has room. */
static void replace_record(const members *all, size_t room, m31ri_buf *out)
{
    static const char *const shorter[] = {"{\"msg\":\"" GONE "\"}", "{\"msg\":\"-\"}", "{}", ""};
    m31ri_buf_add_char(out, '{');
    add_head(&all->ts, "ts", out);
    add_head(&all->level, "level", out);
    add_head(&all->module, "module", out);
    m31ri_buf_add_str(out, "\"msg\":\"" GONE "\"}");
    for (size_t i = 0; out->length > room; i++) {
        m31ri_buf_clear(out);
        m31ri_buf_add_str(out, shorter[i]);
    }
}

/* Puts r->changed in the line's place, with blanks behind it. False when that is what stood there.
 */
static bool put(const m31ri_redactor *r, char *at, size_t length)
{
    const m31ri_buf *b = &r->changed;
    bool is_same = m31ri_buf_ok(b) && memcmp(at, m31ri_buf_str(b), b->length) == 0;
    for (size_t i = b->length; i < length && is_same; i++) {
        is_same = at[i] == ' ';
    }
    if (!is_same && m31ri_buf_ok(b)) {
        memcpy(at, m31ri_buf_str(b), b->length);
        memset(at + b->length, ' ', length - b->length);
    }
    return !is_same && m31ri_buf_ok(b);
}

static bool replace_all_of(m31ri_redactor *r, char *at, size_t length)
{
    members all = {.key = NULL};
    (void)m31ri_json_read_object(at, length, take_member, &all, NULL);
    m31ri_buf_clear(&r->changed);
    replace_record(&all, length, &r->changed);
    return put(r, at, length);
}

/* True when something of the line was to be replaced, and was. */
static bool redact_line(m31ri_redactor *r, uint64_t number, char *at, size_t length)
{
    members all = {.key = r->key};
    m31ri_buf_clear(&r->changed);
    if (r->line == 0) {
        if (m31ri_line_clean(&r->cleaner, at, length, &r->changed) == 0) {
            return false;
        }
    } else if (number != r->line) {
        return false;
    } else if (r->key != NULL) {
        (void)m31ri_json_read_object(at, length, take_member, &all, NULL);
        r->lacks_key = !replace_value(&all, (m31ri_span){at, length}, &r->changed);
        if (r->lacks_key) {
            return false;
        }
    } else {
        return replace_all_of(r, at, length);
    }
    return r->changed.length <= length ? put(r, at, length) : replace_all_of(r, at, length);
}

/* Lines of a block, one after another. */
typedef struct line_walk {
    char *at, *end;
} line_walk;

static bool next_line(line_walk *w, char **line, size_t *length)
{
    if (w->at >= w->end) {
        return false;
    }
    char *lf = memchr(w->at, '\n', (size_t)(w->end - w->at));
    lf = lf != NULL ? lf : w->end;
    *line = w->at;
    *length = (size_t)(lf - w->at);
    w->at = lf + 1;
    return true;
}

uint64_t m31ri_redact_block(m31ri_redactor *r, char *bytes, size_t length, uint64_t first_line)
{
    line_walk w = {bytes, bytes + length};
    char *line;
    size_t n;
    uint64_t n_changed = 0;
    for (uint64_t i = 0; next_line(&w, &line, &n); i++) {
        n_changed += redact_line(r, first_line + i, line, n);
    }
    w.at = bytes;
    while (n_changed > 0 && r->whole_block && next_line(&w, &line, &n)) {
        n_changed += replace_all_of(r, line, n);
    }
    return n_changed;
}
