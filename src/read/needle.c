/* needle.c - see needle.h. Only a chain of `and` binds; what is said of a level, or of the place of
 * a record, need not stand in its line. */
#include "read/needle.h"

#include <stdint.h>
#include <string.h>

#include "read/expr_int.h"

static void take_literal(const m31r_expr *x, const m31ri_node *node, m31ri_needle *out)
{
    const m31ri_expr_value *v = &node->literal;
    bool is_equal =
        node->kind == M31RI_NODE_COMPARE && node->op == M31RI_TOKEN_EQ && v->is == M31RI_IS_TEXT;
    bool is_demanded = node->kind == M31RI_NODE_CONTAINS || is_equal;
    bool is_level = strcmp(x->slots[node->field].facts.name, "level") == 0;
    if (is_demanded && !is_level && v->length > out->length) {
        out->text = v->text;
        out->length = v->length;
    }
}

static void take_node(const m31r_expr *x, size_t i, m31ri_needle *out)
{
    const m31ri_node *node = &x->nodes[i];
    if (node->kind == M31RI_NODE_AND) {
        take_node(x, node->left, out);
        take_node(x, node->right, out);
    } else {
        take_literal(x, node, out);
    }
}

m31ri_needle m31ri_needle_of(const m31r_expr *x)
{
    m31ri_needle n = {0};
    if (x != NULL && !x->asks_place) {
        take_node(x, x->root, &n);
    }
    n.length = n.length < M31RI_NEEDLE_BYTES ? n.length : M31RI_NEEDLE_BYTES;
    return n;
}

void m31ri_needle_choose(m31ri_needle *needle, const char *text, size_t length)
{
    uint32_t counts[256] = {0};
    for (size_t i = 0; i < length; i++) {
        counts[(unsigned char)text[i]]++;
    }
    needle->rare = needle->second = 0;
    for (size_t i = 1; i < needle->length; i++) {
        uint32_t count = counts[(unsigned char)needle->text[i]];
        if (count < counts[(unsigned char)needle->text[needle->rare]]) {
            needle->second = needle->rare;
            needle->rare = i;
        } else if (needle->second == needle->rare ||
                   count < counts[(unsigned char)needle->text[needle->second]]) {
            needle->second = i;
        }
    }
}
