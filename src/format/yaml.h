/* yaml.h - a config file (YAML 1.2 or JSON) as a tree of scalars with positions, read within
 * limits.
 *
 * Refused: tags that name types, several documents, duplicate keys, alias cycles, undefined
 * aliases, merge keys that loop, more nodes or depth than the limits when expanded, invalid UTF-8,
 * UTF-16, control characters, a root that is not a mapping, numbers beyond 64 bits or a double.
 * Nothing is expanded: "${HOME}" stays text. YAML 1.2 core schema: NO is a string, 0o17 is octal,
 * 010 is decimal 10.
 */
#ifndef M31RI_YAML_H
#define M31RI_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "m31r/error.h"

#define M31RI_YAML_BYTES (16 * 1024 * 1024)
#define M31RI_YAML_DEPTH 64
#define M31RI_YAML_NODES 200000 /* after expansion of aliases */
#define M31RI_YAML_SCALAR_BYTES (1024 * 1024 - 1)

typedef enum m31ri_yaml_type {
    M31RI_YAML_NULL,
    M31RI_YAML_BOOL,
    M31RI_YAML_INT,
    M31RI_YAML_FLOAT,
    M31RI_YAML_STRING,
    M31RI_YAML_MAP,
    M31RI_YAML_LIST
} m31ri_yaml_type;

/* A node. Children of a map or list are linked by `next` in file order. All memory belongs to the
 * tree. */
typedef struct m31ri_yaml_node {
    m31ri_yaml_type type;
    uint32_t line, column;         /* of the value, 1-based */
    uint32_t key_line, key_column; /* of its key in a map, else 0 */
    size_t start,
        end; /* byte span of a scalar in the file, quotes included; equal for an alias's copy */
    const char *key;  /* NUL-terminated; NULL in a list */
    const char *text; /* scalar as text, NUL-terminated */
    size_t text_length;
    bool b;
    int64_t i;
    double f;
    bool is_alias_copy;
    struct m31ri_yaml_node *first, *next, *parent;
    uint32_t n_children;
} m31ri_yaml_node;

typedef struct m31ri_yaml m31ri_yaml;

/* Reads a whole file's bytes. `path` is only for messages. On failure M31R_E_CONFIG with line,
 * column, path and hint. */
m31r_err m31ri_yaml_read(const char *bytes, size_t length, const char *path, m31ri_yaml **out,
                         m31r_error *e);
void m31ri_yaml_free(m31ri_yaml *y);
const m31ri_yaml_node *m31ri_yaml_root(const m31ri_yaml *y);

/* Child of a map by key; NULL when there is none or `n` is NULL. */
const m31ri_yaml_node *m31ri_yaml_get(const m31ri_yaml_node *n, const char *key);

/* Node at "a.b.0.c"; NULL when there is none. */
const m31ri_yaml_node *m31ri_yaml_find(const m31ri_yaml_node *n, const char *dotted);

/* Calls `each` for every scalar with its dotted path ("model.layers.0"), in file order. */
void m31ri_yaml_each_scalar(const m31ri_yaml_node *root,
                            void (*each)(void *context, const char *dotted,
                                         const m31ri_yaml_node *n),
                            void *context);

#endif
