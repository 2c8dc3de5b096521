/* sieve.c - see sieve.h. A text of the expression is rarer than a level, and is looked for rather
 * than that. */
#include "read/sieve.h"

#include <string.h>

#include "format/record.h"

bool m31ri_sieve_passes_all(const m31r_filter *f)
{
    return f->expr == NULL && f->min_level == 0 && f->module == NULL && !f->has_steps &&
           f->since_ns == 0 && f->until_ns == 0;
}

/* Every name above INFO that m31ri_record_level() knows. */
static const char *const level_names[M31RI_SIEVE_WORDS] = {"critical", "fatal", "error", "warning",
                                                           "warn"};

static void add_levels(m31r_level min_level, m31ri_sieve *out)
{
    for (size_t i = 0; i < M31RI_SIEVE_WORDS; i++) {
        const char *name = level_names[i];
        size_t length = strlen(name);
        if (m31ri_record_level(name, length) >= min_level) {
            m31ri_sieve_word *word = &out->words[out->n_words++];
            memcpy(&word->letters, name, sizeof word->letters);
            word->first = *name;
            word->length = (uint8_t)length;
        }
    }
}

bool m31ri_sieve_of(const m31r_filter *filter, m31ri_sieve *out)
{
    memset(out, 0, sizeof *out);
    out->needle = m31ri_needle_of(filter->expr);
    if (out->needle.length == 0 && filter->min_level > M31R_INFO) {
        add_levels(filter->min_level, out);
    }
    return out->needle.length > 0 || out->n_words > 0;
}
