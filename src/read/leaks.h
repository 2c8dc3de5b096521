/* leaks.h - looks for what the privacy rules forbid in a record that was written: the writer should
 * have taken it out. */
#ifndef M31RI_LEAKS_H
#define M31RI_LEAKS_H

#include <jansson.h>

#include "format/json_read.h"
#include "rules/privacy.h"

typedef struct m31ri_leaks m31ri_leaks;

/* `rules` must live as long, and may be shared. NULL when memory is out. Thread: one at a time. */
m31ri_leaks *m31ri_leaks_new(const m31ri_privacy *rules);
void m31ri_leaks_free(m31ri_leaks *l);

/* Each returns how many secrets or personal data stand there. */
uint32_t m31ri_leaks_in_member(m31ri_leaks *l, const m31ri_json_member *member);
uint32_t m31ri_leaks_in_json(m31ri_leaks *l, const json_t *value);

#endif
