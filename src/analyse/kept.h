/* kept.h - strings that live as long as the result that speaks of them. */
#ifndef M31RI_KEPT_H
#define M31RI_KEPT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct m31ri_kept {
    char **items;
    size_t n, capacity;
    bool failed; /* memory ran out: some texts are "" */
} m31ri_kept;

/* A copy that lives until m31ri_kept_release(); "" when memory is out, and `failed` is set. */
const char *m31ri_kept_text(m31ri_kept *k, const char *text, size_t length);

/* The same for formatted text of at most 4 KiB; what is longer is cut. */
const char *m31ri_kept_format(m31ri_kept *k, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void m31ri_kept_release(m31ri_kept *k);

#endif
