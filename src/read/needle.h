/* needle.h - a text that stands in every line for which an expression holds.
 *
 * A line without a backslash has its strings as they are. So what `field contains "text"` or `field
 * == "text"` demands stands in the line, or a backslash does; any other line is turned down without
 * being judged.
 */
#ifndef M31RI_NEEDLE_H
#define M31RI_NEEDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "m31r/expr.h"

#define M31RI_NEEDLE_BYTES 32 /* of a longer text the beginning is looked for */

typedef struct m31ri_needle {
    const char *text;    /* of the expression */
    size_t length;       /* 0: there is none */
    size_t rare, second; /* where its rarest bytes are */
} m31ri_needle;

/* The longest text that the expression demands; `x` (NULL allowed) must live as long. */
m31ri_needle m31ri_needle_of(const m31r_expr *x);

/* Chooses the bytes to look for: those that are rarest in text[0, length), which is like what will
 * be searched. A byte that is common in it makes a search many times slower. */
void m31ri_needle_choose(m31ri_needle *needle, const char *text, size_t length);

#endif
