/* json_text.h - strings as JSON text: the escaping that records promise.
 *
 * Escaped: quote, backslash, U+0000-001F, U+007F, U+0080-009F (C1), U+2028, U+2029, bidi controls
 * (U+061C, U+200E, U+200F, U+202A-202E, U+2066-2069), U+FEFF. \n \t \r \b \f \" \\ in their short
 * forms, all others as \u00xx, lower case. An invalid UTF-8 sequence becomes U+FFFD, one for each
 * maximal ill-formed subpart (as Unicode and Python do).
 */
#ifndef M31RI_JSON_TEXT_H
#define M31RI_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends the escaped text without quotes. */
void m31ri_json_escape(m31ri_buf *out, const char *s, size_t length);

/* Appends "text" with quotes. */
void m31ri_json_string(m31ri_buf *out, const char *s, size_t length);

/* Appends what a JSON string body (between the quotes, already valid) stands for. A lone surrogate
 * becomes U+FFFD. */
void m31ri_json_unescape(m31ri_buf *out, const char *body, size_t length);

/* True when the bytes are well-formed UTF-8. */
bool m31ri_utf8_is_valid(const char *s, size_t length);

/* Longest prefix of at most `limit` bytes that does not cut a UTF-8 sequence. */
size_t m31ri_utf8_cut(const char *s, size_t length, size_t limit);

#endif
