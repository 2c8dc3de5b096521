/* chain_steps.c - what the stream of points asks of a chain of attempts: whose turn it is, and
 * whether a newer attempt supersedes a point. */
#include <string.h>

#include "analyse/chain_int.h"

size_t m31r_chain_count(const m31r_chain *c)
{
    return c->n;
}

const m31r_reader *m31ri_chain_reader(const m31r_chain *c, size_t attempt)
{
    return attempt < c->n ? c->attempts[attempt].said.reader : NULL;
}

const m31ri_chain_steps *m31ri_chain_steps_of(const m31ri_chain_attempt *a, const char *name,
                                              size_t length)
{
    for (size_t i = 0; i < a->n_metrics; i++) {
        if (strlen(a->metrics[i].name) == length && memcmp(a->metrics[i].name, name, length) == 0) {
            return &a->metrics[i];
        }
    }
    return NULL;
}

bool m31ri_chain_is_superseded(const m31r_chain *c, size_t attempt, const m31r_point_view *p)
{
    for (size_t i = attempt + 1; i < c->n && p->step != M31R_NO_STEP; i++) {
        const m31ri_chain_steps *s = m31ri_chain_steps_of(&c->attempts[i], p->name, p->name_length);
        if (s != NULL && p->step >= s->first && p->step <= s->last) {
            return true;
        }
    }
    return false;
}
