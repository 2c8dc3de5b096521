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

#include "verify/record_tally.h"
#include "verify/verify_int.h"
#include "base/alloc.h"
#include "format/number.h"
#include "format/stage_table.h"

#define RULES 8 /* of one message */

/* A rule with the places of its fields; -1: the message has no such field. */
typedef struct placed_rule {
    const m31ri_stage_rule *rule;
    int left, right[M31RI_STAGE_TERMS];
    int late; /* its place among the rules over other records; -1: it is about one record */
} placed_rule;

struct m31ri_verify_stage {
    const m31ri_stage *stage; /* NULL: this stage has no schema */
    bool follows;             /* the run says that it follows the schema */
    uint8_t key_lengths[M31RI_TALLY_MESSAGES][M31RI_STAGE_FIELDS];
    placed_rule rules[M31RI_TALLY_MESSAGES][RULES];
    size_t n_rules[M31RI_TALLY_MESSAGES];
};

/* One record while it is looked at. */
typedef struct stage_record {
    const m31ri_stage_message *m;
    bool has[M31RI_STAGE_FIELDS];
    double values[M31RI_STAGE_FIELDS]; /* NaN for what is no finite number */
    char why[M31RI_TALLY_WHY];         /* first fault; "" for none */
} stage_record;

static int index_of(const m31ri_stage_message *m, const char *key)
{
    for (size_t i = 0; i < m->n_fields; i++) {
        if (strcmp(m->fields[i].key, key) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static bool is_late(const m31ri_stage_rule *rule)
{
    return rule->right[0].kind == M31RI_TERM_SUM || rule->right[0].kind == M31RI_TERM_COUNT;
}

/* Where keys and the fields of rules are is looked up once, not for every record. */
static void place(struct m31ri_verify_stage *s, size_t at, int *n_late)
{
    const m31ri_stage_message *m = &s->stage->messages[at];
    for (size_t i = 0; i < m->n_fields; i++) {
        s->key_lengths[at][i] = (uint8_t)strlen(m->fields[i].key);
    }
    for (size_t i = 0; i < m->n_rules && i < RULES; i++) {
        placed_rule *p = &s->rules[at][s->n_rules[at]++];
        *p = (placed_rule){.rule = &m->rules[i], .left = index_of(m, m->rules[i].left)};
        p->late = is_late(p->rule) && *n_late < M31RI_TALLY_LATE_RULES ? (*n_late)++ : -1;
        for (size_t k = 0; k < M31RI_STAGE_TERMS && !is_late(p->rule); k++) {
            const m31ri_stage_term *term = &p->rule->right[k];
            p->right[k] = term->kind == M31RI_TERM_FIELD ? index_of(m, term->key) : -1;
        }
    }
}

struct m31ri_verify_stage *m31ri_verify_stage_new(const m31r_verification *v)
{
    struct m31ri_verify_stage *s = m31ri_calloc(1, sizeof *s);
    int n_late = 0;
    if (s == NULL) {
        return NULL;
    }
    const char *name = v->reader->facts.stage;
    s->stage = m31ri_stage_find(name);
    s->follows = json_object_get(m31ri_reader_get(v->reader, "schemas"), name) != NULL;
    for (size_t i = 0; s->stage != NULL && i < s->stage->n_messages; i++) {
        place(s, i, &n_late);
    }
    return s;
}

void m31ri_verify_stage_free(struct m31ri_verify_stage *s)
{
    m31ri_free(s);
}

/* ---- one field ---------------------------------------------------------------------------------
 */

static bool is_text(const m31ri_json_member *f, const char *text)
{
    return f->value_length == strlen(text) && memcmp(f->value, text, f->value_length) == 0;
}

/* The number that a member holds; false when it holds none. One that is not finite gives NaN. */
static bool number_of(const m31ri_json_member *f, double *out)
{
    *out = NAN;
    if (f->type == 's') {
        return is_text(f, "NaN") || is_text(f, "Infinity") || is_text(f, "-Infinity");
    }
    return f->type == 'n' && m31ri_number_read_double(f->value, f->value_length, out);
}

/* Says what is wrong with a member, or nothing. */
static void judge(stage_record *r, const m31ri_stage_field *f, const m31ri_json_member *member,
                  double x)
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

static void look_at_member(stage_record *r, size_t i, const m31ri_json_member *member)
{
    const m31ri_stage_field *f = &r->m->fields[i];
    double x = NAN;
    bool is_number = f->type != M31RI_FIELD_STRING && number_of(member, &x);
    r->has[i] = true;
    r->values[i] = is_number ? x : NAN;
    if (!is_number && f->type == M31RI_FIELD_REAL && member->type == 's') {
        m31ri_json_member other = *member;
        other.type = 'x'; /* a text that stands for no number */
        judge(r, f, &other, x);
    } else {
        judge(r, f, member, x);
    }
}

/* The field that a member is; M31RI_STAGE_FIELDS for none. */
static size_t find_field(const struct m31ri_verify_stage *s, size_t at,
                         const m31ri_json_member *member)
{
    const m31ri_stage_message *m = &s->stage->messages[at];
    for (size_t i = 0; i < m->n_fields; i++) {
        if (s->key_lengths[at][i] == member->key_length &&
            memcmp(m->fields[i].key, member->key, member->key_length) == 0) {
            return i;
        }
    }
    return M31RI_STAGE_FIELDS;
}

/* The same, remembered by the member's place in such a record. */
static size_t field_of(const struct m31ri_verify_stage *s, size_t at, m31ri_key_hint *hint,
                       const m31ri_json_member *member)
{
    size_t length = member->key_length;
    if (hint->length != length || memcmp(hint->key, member->key, length) != 0) {
        hint->field = (uint8_t)find_field(s, at, member);
        hint->length = length <= sizeof hint->key ? (uint8_t)length : 0;
        memcpy(hint->key, member->key, hint->length);
    }
    return hint->field;
}

static void look_at_members(const struct m31ri_verify_stage *s, m31ri_stage_tally *t, size_t at,
                            const m31ri_checked_record *c, stage_record *r)
{
    for (size_t i = 0; i < c->n_members; i++) {
        const m31ri_json_member *m = &c->members[i];
        bool is_hinted = i < M31RI_TALLY_HINTS && m->key_length > 0;
        size_t field = is_hinted ? field_of(s, at, &t->hints[at][i], m) : find_field(s, at, m);
        if (field < M31RI_STAGE_FIELDS) {
            look_at_member(r, field, m);
        }
    }
}

/* ---- rules -------------------------------------------------------------------------------------
 */

/* The value of a field, NaN when it is absent. */
static double value_of(const stage_record *r, int field)
{
    return field >= 0 && r->has[field] ? r->values[field] : NAN;
}

static double term_over_run(const struct m31ri_verify_stage *s, const m31ri_stage_tally *tally,
                            const m31ri_stage_term *t)
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
    return t->kind == M31RI_TERM_SUM ? tally->sums[at][field] : (double)tally->counts[at];
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

static void look_at_rules(const struct m31ri_verify_stage *s, m31ri_stage_tally *t, size_t at,
                          const m31ri_checked_record *c, stage_record *r)
{
    for (size_t i = 0; i < s->n_rules[at]; i++) {
        const placed_rule *p = &s->rules[at][i];
        double left = value_of(r, p->left);
        if (p->late >= 0) {
            t->late[p->late] = (m31ri_late_rule){p->rule,           r->m->name,
                                                 c->record.file,    c->record.line_number,
                                                 c->record.wall_ns, left};
        }
        if (is_late(p->rule)) {
            continue;
        }
        double right = 0;
        for (size_t k = 0; k < M31RI_STAGE_TERMS && p->rule->right[k].kind != M31RI_TERM_NONE;
             k++) {
            right += value_of(r, p->right[k]);
        }
        if (!holds(p->rule, left, right) && r->why[0] == '\0') {
            snprintf(r->why, sizeof r->why, "%s: %s does not hold: %.17g and %.17g", r->m->name,
                     p->rule->text, left, right);
        }
    }
}

/* ---- records -----------------------------------------------------------------------------------
 */

static void say_missing(const stage_record *r, char why[M31RI_TALLY_WHY])
{
    int n = snprintf(why, M31RI_TALLY_WHY, "%s lacks", r->m->name);
    for (size_t i = 0; i < r->m->n_fields && n < M31RI_TALLY_WHY; i++) {
        if ((r->m->fields[i].flags & M31RI_FIELD_REQUIRED) != 0 && !r->has[i]) {
            n += snprintf(why + n, M31RI_TALLY_WHY - (size_t)n, " %s", r->m->fields[i].key);
        }
    }
}

static void look_for_missing(const struct m31ri_verify_stage *s, m31ri_stage_tally *t,
                             const stage_record *r, const m31r_record *record)
{
    char why[M31RI_TALLY_WHY]; /* of the first record only: making it costs more than looking */
    bool lacks = false;
    for (size_t i = 0; i < r->m->n_fields; i++) {
        lacks |= (r->m->fields[i].flags & M31RI_FIELD_REQUIRED) != 0 && !r->has[i];
    }
    if (lacks) {
        bool is_lenient = !s->follows && strcmp(r->m->name, "step_complete") == 0;
        m31ri_tally_fault *fault = is_lenient ? &t->lenient : &t->missing;
        if (fault->n == 0) {
            say_missing(r, why);
        }
        m31ri_tally_note(fault, record, why);
    }
}

void m31ri_verify_stage_look(const struct m31ri_verify_stage *s, m31ri_stage_tally *t,
                             const m31ri_checked_record *c)
{
    const m31r_record *record = &c->record;
    if (s->stage == NULL || record->message == NULL || c->is_observers) {
        return;
    }
    stage_record r; /* its texts and values are not set for every record: they are large */
    r.m = m31ri_stage_message_find(s->stage, record->message, record->message_length);
    if (r.m == NULL) {
        return;
    }
    memset(r.has, 0, sizeof r.has);
    r.why[0] = '\0';
    size_t at = (size_t)(r.m - s->stage->messages);
    look_at_members(s, t, at, c, &r);
    look_for_missing(s, t, &r, record);
    look_at_rules(s, t, at, c, &r);
    if (r.why[0] != '\0') {
        m31ri_tally_note(&t->invalid, record, r.why);
    }
    t->counts[at]++;
    for (size_t i = 0; i < r.m->n_fields; i++) {
        if (r.has[i] && !isnan(r.values[i])) {
            t->sums[at][i] += r.values[i];
        }
    }
}

/* ---- the end -----------------------------------------------------------------------------------
 */

static void judge_late_rules(const struct m31ri_verify_stage *s, m31ri_stage_tally *t)
{
    for (size_t i = 0; i < M31RI_TALLY_LATE_RULES; i++) {
        const m31ri_late_rule *l = &t->late[i];
        double right = l->rule != NULL ? term_over_run(s, t, &l->rule->right[0]) : NAN;
        if (l->rule != NULL && !holds(l->rule, l->left, right)) {
            char why[M31RI_TALLY_WHY];
            m31r_record record = {.file = l->file, .line_number = l->line};
            snprintf(why, sizeof why, "%s: %s does not hold: %.17g and %.17g", l->message,
                     l->rule->text, l->left, right);
            m31ri_tally_note(&t->invalid, &record, why);
        }
    }
}

static void check_awaited(m31r_verification *v, const struct m31ri_verify_stage *s,
                          const m31ri_stage_tally *t)
{
    const char *const statement[2] = {s->stage->shows, "the stage's closing records are there"};
    const m31r_facts *f = &v->reader->facts;
    m31ri_check_place place = {.path = "", .breaks = M31R_VERDICT_INCOMPLETE};
    bool applies = f->state == M31R_STATE_FINISHED && strcmp(f->kind, "trial") != 0;
    for (size_t i = 0; i < s->stage->n_messages; i++) {
        const m31ri_stage_message *m = &s->stage->messages[i];
        if (m->is_awaited) {
            m31r_answer answer = t->counts[i] > 0 ? M31R_YES : M31R_NO;
            m31ri_verify_add(v, statement, applies ? answer : M31R_NOT_APPLICABLE, place,
                             "%" PRIu64 " records %s", t->counts[i], m->name);
        }
    }
}

void m31ri_verify_stage_end(m31r_verification *v, const struct m31ri_verify_stage *s,
                            m31ri_stage_tally *t)
{
    if (s->stage == NULL) {
        return;
    }
    const char *const fields[2] = {s->stage->shows,
                                   "the stage's records have every mandatory field"};
    const char *const hold[2] = {s->stage->shows, "the stage's records hold to its schema"};
    judge_late_rules(s, t);
    uint64_t n = 0;
    for (size_t i = 0; i < s->stage->n_messages; i++) {
        n += t->counts[i];
    }
    const m31ri_tally_fault *missing = t->missing.n > 0 ? &t->missing : &t->lenient;
    m31ri_check_place place = {.path = missing->n > 0 ? missing->file : "",
                               .line = missing->line,
                               .breaks = t->missing.n > 0 ? M31R_VERDICT_INCOMPLETE
                                                          : M31R_VERDICT_VERIFIED};
    m31ri_verify_add(v, fields, missing->n > 0 ? M31R_NO : M31R_YES, place,
                     "%s%s%" PRIu64 " of %" PRIu64 " records", missing->n > 0 ? missing->why : "",
                     missing->n > 0 ? "; " : "lacking: ", missing->n, n);
    m31ri_check_place invalid = {.path = t->invalid.n > 0 ? t->invalid.file : "",
                                 .line = t->invalid.line,
                                 .breaks = M31R_VERDICT_INVALID};
    m31ri_verify_add(v, hold, t->invalid.n > 0 ? M31R_NO : M31R_YES, invalid,
                     "%s%s%" PRIu64 " of %" PRIu64 " records",
                     t->invalid.n > 0 ? t->invalid.why : "",
                     t->invalid.n > 0 ? "; " : "breaking it: ", t->invalid.n, n);
    check_awaited(v, s, t);
}
