/* expr_fields.c - which fields an expression may name.
 *
 * A record may have any. Points and runs have the ones listed here, so a misspelt one is found
 * before anything is read.
 */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "read/expr_int.h"

static const char *const point_fields[] = {"name", "step", "value", "ts", "segment"};
static const char *const run_fields[] = {
    "id",      "name",      "stage",  "kind", "state", "cause",   "step",    "seed",
    "dataset", "tokenizer", "commit", "ts",   "tag",   "release", "config.", "metrics."};
static const char *const statistics[] = {"last", "min", "max", "mean", "count"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool unknown_field(m31ri_expr_parser *p, const m31ri_token *t, const char *const *words,
                          size_t n)
{
    char hint[256];
    const char *nearest = m31ri_nearest(t->text, words, n);
    if (nearest != NULL) {
        snprintf(hint, sizeof hint, "did you mean %s?", nearest);
    } else {
        snprintf(hint, sizeof hint, "%s",
                 p->x->subject == M31R_EXPR_POINT
                     ? "a point has name, step, value, ts, segment"
                     : "a run has id, name, stage, kind, state, cause, step, seed, dataset, "
                       "tokenizer, commit, ts, tag, release, config.KEY and metrics.NAME.last");
    }
    return m31ri_expr_fault(p, t->at, hint, "there is no field \"%.80s\"", t->text);
}

/* metrics.NAME.last, and NAME may hold dots. */
static bool check_metric(m31ri_expr_parser *p, const m31ri_token *t)
{
    const char *name = t->text + strlen("metrics.");
    const char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name && is_one_of(dot + 1, statistics, COUNT(statistics))) {
        return true;
    }
    return m31ri_expr_fault(p, t->at, "last, min, max, mean or count, such as metrics.loss.last",
                            "of a metric one number is compared");
}

static bool may_have(m31ri_expr_parser *p, const m31ri_token *t)
{
    if (p->x->subject == M31R_EXPR_RECORD) {
        return true;
    }
    if (p->x->subject == M31R_EXPR_POINT) {
        return is_one_of(t->text, point_fields, COUNT(point_fields)) ||
               unknown_field(p, t, point_fields, COUNT(point_fields));
    }
    if (strncmp(t->text, "config.", 7) == 0 && t->text[7] != '\0') {
        return true;
    }
    if (strncmp(t->text, "metrics.", 8) == 0) {
        return check_metric(p, t);
    }
    return is_one_of(t->text, run_fields, COUNT(run_fields) - 2) ||
           unknown_field(p, t, run_fields, COUNT(run_fields));
}

bool m31ri_expr_slot(m31ri_expr_parser *p, const m31ri_token *token, uint16_t *out)
{
    m31r_expr *x = p->x;
    for (size_t i = 0; i < x->n_slots; i++) {
        if (strcmp(x->slots[i].facts.name, token->text) == 0) {
            *out = (uint16_t)i;
            return true;
        }
    }
    if (!may_have(p, token)) {
        return false;
    }
    if (x->n_slots == M31R_EXPR_FIELDS) {
        p->err = m31ri_fail(p->e, M31R_E_LIMIT, "an expression has at most %d different fields",
                            M31R_EXPR_FIELDS);
        return false;
    }
    *out = (uint16_t)x->n_slots;
    m31ri_slot *slot = &x->slots[x->n_slots++];
    slot->facts.name = token->text;
    slot->length = token->text_length;
    x->n_unmet++;
    return true;
}
