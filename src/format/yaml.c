/* yaml.c - a config as a tree, built from the parser's events into one arena.
 *
 * libfyaml is asked for events only; its documents are not used, because every decision that
 * matters here (how often an alias may be expanded, what a second equal key means, which tags are
 * followed) must be ours and happen before the memory is spent. An alias is a copy of the anchored
 * subtree: nodes are copied and counted, texts are shared but counted too, so that a bomb of nodes
 * and a bomb of bytes meet the same kind of limit.
 *
 * Invariant: a node is linked into its parent only when it is complete, so an alias to an open
 * anchor (a cycle) is found by the anchor having no value yet.
 */
#include "format/yaml.h"

#include <libfyaml.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/yaml_int.h"

#define ARENA_BYTES (64 * 1024)
#define HINT_SHORTEN "Write the values out once, or name a file instead of repeating them."

typedef struct arena_block {
    struct arena_block *next;
    size_t used, size;
    max_align_t bytes[];
} arena_block;

struct m31ri_yaml {
    arena_block *blocks;
    m31ri_yaml_node *root;
};

/* One entry finds a child of a map by key, or (map NULL) an anchor by name. value NULL: the anchor
 * is still open. */
typedef struct entry {
    const m31ri_yaml_node *map;
    const char *key;
    m31ri_yaml_node *value;
} entry;

typedef struct frame {
    m31ri_yaml_node *node;
    m31ri_yaml_node *last;
    const char *anchor;
    const char *key; /* key read, value awaited */
    uint32_t key_line, key_column;
    bool key_is_merge;
    m31ri_yaml_node *merge; /* value of "<<" */
} frame;

typedef struct builder {
    m31ri_yaml *tree;
    const char *path;
    m31r_error *e;
    m31ri_yaml_cursor cursor;
    frame stack[M31RI_YAML_DEPTH];
    size_t depth;
    entry *table;
    size_t table_size, table_used;
    uint64_t seed;
    size_t n_nodes, text_bytes;
    size_t previous_end;   /* of the last token: where a block scalar's header is looked for */
    uint32_t line, column; /* of the event at hand */
} builder;

static void *arena_take(m31ri_yaml *y, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (y->blocks == NULL || y->blocks->size - y->blocks->used < size) {
        size_t room = size > ARENA_BYTES ? size : ARENA_BYTES;
        arena_block *b = m31ri_alloc(sizeof *b + room);
        if (b == NULL) {
            return NULL;
        }
        b->next = y->blocks;
        b->used = 0;
        b->size = room;
        y->blocks = b;
    }
    void *p = (char *)y->blocks->bytes + y->blocks->used;
    y->blocks->used += size;
    return p;
}

static const char *arena_text(m31ri_yaml *y, const char *s, size_t length)
{
    char *copy = arena_take(y, length + 1);
    if (copy != NULL) {
        memcpy(copy, s, length);
        copy[length] = '\0';
    }
    return copy;
}

static m31r_err out_of_memory(builder *b)
{
    return m31ri_fail(b->e, M31R_E_NOMEM, "no memory to read %s", b->path);
}

#define FAIL(b, hint, ...)                                                                         \
    m31ri_yaml_fail((b)->e, (b)->path, (b)->line, (b)->column, hint, __VA_ARGS__)

static size_t slot_of(const builder *b, const m31ri_yaml_node *map, const char *key)
{
    uint64_t h = b->seed ^ (uint64_t)(uintptr_t)map;
    for (; *key != '\0'; key++) {
        h = (h ^ (unsigned char)*key) * 0x9E3779B97F4A7C15ULL;
        h ^= h >> 29;
    }
    return (size_t)(h ^ h >> 32) & (b->table_size - 1);
}

/* The entry for map and key, or the free one where it would go. The table is never full. */
static entry *table_find(const builder *b, const m31ri_yaml_node *map, const char *key)
{
    size_t i = slot_of(b, map, key);
    while (b->table[i].key != NULL &&
           (b->table[i].map != map || strcmp(b->table[i].key, key) != 0)) {
        i = (i + 1) & (b->table_size - 1);
    }
    return &b->table[i];
}

static bool table_reserve(builder *b)
{
    if (b->table_used * 2 < b->table_size) {
        return true;
    }
    entry *old = b->table;
    size_t old_size = b->table_size;
    size_t size = old_size != 0 ? old_size * 2 : 256;
    entry *table = m31ri_calloc(size, sizeof *table);
    if (table == NULL) {
        return false;
    }
    b->table = table;
    b->table_size = size;
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].key != NULL) {
            *table_find(b, old[i].map, old[i].key) = old[i];
        }
    }
    m31ri_free(old);
    return true;
}

/* Puts or replaces. */
static bool table_set(builder *b, const m31ri_yaml_node *map, const char *key,
                      m31ri_yaml_node *value)
{
    if (!table_reserve(b)) {
        return false;
    }
    entry *at = table_find(b, map, key);
    b->table_used += at->key == NULL;
    *at = (entry){.map = map, .key = key, .value = value};
    return true;
}

static m31r_err new_node(builder *b, m31ri_yaml_node **out)
{
    if (++b->n_nodes > M31RI_YAML_NODES) {
        return FAIL(b, HINT_SHORTEN,
                    "the config has more than %d values when its aliases are expanded",
                    M31RI_YAML_NODES);
    }
    m31ri_yaml_node *n = arena_take(b->tree, sizeof *n);
    if (n == NULL) {
        return out_of_memory(b);
    }
    *n = (m31ri_yaml_node){.line = b->line, .column = b->column};
    *out = n;
    return M31R_OK;
}

static m31r_err count_text(builder *b, size_t length)
{
    b->text_bytes += length;
    if (b->text_bytes > M31RI_YAML_BYTES) {
        return FAIL(b, HINT_SHORTEN,
                    "the config has more than %d bytes when its aliases are expanded",
                    M31RI_YAML_BYTES);
    }
    return M31R_OK;
}

static void link_child(m31ri_yaml_node *parent, m31ri_yaml_node **last, m31ri_yaml_node *n)
{
    n->parent = parent;
    n->next = NULL;
    if (*last == NULL) {
        parent->first = n;
    } else {
        (*last)->next = n;
    }
    *last = n;
    parent->n_children++;
}

/* A deep copy for an alias; `depth` is the depth it will stand at. */
static m31r_err copy_node(builder *b, const m31ri_yaml_node *from, size_t depth,
                          m31ri_yaml_node **out)
{
    m31ri_yaml_node *n = NULL;
    m31r_err err =
        depth > M31RI_YAML_DEPTH
            ? FAIL(b, "Flatten the config.", "aliases nest deeper than %d levels", M31RI_YAML_DEPTH)
            : new_node(b, &n);
    if (err == M31R_OK) {
        err = count_text(b, from->text_length);
    }
    if (err != M31R_OK) {
        return err;
    }
    *n = *from;
    n->first = n->next = n->parent = NULL;
    n->n_children = 0;
    n->is_alias_copy = true;
    m31ri_yaml_node *last = NULL;
    for (const m31ri_yaml_node *c = from->first; c != NULL; c = c->next) {
        m31ri_yaml_node *child = NULL;
        err = copy_node(b, c, depth + 1, &child);
        if (err == M31R_OK && child->key != NULL && !table_set(b, n, child->key, child)) {
            err = out_of_memory(b);
        }
        if (err != M31R_OK) {
            return err;
        }
        link_child(n, &last, child);
    }
    *out = n;
    return M31R_OK;
}

/* Adds what `source` has and the map has not. Its nodes are this tree's own (inline, or an alias's
 * copy). */
static m31r_err merge_map(builder *b, frame *f, m31ri_yaml_node *source)
{
    m31ri_yaml_node *next = NULL;
    for (m31ri_yaml_node *c = source->first; c != NULL; c = next) {
        next = c->next;
        entry *there = table_find(b, f->node, c->key);
        if (there->key != NULL) {
            continue;
        }
        if (!table_set(b, f->node, c->key, c)) {
            return out_of_memory(b);
        }
        link_child(f->node, &f->last, c);
    }
    return M31R_OK;
}

/* "<<": a map, or a list of maps where the earlier one wins. Two sources from one anchor say
 * nothing new and are how merge bombs are written: refused. */
static m31r_err merge_all(builder *b, frame *f)
{
    m31ri_yaml_node *m = f->merge;
    if (m->type == M31RI_YAML_MAP) {
        return merge_map(b, f, m);
    }
    m31ri_yaml_node *next = NULL;
    for (m31ri_yaml_node *c = m->type == M31RI_YAML_LIST ? m->first : NULL; c != NULL; c = next) {
        next = c->next;
        bool twice = next != NULL && c->is_alias_copy && next->is_alias_copy &&
                     next->line == c->line && next->column == c->column;
        if (c->type != M31RI_YAML_MAP || twice) {
            return m31ri_yaml_fail(
                b->e, b->path, c->line, c->column, "List each mapping to merge once.",
                twice ? "a merge key (<<) lists the same mapping twice"
                      : "a merge key (<<) lists something that is not a mapping");
        }
        m31r_err err = merge_map(b, f, c);
        if (err != M31R_OK) {
            return err;
        }
    }
    if (m->type != M31RI_YAML_LIST) {
        return m31ri_yaml_fail(
            b->e, b->path, m->line, m->column,
            "Write <<: *name, where &name is a mapping; quote \"<<\" for a plain key.",
            "a merge key (<<) needs a mapping or a list of mappings");
    }
    return M31R_OK;
}

/* Hangs a complete value where it belongs and closes its anchor. */
static m31r_err place(builder *b, m31ri_yaml_node *n, const char *anchor)
{
    if (anchor != NULL && !table_set(b, NULL, anchor, n)) {
        return out_of_memory(b);
    }
    if (b->depth == 0) {
        b->tree->root = n;
        return M31R_OK;
    }
    frame *f = &b->stack[b->depth - 1];
    if (f->node->type == M31RI_YAML_LIST) {
        n->key = NULL;
        n->key_line = n->key_column = 0;
        link_child(f->node, &f->last, n);
        return M31R_OK;
    }
    n->key = f->key;
    n->key_line = f->key_line;
    n->key_column = f->key_column;
    f->key = NULL;
    if (f->key_is_merge) {
        f->key_is_merge = false;
        n->parent = f->node;
        f->merge = n;
        return M31R_OK;
    }
    table_find(b, f->node, n->key)->value = n;
    link_child(f->node, &f->last, n);
    return M31R_OK;
}

/* Takes the scalar `text` as the key of the open map. */
static m31r_err take_key(builder *b, const char *text, size_t length, bool is_plain)
{
    frame *f = &b->stack[b->depth - 1];
    if (strlen(text) != length) {
        return FAIL(b, "Remove the \\0 from the key.", "a key holds a NUL character");
    }
    f->key_is_merge = is_plain && strcmp(text, "<<") == 0;
    f->key = text;
    f->key_line = b->line;
    f->key_column = b->column;
    if (f->key_is_merge && f->merge != NULL) {
        return FAIL(b, "Join them: <<: [*a, *b].", "key << appears twice");
    }
    if (f->key_is_merge) {
        return M31R_OK;
    }
    if (!table_reserve(b)) {
        return out_of_memory(b);
    }
    if (table_find(b, f->node, text)->key != NULL) {
        return FAIL(b, "Remove one of the two; programs differ in which one they take.",
                    "key \"%.100s\" appears twice in the same mapping", text);
    }
    return table_set(b, f->node, text, NULL) ? M31R_OK : out_of_memory(b);
}

static bool awaits_key(const builder *b)
{
    const frame *f = b->depth > 0 ? &b->stack[b->depth - 1] : NULL;
    return f != NULL && f->node->type == M31RI_YAML_MAP && f->key == NULL;
}

/* Copies a token's text into the arena; NULL in *out when there is no token. */
static m31r_err token_text(builder *b, struct fy_token *t, const char **out, size_t *length)
{
    *out = NULL;
    *length = 0;
    if (t == NULL) {
        return M31R_OK;
    }
    const char *s = fy_token_get_text(t, length);
    if (s == NULL) {
        return out_of_memory(b);
    }
    if (*length > M31RI_YAML_SCALAR_BYTES) {
        return FAIL(b, "Put long text into a file and name the file.",
                    "a value has %zu bytes, more than the limit of %d", *length,
                    M31RI_YAML_SCALAR_BYTES);
    }
    *out = arena_text(b->tree, s, *length);
    return *out != NULL ? M31R_OK : out_of_memory(b);
}

/* An anchor is known from its first mention, with no value until its node is complete. */
static m31r_err open_anchor(builder *b, struct fy_event *ev, const char **anchor)
{
    size_t length = 0;
    m31r_err err = token_text(b, fy_event_get_anchor_token(ev), anchor, &length);
    if (err == M31R_OK && *anchor != NULL && !table_set(b, NULL, *anchor, NULL)) {
        err = out_of_memory(b);
    }
    return err;
}

/* Core tags that say what the value is anyway are followed; every other one would make a program
 * build something. */
static m31r_err check_tag(builder *b, struct fy_event *ev, const char *kinds, char *out_kind)
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
    return FAIL(b, "Remove the tag; write plain values.", "tag \"%.100s\" is not followed", tag);
}

/* The parser's marks leave the quotes out. */
static bool is_quoted(struct fy_token *t)
{
    enum fy_scalar_style style = t != NULL ? fy_token_scalar_style(t) : FYSS_PLAIN;
    return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

/* A scalar's span with its quotes; for | and > from the header on. */
static void set_span(builder *b, m31ri_yaml_node *n, struct fy_token *t)
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

static m31r_err take_scalar(builder *b, struct fy_event *ev)
{
    struct fy_token *t = ev->scalar.value;
    enum fy_scalar_style style = t != NULL ? fy_token_scalar_style(t) : FYSS_PLAIN;
    const char *anchor = NULL, *text = NULL;
    size_t length = 0;
    char tag = 0;
    m31r_err err = check_tag(b, ev, "sifbn!", &tag);
    err = err != M31R_OK ? err : open_anchor(b, ev, &anchor);
    err = err != M31R_OK ? err : token_text(b, t, &text, &length);
    err = err != M31R_OK ? err : count_text(b, length);
    bool is_utf8 = true;
    if (err == M31R_OK && text == NULL) {
        text = "";
    }
    if (err == M31R_OK) {
        m31ri_yaml_first_bad_byte(text, length, &is_utf8);
        if (!is_utf8) {
            err = FAIL(b, "Write the character itself, in UTF-8.",
                       "an escape stands for no character (a lone surrogate)");
        }
    }
    if (err == M31R_OK && awaits_key(b) && anchor == NULL) {
        err = take_key(b, text, length, style == FYSS_PLAIN);
        set_span(b, &(m31ri_yaml_node){0}, t);
        return err;
    }
    m31ri_yaml_node *n = NULL;
    err = err != M31R_OK ? err : new_node(b, &n);
    if (err != M31R_OK) {
        return err;
    }
    n->text = text;
    n->text_length = length;
    set_span(b, n, t);
    if (style != FYSS_PLAIN || tag == 's' || tag == '!') {
        n->type = M31RI_YAML_STRING;
    } else if (!m31ri_yaml_resolve(n)) {
        return FAIL(b, "Put the number in quotes if it is meant as text.",
                    "number %.40s%s is beyond 64 bits or a double", text, length > 40 ? "..." : "");
    }
    if (tag != 0 && tag != '!' && type_letters[n->type] != tag &&
        !(tag == 'f' && n->type == M31RI_YAML_INT)) {
        return FAIL(b, "Remove the tag; write plain values.",
                    "the tag does not fit the value \"%.100s\"", text);
    }
    if (awaits_key(b)) {
        err = table_set(b, NULL, anchor, n) ? M31R_OK : out_of_memory(b);
        return err != M31R_OK ? err : take_key(b, text, length, style == FYSS_PLAIN);
    }
    return place(b, n, anchor);
}

static m31r_err take_alias(builder *b, struct fy_event *ev)
{
    const char *name = NULL;
    size_t length = 0;
    m31r_err err = token_text(b, ev->alias.anchor, &name, &length);
    if (err != M31R_OK) {
        return err;
    }
    if (name == NULL || awaits_key(b)) {
        return FAIL(b, "Write the key out.", "an alias stands where a key is expected");
    }
    if (!table_reserve(b)) {
        return out_of_memory(b);
    }
    const entry *found = table_find(b, NULL, name);
    if (found->key == NULL) {
        return FAIL(b, "Define it before its first use: &name value.",
                    "alias *%.100s has no anchor before it", name);
    }
    if (found->value == NULL) {
        return FAIL(b, "A value cannot contain itself: write the inner one out.",
                    "alias *%.100s stands inside its own anchor (a cycle)", name);
    }
    m31ri_yaml_node *copy = NULL;
    err = copy_node(b, found->value, b->depth + 1, &copy);
    return err != M31R_OK ? err : place(b, copy, NULL);
}

static m31r_err open_collection(builder *b, struct fy_event *ev, m31ri_yaml_type type)
{
    if (awaits_key(b)) {
        return FAIL(b, "Use a plain word as the key.",
                    "a list or mapping stands where a key is expected");
    }
    if (b->depth >= M31RI_YAML_DEPTH) {
        return FAIL(b, "Flatten the config.", "the config nests deeper than %d levels",
                    M31RI_YAML_DEPTH);
    }
    const char *anchor = NULL;
    char tag = 0;
    m31ri_yaml_node *n = NULL;
    m31r_err err = check_tag(b, ev, type == M31RI_YAML_MAP ? "m" : "l", &tag);
    err = err != M31R_OK ? err : open_anchor(b, ev, &anchor);
    err = err != M31R_OK ? err : new_node(b, &n);
    if (err != M31R_OK) {
        return err;
    }
    n->type = type;
    n->text = "";
    b->stack[b->depth++] = (frame){.node = n, .anchor = anchor};
    return M31R_OK;
}

static m31r_err close_collection(builder *b)
{
    frame f = b->stack[--b->depth];
    if (f.merge != NULL) {
        m31r_err err = table_reserve(b) ? merge_all(b, &f) : out_of_memory(b);
        if (err != M31R_OK) {
            return err;
        }
    }
    return place(b, f.node, f.anchor);
}

static m31r_err open_document(builder *b, struct fy_event *ev)
{
    struct fy_document_state *state = ev->document_start.document_state;
    if (b->tree->root != NULL) {
        return FAIL(b, "Keep one document: split the file at the line ---.",
                    "the config holds several documents");
    }
    if (state != NULL && fy_document_state_tags_explicit(state)) {
        return FAIL(b, "Remove the %TAG line.", "tag directives are not followed");
    }
    return M31R_OK;
}

static m31r_err take_event(builder *b, struct fy_event *ev)
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
static m31r_err syntax_error(builder *b, struct fy_diag *diag)
{
    void *at = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &at);
    static const char hint[] =
        "Check the indentation (spaces, not tabs), quotes and brackets near this place.";
    if (first == NULL || first->msg == NULL) {
        return FAIL(b, "A config needs no line that starts with %; remove it.",
                    "the config is not YAML 1.2 (an unknown directive or version)");
    }
    return m31ri_yaml_fail(b->e, b->path, first->line > 0 ? (uint32_t)first->line : b->line,
                           first->column > 0 ? (uint32_t)first->column : b->column, hint,
                           "not valid YAML: %.300s", first->msg);
}

static m31r_err parse(builder *b, struct fy_diag *diag)
{
    struct fy_parse_cfg cfg = {.flags = FYPCF_JSON_NONE | FYPCF_DISABLE_MMAP_OPT, .diag = diag};
    struct fy_parser *parser = fy_parser_create(&cfg);
    if (parser == NULL || fy_parser_set_string(parser, b->cursor.bytes, b->cursor.length) != 0) {
        fy_parser_destroy(parser);
        return out_of_memory(b);
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

static m31r_err build(builder *b)
{
    struct fy_diag_cfg cfg;
    fy_diag_cfg_default(&cfg);
    cfg.fp = NULL;
    cfg.output_fn = discard;
    cfg.colorize = false;
    struct fy_diag *diag = fy_diag_create(&cfg);
    if (diag == NULL) {
        return out_of_memory(b);
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
    builder *b = m31ri_calloc(1, sizeof *b);
    m31ri_yaml *tree = m31ri_calloc(1, sizeof *tree);
    if (b == NULL || tree == NULL) {
        m31ri_free(b);
        m31ri_free(tree);
        return m31ri_fail(e, M31R_E_NOMEM, "no memory to read %s", path);
    }
    *b = (builder){.tree = tree, .path = path, .e = e, .line = 1, .column = 1};
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

void m31ri_yaml_free(m31ri_yaml *y)
{
    if (y == NULL) {
        return;
    }
    arena_block *next = NULL;
    for (arena_block *b = y->blocks; b != NULL; b = next) {
        next = b->next;
        m31ri_free(b);
    }
    m31ri_free(y);
}

const m31ri_yaml_node *m31ri_yaml_root(const m31ri_yaml *y)
{
    return y != NULL ? y->root : NULL;
}
