/* yaml.c - a config as a tree, from the parser's events.
 *
 * libfyaml is asked for events only; its documents are not used, because every decision that
 * matters here (how often an alias may be expanded, what a second equal key means, which tags are
 * followed) must be ours and happen before the memory is spent (yaml_build.c).
 *
 * Invariant: a node is linked into its parent only when it is complete, so an alias to an open
 * anchor (a cycle) is found by the anchor having no value yet.
 */
#include "format/yaml.h"

#include <libfyaml.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/yaml_build.h"

/* Copies a token's text into the arena; NULL in *out when there is no token. */
static m31r_err token_text(m31ri_yaml_builder *b, struct fy_token *t, const char **out,
                           size_t *length)
{
    *out = NULL;
    *length = 0;
    if (t == NULL) {
        return M31R_OK;
    }
    const char *s = fy_token_get_text(t, length);
    if (s == NULL) {
        return m31ri_yaml_no_memory(b);
    }
    if (*length > M31RI_YAML_SCALAR_BYTES) {
        return M31RI_YAML_FAIL(b, "Put long text into a file and name the file.",
                               "a value has %zu bytes, more than the limit of %d", *length,
                               M31RI_YAML_SCALAR_BYTES);
    }
    *out = m31ri_yaml_keep_text(b->tree, s, *length);
    return *out != NULL ? M31R_OK : m31ri_yaml_no_memory(b);
}

/* An anchor is known from its first mention, with no value until its node is complete. */
static m31r_err open_anchor(m31ri_yaml_builder *b, struct fy_event *ev, const char **anchor)
{
    size_t length = 0;
    m31r_err err = token_text(b, fy_event_get_anchor_token(ev), anchor, &length);
    if (err == M31R_OK && *anchor != NULL && !m31ri_yaml_set(b, NULL, *anchor, NULL)) {
        err = m31ri_yaml_no_memory(b);
    }
    return err;
}

/* Core tags that say what the value is anyway are followed; every other one would make a program
 * build something. */
static m31r_err check_tag(m31ri_yaml_builder *b, struct fy_event *ev, const char *kinds,
                          char *out_kind)
{
    static const struct {
        const char *tag;
        char kind;
    } known[] = {
        {"tag:yaml.org,2002:str", 's'},   {"tag:yaml.org,2002:int", 'i'},
        {"tag:yaml.org,2002:float", 'f'}, {"tag:yaml.org,2002:bool", 'b'},
        {"tag:yaml.org,2002:null", 'n'},  {"tag:yaml.org,2002:map", 'm'},
        {"tag:yaml.org,2002:seq", 'l'},   {"!", '!'},
    };
    const char *tag = NULL;
    size_t length = 0;
    m31r_err err = token_text(b, fy_event_get_tag_token(ev), &tag, &length);
    *out_kind = 0;
    if (err != M31R_OK || tag == NULL) {
        return err;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(tag, known[i].tag) == 0 && strchr(kinds, known[i].kind) != NULL) {
            *out_kind = known[i].kind;
            return M31R_OK;
        }
    }
    return M31RI_YAML_FAIL(b, "Remove the tag; write plain values.",
                           "tag \"%.100s\" is not followed", tag);
}

/* The parser's marks leave the quotes out. */
static bool is_quoted(struct fy_token *t)
{
    enum fy_scalar_style style = t != NULL ? fy_token_scalar_style(t) : FYSS_PLAIN;
    return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

/* A scalar's span with its quotes; for | and > from the header on. */
static void set_span(m31ri_yaml_builder *b, m31ri_yaml_node *n, struct fy_token *t)
{
    const struct fy_mark *from = t != NULL ? fy_token_start_mark(t) : NULL;
    const struct fy_mark *to = t != NULL ? fy_token_end_mark(t) : NULL;
    if (from == NULL || to == NULL || to->input_pos > b->cursor.length ||
        from->input_pos > to->input_pos) {
        n->start = n->end = b->previous_end;
        return;
    }
    n->start = from->input_pos;
    n->end = to->input_pos;
    enum fy_scalar_style style = fy_token_scalar_style(t);
    if (is_quoted(t)) {
        n->start -= n->start > 0;
        n->end += n->end < b->cursor.length;
    } else if (style == FYSS_LITERAL || style == FYSS_FOLDED) {
        size_t at = b->previous_end;
        const char *s = b->cursor.bytes;
        while (at < n->start && s[at] != '|' && s[at] != '>') {
            /* a tag or an anchor before the header is passed over whole */
            size_t word = s[at] == '!' || s[at] == '&' ? strcspn(s + at, " \t\r\n") : 1;
            at += word != 0 ? word : 1;
        }
        n->start = at < n->start ? at : n->start;
    }
}

static const char type_letters[] = "nbifs"; /* in the order of m31ri_yaml_type */

static m31r_err take_scalar(m31ri_yaml_builder *b, struct fy_event *ev)
{
    struct fy_token *t = ev->scalar.value;
    enum fy_scalar_style style = t != NULL ? fy_token_scalar_style(t) : FYSS_PLAIN;
    const char *anchor = NULL, *text = NULL;
    size_t length = 0;
    char tag = 0;
    m31r_err err = check_tag(b, ev, "sifbn!", &tag);
    err = err != M31R_OK ? err : open_anchor(b, ev, &anchor);
    err = err != M31R_OK ? err : token_text(b, t, &text, &length);
    err = err != M31R_OK ? err : m31ri_yaml_count_text(b, length);
    bool is_utf8 = true;
    if (err == M31R_OK && text == NULL) {
        text = "";
    }
    if (err == M31R_OK) {
        m31ri_yaml_first_bad_byte(text, length, &is_utf8);
        if (!is_utf8) {
            err = M31RI_YAML_FAIL(b, "Write the character itself, in UTF-8.",
                                  "an escape stands for no character (a lone surrogate)");
        }
    }
    if (err == M31R_OK && m31ri_yaml_awaits_key(b) && anchor == NULL) {
        err = m31ri_yaml_take_key(b, text, length, style == FYSS_PLAIN);
        set_span(b, &(m31ri_yaml_node){0}, t);
        return err;
    }
    m31ri_yaml_node *n = NULL;
    err = err != M31R_OK ? err : m31ri_yaml_new_node(b, &n);
    if (err != M31R_OK) {
        return err;
    }
    n->text = text;
    n->text_length = length;
    set_span(b, n, t);
    if (style != FYSS_PLAIN || tag == 's' || tag == '!') {
        n->type = M31RI_YAML_STRING;
    } else if (!m31ri_yaml_resolve(n)) {
        return M31RI_YAML_FAIL(b, "Put the number in quotes if it is meant as text.",
                               "number %.40s%s is beyond 64 bits or a double", text,
                               length > 40 ? "..." : "");
    }
    if (tag != 0 && tag != '!' && type_letters[n->type] != tag &&
        !(tag == 'f' && n->type == M31RI_YAML_INT)) {
        return M31RI_YAML_FAIL(b, "Remove the tag; write plain values.",
                               "the tag does not fit the value \"%.100s\"", text);
    }
    if (m31ri_yaml_awaits_key(b)) {
        err = m31ri_yaml_set(b, NULL, anchor, n) ? M31R_OK : m31ri_yaml_no_memory(b);
        return err != M31R_OK ? err : m31ri_yaml_take_key(b, text, length, style == FYSS_PLAIN);
    }
    return m31ri_yaml_place(b, n, anchor);
}

static m31r_err take_alias(m31ri_yaml_builder *b, struct fy_event *ev)
{
    const char *name = NULL;
    size_t length = 0;
    m31r_err err = token_text(b, ev->alias.anchor, &name, &length);
    if (err != M31R_OK) {
        return err;
    }
    if (name == NULL || m31ri_yaml_awaits_key(b)) {
        return M31RI_YAML_FAIL(b, "Write the key out.", "an alias stands where a key is expected");
    }
    if (!m31ri_yaml_reserve(b)) {
        return m31ri_yaml_no_memory(b);
    }
    const m31ri_yaml_entry *found = m31ri_yaml_entry_of(b, NULL, name);
    if (found->key == NULL) {
        return M31RI_YAML_FAIL(b, "Define it before its first use: &name value.",
                               "alias *%.100s has no anchor before it", name);
    }
    if (found->value == NULL) {
        return M31RI_YAML_FAIL(b, "A value cannot contain itself: write the inner one out.",
                               "alias *%.100s stands inside its own anchor (a cycle)", name);
    }
    m31ri_yaml_node *copy = NULL;
    err = m31ri_yaml_copy_node(b, found->value, b->depth + 1, &copy);
    return err != M31R_OK ? err : m31ri_yaml_place(b, copy, NULL);
}

static m31r_err open_collection(m31ri_yaml_builder *b, struct fy_event *ev, m31ri_yaml_type type)
{
    if (m31ri_yaml_awaits_key(b)) {
        return M31RI_YAML_FAIL(b, "Use a plain word as the key.",
                               "a list or mapping stands where a key is expected");
    }
    if (b->depth >= M31RI_YAML_DEPTH) {
        return M31RI_YAML_FAIL(b, "Flatten the config.", "the config nests deeper than %d levels",
                               M31RI_YAML_DEPTH);
    }
    const char *anchor = NULL;
    char tag = 0;
    m31ri_yaml_node *n = NULL;
    m31r_err err = check_tag(b, ev, type == M31RI_YAML_MAP ? "m" : "l", &tag);
    err = err != M31R_OK ? err : open_anchor(b, ev, &anchor);
    err = err != M31R_OK ? err : m31ri_yaml_new_node(b, &n);
    if (err != M31R_OK) {
        return err;
    }
    n->type = type;
    n->text = "";
    b->stack[b->depth++] = (m31ri_yaml_frame){.node = n, .anchor = anchor};
    return M31R_OK;
}

static m31r_err close_collection(m31ri_yaml_builder *b)
{
    m31ri_yaml_frame f = b->stack[--b->depth];
    if (f.merge != NULL) {
        m31r_err err = m31ri_yaml_reserve(b) ? m31ri_yaml_merge(b, &f) : m31ri_yaml_no_memory(b);
        if (err != M31R_OK) {
            return err;
        }
    }
    return m31ri_yaml_place(b, f.node, f.anchor);
}

static m31r_err open_document(m31ri_yaml_builder *b, struct fy_event *ev)
{
    struct fy_document_state *state = ev->document_start.document_state;
    if (b->tree->root != NULL) {
        return M31RI_YAML_FAIL(b, "Keep one document: split the file at the line ---.",
                               "the config holds several documents");
    }
    if (state != NULL && fy_document_state_tags_explicit(state)) {
        return M31RI_YAML_FAIL(b, "Remove the %TAG line.", "tag directives are not followed");
    }
    return M31R_OK;
}

static m31r_err take_event(m31ri_yaml_builder *b, struct fy_event *ev)
{
    const struct fy_mark *from = fy_event_start_mark(ev);
    if (from != NULL) {
        bool quoted = ev->type == FYET_SCALAR && is_quoted(ev->scalar.value) && from->input_pos > 0;
        m31ri_yaml_locate(&b->cursor, from->input_pos - quoted, &b->line, &b->column);
    }
    m31r_err err = M31R_OK;
    switch (ev->type) {
    case FYET_DOCUMENT_START:
        err = open_document(b, ev);
        break;
    case FYET_SCALAR:
        err = take_scalar(b, ev);
        break;
    case FYET_ALIAS:
        err = take_alias(b, ev);
        break;
    case FYET_MAPPING_START:
        err = open_collection(b, ev, M31RI_YAML_MAP);
        break;
    case FYET_SEQUENCE_START:
        err = open_collection(b, ev, M31RI_YAML_LIST);
        break;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        err = close_collection(b);
        break;
    default:
        break;
    }
    const struct fy_mark *to = fy_event_end_mark(ev);
    if (to != NULL) {
        b->previous_end = to->input_pos;
    }
    return err;
}

static void discard(struct fy_diag *diag, void *user, const char *text, size_t length)
{
    (void)diag, (void)user, (void)text, (void)length;
}

/* What the parser found wrong, as one line with its place. */
static m31r_err syntax_error(m31ri_yaml_builder *b, struct fy_diag *diag)
{
    void *at = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &at);
    static const char hint[] =
        "Check the indentation (spaces, not tabs), quotes and brackets near this place.";
    if (first == NULL || first->msg == NULL) {
        return M31RI_YAML_FAIL(b, "A config needs no line that starts with %; remove it.",
                               "the config is not YAML 1.2 (an unknown directive or version)");
    }
    return m31ri_yaml_fail(b->e, b->path, first->line > 0 ? (uint32_t)first->line : b->line,
                           first->column > 0 ? (uint32_t)first->column : b->column, hint,
                           "not valid YAML: %.300s", first->msg);
}

static m31r_err parse(m31ri_yaml_builder *b, struct fy_diag *diag)
{
    struct fy_parse_cfg cfg = {.flags = FYPCF_JSON_NONE | FYPCF_DISABLE_MMAP_OPT, .diag = diag};
    struct fy_parser *parser = fy_parser_create(&cfg);
    if (parser == NULL || fy_parser_set_string(parser, b->cursor.bytes, b->cursor.length) != 0) {
        fy_parser_destroy(parser);
        return m31ri_yaml_no_memory(b);
    }
    m31r_err err = M31R_OK;
    struct fy_event *ev = NULL;
    while (err == M31R_OK && (ev = fy_parser_parse(parser)) != NULL) {
        err = take_event(b, ev);
        fy_parser_event_free(parser, ev);
    }
    if (err == M31R_OK && fy_parser_get_stream_error(parser)) {
        err = syntax_error(b, diag);
    }
    fy_parser_destroy(parser);
    return err;
}

static m31r_err build(m31ri_yaml_builder *b)
{
    struct fy_diag_cfg cfg;
    fy_diag_cfg_default(&cfg);
    cfg.fp = NULL;
    cfg.output_fn = discard;
    cfg.colorize = false;
    struct fy_diag *diag = fy_diag_create(&cfg);
    if (diag == NULL) {
        return m31ri_yaml_no_memory(b);
    }
    fy_diag_set_collect_errors(diag, true);
    m31r_err err = parse(b, diag);
    fy_diag_destroy(diag);
    if (err == M31R_OK && b->tree->root == NULL) {
        err = m31ri_yaml_fail(b->e, b->path, 1, 1, "Write at least one line: key: value.",
                              "the config is empty");
    }
    if (err == M31R_OK && b->tree->root->type != M31RI_YAML_MAP) {
        err = m31ri_yaml_fail(b->e, b->path, b->tree->root->line, b->tree->root->column,
                              "Write key: value lines.", "the config is not a mapping at its top");
    }
    return err;
}

m31r_err m31ri_yaml_read(const char *bytes, size_t length, const char *path, m31ri_yaml **out,
                         m31r_error *e)
{
    path = path != NULL ? path : "";
    m31r_err err = m31ri_yaml_check_bytes(bytes, length, path, e);
    if (err != M31R_OK) {
        return err;
    }
    m31ri_yaml_builder *b = m31ri_calloc(1, sizeof *b);
    m31ri_yaml *tree = m31ri_calloc(1, sizeof *tree);
    if (b == NULL || tree == NULL) {
        m31ri_free(b);
        m31ri_free(tree);
        return m31ri_fail(e, M31R_E_NOMEM, "no memory to read %s", path);
    }
    *b = (m31ri_yaml_builder){.tree = tree, .path = path, .e = e, .line = 1, .column = 1};
    b->cursor = (m31ri_yaml_cursor){.bytes = bytes, .length = length, .line = 1};
    b->seed = (uint64_t)(uintptr_t)tree * 0x9E3779B97F4A7C15ULL;
    err = build(b);
    m31ri_free(b->table);
    m31ri_free(b);
    if (err != M31R_OK) {
        m31ri_yaml_free(tree);
        return err;
    }
    *out = tree;
    return M31R_OK;
}
