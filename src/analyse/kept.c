/* kept.c - see kept.h. */
#include "analyse/kept.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define FORMAT_BYTES 4096

const char *m31ri_kept_text(m31ri_kept *k, const char *text, size_t length)
{
    if (k->n == k->capacity) {
        size_t capacity = k->capacity * 2 + 32;
        char **grown = m31ri_realloc(k->items, capacity * sizeof *grown);
        if (grown == NULL) {
            k->failed = true;
            return "";
        }
        k->items = grown;
        k->capacity = capacity;
    }
    char *copy = m31ri_strndup(text, length);
    if (copy == NULL) {
        k->failed = true;
        return "";
    }
    k->items[k->n++] = copy;
    return copy;
}

const char *m31ri_kept_format(m31ri_kept *k, const char *format, ...)
{
    char text[FORMAT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return m31ri_kept_text(k, text, strlen(text));
}

void m31ri_kept_release(m31ri_kept *k)
{
    for (size_t i = 0; i < k->n; i++) {
        m31ri_free(k->items[i]);
    }
    m31ri_free(k->items);
    memset(k, 0, sizeof *k);
}
