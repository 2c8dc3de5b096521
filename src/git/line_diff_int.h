/* line_diff_int.h - what line_diff.c and line_search.c share. */
#ifndef M31RI_LINE_DIFF_INT_H
#define M31RI_LINE_DIFF_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text in lines, each with its line end when it has one. */
typedef struct m31ri_lines {
    const char *bytes;
    uint32_t *starts; /* n + 1 of them: line i is bytes[starts[i]] up to starts[i + 1] */
    uint32_t *ids;    /* equal lines of both texts have equal ids */
    bool *is_changed; /* the answer: not in the other text */
    size_t n;
} m31ri_lines;

/* Sets `is_changed` (all false before) in both; what stays false is the same list of lines. False:
 * out of memory. */
bool m31ri_line_search(const m31ri_lines *a, const m31ri_lines *b);

#endif
