/* leaks.h - looks for what the privacy rules forbid in a record that was written: the writer should
 * have taken it out. */
#ifndef M31RI_LEAKS_H
#define M31RI_LEAKS_H

#include <jansson.h>

#include "m31r/scan.h"

typedef struct m31ri_leaks m31ri_leaks;

/* `prompts_allowed`: the run opted in to keeping prompts. NULL when memory is out. */
m31ri_leaks *m31ri_leaks_new(bool prompts_allowed);
void m31ri_leaks_free(m31ri_leaks *l);

/* Each returns how many secrets or personal data stand there. */
uint32_t m31ri_leaks_in_record(m31ri_leaks *l, const m31r_record *record);
uint32_t m31ri_leaks_in_json(m31ri_leaks *l, const json_t *value);

#endif
