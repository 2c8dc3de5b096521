/* expr_eval.c - the tree asked about the values in the slots.
 *
 * A comparison is true only when it can be made. A field that is missing makes it false, also `!=`;
 * one of another type does so too and is counted, so that a person can be told. Integers are
 * compared as integers and with doubles exactly; NaN equals NaN and has no order.
 */
#include <math.h>
#include <string.h>

#include "format/json_text.h"
#include "format/number.h"
#include "m31r/log.h"
#include "read/expr_int.h"

#define TWO_TO_63 9223372036854775808.0

/* How a value stands to a literal. */
typedef enum order { LESS = -1, EQUAL = 0, GREATER = 1, UNORDERED = 2, OTHER_TYPE = 3 } order;

void m31ri_expr_begin(m31r_expr *x)
{
    for (size_t i = 0; i < x->n_slots; i++) {
        x->slots[i].value.is = 0;
    }
    x->n_asked++;
}

/* Keeps names that the expression does not ask for, while one of its own has not been met. */
static void keep_name(m31r_expr *x, const char *name, size_t length)
{
    if (x->n_unmet == 0 || x->n_met == M31RI_MET_NAMES || length >= M31RI_MET_BYTES) {
        return;
    }
    for (size_t i = 0; i < x->n_met; i++) {
        if (strlen(x->met[i]) == length && memcmp(x->met[i], name, length) == 0) {
            return;
        }
    }
    memcpy(x->met[x->n_met], name, length);
    x->met[x->n_met++][length] = '\0';
}

void m31ri_expr_add_counts(m31r_expr *x, const m31r_expr *from)
{
    x->n_asked += from->n_asked;
    for (size_t i = 0; i < x->n_slots; i++) {
        m31r_expr_field *to = &x->slots[i].facts;
        const m31r_expr_field *more = &from->slots[i].facts;
        x->n_unmet -= to->n_met == 0 && more->n_met > 0;
        to->n_met += more->n_met;
        to->n_other += more->n_other;
        to->n_too_hard += more->n_too_hard;
    }
    for (size_t k = 0; k < from->n_met; k++) {
        keep_name(x, from->met[k], strlen(from->met[k]));
    }
}

void m31ri_expr_put(m31r_expr *x, size_t i, const m31ri_expr_value *v)
{
    m31ri_slot *slot = &x->slots[i];
    if (slot->value.is == 0 && slot->facts.n_met++ == 0) {
        x->n_unmet--;
    }
    slot->value = *v;
}

void m31ri_expr_offer(m31r_expr *x, const char *name, size_t length, const m31ri_expr_value *v)
{
    for (size_t i = 0; i < x->n_slots; i++) {
        const m31ri_slot *slot = &x->slots[i];
        if (slot->length == length && memcmp(slot->facts.name, name, length) == 0) {
            m31ri_expr_put(x, i, v);
            return;
        }
    }
    keep_name(x, name, length);
}

bool m31ri_expr_asks(const m31r_expr *x, const char *prefix)
{
    for (size_t i = 0; i < x->n_slots; i++) {
        if (strncmp(x->slots[i].facts.name, prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}

void m31ri_expr_offer_text(m31r_expr *x, const char *name, const char *text)
{
    m31ri_expr_value v = {.is = M31RI_IS_TEXT, .is_loose = true, .text = text};
    if (text != NULL && text[0] != '\0') {
        v.length = strlen(text);
        m31ri_expr_offer(x, name, strlen(name), &v);
    }
}

void m31ri_expr_offer_words(m31r_expr *x, const char *name, const char *words)
{
    m31ri_expr_value v = {.is = M31RI_IS_WORDS, .text = words, .length = strlen(words)};
    m31ri_expr_offer(x, name, strlen(name), &v);
}

void m31ri_expr_offer_int(m31r_expr *x, const char *name, int64_t i)
{
    m31ri_expr_value v = {.is = M31RI_IS_INT, .i = i};
    if (i != M31R_UNKNOWN) {
        m31ri_expr_offer(x, name, strlen(name), &v);
    }
}

void m31ri_expr_offer_double(m31r_expr *x, const char *name, double d)
{
    m31ri_expr_value v = {.is = M31RI_IS_DOUBLE, .d = d};
    m31ri_expr_offer(x, name, strlen(name), &v);
}

/* The text itself, out of its escapes. */
static const char *plain_text(m31r_expr *x, const m31ri_expr_value *v, size_t *out_length)
{
    if (!v->is_escaped) {
        *out_length = v->length;
        return v->text;
    }
    m31ri_buf_clear(&x->scratch);
    m31ri_json_unescape(&x->scratch, v->text, v->length);
    *out_length = x->scratch.length;
    return m31ri_buf_str(&x->scratch);
}

static order order_ints(int64_t a, int64_t b)
{
    return a < b ? LESS : a > b ? GREATER : EQUAL;
}

static order order_doubles(double a, double b)
{
    if (isnan(a) || isnan(b)) {
        return isnan(a) && isnan(b) ? EQUAL : UNORDERED;
    }
    return a < b ? LESS : a > b ? GREATER : EQUAL;
}

/* Exact: an integer beyond 2^53 is not rounded to a double first. */
static order order_int_double(int64_t a, double b)
{
    if (isnan(b)) {
        return UNORDERED;
    }
    if (b >= TWO_TO_63 || b < -TWO_TO_63) {
        return b > 0 ? LESS : GREATER;
    }
    int64_t whole = (int64_t)b;
    order o = order_ints(a, whole);
    return o != EQUAL ? o : order_doubles(0, b - (double)whole);
}

/* The number that a value is: of texts only NaN and infinities, and any in facts of runs. */
static bool number_of(m31r_expr *x, const m31ri_expr_value *v, m31ri_expr_value *out)
{
    size_t length;
    if ((v->is & (M31RI_IS_INT | M31RI_IS_DOUBLE)) != 0) {
        *out = *v;
        return true;
    }
    if ((v->is & M31RI_IS_TEXT) == 0) {
        return false;
    }
    const char *text = plain_text(x, v, &length);
    if (length == 0 || (!v->is_loose && text[length - 1] != 'N' && text[length - 1] != 'y')) {
        return false;
    }
    out->is = M31RI_IS_INT;
    if (m31ri_number_read_int(text, length, &out->i)) {
        return true;
    }
    out->is = M31RI_IS_DOUBLE;
    return m31ri_number_read_double(text, length, &out->d);
}

static order order_numbers(const m31ri_expr_value *a, const m31ri_expr_value *b)
{
    bool a_is_int = (a->is & M31RI_IS_INT) != 0;
    bool b_is_int = (b->is & M31RI_IS_INT) != 0;
    if (a_is_int && b_is_int) {
        return order_ints(a->i, b->i);
    }
    if (a_is_int) {
        return order_int_double(a->i, b->d);
    }
    if (b_is_int) {
        order o = order_int_double(b->i, a->d);
        return o == UNORDERED ? o : (order)-o;
    }
    return order_doubles(a->d, b->d);
}

static order order_texts(m31r_expr *x, const m31ri_expr_value *v, const m31ri_expr_value *literal)
{
    size_t length;
    const char *text = plain_text(x, v, &length);
    int c = memcmp(text, literal->text, length < literal->length ? length : literal->length);
    return c != 0 ? (c < 0 ? LESS : GREATER)
                  : order_ints((int64_t)length, (int64_t)literal->length);
}

static bool time_of(m31r_expr *x, const m31ri_expr_value *v, int64_t *out)
{
    size_t length;
    if ((v->is & M31RI_IS_TIME) != 0) {
        *out = v->i;
        return true;
    }
    if ((v->is & M31RI_IS_TEXT) == 0) {
        return false;
    }
    const char *text = plain_text(x, v, &length);
    return length > 9 && m31ri_time_of(text, length, 0, out);
}

static order compare(m31r_expr *x, const m31ri_expr_value *v, const m31ri_expr_value *literal)
{
    m31ri_expr_value number;
    int64_t time_ns;
    switch (literal->is) {
    case M31RI_IS_INT:
    case M31RI_IS_DOUBLE:
        return number_of(x, v, &number) ? order_numbers(&number, literal) : OTHER_TYPE;
    case M31RI_IS_TEXT:
        return (v->is & M31RI_IS_TEXT) != 0 ? order_texts(x, v, literal) : OTHER_TYPE;
    case M31RI_IS_BOOL:
        return (v->is & M31RI_IS_BOOL) == 0 ? OTHER_TYPE : v->b == literal->b ? EQUAL : UNORDERED;
    case M31RI_IS_LEVEL:
        return (v->is & M31RI_IS_LEVEL) != 0 ? order_ints(v->level, literal->level) : OTHER_TYPE;
    case M31RI_IS_TIME:
        return time_of(x, v, &time_ns) ? order_ints(time_ns, literal->i) : OTHER_TYPE;
    default: /* null: every type is or is not */
        return (v->is & M31RI_IS_NULL) != 0 ? EQUAL : UNORDERED;
    }
}

static bool holds_compare(m31r_expr *x, const m31ri_node *node, m31ri_slot *slot)
{
    order o = slot->value.is == 0 ? OTHER_TYPE : compare(x, &slot->value, &node->literal);
    if (o == OTHER_TYPE) {
        slot->facts.n_other += slot->value.is != 0 && slot->value.is != M31RI_IS_NULL;
        return false;
    }
    switch (node->op) {
    case M31RI_TOKEN_EQ:
        return o == EQUAL;
    case M31RI_TOKEN_NE:
        return o != EQUAL;
    case M31RI_TOKEN_LT:
        return o == LESS;
    case M31RI_TOKEN_LE:
        return o == LESS || o == EQUAL;
    case M31RI_TOKEN_GT:
        return o == GREATER;
    default:
        return o == GREATER || o == EQUAL;
    }
}

static bool holds_text_test(m31r_expr *x, const m31ri_node *node, m31ri_slot *slot)
{
    size_t length;
    if ((slot->value.is & M31RI_IS_TEXT) == 0) {
        slot->facts.n_other += slot->value.is != 0 && slot->value.is != M31RI_IS_NULL;
        return false;
    }
    const char *text = plain_text(x, &slot->value, &length);
    if (node->kind == M31RI_NODE_CONTAINS) {
        return memmem(text, length, node->literal.text, node->literal.length) != NULL;
    }
    int rc = pcre2_match(node->code, (PCRE2_SPTR)text, length, 0, 0, x->match, x->limits);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH) {
        slot->facts.n_too_hard++;
        return false;
    }
    return (rc >= 0) == (node->op == M31RI_TOKEN_MATCH);
}

/* Of words one is enough; `!=` and `!~` hold when no word is it. */
static bool holds_words(m31r_expr *x, const m31ri_node *node, const m31ri_slot *slot)
{
    bool is_negated = node->op == M31RI_TOKEN_NE || node->op == M31RI_TOKEN_NO_MATCH;
    bool is_test = node->kind != M31RI_NODE_COMPARE;
    m31ri_node asked = *node;
    m31ri_slot one = *slot;
    bool is_held = false;
    if (is_negated) {
        asked.op = is_test ? M31RI_TOKEN_MATCH : M31RI_TOKEN_EQ;
    }
    const char *at = slot->value.text;
    const char *end = at + slot->value.length;
    while (at < end && !is_held) {
        one.value = (m31ri_expr_value){.is = M31RI_IS_TEXT, .is_loose = true, .text = at};
        one.value.length = strcspn(at, " ");
        is_held = is_test ? holds_text_test(x, &asked, &one) : holds_compare(x, &asked, &one);
        at += one.value.length + 1;
    }
    return is_held != is_negated;
}

/* At most M31R_EXPR_TESTS deep: a chain of `and` leans to the left. */
static bool holds(m31r_expr *x, size_t i)
{
    const m31ri_node *node = &x->nodes[i];
    m31ri_slot *slot = &x->slots[node->field];
    switch (node->kind) {
    case M31RI_NODE_AND:
        return holds(x, node->left) && holds(x, node->right);
    case M31RI_NODE_OR:
        return holds(x, node->left) || holds(x, node->right);
    case M31RI_NODE_NOT:
        return !holds(x, node->left);
    case M31RI_NODE_HAS:
        return slot->value.is != 0 && (slot->value.is != M31RI_IS_WORDS || slot->value.length > 0);
    case M31RI_NODE_COMPARE:
        if (slot->value.is == M31RI_IS_WORDS) {
            return holds_words(x, node, slot);
        }
        return holds_compare(x, node, slot);
    default:
        return slot->value.is == M31RI_IS_WORDS ? holds_words(x, node, slot)
                                                : holds_text_test(x, node, slot);
    }
}

bool m31ri_expr_judge(m31r_expr *x)
{
    return holds(x, x->root);
}
