/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms. */
#ifndef PIPELINE_UTF8_H
#define PIPELINE_UTF8_H

#include "bytes.h"

/* Bytes of the character at `at`, 1 to 4; 0 when there is none; -1 when it is cut off by the end.
 */
int utf8_char_size(const uint8_t *at, size_t size);

/* Whether all of it is UTF-8. */
bool utf8_is_valid(const uint8_t *at, size_t size);

/* Moves what is whole from the front of `from` to the end of `to`; bytes that are no character
 * become U+FFFD. A character that is cut off by the end stays, unless `is_end`.
 * Errors: FAULT_RUNTIME (memory). */
bool utf8_move(bytes *from, bytes *to, bool is_end, fault *error);

#endif
