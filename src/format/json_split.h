/* json_split.h - the members of a text that is known to be a good object, found fast. */
#ifndef M31RI_JSON_SPLIT_H
#define M31RI_JSON_SPLIT_H

#include "format/json_read.h"

/* The members of the top object of a text that m31ri_json_read_object() calls OK, the same as it
 * hands out; nothing is judged again. At most `limit` are put into `out`; returns how many there
 * are. Of any other text nothing is promised but that no byte outside of it is read. */
size_t m31ri_json_split(const char *text, size_t length, m31ri_json_member *out, size_t limit);

#endif
