/* buf.c - a growable run of bytes; see buf.h for why failure is remembered. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

bool m31ri_buf_reserve(m31ri_buf *b, size_t more)
{
    if (b->failed || more > SIZE_MAX / 2 - b->length) {
        b->failed = true;
        return false;
    }
    size_t need = b->length + more + 1;
    if (need <= b->capacity) {
        return true;
    }
    size_t capacity = b->capacity * 2 < 128 ? 128 : b->capacity * 2;
    if (capacity < need) {
        capacity = need;
    }
    char *data = m31ri_realloc(b->data, capacity);
    if (data == NULL) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

void m31ri_buf_add(m31ri_buf *b, const void *bytes, size_t length)
{
    if (!m31ri_buf_reserve(b, length)) {
        return;
    }
    if (length != 0) {
        memcpy(b->data + b->length, bytes, length);
    }
    b->length += length;
    b->data[b->length] = '\0';
}

void m31ri_buf_add_str(m31ri_buf *b, const char *s)
{
    m31ri_buf_add(b, s, strlen(s));
}

void m31ri_buf_add_char(m31ri_buf *b, char c)
{
    m31ri_buf_add(b, &c, 1);
}

void m31ri_buf_add_format(m31ri_buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (need >= 0 && m31ri_buf_reserve(b, (size_t)need)) {
        vsnprintf(b->data + b->length, (size_t)need + 1, format, again);
        b->length += (size_t)need;
    }
    va_end(again);
}

void m31ri_buf_clear(m31ri_buf *b)
{
    b->length = 0;
    b->failed = false;
    if (b->data != NULL) {
        b->data[0] = '\0';
    }
}

void m31ri_buf_release(m31ri_buf *b)
{
    m31ri_free(b->data);
    *b = (m31ri_buf)M31RI_BUF_INIT;
}

const char *m31ri_buf_str(const m31ri_buf *b)
{
    return b->data != NULL ? b->data : "";
}
