/* base64.h - bytes as text and back (RFC 4648 section 4, padded, no line ends), by nettle. */
#ifndef M31RI_BASE64_H
#define M31RI_BASE64_H

#include "base/buf.h"

/* Appends the text of the bytes. False when memory is out, or there are more than 1 GiB. */
bool m31ri_base64_write(m31ri_buf *out, const char *bytes, size_t length);

/* Appends the bytes that the text stands for. False when it is no such text, or memory is out. */
bool m31ri_base64_read(m31ri_buf *out, const char *text);

#endif
