/* json_read_int.h - what only tests and siblings of the reader need. */
#ifndef M31RI_JSON_READ_INT_H
#define M31RI_JSON_READ_INT_H

#include "format/json_read.h"

/* For tests: the class of a text whose root may be any value: never M31RI_JSON_NOT_OBJECT. */
m31ri_json_class m31ri_json_read_value_class(const char *text, size_t length);

#endif
