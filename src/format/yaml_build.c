/* yaml_build.c - the tree of a config: nodes and texts in one arena, a table that finds keys and
 * anchors, aliases as copies, merge keys.
 *
 * An alias is a copy of the anchored subtree: nodes are copied and counted, texts are shared but
 * counted too, so that a bomb of nodes and a bomb of bytes meet the same kind of limit.
 */
#include "format/yaml_build.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"

#define ARENA_BYTES (64 * 1024)
#define HINT_SHORTEN "Write the values out once, or name a file instead of repeating them."

struct m31ri_yaml_block {
    m31ri_yaml_block *next;
    size_t used, size;
    max_align_t bytes[];
};

static void *arena_take(m31ri_yaml *y, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (y->blocks == NULL || y->blocks->size - y->blocks->used < size) {
        size_t room = size > ARENA_BYTES ? size : ARENA_BYTES;
        m31ri_yaml_block *b = m31ri_alloc(sizeof *b + room);
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

const char *m31ri_yaml_keep_text(m31ri_yaml *y, const char *s, size_t length)
{
    char *copy = arena_take(y, length + 1);
    if (copy != NULL) {
        memcpy(copy, s, length);
        copy[length] = '\0';
    }
    return copy;
}

m31r_err m31ri_yaml_no_memory(m31ri_yaml_builder *b)
{
    return m31ri_fail(b->e, M31R_E_NOMEM, "no memory to read %s", b->path);
}

static size_t slot_of(const m31ri_yaml_builder *b, const m31ri_yaml_node *map, const char *key)
{
    uint64_t h = b->seed ^ (uint64_t)(uintptr_t)map;
    for (; *key != '\0'; key++) {
        h = (h ^ (unsigned char)*key) * 0x9E3779B97F4A7C15ULL;
        h ^= h >> 29;
    }
    return (size_t)(h ^ h >> 32) & (b->table_size - 1);
}

/* The entry for map and key, or the free one where it would go. The table is never full. */
m31ri_yaml_entry *m31ri_yaml_entry_of(const m31ri_yaml_builder *b, const m31ri_yaml_node *map,
                                      const char *key)
{
    size_t i = slot_of(b, map, key);
    while (b->table[i].key != NULL &&
           (b->table[i].map != map || strcmp(b->table[i].key, key) != 0)) {
        i = (i + 1) & (b->table_size - 1);
    }
    return &b->table[i];
}

bool m31ri_yaml_reserve(m31ri_yaml_builder *b)
{
    if (b->table_used * 2 < b->table_size) {
        return true;
    }
    m31ri_yaml_entry *old = b->table;
    size_t old_size = b->table_size;
    size_t size = old_size != 0 ? old_size * 2 : 256;
    m31ri_yaml_entry *table = m31ri_calloc(size, sizeof *table);
    if (table == NULL) {
        return false;
    }
    b->table = table;
    b->table_size = size;
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].key != NULL) {
            *m31ri_yaml_entry_of(b, old[i].map, old[i].key) = old[i];
        }
    }
    m31ri_free(old);
    return true;
}

/* Puts or replaces. */
bool m31ri_yaml_set(m31ri_yaml_builder *b, const m31ri_yaml_node *map, const char *key,
                    m31ri_yaml_node *value)
{
    if (!m31ri_yaml_reserve(b)) {
        return false;
    }
    m31ri_yaml_entry *at = m31ri_yaml_entry_of(b, map, key);
    b->table_used += at->key == NULL;
    *at = (m31ri_yaml_entry){.map = map, .key = key, .value = value};
    return true;
}

m31r_err m31ri_yaml_new_node(m31ri_yaml_builder *b, m31ri_yaml_node **out)
{
    if (++b->n_nodes > M31RI_YAML_NODES) {
        return M31RI_YAML_FAIL(b, HINT_SHORTEN,
                               "the config has more than %d values when its aliases are expanded",
                               M31RI_YAML_NODES);
    }
    m31ri_yaml_node *n = arena_take(b->tree, sizeof *n);
    if (n == NULL) {
        return m31ri_yaml_no_memory(b);
    }
    *n = (m31ri_yaml_node){.line = b->line, .column = b->column};
    *out = n;
    return M31R_OK;
}

m31r_err m31ri_yaml_count_text(m31ri_yaml_builder *b, size_t length)
{
    b->text_bytes += length;
    if (b->text_bytes > M31RI_YAML_BYTES) {
        return M31RI_YAML_FAIL(b, HINT_SHORTEN,
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
m31r_err m31ri_yaml_copy_node(m31ri_yaml_builder *b, const m31ri_yaml_node *from, size_t depth,
                              m31ri_yaml_node **out)
{
    m31ri_yaml_node *n = NULL;
    m31r_err err = depth > M31RI_YAML_DEPTH
                       ? M31RI_YAML_FAIL(b, "Flatten the config.",
                                         "aliases nest deeper than %d levels", M31RI_YAML_DEPTH)
                       : m31ri_yaml_new_node(b, &n);
    if (err == M31R_OK) {
        err = m31ri_yaml_count_text(b, from->text_length);
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
        err = m31ri_yaml_copy_node(b, c, depth + 1, &child);
        if (err == M31R_OK && child->key != NULL && !m31ri_yaml_set(b, n, child->key, child)) {
            err = m31ri_yaml_no_memory(b);
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
static m31r_err merge_map(m31ri_yaml_builder *b, m31ri_yaml_frame *f, m31ri_yaml_node *source)
{
    m31ri_yaml_node *next = NULL;
    for (m31ri_yaml_node *c = source->first; c != NULL; c = next) {
        next = c->next;
        m31ri_yaml_entry *there = m31ri_yaml_entry_of(b, f->node, c->key);
        if (there->key != NULL) {
            continue;
        }
        if (!m31ri_yaml_set(b, f->node, c->key, c)) {
            return m31ri_yaml_no_memory(b);
        }
        link_child(f->node, &f->last, c);
    }
    return M31R_OK;
}

/* "<<": a map, or a list of maps where the earlier one wins. Two sources from one anchor say
 * nothing new and are how merge bombs are written: refused. */
m31r_err m31ri_yaml_merge(m31ri_yaml_builder *b, m31ri_yaml_frame *f)
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
m31r_err m31ri_yaml_place(m31ri_yaml_builder *b, m31ri_yaml_node *n, const char *anchor)
{
    if (anchor != NULL && !m31ri_yaml_set(b, NULL, anchor, n)) {
        return m31ri_yaml_no_memory(b);
    }
    if (b->depth == 0) {
        b->tree->root = n;
        return M31R_OK;
    }
    m31ri_yaml_frame *f = &b->stack[b->depth - 1];
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
    m31ri_yaml_entry_of(b, f->node, n->key)->value = n;
    link_child(f->node, &f->last, n);
    return M31R_OK;
}

/* Takes the scalar `text` as the key of the open map. */
m31r_err m31ri_yaml_take_key(m31ri_yaml_builder *b, const char *text, size_t length, bool is_plain)
{
    m31ri_yaml_frame *f = &b->stack[b->depth - 1];
    if (strlen(text) != length) {
        return M31RI_YAML_FAIL(b, "Remove the \\0 from the key.", "a key holds a NUL character");
    }
    f->key_is_merge = is_plain && strcmp(text, "<<") == 0;
    f->key = text;
    f->key_line = b->line;
    f->key_column = b->column;
    if (f->key_is_merge && f->merge != NULL) {
        return M31RI_YAML_FAIL(b, "Join them: <<: [*a, *b].", "key << appears twice");
    }
    if (f->key_is_merge) {
        return M31R_OK;
    }
    if (!m31ri_yaml_reserve(b)) {
        return m31ri_yaml_no_memory(b);
    }
    if (m31ri_yaml_entry_of(b, f->node, text)->key != NULL) {
        return M31RI_YAML_FAIL(b, "Remove one of the two; programs differ in which one they take.",
                               "key \"%.100s\" appears twice in the same mapping", text);
    }
    return m31ri_yaml_set(b, f->node, text, NULL) ? M31R_OK : m31ri_yaml_no_memory(b);
}

bool m31ri_yaml_awaits_key(const m31ri_yaml_builder *b)
{
    const m31ri_yaml_frame *f = b->depth > 0 ? &b->stack[b->depth - 1] : NULL;
    return f != NULL && f->node->type == M31RI_YAML_MAP && f->key == NULL;
}

void m31ri_yaml_free(m31ri_yaml *y)
{
    if (y == NULL) {
        return;
    }
    m31ri_yaml_block *next = NULL;
    for (m31ri_yaml_block *b = y->blocks; b != NULL; b = next) {
        next = b->next;
        m31ri_free(b);
    }
    m31ri_free(y);
}

const m31ri_yaml_node *m31ri_yaml_root(const m31ri_yaml *y)
{
    return y != NULL ? y->root : NULL;
}
