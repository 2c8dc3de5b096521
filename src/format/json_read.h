/* json_read.h - a strict reader of one JSON text (RFC 8259, UTF-8, depth-limited), as a stream of
 * events.
 *
 * Events point into the text; nothing is allocated for a text with up to 64 keys in open objects.
 * It is the full parse behind every reader of records, and the oracle of the fast scanner. Each
 * pitfall of real logs is a class of its own.
 *
 *     static bool print_key(void *context, const m31ri_json_member *m) { ...; return true; }
 *     m31ri_json_class c = m31ri_json_read_object(line, length, print_key, NULL, &at);
 */
#ifndef M31RI_JSON_READ_H
#define M31RI_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define M31RI_JSON_DEPTH 128

typedef enum m31ri_json_class {
    M31RI_JSON_OK = 0,
    M31RI_JSON_EMPTY, /* nothing but white space */
    M31RI_JSON_NOT_JSON,
    M31RI_JSON_NOT_OBJECT, /* valid JSON, but not an object */
    M31RI_JSON_INVALID_UTF8,
    M31RI_JSON_TOO_DEEP,
    M31RI_JSON_DUP_KEY,        /* an object holds a key twice (compared unescaped) */
    M31RI_JSON_LONE_SURROGATE, /* valid by the grammar, but stands for no character */
    M31RI_JSON_NO_MEMORY       /* not judged: more than 64 keys, and no memory to hold them */
} m31ri_json_class;

const char *m31ri_json_class_name(
    m31ri_json_class c); /* "ok", "empty", "not_json", ... as in the data's labels */

/* One member of the top object. `key` and `value` point into the text; strings without their
 * quotes, still escaped; `value` of an object or array is its whole text. */
typedef struct m31ri_json_member {
    const char *key;
    size_t key_length;
    const char *value;
    size_t value_length;
    char type; /* 's' string, 'n' number, 't' true, 'f' false, '0' null, 'o' object, 'a' array */
    bool key_escaped; /* the key holds a backslash */
    bool value_escaped;
} m31ri_json_member;

/* Reads one object's text and hands its top members to `each` (NULL: only classify) in order;
 * `each` returning false stops the reading with M31RI_JSON_OK. `*error_at` (NULL allowed) gets the
 * offset of the fault.
 *
 * Members come while the text is read: what they say counts only when M31RI_JSON_OK comes back.
 * When several classes are true, the first of INVALID_UTF8, EMPTY, TOO_DEEP or NOT_JSON,
 * NOT_OBJECT, DUP_KEY, LONE_SURROGATE is given; what follows the place that is too deep is not
 * looked at. Worst case n log n in the keys, also for hostile ones. */
m31ri_json_class m31ri_json_read_object(const char *text, size_t length,
                                        bool (*each)(void *context, const m31ri_json_member *m),
                                        void *context, size_t *error_at);

#endif
