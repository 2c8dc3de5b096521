/* members.h - members of a JSON line whose value may not be known: then it is null. */
#ifndef M31RI_MEMBERS_H
#define M31RI_MEMBERS_H

#include <stdint.h>

#include "m31r/json.h"

void m31ri_add_known_text(m31r_json *j, const char *key, const char *text); /* null for "" */
void m31ri_add_known_int(m31r_json *j, const char *key, int64_t n);         /* for M31R_UNKNOWN */
void m31ri_add_known_double(m31r_json *j, const char *key, double x);       /* for NaN */
void m31ri_add_step(m31r_json *j, const char *key, int64_t step);           /* for less than 0 */

#endif
