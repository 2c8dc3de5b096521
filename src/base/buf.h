/* buf.h - a growable run of bytes.
 *
 * Appending cannot be checked at every call without drowning the code, so a buffer remembers that
 * an allocation failed: after that appends do nothing, and whoever uses the bytes asks
 * m31ri_buf_ok() once. The bytes are always followed by a NUL that `length` does not count.
 */
#ifndef M31RI_BUF_H
#define M31RI_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct m31ri_buf {
    char *data; /* NULL until the first append */
    size_t length;
    size_t capacity;
    bool failed; /* an allocation failed: the content is not whole */
} m31ri_buf;

#define M31RI_BUF_INIT                                                                             \
    {                                                                                              \
        0                                                                                          \
    }

/* Makes room for `more` further bytes; false when memory is out. */
bool m31ri_buf_reserve(m31ri_buf *b, size_t more);
void m31ri_buf_add(m31ri_buf *b, const void *bytes, size_t length);
void m31ri_buf_add_str(m31ri_buf *b, const char *s);
void m31ri_buf_add_char(m31ri_buf *b, char c);
void m31ri_buf_add_format(m31ri_buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Forgets the content and the failure; keeps the memory. */
void m31ri_buf_clear(m31ri_buf *b);

/* Gives the memory back. The buffer may be used again. */
void m31ri_buf_release(m31ri_buf *b);

/* The content as a NUL-terminated string; "" when empty. Dies at the next append. */
const char *m31ri_buf_str(const m31ri_buf *b);

static inline bool m31ri_buf_ok(const m31ri_buf *b)
{
    return !b->failed;
}

#endif
