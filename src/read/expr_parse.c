/* expr_parse.c - tokens as a tree: a Pratt parser.
 *
 * Each operator has a power; what binds tighter is taken first: or 1, and 2, not 3, comparisons 4.
 * A field alone is no test, so that a forgotten comparison is told instead of guessed. `in` becomes
 * comparisons joined by and / or: a range is `>= and <=`, a list is `== or ==`.
 */
#include <stdio.h>

#include "base/fail.h"
#include "read/expr_int.h"

enum { POWER_NONE, POWER_OR, POWER_AND, POWER_NOT, POWER_COMPARE };

static bool add_node(m31ri_expr_parser *p, const m31ri_node *node, uint16_t *out)
{
    m31r_expr *x = p->x;
    if (p->err != M31R_OK) {
        return false;
    }
    if (x->n_nodes == M31R_EXPR_TESTS) {
        p->err = m31ri_fail(p->e, M31R_E_LIMIT, "an expression has at most %d tests and operators",
                            M31R_EXPR_TESTS);
        return false;
    }
    *out = (uint16_t)x->n_nodes;
    x->nodes[x->n_nodes++] = *node;
    return true;
}

static bool join(m31ri_expr_parser *p, m31ri_node_kind kind, uint16_t *left, uint16_t right)
{
    m31ri_node node = {.kind = (uint8_t)kind, .left = *left, .right = right};
    node.at = p->x->nodes[*left].at;
    return add_node(p, &node, left);
}

/* A field that nothing was done with is a mistake. */
static bool is_test(m31ri_expr_parser *p, uint16_t i)
{
    const m31ri_node *node = &p->x->nodes[i];
    if (node->kind != M31RI_NODE_FIELD) {
        return true;
    }
    return m31ri_expr_fault(p, node->at,
                            "compare it, such as FIELD==\"x\" or FIELD>3, or ask: has FIELD",
                            "the field %s alone is no test", p->x->slots[node->field].facts.name);
}

static bool parse(m31ri_expr_parser *p, int power, uint16_t *out);

static bool parse_test(m31ri_expr_parser *p, int power, uint16_t *out)
{
    return parse(p, power, out) && is_test(p, *out);
}

static bool parse_field(m31ri_expr_parser *p, m31ri_node_kind kind, uint16_t *out)
{
    m31ri_node node = {.kind = (uint8_t)kind, .at = p->token.at, .length = p->token.length};
    if (p->err != M31R_OK || !m31ri_expr_slot(p, &p->token, &node.field)) {
        return false;
    }
    m31ri_expr_next(p);
    return add_node(p, &node, out);
}

static bool unexpected(m31ri_expr_parser *p)
{
    const m31ri_token *t = &p->token;
    if (t->kind == M31RI_TOKEN_END) {
        return m31ri_expr_fault(p, t->at, NULL, "it ends where a test is expected");
    }
    if (t->kind == M31RI_TOKEN_CLOSE) {
        return m31ri_expr_fault(p, t->at, NULL, "a ) where a test is expected");
    }
    if (t->kind >= M31RI_TOKEN_STRING && t->kind <= M31RI_TOKEN_TIME) {
        return m31ri_expr_fault(p, t->at, "the field stands on the left: loss>3, module==\"x\"",
                                "a value where a field is expected");
    }
    return m31ri_expr_fault(p, t->at, NULL, "unexpected \"%.*s\"",
                            (int)(t->length > 40 ? 40 : t->length), p->x->text + t->at);
}

static bool parse_prefix(m31ri_expr_parser *p, uint16_t *out)
{
    size_t at = p->token.at;
    m31ri_node node = {.kind = M31RI_NODE_NOT, .at = at};
    switch (p->token.kind) {
    case M31RI_TOKEN_NOT:
        m31ri_expr_next(p);
        return parse_test(p, POWER_NOT, &node.left) && add_node(p, &node, out);
    case M31RI_TOKEN_HAS:
        m31ri_expr_next(p);
        if (p->token.kind != M31RI_TOKEN_WORD && p->token.kind != M31RI_TOKEN_QUOTED) {
            return m31ri_expr_fault(p, p->token.at, NULL, "has needs the name of a field");
        }
        return parse_field(p, M31RI_NODE_HAS, out);
    case M31RI_TOKEN_OPEN:
        m31ri_expr_next(p);
        if (!parse_test(p, POWER_NONE, out)) {
            return false;
        }
        if (p->token.kind != M31RI_TOKEN_CLOSE) {
            return m31ri_expr_fault(p, at, NULL, "the ( that stands here has no )");
        }
        m31ri_expr_next(p);
        return p->err == M31R_OK;
    case M31RI_TOKEN_WORD:
    case M31RI_TOKEN_QUOTED:
        return parse_field(p, M31RI_NODE_FIELD, out);
    default:
        return unexpected(p);
    }
}

/* Takes the literal and adds `field op literal`. */
static bool add_compare(m31ri_expr_parser *p, const m31ri_node *field, m31ri_token_kind op,
                        uint16_t *out)
{
    m31ri_node node = {.kind = M31RI_NODE_COMPARE, .op = (uint8_t)op, .field = field->field};
    node.at = field->at;
    size_t at = p->token.at;
    if (!m31ri_expr_literal(p, field, &node.literal)) {
        return false;
    }
    bool is_equality = op == M31RI_TOKEN_EQ || op == M31RI_TOKEN_NE;
    if (!is_equality && (node.literal.is & (M31RI_IS_BOOL | M31RI_IS_NULL)) != 0) {
        return m31ri_expr_fault(p, at, NULL, "true, false and null have no order: only == and !=");
    }
    return add_node(p, &node, out);
}

/* in (a, b, c) */
static bool parse_list(m31ri_expr_parser *p, const m31ri_node *field, bool is_not, uint16_t *out)
{
    size_t open = p->token.at;
    bool has_any = false;
    do {
        uint16_t item;
        m31ri_expr_next(p); /* the ( or a comma */
        if (!add_compare(p, field, is_not ? M31RI_TOKEN_NE : M31RI_TOKEN_EQ, &item)) {
            return false;
        }
        if (!has_any) {
            *out = item;
        } else if (!join(p, is_not ? M31RI_NODE_AND : M31RI_NODE_OR, out, item)) {
            return false;
        }
        has_any = true;
    } while (p->token.kind == M31RI_TOKEN_COMMA);
    if (p->token.kind != M31RI_TOKEN_CLOSE) {
        return m31ri_expr_fault(p, open, NULL, "the list that starts here has no )");
    }
    m31ri_expr_next(p);
    return p->err == M31R_OK;
}

/* A range of two whole numbers that holds none is a mistake. */
static bool is_empty_range(const m31r_expr *x, uint16_t low, uint16_t high)
{
    const m31ri_expr_value *a = &x->nodes[low].literal;
    const m31ri_expr_value *b = &x->nodes[high].literal;
    bool has_order = a->is == b->is && (a->is == M31RI_IS_INT || a->is == M31RI_IS_TIME);
    return has_order && a->i > b->i;
}

/* in a..b, a.., ..b; both ends belong to it. */
static bool parse_range(m31ri_expr_parser *p, const m31ri_node *field, bool is_not, uint16_t *out)
{
    uint16_t high;
    size_t at = p->token.at;
    bool has_low = p->token.kind != M31RI_TOKEN_DOTS;
    if (has_low && !add_compare(p, field, is_not ? M31RI_TOKEN_LT : M31RI_TOKEN_GE, out)) {
        return false;
    }
    if (p->token.kind != M31RI_TOKEN_DOTS) {
        return m31ri_expr_fault(p, at, "such as: step in 1000..2000, level in (\"INFO\",\"ERROR\")",
                                "in needs a range or a list");
    }
    m31ri_expr_next(p);
    bool has_high = p->token.kind >= M31RI_TOKEN_WORD && p->token.kind <= M31RI_TOKEN_TIME;
    if (!has_high) {
        return has_low ? p->err == M31R_OK
                       : m31ri_expr_fault(p, at, NULL, "a range has at least one end");
    }
    if (!add_compare(p, field, is_not ? M31RI_TOKEN_GT : M31RI_TOKEN_LE, &high)) {
        return false;
    }
    if (!has_low) {
        *out = high;
        return true;
    }
    if (is_empty_range(p->x, *out, high)) {
        return m31ri_expr_fault(p, at, "the smaller end stands first", "nothing is in this range");
    }
    return join(p, is_not ? M31RI_NODE_OR : M31RI_NODE_AND, out, high);
}

static bool parse_in(m31ri_expr_parser *p, const m31ri_node *field, bool is_not, uint16_t *out)
{
    m31ri_expr_next(p);
    return p->token.kind == M31RI_TOKEN_OPEN ? parse_list(p, field, is_not, out)
                                             : parse_range(p, field, is_not, out);
}

static bool parse_text_test(m31ri_expr_parser *p, const m31ri_node *field, uint16_t *out)
{
    m31ri_token_kind op = p->token.kind;
    m31ri_node node = {.op = (uint8_t)op, .field = field->field, .at = field->at};
    node.kind = op == M31RI_TOKEN_CONTAINS ? M31RI_NODE_CONTAINS : M31RI_NODE_MATCH;
    m31ri_expr_next(p);
    if (p->token.kind != M31RI_TOKEN_STRING) {
        return m31ri_expr_fault(p, p->token.at, "such as: msg~\"out of memory\"",
                                "a text in quotes is expected here");
    }
    node.literal.text = p->token.text;
    node.literal.length = p->token.text_length;
    if (node.kind == M31RI_NODE_MATCH && !m31ri_expr_pattern(p, &node.code)) {
        return false;
    }
    m31ri_expr_next(p);
    if (!add_node(p, &node, out)) {
        pcre2_code_free(node.code);
        return false;
    }
    return true;
}

/* What stands behind a field. */
static bool parse_comparison(m31ri_expr_parser *p, uint16_t *left)
{
    const m31ri_node field = p->x->nodes[*left];
    m31ri_token_kind op = p->token.kind;
    if (field.kind != M31RI_NODE_FIELD) {
        return m31ri_expr_fault(p, p->token.at, "join two comparisons: loss>1 and loss<3",
                                "a comparison has one field and one value");
    }
    if (op == M31RI_TOKEN_NOT) {
        m31ri_expr_next(p);
        if (p->token.kind != M31RI_TOKEN_IN) {
            return m31ri_expr_fault(p, p->token.at, NULL, "behind a field, not goes on with in");
        }
        return parse_in(p, &field, true, left);
    }
    if (op == M31RI_TOKEN_IN) {
        return parse_in(p, &field, false, left);
    }
    if (op == M31RI_TOKEN_CONTAINS || op == M31RI_TOKEN_MATCH || op == M31RI_TOKEN_NO_MATCH) {
        return parse_text_test(p, &field, left);
    }
    m31ri_expr_next(p);
    return add_compare(p, &field, op, left);
}

static int power_of(m31ri_token_kind kind)
{
    switch (kind) {
    case M31RI_TOKEN_OR:
        return POWER_OR;
    case M31RI_TOKEN_AND:
        return POWER_AND;
    case M31RI_TOKEN_NOT:
    case M31RI_TOKEN_IN:
    case M31RI_TOKEN_CONTAINS:
        return POWER_COMPARE;
    default:
        return kind >= M31RI_TOKEN_EQ && kind <= M31RI_TOKEN_NO_MATCH ? POWER_COMPARE : POWER_NONE;
    }
}

static bool parse_infix(m31ri_expr_parser *p, int power, uint16_t *left)
{
    uint16_t right;
    if (power == POWER_COMPARE) {
        return parse_comparison(p, left);
    }
    if (!is_test(p, *left)) {
        return false;
    }
    m31ri_expr_next(p);
    return parse_test(p, power, &right) &&
           join(p, power == POWER_OR ? M31RI_NODE_OR : M31RI_NODE_AND, left, right);
}

static bool parse(m31ri_expr_parser *p, int power, uint16_t *out)
{
    if (p->depth == M31R_EXPR_DEPTH) {
        p->err =
            m31ri_fail(p->e, M31R_E_LIMIT, "an expression is at most %d deep", M31R_EXPR_DEPTH);
        return false;
    }
    p->depth++;
    bool is_fine = parse_prefix(p, out);
    while (is_fine && power_of(p->token.kind) > power) {
        is_fine = parse_infix(p, power_of(p->token.kind), out);
    }
    p->depth--;
    return is_fine && p->err == M31R_OK;
}

bool m31ri_expr_parse(m31ri_expr_parser *p)
{
    uint16_t root;
    m31ri_expr_next(p);
    if (p->token.kind == M31RI_TOKEN_END && p->err == M31R_OK) {
        return m31ri_expr_fault(p, p->token.at, "such as: level>=WARNING and step in 1000..2000",
                                "it is empty");
    }
    if (!parse_test(p, POWER_NONE, &root)) {
        return false;
    }
    if (p->token.kind != M31RI_TOKEN_END) {
        static const char *const words[] = {"and", "or", "in", "contains"};
        char hint[64];
        const char *nearest =
            p->token.kind == M31RI_TOKEN_WORD ? m31ri_nearest(p->token.text, words, 4) : NULL;
        snprintf(hint, sizeof hint,
                 nearest != NULL ? "did you mean %s?" : "join tests with and, or", nearest);
        int n = (int)(p->token.length > 40 ? 40 : p->token.length);
        return m31ri_expr_fault(p, p->token.at, hint, "unexpected \"%.*s\"", n,
                                p->x->text + p->token.at);
    }
    p->x->root = root;
    return p->err == M31R_OK;
}
