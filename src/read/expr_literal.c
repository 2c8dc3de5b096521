/* expr_literal.c - what a field is compared with.
 *
 * The literal decides how is compared: a number with numbers, a text with texts, a time with texts
 * that are times. `level` takes the name of a level and `ts` a time, in quotes or not; elsewhere a
 * word without quotes is refused with the quotes it needs, so that a misspelt field on the right
 * side never passes for a text.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "m31r/log.h"
#include "read/expr_int.h"

#define MATCH_LIMIT 100000
#define DEPTH_LIMIT 1000

static bool is_field(const m31ri_expr_parser *p, const m31ri_node *field, const char *name)
{
    return strcmp(p->x->slots[field->field].facts.name, name) == 0;
}

static bool level_literal(m31ri_expr_parser *p, m31ri_expr_value *out)
{
    static const char *const levels[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};
    char hint[96] = "one of DEBUG, INFO, WARNING, ERROR, CRITICAL";
    out->level = m31r_level_of(p->token.text);
    out->is = M31RI_IS_LEVEL;
    if (out->level != 0) {
        return true;
    }
    const char *nearest = m31ri_nearest(p->token.text, levels, 5);
    if (nearest != NULL) {
        snprintf(hint, sizeof hint, "did you mean %s?", nearest);
    }
    return m31ri_expr_fault(p, p->token.at, hint, "\"%.40s\" is no level", p->token.text);
}

static bool time_literal(m31ri_expr_parser *p, m31ri_expr_value *out)
{
    out->is = M31RI_IS_TIME;
    if (m31ri_time_of(p->token.text, p->token.text_length, p->x->now_ns, &out->i)) {
        return true;
    }
    return m31ri_expr_fault(p, p->token.at,
                            "times look like -2h, 2026-11-23 or "
                            "2026-11-23T10:26:51Z",
                            "\"%.40s\" is no time", p->token.text);
}

static bool check_state(m31ri_expr_parser *p, const m31ri_expr_value *v)
{
    const char *names[M31R_STATE_CRASHED + 1];
    char hint[160] = "running, finished, failed, killed, interrupted, crashed or unknown";
    for (int i = 0; i <= M31R_STATE_CRASHED; i++) {
        names[i] = m31r_state_name((m31r_state)i);
        if (strcmp(names[i], v->text) == 0) {
            return true;
        }
    }
    const char *nearest = m31ri_nearest(v->text, names, M31R_STATE_CRASHED + 1);
    if (nearest != NULL) {
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    }
    return m31ri_expr_fault(p, p->token.at, hint, "\"%.40s\" is no state of a run", v->text);
}

static bool word_literal(m31ri_expr_parser *p, m31ri_expr_value *out)
{
    const char *word = p->token.text;
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
        out->is = M31RI_IS_BOOL;
        out->b = word[0] == 't';
        return true;
    }
    if (strcmp(word, "null") == 0) {
        out->is = M31RI_IS_NULL;
        return true;
    }
    if (strcmp(word, "NaN") == 0 || strcmp(word, "Infinity") == 0) {
        out->is = M31RI_IS_DOUBLE;
        out->d = word[0] == 'N' ? NAN : INFINITY;
        return true;
    }
    char hint[128];
    snprintf(hint, sizeof hint, "a text needs quotes: \"%.80s\"", word);
    return m31ri_expr_fault(p, p->token.at, hint, "a value is expected here");
}

static bool string_literal(m31ri_expr_parser *p, const m31ri_node *field, m31ri_expr_value *out)
{
    out->is = M31RI_IS_TEXT;
    out->text = p->token.text;
    out->length = p->token.text_length;
    bool is_state = p->x->subject == M31R_EXPR_RUN && is_field(p, field, "state");
    return !is_state || check_state(p, out);
}

static bool any_literal(m31ri_expr_parser *p, const m31ri_node *field, m31ri_expr_value *out)
{
    const m31ri_token *t = &p->token;
    bool is_word = t->kind == M31RI_TOKEN_WORD || t->kind == M31RI_TOKEN_STRING;
    bool is_null = t->kind == M31RI_TOKEN_WORD && strcmp(t->text, "null") == 0;
    if (is_word && !is_null && p->x->subject == M31R_EXPR_RECORD && is_field(p, field, "level")) {
        return level_literal(p, out);
    }
    if (is_word && !is_null && is_field(p, field, "ts")) {
        return time_literal(p, out);
    }
    switch (t->kind) {
    case M31RI_TOKEN_WORD:
        return word_literal(p, out);
    case M31RI_TOKEN_STRING:
        return string_literal(p, field, out);
    case M31RI_TOKEN_INT:
        out->is = M31RI_IS_INT;
        out->i = t->i;
        return true;
    case M31RI_TOKEN_DOUBLE:
        out->is = M31RI_IS_DOUBLE;
        out->d = t->d;
        return true;
    case M31RI_TOKEN_TIME:
        out->is = M31RI_IS_TIME;
        out->i = t->i;
        return true;
    case M31RI_TOKEN_END:
        return m31ri_expr_fault(p, t->at, NULL, "it ends where a value is expected");
    default:
        return m31ri_expr_fault(p, t->at, NULL, "a value is expected here");
    }
}

bool m31ri_expr_literal(m31ri_expr_parser *p, const m31ri_node *field, m31ri_expr_value *out)
{
    if (p->err != M31R_OK || !any_literal(p, field, out)) {
        return false;
    }
    m31ri_expr_next(p);
    return p->err == M31R_OK;
}

static bool prepare_matching(m31ri_expr_parser *p)
{
    m31r_expr *x = p->x;
    if (x->match == NULL) {
        x->match = pcre2_match_data_create(1, NULL);
        x->limits = pcre2_match_context_create(NULL);
    }
    if (x->match == NULL || x->limits == NULL) {
        p->err = m31ri_fail(p->e, M31R_E_NOMEM, "out of memory for an expression");
        return false;
    }
    pcre2_set_match_limit(x->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(x->limits, DEPTH_LIMIT);
    return true;
}

bool m31ri_expr_pattern(m31ri_expr_parser *p, pcre2_code **out)
{
    int code;
    PCRE2_SIZE offset;
    PCRE2_UCHAR why[128];
    if (p->err != M31R_OK || !prepare_matching(p)) {
        return false;
    }
    uint32_t flags = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)p->token.text, p->token.text_length, flags, &code, &offset, NULL);
    if (compiled == NULL) {
        pcre2_get_error_message(code, why, sizeof why);
        size_t at = p->token.at + 1 + offset; /* escapes in quotes may move it a little */
        size_t last = p->token.at + p->token.length - 1;
        return m31ri_expr_fault(p, at < last ? at : last, "to search for plain text: contains",
                                "the regular expression is wrong: %s", (const char *)why);
    }
    (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* without it, only slower */
    *out = compiled;
    return true;
}
