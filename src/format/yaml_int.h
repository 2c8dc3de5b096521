/* yaml_int.h - what the parts of the YAML reader share: bytes checked before parsing, the core
 * schema, the table. */
#ifndef M31RI_YAML_INT_H
#define M31RI_YAML_INT_H

#include "format/yaml.h"

/* Where in the file, 1-based; the cursor only moves forward, so that positions cost linear time in
 * all. */
typedef struct m31ri_yaml_cursor {
    const char *bytes;
    size_t length;
    size_t at;
    size_t line_start;
    uint32_t line;
} m31ri_yaml_cursor;

/* Line and column of byte `at`. Going back is allowed within the current line only; else it starts
 * anew. */
void m31ri_yaml_locate(m31ri_yaml_cursor *c, size_t at, uint32_t *line, uint32_t *column);

/* Refuses what must never reach the parser: size, UTF-16, invalid UTF-8, control characters. */
m31r_err m31ri_yaml_check_bytes(const char *bytes, size_t length, const char *path, m31r_error *e);

/* Gives a plain scalar its type by the YAML 1.2 core schema and fills b, i or f. False: a number no
 * 64-bit integer or double holds. */
bool m31ri_yaml_resolve(m31ri_yaml_node *n);

/* Offset of the first byte that is not UTF-8, or of a character YAML forbids; `length` when all is
 * well. */
size_t m31ri_yaml_first_bad_byte(const char *s, size_t length, bool *is_utf8);

/* Fills `e` with M31R_E_CONFIG, the place and the sentence. */
m31r_err m31ri_yaml_fail(m31r_error *e, const char *path, uint32_t line, uint32_t column,
                         const char *hint, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

#endif
