/* json.h - one line of JSON after another: the form of every machine-readable output.
 *
 * A line is an object that starts with "v" and "kind". Members stand in the order in which they are
 * added; inside an array `key` is NULL. Strings are escaped as in records; numbers that are not
 * finite are written as the strings "NaN", "Infinity", "-Infinity". It is not a parser and keeps no
 * tree.
 *
 * Invariant: an object that ran out of memory swallows what follows, and m31r_json_write() says so
 * once.
 *
 *     m31r_json *j = m31r_json_new("lane");
 *     m31r_json_add_text(j, "name", lane->name);
 *     m31r_json_open(j, "sizes", '[');
 *     m31r_json_add_int(j, NULL, 12);
 *     m31r_json_close(j);
 *     m31r_json_write(j, stdout, NULL);
 *
 * One thread at a time for each object; different objects are independent.
 */
#ifndef M31R_JSON_H
#define M31R_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct m31r_json m31r_json;

/* Starts the line {"v":1,"kind":KIND. NULL for `kind` starts an empty object without the two.
 *
 * Returns: a line, or NULL when memory is out; every function here takes NULL and does nothing.
 * Owns:    the caller; m31r_json_write() or m31r_json_free() frees it.
 * Thread:  any.
 */
M31R_API m31r_json *m31r_json_new(const char *kind);

/* Gives a line up without writing it. NULL is fine.
 *
 * Owns:   frees `j`.
 * Thread: one at a time per line.
 */
M31R_API void m31r_json_free(m31r_json *j);

/* Starts a nested object ('{') or array ('['), at most 16 deep.
 *
 * Thread: one at a time per line.
 */
M31R_API void m31r_json_open(m31r_json *j, const char *key, char bracket);

/* Ends the innermost nested object or array.
 *
 * Thread: one at a time per line.
 */
M31R_API void m31r_json_close(m31r_json *j);

/* Adds a string; NULL adds null. Invalid UTF-8 becomes U+FFFD.
 *
 * Thread: one at a time per line.
 */
M31R_API void m31r_json_add_text(m31r_json *j, const char *key, const char *text);

/* Adds a string of `length` bytes, NUL bytes allowed; NULL adds null.
 *
 * Thread: one at a time per line.
 */
M31R_API void m31r_json_add_bytes(m31r_json *j, const char *key, const char *text, size_t length);

/* Adds an integer.
 *
 * Thread: one at a time per line.
 */
M31R_API void m31r_json_add_int(m31r_json *j, const char *key, int64_t value);

/* Adds a number with the fewest digits that read back to the same double.
 *
 * Thread: one at a time per line.
 */
M31R_API void m31r_json_add_double(m31r_json *j, const char *key, double value);

/* Adds true or false.
 *
 * Thread: one at a time per line.
 */
M31R_API void m31r_json_add_bool(m31r_json *j, const char *key, bool value);

/* Adds null.
 *
 * Thread: one at a time per line.
 */
M31R_API void m31r_json_add_null(m31r_json *j, const char *key);

/* Adds a value that is JSON text already; it is not checked.
 *
 * Thread: one at a time per line.
 */
M31R_API void m31r_json_add_raw(m31r_json *j, const char *key, const char *json, size_t length);

/* Closes whatever is open, writes the line with its newline to `out` and frees it.
 *
 * Returns: M31R_OK when the line was written.
 * Errors:  M31R_E_NOMEM, M31R_E_IO.
 * Owns:    frees `j`, also on failure.
 * Thread:  one at a time per line.
 */
M31R_API m31r_err m31r_json_write(m31r_json *j, FILE *out, m31r_error *e);

#ifdef __cplusplus
}
#endif
#endif
