/* sieve.c - see sieve.h. A text of the expression is rarer than a level, and is looked for rather
 * than that. */
#include "read/sieve.h"

#include <string.h>

#include "format/record.h"
#include "read/expr_int.h"

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
            out->first[*name & 15] = (uint8_t)name[0]; /* c e f w: no two have the same place */
            out->second[*name & 15] = (uint8_t)name[1];
        }
    }
}

/* The level that a node and those joined to it by `and` demand at least; 0: any. */
static int demanded_level(const m31r_expr *x, size_t i)
{
    const m31ri_node *node = &x->nodes[i];
    if (node->kind == M31RI_NODE_AND) {
        int left = demanded_level(x, node->left), right = demanded_level(x, node->right);
        return left > right ? left : right;
    }
    bool is_least =
        node->op == M31RI_TOKEN_EQ || node->op == M31RI_TOKEN_GE || node->op == M31RI_TOKEN_GT;
    bool is_level = node->kind == M31RI_NODE_COMPARE && node->literal.is == M31RI_IS_LEVEL;
    return is_level && is_least ? node->literal.level : 0;
}

bool m31ri_sieve_of(const m31r_filter *filter, m31ri_sieve *out)
{
    const m31r_expr *x = filter->expr;
    int min_level = (int)filter->min_level;
    memset(out, 0, sizeof *out);
    out->needle = m31ri_needle_of(x);
    if (x != NULL && !x->asks_place) {
        int level = demanded_level(x, x->root);
        min_level = level > min_level ? level : min_level;
    }
    if (out->needle.length == 0 && min_level > M31R_INFO) {
        add_levels((m31r_level)min_level, out);
    }
    return out->needle.length > 0 || out->n_words > 0;
}
