/* clean_line.c - a walk over a JSON text that is known to be valid, copying all but the strings
 * that the rules replace.
 *
 * The walk keeps, for each open object or list, what the key over it says: a list under "password"
 * holds passwords. In a list, the text behind "--password" is one too. A line that is no JSON
 * object is text; a private key in it may go on over the next lines, until its END.
 */
#include "rules/clean_line.h"

#include <string.h>

#include "format/blocks.h"
#include "format/json_read.h"
#include "format/json_text.h"
#include "rules/rules_int.h"

#define DEPTH M31RI_JSON_DEPTH

typedef struct level {
    m31ri_key_verdict over; /* of the key that holds this object or list */
    m31ri_key_verdict now;  /* of the key read last; in a list of the option before */
    m31ri_key_verdict
        named;    /* of the name that the object gives: {"name":"DB_PASSWORD","value":... */
    bool is_name; /* the key read last says that its value is a name */
    bool is_list, denies;
    bool is_span;   /* an object with byte_start: a place in a file, as rustc tells it */
    bool is_source; /* the list "text" of a span: lines of source that a compiler quotes */
    bool is_quote;  /* one of them: its text is no user's */
} level;

typedef struct walk {
    m31ri_line_cleaner *c;
    const char *s;
    size_t n, at, copied;
    size_t checks; /* where the checks of a block begin; 0: this is no line of blocks.jsonl */
    level levels[DEPTH + 1];
    size_t depth;
    m31ri_buf *out;
    uint32_t n_found;
} walk;

/* Bytes of the escaped text that stand for the first `plain` bytes of what it means. */
static size_t escaped_offset(const char *s, size_t length, size_t plain)
{
    size_t i = 0, n = 0;
    while (i < length && n < plain) {
        size_t step = s[i] != '\\' ? 1 : i + 1 < length && s[i + 1] == 'u' ? 6 : 2;
        unsigned char high = step == 6 && i + 3 < length ? (unsigned char)s[i + 2] : '0';
        n += step != 6 ? 1 : high == '0' ? 1 : 3;
        i += step;
    }
    return i < length ? i : length;
}

typedef struct finds {
    m31ri_line_cleaner *c;
    const char *raw; /* escaped; NULL: the text stands in the line as it is */
    size_t raw_length, column;
} finds;

static void tell(void *context, const char *kind, const char *rule, size_t start)
{
    const finds *f = context;
    size_t offset = f->raw != NULL ? escaped_offset(f->raw, f->raw_length, start) : start;
    if (f->c->found != NULL) {
        f->c->found(f->c->context, &(m31ri_find){kind, rule, f->column + offset});
    }
}

/* Cleans one string's body into c->clean; returns how much was found. */
static uint32_t clean_body(walk *w, m31ri_key_verdict key, const char *body, size_t length)
{
    m31ri_line_cleaner *c = w->c;
    bool is_escaped = memchr(body, '\\', length) != NULL;
    finds f = {c, is_escaped ? body : NULL, length, (size_t)(body - w->s) + 1};
    m31ri_buf_clear(&c->value);
    m31ri_buf_clear(&c->clean);
    if (is_escaped) {
        m31ri_json_unescape(&c->value, body, length);
    }
    const char *text = is_escaped ? m31ri_buf_str(&c->value) : body;
    size_t n = is_escaped ? c->value.length : length;
    return m31ri_privacy_clean_telling(c->privacy, key, (m31ri_text_view){text, n}, &c->clean,
                                       (m31ri_teller){tell, &f});
}

/* Puts c->clean in the place of line[from, to). */
static void replace(walk *w, size_t from, size_t to)
{
    m31ri_buf_add(w->out, w->s + w->copied, from - w->copied);
    m31ri_json_string(w->out, m31ri_buf_str(&w->c->clean), w->c->clean.length);
    w->copied = to;
}

/* The closing quote of the string that opens at `at`. */
static size_t string_end(const walk *w, size_t at)
{
    size_t i = at + 1;
    while (i < w->n && w->s[i] != '"') {
        i += w->s[i] == '\\' ? 2 : 1;
    }
    return i;
}

static bool is_text(const char *s, size_t length, const char *text)
{
    return length == strlen(text) && memcmp(s, text, length) == 0;
}

/* True when the object at w->at is {"text":"let x = 1;","highlight_start":5,"highlight_end":9}, in
 * any order and no more than that. */
static bool quotes_source(const walk *w)
{
    static const char *const names[] = {"text", "highlight_start", "highlight_end"};
    bool seen[3] = {false, false, false};
    size_t i = w->at + 1;
    for (int member = 0; member < 3; member++) {
        size_t end = i < w->n && w->s[i] == '"' ? string_end(w, i) : w->n;
        int which = 0;
        while (which < 3 && end < w->n && !is_text(w->s + i + 1, end - i - 1, names[which])) {
            which++;
        }
        if (end + 2 >= w->n || w->s[end + 1] != ':' || which == 3 || seen[which]) {
            return false;
        }
        seen[which] = true;
        i = end + 2;
        if (which == 0) {
            i = w->s[i] == '"' ? string_end(w, i) + 1 : w->n;
        }
        while (which != 0 && i < w->n && w->s[i] >= '0' && w->s[i] <= '9') {
            i++;
        }
        if (i >= w->n || w->s[i] != (member < 2 ? ',' : '}')) {
            return false;
        }
        i++;
    }
    return true;
}

/* Where the value of "checks" begins when the line is one that blocks.h writes, each member in its
 * place and as long as it must be; else 0. Two random characters a line: any token's beginning is
 * among them some day. */
static size_t checks_of_block(const char *s, size_t n)
{
    static const char *const members[] = {
        "{\"file\":\"", "\",\"part\":", ",\"block\":",      ",\"offset\":", ",\"bytes\":",
        ",\"lines\":",  ",\"leaf\":\"", "\",\"checks\":\"", "\"}"};
    enum { FILE_NAME = 0, LINES = 5, LEAF = 6, CHECKS = 7, END = 8 };
    size_t at = 0, n_lines = 0, checks = 0;
    for (int k = FILE_NAME; k <= END; k++) {
        size_t length = strlen(members[k]), from = at + length;
        if (n - at < length || memcmp(s + at, members[k], length) != 0) {
            return 0;
        }
        at = from;
        uint8_t kind = k == FILE_NAME ? M31RI_URLSAFE | M31RI_DOT
                       : k == LEAF    ? M31RI_HEX
                       : k == CHECKS  ? M31RI_URLSAFE
                       : k == END     ? 0
                                      : M31RI_DIGIT;
        for (; at < n && (m31ri_class_of(s[at]) & kind) != 0; at++) {
            n_lines = k == LINES ? n_lines * 10 + (size_t)(s[at] - '0') : n_lines;
        }
        checks = k == CHECKS ? from : checks;
        if ((k == LEAF && at - from != 2 * M31RI_SHA256_BYTES) ||
            (k == CHECKS && at - from != n_lines * M31RI_CHECK_CHARS)) {
            return 0;
        }
    }
    return at == n ? checks : 0;
}

static bool is_key(const walk *w, size_t end)
{
    size_t i = end + 1;
    while (i < w->n && strchr(" \t\r\n", w->s[i]) != NULL) {
        i++;
    }
    return !w->levels[w->depth].is_list && i < w->n && w->s[i] == ':';
}

static void take_string(walk *w)
{
    const m31ri_privacy *p = w->c->privacy;
    level *l = &w->levels[w->depth];
    const char *body = w->s + w->at + 1;
    size_t end = string_end(w, w->at), length = end - w->at - 1;
    m31ri_key_verdict none = {M31RI_KEY_NONE, NULL};
    bool key = is_key(w, end);
    if (w->checks != 0 && w->at + 1 == w->checks) {
        w->at = end + 1;
        return;
    }
    uint32_t n = clean_body(w, key ? none : l->denies ? l->over : l->now, body, length);
    if (n != 0) {
        replace(w, w->at, end + 1);
        w->n_found += n;
    }
    if (key) {
        l->now = l->is_quote ? none : m31ri_privacy_judge(p, body, length);
        l->is_name = is_text(body, length, "name") || is_text(body, length, "key");
        if (is_text(body, length, "value") && l->now.class == M31RI_KEY_NONE) {
            l->now = l->named;
        }
        l->is_span = l->is_span || is_text(body, length, "byte_start");
        l->is_source = l->is_span && is_text(body, length, "text");
    } else if (l->is_name) {
        l->named = m31ri_privacy_judge(p, body, length);
        l->is_name = false;
    } else if (l->is_list) {
        m31ri_key_verdict option = m31ri_privacy_judge_option(p, body, length);
        l->now = option.class != M31RI_KEY_NONE ? option : l->over;
    }
    w->at = end + 1;
}

static void open_level(walk *w, bool is_list)
{
    const level *outer = &w->levels[w->depth];
    m31ri_key_verdict none = {M31RI_KEY_NONE, NULL};
    m31ri_key_verdict over = outer->denies ? outer->over : outer->now;
    bool is_quote = !is_list && outer->is_list && outer->is_source && quotes_source(w);
    over = is_quote ? none : over;
    bool denies = over.class != M31RI_KEY_NONE && over.class != M31RI_KEY_SHAPED;
    w->depth++;
    w->levels[w->depth] = (level){.over = over,
                                  .now = is_list ? over : none,
                                  .is_list = is_list,
                                  .denies = denies && !is_list,
                                  .is_source = is_list && outer->is_source && !outer->denies,
                                  .is_quote = is_quote};
}

static uint32_t clean_json(m31ri_line_cleaner *c, const char *line, size_t length, m31ri_buf *out)
{
    walk w = {.c = c, .s = line, .n = length, .checks = checks_of_block(line, length), .out = out};
    while (w.at < length) {
        char ch = line[w.at];
        if (ch == '"') {
            take_string(&w);
            continue;
        }
        if (ch == '{' || ch == '[') {
            open_level(&w, ch == '[');
        } else if (ch == '}' || ch == ']') {
            w.depth--;
        }
        w.at++;
    }
    m31ri_buf_add(out, line + w.copied, length - w.copied);
    return w.n_found;
}

static bool has(const char *line, size_t length, const char *what)
{
    return memmem(line, length, what, strlen(what)) != NULL;
}

static uint32_t clean_text(m31ri_line_cleaner *c, const char *line, size_t length, m31ri_buf *out)
{
    finds f = {c, NULL, 0, 1};
    if (c->in_key) {
        c->in_key = !has(line, length, "-----END") && !has(line, length, "---- END");
        m31ri_buf_add_str(out, "[redacted:private_key]");
        tell(&f, "private_key", "-----BEGIN ", 0);
        return 1;
    }
    bool begins = has(line, length, " PRIVATE KEY") && has(line, length, "-----BEGIN ");
    c->in_key = begins && !has(line, length, "-----END");
    m31ri_buf_clear(&c->clean);
    m31ri_key_verdict none = {M31RI_KEY_NONE, NULL};
    uint32_t n = m31ri_privacy_clean_telling(c->privacy, none, (m31ri_text_view){line, length},
                                             &c->clean, (m31ri_teller){tell, &f});
    m31ri_buf_add(out, n != 0 ? m31ri_buf_str(&c->clean) : line, n != 0 ? c->clean.length : length);
    return n;
}

uint32_t m31ri_line_clean(m31ri_line_cleaner *c, const char *line, size_t length, m31ri_buf *out)
{
    size_t at = 0;
    m31ri_json_class class = m31ri_json_read_object(line, length, NULL, NULL, &at);
    bool is_json =
        class == M31RI_JSON_OK || class == M31RI_JSON_DUP_KEY || class == M31RI_JSON_LONE_SURROGATE;
    return is_json && !c->in_key ? clean_json(c, line, length, out)
                                 : clean_text(c, line, length, out);
}

void m31ri_line_cleaner_release(m31ri_line_cleaner *c)
{
    m31ri_buf_release(&c->value);
    m31ri_buf_release(&c->clean);
}
