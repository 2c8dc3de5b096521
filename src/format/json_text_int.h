/* json_text_int.h - single steps of escaping, for the modules of format/ that must stop at a limit
 * or compare. */
#ifndef M31RI_JSON_TEXT_INT_H
#define M31RI_JSON_TEXT_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define M31RI_NO_CODE UINT32_MAX

/* Bytes at the start of `s` that are ASCII and need no escape. */
size_t m31ri_json_plain_prefix(const char *s, size_t length);

/* Bytes of the UTF-8 sequence at `s` (length >= 1) and its code point; or of the maximal ill-formed
 * subpart, with M31RI_NO_CODE. */
size_t m31ri_utf8_step(const char *s, size_t length, uint32_t *code);

/* Bytes at the start of `s` that are well-formed UTF-8; `length` when all are. */
size_t m31ri_utf8_valid_prefix(const char *s, size_t length);

/* Writes the escaped form of the one character at `s` (length >= 1); returns its bytes, those read
 * in `*used`. */
size_t m31ri_json_escape_step(const char *s, size_t length, char out[6], size_t *used);

/* Appends the escaped text as far as `limit` bytes of output go; returns how many bytes of `s` that
 * were. */
size_t m31ri_json_escape_within(m31ri_buf *out, const char *s, size_t length, size_t limit);

/* Writes what the escape at `p` (a backslash) stands for; returns its bytes, those read in `*used`.
 */
size_t m31ri_json_unescape_step(const char *p, const char *end, char out[4], size_t *used);

/* The value of the four hex digits at `p`; false when there are no four. */
bool m31ri_json_hex4(const char *p, const char *end, uint32_t *out);

#endif
