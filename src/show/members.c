/* members.c - members of a JSON line whose value may not be known. */
#include "show/members.h"

#include <math.h>

#include "m31r/reader.h"

void m31ri_add_known_text(m31r_json *j, const char *key, const char *text)
{
    m31r_json_add_text(j, key, text[0] != '\0' ? text : NULL);
}

void m31ri_add_known_int(m31r_json *j, const char *key, int64_t n)
{
    if (n == M31R_UNKNOWN) {
        m31r_json_add_null(j, key);
    } else {
        m31r_json_add_int(j, key, n);
    }
}

void m31ri_add_known_double(m31r_json *j, const char *key, double x)
{
    if (isnan(x)) {
        m31r_json_add_null(j, key);
    } else {
        m31r_json_add_double(j, key, x);
    }
}

void m31ri_add_step(m31r_json *j, const char *key, int64_t step)
{
    if (step < 0) {
        m31r_json_add_null(j, key);
    } else {
        m31r_json_add_int(j, key, step);
    }
}
