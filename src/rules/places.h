/* places.h - where in a block of text a rule may begin, as bits: the part of the search that sees
 * every byte.
 *
 * A text is looked at in blocks of 64 bytes; the lowest bit is a block's first byte. Classes of
 * characters are made bit sets, sixteen or thirty-two bytes at a time where the processor can, and
 * never from bytes outside of the text. The rest is arithmetic on the sets: a word's first letter,
 * a second group of digits, an option's dash. Four bytes at each word are asked of the index's
 * filter.
 */
#ifndef M31RI_PLACES_H
#define M31RI_PLACES_H

#include "rules/rule_index.h"

#define M31RI_BLOCK 64     /* bytes */
#define M31RI_SHORTEST 4   /* bytes: no rule fits less */
#define M31RI_LONG_WORD 12 /* letters and digits in a row that may begin what has no mark */
#define M31RI_LONG_TEXT 55 /* bytes: what begins with a long word is not shorter */

/* The places of text.s[block, block + 64) where something may begin. All variants say the same.
 * Thread: any. */
typedef uint64_t m31ri_places(const m31ri_rule_index *x, m31ri_text_view text, size_t block);

extern m31ri_places m31ri_places_plain; /* SSE2 on x86-64, else byte by byte */
extern m31ri_places m31ri_places_avx2;

/* The fastest of this build on this processor. */
m31ri_places *m31ri_places_best(void);

#endif
