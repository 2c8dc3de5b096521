/* redact_int.h - what is taken out of a block, and how. */
#ifndef M31RI_REDACT_INT_H
#define M31RI_REDACT_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "m31r/error.h"
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

/* redact_packed.c: whether a file is a compressed segment, by its name; its plain bytes, added to
 * `out`; the segment that other plain bytes make, beside the run's files, and its digest; that one
 * in the old one's place; and away with what was made beside. `path` is the segment's name.
 * Errors: M31R_E_IO, M31R_E_NOMEM, M31R_E_CORRUPT. */
bool m31ri_redact_is_packed(const char *path);
m31r_err m31ri_redact_unpack(int run, const char *path, m31ri_buf *out, m31r_error *e);
m31r_err m31ri_redact_pack(int run, const char *path, const m31ri_buf *plain,
                           uint8_t out[M31RI_SHA256_BYTES], m31r_error *e);
m31r_err m31ri_redact_put_packed(int run, const char *path, m31r_error *e);
void m31ri_redact_leave(int run);

#endif
