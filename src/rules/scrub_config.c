/* scrub_config.c - a config's text with what must not be kept replaced, everything else byte for
 * byte as it was.
 *
 * The tree says where each scalar stands and under which keys, so that a value under `password:`
 * goes whatever its form (quoted, plain, a block of lines) and one under `tokenizer:` stays. What
 * lies between the scalars - keys, comments, layout - is scrubbed as text. An alias's copy has the
 * span of its anchor: it is visited once.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/rules_int.h"

typedef struct span {
    size_t start, end;
    const char *kind; /* denied by a key; NULL: looked through */
    const char *key;
    const char *text;
    size_t length;
    bool is_text;
} span;

typedef struct collector {
    const m31ri_privacy *p;
    span *spans;
    size_t n, room;
    bool failed;
} collector;

static void collect(collector *c, const m31ri_yaml_node *n, const char *kind)
{
    if (n->key != NULL && kind == NULL) {
        kind = m31ri_privacy_key_kind(c->p, n->key, strlen(n->key));
    }
    for (const m31ri_yaml_node *child = n->first; child != NULL; child = child->next) {
        collect(c, child, kind);
    }
    if (n->type == M31RI_YAML_MAP || n->type == M31RI_YAML_LIST || n->end <= n->start) {
        return;
    }
    if (c->n == c->room) {
        size_t room = c->room != 0 ? c->room * 2 : 64;
        span *more = m31ri_realloc(c->spans, room * sizeof *more);
        if (more == NULL) {
            c->failed = true;
            return;
        }
        c->spans = more;
        c->room = room;
    }
    bool is_text = n->type == M31RI_YAML_STRING;
    const char *key = n->key != NULL ? n->key : n->parent != NULL ? n->parent->key : NULL;
    c->spans[c->n++] = (span){.start = n->start,
                              .end = n->end,
                              .kind = kind,
                              .key = key,
                              .text = n->text,
                              .length = n->text_length,
                              .is_text = is_text};
}

static int by_place(const void *a, const void *b)
{
    const span *x = a, *y = b;
    if (x->start != y->start) {
        return x->start < y->start ? -1 : 1;
    }
    return (y->kind != NULL) -
           (x->kind != NULL); /* of an anchor and its copies, the one that is denied */
}

/* A scalar's replacement, on one line, quoted so that it is text whatever it was; the line end of a
 * block is kept. */
static void add_quoted(m31ri_buf *out, const char *s, size_t length, bool newline)
{
    m31ri_buf_add_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < 0x20 || c == 0x7F) {
            m31ri_buf_add_format(out, c == '\n' ? "\\n" : "\\u%04x", c);
            continue;
        }
        if (c == '"' || c == '\\') {
            m31ri_buf_add_char(out, '\\');
        }
        m31ri_buf_add_char(out, (char)c);
    }
    m31ri_buf_add_str(out, newline ? "\"\n" : "\"");
}

static uint32_t add_scalar(const m31ri_privacy *p, const span *s, const char *bytes, m31ri_buf *out)
{
    bool newline = bytes[s->end - 1] == '\n';
    if (s->kind != NULL && s->is_text && !m31ri_is_placeholder(s->text, s->length)) {
        m31ri_buf_add_char(out, '"');
        m31ri_privacy_add_marker(p, s->kind, (m31ri_text_view){s->text, s->length}, out);
        m31ri_buf_add_str(out, newline ? "\"\n" : "\"");
        m31ri_privacy_count_key(p, s->kind);
        return 1;
    }
    m31ri_buf clean = M31RI_BUF_INIT;
    uint32_t n = 0;
    if (s->is_text) {
        n = m31ri_privacy_scrub(p, s->key, s->key != NULL ? strlen(s->key) : 0, s->text, s->length,
                                &clean);
    }
    if (n == 0) {
        m31ri_buf_add(out, bytes + s->start, s->end - s->start);
    } else {
        add_quoted(out, m31ri_buf_str(&clean), clean.length, newline);
    }
    out->failed = out->failed || clean.failed;
    m31ri_buf_release(&clean);
    return n;
}

/* Comments are text; the rest between two scalars is keys and marks, where only formats that need
 * no key are looked for. `p` lets prompts pass: "# Text: a directory of files" is the author's word
 * to the reader, not what a user typed. */
static uint32_t add_between(const m31ri_privacy *p, const char *s, size_t length, m31ri_buf *out)
{
    uint32_t n = 0;
    for (size_t i = 0; i < length;) {
        const char *newline = memchr(s + i, '\n', length - i);
        size_t end = newline != NULL ? (size_t)(newline - s) + 1 : length;
        n += m31ri_privacy_scrub(p, NULL, 0, s + i, end - i, out);
        i = end;
    }
    return n;
}

uint32_t m31ri_privacy_scrub_config(const m31ri_privacy *p, const m31ri_yaml *tree,
                                    const char *bytes, size_t length, m31ri_buf *out)
{
    collector c = {.p = p};
    const m31ri_yaml_node *root = m31ri_yaml_root(tree);
    if (root != NULL) {
        collect(&c, root, NULL);
    }
    if (c.failed) {
        m31ri_free(c.spans);
        out->failed = true;
        return 0;
    }
    if (c.n > 1) {
        qsort(c.spans, c.n, sizeof *c.spans, by_place);
    }
    m31ri_privacy *p_comments = m31ri_privacy_copy_with_prompts(p);
    uint32_t n = 0;
    size_t at = 0;
    out->failed = out->failed || p_comments == NULL;
    for (size_t i = 0; p_comments != NULL && i < c.n; i++) {
        const span *s = &c.spans[i];
        if (s->start < at || s->end > length) {
            continue;
        }
        n += add_between(p_comments, bytes + at, s->start - at, out);
        n += add_scalar(p, s, bytes, out);
        at = s->end;
    }
    if (p_comments != NULL) {
        n += add_between(p_comments, bytes + at, length - at, out);
    }
    m31ri_free(p_comments);
    m31ri_free(c.spans);
    return n;
}
