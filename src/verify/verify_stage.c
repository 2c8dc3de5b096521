/* verify_stage.c - does every record of the stage hold to its schema, whoever wrote it?
 *
 * The tables are made from schemas/. A record's fields are looked at once: which are there, of
 * which type, within which limits; then the rules between them. Rules over other records (a sum, a
 * count) wait for the end of the run, and hold for the last record that states them.
 *
 * `step_complete` of training is older than the schemas and m31r_step() takes any pairs: there a
 * missing field breaks the verdict only in a run that says it follows the schema (`schemas` in
 * metadata.json).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "verify/verify_int.h"
#include "base/alloc.h"
#include "format/number.h"
#include "format/stage_table.h"

#define MESSAGES 16
#define LATE_RULES 16

/* A rule over other records, with what the newest record that states it says. */
typedef struct late_rule {
    const m31ri_stage_rule *rule;
    const char *message, *file;
    uint64_t line;
    double left;
} late_rule;

/* The first fault of a kind, and how many records have one. */
typedef struct stage_fault {
    uint64_t n, line;
    const char *file, *why;
} stage_fault;

struct m31ri_verify_stage {
    m31r_verification *v;
    const m31ri_stage *stage; /* NULL: this stage has no schema */
    uint64_t counts[MESSAGES];
    double sums[MESSAGES][M31RI_STAGE_FIELDS];
    late_rule late[LATE_RULES];
    size_t n_late;
    stage_fault missing, lenient, invalid;
    bool follows; /* the run says that it follows the schema */
};

/* One record while it is looked at. */
typedef struct stage_record {
    struct m31ri_verify_stage *s;
    const m31ri_stage_message *m;
    bool has[M31RI_STAGE_FIELDS];
    double values[M31RI_STAGE_FIELDS]; /* NaN for what is no finite number */
    char why[256];                     /* first fault; "" for none */
} stage_record;

struct m31ri_verify_stage *m31ri_verify_stage_new(m31r_verification *v)
{
    struct m31ri_verify_stage *s = m31ri_calloc(1, sizeof *s);
    if (s != NULL) {
        const char *name = v->reader->facts.stage;
        const json_t *follows = m31ri_reader_get(v->reader, "schemas");
        s->v = v;
        s->stage = m31ri_stage_find(name);
        s->follows = json_object_get(follows, name) != NULL;
    }
    return s;
}

void m31ri_verify_stage_free(struct m31ri_verify_stage *s)
{
    m31ri_free(s);
}

/* ---- one field ---------------------------------------------------------------------------------
 */

static bool is_text(const m31r_field *f, const char *text)
{
    return f->value_length == strlen(text) && memcmp(f->value, text, f->value_length) == 0;
}

/* The number that a member holds; false when it holds none. One that is not finite gives NaN. */
static bool number_of(const m31r_field *f, double *out)
{
    *out = NAN;
    if (f->type == 's') {
        return is_text(f, "NaN") || is_text(f, "Infinity") || is_text(f, "-Infinity");
    }
    return f->type == 'n' && m31ri_number_read_double(f->value, f->value_length, out);
}

/* Says what is wrong with a member, or nothing. */
static void judge(stage_record *r, const m31ri_stage_field *f, const m31r_field *member, double x)
{
    int n = member->value_length < 60 ? (int)member->value_length : 60;
    const char *fault = NULL;
    if (f->type == M31RI_FIELD_STRING) {
        fault = member->type != 's' ? "is no text" : member->value_length == 0 ? "is empty" : NULL;
    } else if (member->type != 'n' && !(member->type == 's' && f->type == M31RI_FIELD_REAL)) {
        fault = "is no number";
    } else if (f->type == M31RI_FIELD_INTEGER && !(floor(x) == x)) {
        fault = "is no integer";
    }
    if (fault != NULL && r->why[0] == '\0') {
        snprintf(r->why, sizeof r->why, "%s: %s %s: %.*s", r->m->name, f->key, fault, n,
                 member->value);
    } else if ((x < f->minimum || x > f->maximum) && r->why[0] == '\0') {
        snprintf(r->why, sizeof r->why, "%s: %s is %.*s, %s %g", r->m->name, f->key, n,
                 member->value, x < f->minimum ? "below" : "above",
                 x < f->minimum ? f->minimum : f->maximum);
    }
}

static bool look_at_member(void *context, const m31r_field *member)
{
    stage_record *r = context;
    for (size_t i = 0; i < r->m->n_fields; i++) {
        const m31ri_stage_field *f = &r->m->fields[i];
        if (strlen(f->key) != member->key_length ||
            memcmp(f->key, member->key, member->key_length) != 0) {
            continue;
        }
        double x = NAN;
        bool is_number = number_of(member, &x);
        r->has[i] = true;
        r->values[i] = is_number ? x : NAN;
        if (!is_number && f->type == M31RI_FIELD_REAL && member->type == 's') {
            m31r_field other = *member;
            other.type = 'x'; /* a text that stands for no number */
            judge(r, f, &other, x);
        } else {
            judge(r, f, member, x);
        }
        break;
    }
    return true;
}

/* ---- rules -------------------------------------------------------------------------------------
 */

static int index_of(const m31ri_stage_message *m, const char *key)
{
    for (size_t i = 0; i < m->n_fields; i++) {
        if (strcmp(m->fields[i].key, key) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* The value of a field, NaN when it is absent. */
static double value_of(const stage_record *r, const char *key)
{
    int i = index_of(r->m, key);
    return i >= 0 && r->has[i] ? r->values[i] : NAN;
}

static double term_over_run(const struct m31ri_verify_stage *s, const m31ri_stage_term *t)
{
    const m31ri_stage_message *m =
        m31ri_stage_message_find(s->stage, t->message, strlen(t->message));
    if (m == NULL) {
        return NAN;
    }
    size_t at = (size_t)(m - s->stage->messages);
    int field = t->kind == M31RI_TERM_SUM ? index_of(m, t->key) : 0;
    if (field < 0) {
        return NAN;
    }
    return t->kind == M31RI_TERM_SUM ? s->sums[at][field] : (double)s->counts[at];
}

static bool is_late(const m31ri_stage_rule *rule)
{
    return rule->right[0].kind == M31RI_TERM_SUM || rule->right[0].kind == M31RI_TERM_COUNT;
}

/* A rule whose numbers are not all known holds. Rates are compared with room for their last digit.
 */
static bool holds(const m31ri_stage_rule *rule, double left, double right)
{
    double room = 1e-12 * fabs(right);
    if (isnan(left) || isnan(right)) {
        return true;
    }
    return rule->kind == M31RI_RULE_EQUAL ? fabs(left - right) <= room : left <= right + room;
}

static void keep_late(stage_record *r, const m31ri_stage_rule *rule, const m31r_record *record)
{
    struct m31ri_verify_stage *s = r->s;
    size_t at = 0;
    while (at < s->n_late && s->late[at].rule != rule) {
        at++;
    }
    if (at < LATE_RULES) {
        s->n_late = at == s->n_late ? at + 1 : s->n_late;
        s->late[at] = (late_rule){rule, r->m->name, m31ri_verify_text(s->v, "%s", record->file),
                                  record->line_number, value_of(r, rule->left)};
    }
}

static void look_at_rules(stage_record *r, const m31r_record *record)
{
    for (size_t i = 0; i < r->m->n_rules; i++) {
        const m31ri_stage_rule *rule = &r->m->rules[i];
        if (is_late(rule)) {
            keep_late(r, rule, record);
            continue;
        }
        double right = 0;
        for (size_t k = 0; k < M31RI_STAGE_TERMS && rule->right[k].kind != M31RI_TERM_NONE; k++) {
            right += value_of(r, rule->right[k].key);
        }
        double left = value_of(r, rule->left);
        if (!holds(rule, left, right) && r->why[0] == '\0') {
            snprintf(r->why, sizeof r->why, "%s: %s does not hold: %.17g and %.17g", r->m->name,
                     rule->text, left, right);
        }
    }
}

/* ---- records -----------------------------------------------------------------------------------
 */

static void note(struct m31ri_verify_stage *s, stage_fault *fault, const m31r_record *record,
                 const char *why)
{
    if (fault->n++ == 0) {
        fault->line = record->line_number;
        fault->file = m31ri_verify_text(s->v, "%s", record->file);
        fault->why = m31ri_verify_text(s->v, "%s", why);
    }
}

static void look_for_missing(stage_record *r, const m31r_record *record)
{
    char why[256];
    int n = snprintf(why, sizeof why, "%s lacks", r->m->name);
    bool lacks = false;
    for (size_t i = 0; i < r->m->n_fields; i++) {
        if ((r->m->fields[i].flags & M31RI_FIELD_REQUIRED) != 0 && !r->has[i]) {
            lacks = true;
            if ((size_t)n < sizeof why) {
                n += snprintf(why + n, sizeof why - (size_t)n, " %s", r->m->fields[i].key);
            }
        }
    }
    if (lacks) {
        bool is_lenient = !r->s->follows && strcmp(r->m->name, "step_complete") == 0;
        note(r->s, is_lenient ? &r->s->lenient : &r->s->missing, record, why);
    }
}

void m31ri_verify_stage_look(struct m31ri_verify_stage *s, const m31r_record *record)
{
    stage_record r = {.s = s};
    if (s->stage == NULL || record->message == NULL || strcmp(record->lane, "observer") == 0) {
        return;
    }
    r.m = m31ri_stage_message_find(s->stage, record->message, record->message_length);
    if (r.m == NULL) {
        return;
    }
    m31r_record_each(record, look_at_member, &r);
    look_for_missing(&r, record);
    look_at_rules(&r, record);
    if (r.why[0] != '\0') {
        note(s, &s->invalid, record, r.why);
    }
    size_t at = (size_t)(r.m - s->stage->messages);
    s->counts[at]++;
    for (size_t i = 0; i < r.m->n_fields; i++) {
        s->sums[at][i] += r.has[i] && !isnan(r.values[i]) ? r.values[i] : 0;
    }
}

/* ---- the end -----------------------------------------------------------------------------------
 */

static void judge_late_rules(struct m31ri_verify_stage *s)
{
    for (size_t i = 0; i < s->n_late; i++) {
        const late_rule *l = &s->late[i];
        double right = term_over_run(s, &l->rule->right[0]);
        if (!holds(l->rule, l->left, right) && s->invalid.n++ == 0) {
            s->invalid.line = l->line;
            s->invalid.file = l->file;
            s->invalid.why = m31ri_verify_text(s->v, "%s: %s does not hold: %.17g and %.17g",
                                               l->message, l->rule->text, l->left, right);
        }
    }
}

static void check_awaited(struct m31ri_verify_stage *s)
{
    const char *const statement[2] = {s->stage->shows, "the stage's closing records are there"};
    const m31r_facts *f = &s->v->reader->facts;
    m31ri_check_place place = {.path = "", .breaks = M31R_VERDICT_INCOMPLETE};
    bool applies = f->state == M31R_STATE_FINISHED && strcmp(f->kind, "trial") != 0;
    for (size_t i = 0; i < s->stage->n_messages; i++) {
        const m31ri_stage_message *m = &s->stage->messages[i];
        if (m->is_awaited) {
            m31r_answer answer = s->counts[i] > 0 ? M31R_YES : M31R_NO;
            m31ri_verify_add(s->v, statement, applies ? answer : M31R_NOT_APPLICABLE, place,
                             "%" PRIu64 " records %s", s->counts[i], m->name);
        }
    }
}

void m31ri_verify_stage_end(struct m31ri_verify_stage *s)
{
    if (s->stage == NULL) {
        return;
    }
    const char *const fields[2] = {s->stage->shows,
                                   "the stage's records have every mandatory field"};
    const char *const hold[2] = {s->stage->shows, "the stage's records hold to its schema"};
    judge_late_rules(s);
    uint64_t n = 0;
    for (size_t i = 0; i < s->stage->n_messages; i++) {
        n += s->counts[i];
    }
    const stage_fault *missing = s->missing.n > 0 ? &s->missing : &s->lenient;
    m31ri_check_place place = {.path = missing->n > 0 ? missing->file : "",
                               .line = missing->line,
                               .breaks = s->missing.n > 0 ? M31R_VERDICT_INCOMPLETE
                                                          : M31R_VERDICT_VERIFIED};
    m31ri_verify_add(s->v, fields, missing->n > 0 ? M31R_NO : M31R_YES, place,
                     "%s%s%" PRIu64 " of %" PRIu64 " records", missing->n > 0 ? missing->why : "",
                     missing->n > 0 ? "; " : "lacking: ", missing->n, n);
    m31ri_check_place invalid = {.path = s->invalid.n > 0 ? s->invalid.file : "",
                                 .line = s->invalid.line,
                                 .breaks = M31R_VERDICT_INVALID};
    m31ri_verify_add(s->v, hold, s->invalid.n > 0 ? M31R_NO : M31R_YES, invalid,
                     "%s%s%" PRIu64 " of %" PRIu64 " records",
                     s->invalid.n > 0 ? s->invalid.why : "",
                     s->invalid.n > 0 ? "; " : "breaking it: ", s->invalid.n, n);
    check_awaited(s);
}
