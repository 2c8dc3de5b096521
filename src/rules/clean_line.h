/* clean_line.h - one line that somebody else wrote, cleaned: a JSON object value by value, any
 * other text as a whole. What is not replaced keeps its bytes.
 */
#ifndef M31RI_CLEAN_LINE_H
#define M31RI_CLEAN_LINE_H

#include "rules/privacy.h"

/* One find. `column`: of its first byte in the line, 1-based. */
typedef struct m31ri_find {
    const char *kind, *rule;
    size_t column;
} m31ri_find;

typedef struct m31ri_line_cleaner {
    const m31ri_privacy *privacy;
    void (*found)(void *context, const m31ri_find *f); /* NULL: nobody asks */
    void *context;
    bool in_key; /* inside of a private key that began on a line before */
    m31ri_buf value, clean;
} m31ri_line_cleaner;

/* Appends the line, cleaned, to `out`; returns how much was found. Lines come in their order: a
 * private key may go over several. Owns: the buffers, m31ri_line_cleaner_release(). Thread: one at
 * a time. */
uint32_t m31ri_line_clean(m31ri_line_cleaner *c, const char *line, size_t length, m31ri_buf *out);
void m31ri_line_cleaner_release(m31ri_line_cleaner *c);

#endif
