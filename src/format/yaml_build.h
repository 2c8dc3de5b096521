/* yaml_build.h - a config's tree while it is being built (yaml_build.c), by the events of the
 * parser (yaml.c). All functions that can fail have filled builder.e then. */
#ifndef M31RI_YAML_BUILD_H
#define M31RI_YAML_BUILD_H

#include "format/yaml_int.h"

typedef struct m31ri_yaml_block m31ri_yaml_block;

struct m31ri_yaml {
    m31ri_yaml_block *blocks;
    m31ri_yaml_node *root;
};

/* One entry finds a child of a map by key, or (map NULL) an anchor by name. value NULL: the anchor
 * is still open. */
typedef struct m31ri_yaml_entry {
    const m31ri_yaml_node *map;
    const char *key;
    m31ri_yaml_node *value;
} m31ri_yaml_entry;

/* A map or list that is open. */
typedef struct m31ri_yaml_frame {
    m31ri_yaml_node *node;
    m31ri_yaml_node *last;
    const char *anchor;
    const char *key; /* key read, value awaited */
    uint32_t key_line, key_column;
    bool key_is_merge;
    m31ri_yaml_node *merge; /* value of "<<" */
} m31ri_yaml_frame;

typedef struct m31ri_yaml_builder {
    m31ri_yaml *tree;
    const char *path;
    m31r_error *e;
    m31ri_yaml_cursor cursor;
    m31ri_yaml_frame stack[M31RI_YAML_DEPTH];
    size_t depth;
    m31ri_yaml_entry *table;
    size_t table_size, table_used;
    uint64_t seed;
    size_t n_nodes, text_bytes;
    size_t previous_end;   /* of the last token: where a block scalar's header is looked for */
    uint32_t line, column; /* of the event at hand */
} m31ri_yaml_builder;

/* Fails at the event at hand. */
#define M31RI_YAML_FAIL(b, hint, ...)                                                              \
    m31ri_yaml_fail((b)->e, (b)->path, (b)->line, (b)->column, hint, __VA_ARGS__)

m31r_err m31ri_yaml_no_memory(m31ri_yaml_builder *b);

/* A copy in the arena; NULL when memory is out. */
const char *m31ri_yaml_keep_text(m31ri_yaml *y, const char *s, size_t length);

/* The entry for map and key, or the free one where it would go. The table must have room:
 * m31ri_yaml_reserve() came before. */
m31ri_yaml_entry *m31ri_yaml_entry_of(const m31ri_yaml_builder *b, const m31ri_yaml_node *map,
                                      const char *key);
bool m31ri_yaml_reserve(m31ri_yaml_builder *b);

/* Puts or replaces. False: out of memory. */
bool m31ri_yaml_set(m31ri_yaml_builder *b, const m31ri_yaml_node *map, const char *key,
                    m31ri_yaml_node *value);

/* A node at the event at hand, and text that counts for the limit of all text. */
m31r_err m31ri_yaml_new_node(m31ri_yaml_builder *b, m31ri_yaml_node **out);
m31r_err m31ri_yaml_count_text(m31ri_yaml_builder *b, size_t length);

/* A deep copy for an alias; `depth` is the depth it will stand at. */
m31r_err m31ri_yaml_copy_node(m31ri_yaml_builder *b, const m31ri_yaml_node *from, size_t depth,
                              m31ri_yaml_node **out);

/* "<<": a map, or a list of maps where the earlier one wins, put into the frame's map. */
m31r_err m31ri_yaml_merge(m31ri_yaml_builder *b, m31ri_yaml_frame *f);

/* Hangs a complete value where it belongs and closes its anchor. */
m31r_err m31ri_yaml_place(m31ri_yaml_builder *b, m31ri_yaml_node *n, const char *anchor);

/* Is the next value the key of the open map? Takes the scalar `text` as that key. */
bool m31ri_yaml_awaits_key(const m31ri_yaml_builder *b);
m31r_err m31ri_yaml_take_key(m31ri_yaml_builder *b, const char *text, size_t length, bool is_plain);

#endif
