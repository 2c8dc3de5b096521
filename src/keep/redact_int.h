/* redact_int.h - what is taken out of a block, and how. */
#ifndef M31RI_REDACT_INT_H
#define M31RI_REDACT_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/clean_line.h"

typedef struct m31ri_span {
    const char *at;
    size_t length;
} m31ri_span;

typedef struct m31ri_redactor {
    uint64_t line;    /* of the file; 0: whatever the rules find */
    const char *key;  /* of that line; NULL: all of the record */
    bool whole_block; /* and then every record of the block, so that nothing can be guessed */
    m31ri_line_cleaner cleaner;
    m31ri_buf changed; /* the line under way */
    bool lacks_key;    /* the line has no such key */
} m31ri_redactor;

/* Replaces what is to be replaced in the lines of a block, the first of which is `first_line` of
 * its file; no line changes its length. Blocks come in the order of the file. Returns how many
 * records were changed. */
uint64_t m31ri_redact_block(m31ri_redactor *r, char *bytes, size_t length, uint64_t first_line);

#endif
