/* Which files are not learned from, and why. */
#ifndef PIPELINE_FILTER_H
#define PIPELINE_FILTER_H

#include "bytes.h"

typedef struct {
    int min_bytes;
    int max_bytes;
    int max_line_bytes;   /* longer lines are tables and data, not code */
    bool only_permissive; /* reject a header that names a licence with conditions on copies */
} filter_rules;

/* The reason to reject a file by its size alone, before it is read; NULL for none. */
const char *filter_size(const filter_rules *rules, uint64_t size);

/* The reason to reject a text; NULL to keep it. One of "too_small", "too_large", "binary",
 * "not_utf8", "long_line", "generated", "licence". */
const char *filter_text(const filter_rules *rules, const bytes *text);

#endif
