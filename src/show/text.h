/* text.h - text as a terminal sees it: how wide it is, and which characters it must not get. */
#ifndef M31RI_TEXT_H
#define M31RI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Decodes the character at `s` (`length` > 0 bytes left) into `*out` and returns its bytes; an
 * ill-formed byte gives 0xFFFFFFFF and 1. */
size_t m31ri_text_decode(const char *s, size_t length, uint32_t *out);

/* Columns that a character takes: 0 for combining marks, 2 for East Asian wide and emoji, else 1.
 * No locale. */
int m31ri_text_char_width(uint32_t c);

/* Columns of text as m31ri_text_escape would write it. */
size_t m31ri_text_width(const char *s, size_t length);

/* Appends the text with what a terminal could act on as \n \t \r \xHH or \u{HEX}. At most `columns`
 * columns are written (0: no limit); when it had to be cut the last is an ellipsis. */
void m31ri_text_escape(m31ri_buf *out, const char *s, size_t length, size_t columns);

#endif
