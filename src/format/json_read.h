/* json_read.h - a strict reader of one JSON text (RFC 8259, UTF-8, depth-limited), as a stream of events.
 *
 * It allocates nothing: events point into the text. It is the full parse behind every reader of records, and the
 * oracle of the fast scanner. Each pitfall of real logs is a class of its own.
 */
#ifndef M31RI_JSON_READ_H
#define M31RI_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define M31RI_JSON_DEPTH 128

typedef enum m31ri_json_class {
    M31RI_JSON_OK = 0,
    M31RI_JSON_EMPTY,          /* nothing but white space */
    M31RI_JSON_NOT_JSON,
    M31RI_JSON_NOT_OBJECT,     /* valid JSON, but not an object */
    M31RI_JSON_INVALID_UTF8,
    M31RI_JSON_TOO_DEEP,
    M31RI_JSON_DUP_KEY,        /* an object holds a key twice (compared unescaped) */
    M31RI_JSON_LONE_SURROGATE  /* valid by the grammar, but stands for no character */
} m31ri_json_class;

const char *m31ri_json_class_name(m31ri_json_class c); /* "ok", "empty", "not_json", ... as in the data's labels */

/* One member of the top object. `key` and `value` point into the text; strings without their quotes, still
 * escaped; `value` of an object or array is its whole text. */
typedef struct m31ri_json_member {
    const char *key;
    size_t key_length;
    const char *value;
    size_t value_length;
    char type;        /* 's' string, 'n' number, 't' true, 'f' false, '0' null, 'o' object, 'a' array */
    bool key_escaped; /* the key holds a backslash */
    bool value_escaped;
} m31ri_json_member;

/* Reads one object's text and hands its top members to `each` (NULL: only classify) in order; `each` returning
 * false stops the reading with M31RI_JSON_OK. `*error_at` (NULL allowed) gets the offset of the fault.
 *
 * Worst case is near linear also for hostile keys: duplicates are found by a sorted or well-hashed set. */
m31ri_json_class m31ri_json_read_object(const char *text, size_t length,
                                        bool (*each)(void *context, const m31ri_json_member *m),
                                        void *context, size_t *error_at);

#endif
