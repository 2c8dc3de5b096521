/* bounds.c - what a filter demands of every record that passes, and where in a file that can stand.
 *
 * Of an expression only a chain of `and` binds, and only one that names a single field is looked
 * at: what is said at the end about fields that were never met must not depend on what was read.
 */
#include <string.h>

#include "read/expr_int.h"
#include "read/sidecar.h"

static void bind_range(const m31ri_node *node, int64_t x, int64_t *first, int64_t *last)
{
    bool is_low =
        node->op == M31RI_TOKEN_GE || node->op == M31RI_TOKEN_GT || node->op == M31RI_TOKEN_EQ;
    bool is_high =
        node->op == M31RI_TOKEN_LE || node->op == M31RI_TOKEN_LT || node->op == M31RI_TOKEN_EQ;
    if (is_low && x > *first) {
        *first = x;
    }
    if (is_high && x < *last) {
        *last = x;
    }
}

static void bind_compare(const m31r_expr *x, const m31ri_node *node, m31ri_bounds *b)
{
    const char *name = x->slots[node->field].facts.name;
    const m31ri_expr_value *v = &node->literal;
    bool is_low =
        node->op == M31RI_TOKEN_GE || node->op == M31RI_TOKEN_GT || node->op == M31RI_TOKEN_EQ;
    if (v->is == M31RI_IS_LEVEL && is_low && strcmp(name, "level") == 0) {
        b->min_level = (int)b->min_level < v->level ? (m31r_level)v->level : b->min_level;
    } else if (v->is == M31RI_IS_INT && strcmp(name, "step") == 0) {
        b->has_steps = true;
        bind_range(node, v->i, &b->first_step, &b->last_step);
    } else if (v->is == M31RI_IS_TIME && strcmp(name, "ts") == 0) {
        b->has_times = true;
        bind_range(node, v->i, &b->first_ns, &b->last_ns);
    }
}

static void bind_node(const m31r_expr *x, size_t i, m31ri_bounds *b)
{
    const m31ri_node *node = &x->nodes[i];
    if (node->kind == M31RI_NODE_AND) {
        bind_node(x, node->left, b);
        bind_node(x, node->right, b);
    } else if (node->kind == M31RI_NODE_COMPARE) {
        bind_compare(x, node, b);
    }
}

bool m31ri_bounds_of(const m31r_filter *f, m31ri_bounds *out)
{
    m31ri_bounds b = {.min_level = f->min_level,
                      .has_steps = f->has_steps,
                      .has_times = f->since_ns != 0 || f->until_ns != 0,
                      .first_step = f->has_steps ? f->first_step : INT64_MIN,
                      .last_step = f->has_steps ? f->last_step : INT64_MAX,
                      .first_ns = f->since_ns != 0 ? f->since_ns : INT64_MIN,
                      .last_ns = f->until_ns != 0 ? f->until_ns : INT64_MAX};
    if (f->expr != NULL && f->expr->n_slots == 1) {
        b.is_of_expr = true;
        bind_node(f->expr, f->expr->root, &b);
    }
    *out = b;
    return (f->expr == NULL || b.is_of_expr) &&
           (b.min_level >= M31R_WARNING || b.has_steps || b.has_times);
}

m31ri_where m31ri_sidecar_where(const m31ri_sidecar *s, uint64_t piece, const m31ri_bounds *b)
{
    if (piece >= s->n_zones) {
        return M31RI_ANYWHERE;
    }
    const m31ri_zone *z = &s->zones[piece];
    bool is_other_step = b->has_steps && !(b->is_of_expr && z->has_odd_step) &&
                         (z->last_step < b->first_step || z->first_step > b->last_step);
    bool is_other_time = b->has_times && !(b->is_of_expr && z->has_odd_time) &&
                         (z->last_ns < b->first_ns || z->first_ns > b->last_ns);
    if (is_other_step || is_other_time || z->max_level < (uint32_t)b->min_level) {
        return M31RI_NOWHERE;
    }
    bool are_posted = s->posted_level != 0 && b->min_level >= s->posted_level;
    return are_posted ? M31RI_IN_POSTINGS : M31RI_ANYWHERE;
}
