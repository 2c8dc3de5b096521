/* expr.c - m31r/expr.h: compiling, and asking about records and points.
 *
 * All memory is taken at compile time: the tree, an arena for names and texts (never more than the
 * text and a NUL for each token), and room for one unescaped string.
 */
#include "m31r/expr.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "format/json_read.h"
#include "format/json_text.h"
#include "format/number.h"
#include "m31r/scan.h"
#include "m31r/series.h"
#include "read/expr_int.h"

#define SCRATCH_BYTES (64 * 1024)
#define NESTING_LIMIT 8
#define PATH_BYTES 256

static m31r_err compile(m31r_expr *x, m31r_error *e)
{
    m31ri_expr_parser p = {.x = x, .e = e};
    x->text = m31ri_strndup(x->text, x->length);
    x->arena = m31ri_alloc(2 * x->length + 2);
    x->nodes = m31ri_calloc(M31R_EXPR_TESTS, sizeof *x->nodes);
    if (x->text == NULL || x->arena == NULL || x->nodes == NULL ||
        !m31ri_buf_reserve(&x->scratch, SCRATCH_BYTES)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for an expression");
    }
    if (!m31ri_expr_parse(&p)) {
        return p.err;
    }
    for (size_t i = 0; i < x->n_slots; i++) {
        const char *name = x->slots[i].facts.name;
        x->asks_place |=
            strcmp(name, "file") == 0 || strcmp(name, "lane") == 0 || strcmp(name, "line") == 0;
    }
    return M31R_OK;
}

static m31r_err compile_at(m31r_expr **out, const m31r_expr *like, m31r_error *e)
{
    m31r_expr *x = m31ri_calloc(1, sizeof *x);
    if (x == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for an expression");
    }
    x->subject = like->subject;
    x->text = like->text; /* becomes a copy */
    x->length = like->length;
    x->now_ns = like->now_ns;
    m31r_err err = compile(x, e);
    if (err != M31R_OK) {
        m31r_expr_free(x);
        return err;
    }
    *out = x;
    return M31R_OK;
}

m31r_err m31r_expr_compile(m31r_expr **out, const char *text, m31r_expr_subject subject,
                           m31r_error *e)
{
    size_t length = strlen(text);
    if (length > M31R_EXPR_BYTES) {
        return m31ri_fail(e, M31R_E_LIMIT, "an expression has at most %d bytes, not %zu",
                          M31R_EXPR_BYTES, length);
    }
    const m31r_expr like = {
        .subject = subject, .text = (char *)text, .length = length, .now_ns = m31ri_wall_ns()};
    return compile_at(out, &like, e);
}

m31r_expr *m31ri_expr_copy(const m31r_expr *x)
{
    m31r_expr *copy = NULL;
    return compile_at(&copy, x, NULL) == M31R_OK ? copy : NULL;
}

bool m31ri_expr_asks_place(const m31r_expr *x)
{
    return x->asks_place;
}

void m31r_expr_free(m31r_expr *x)
{
    if (x == NULL) {
        return;
    }
    for (size_t i = 0; i < x->n_nodes; i++) {
        pcre2_code_free(x->nodes[i].code);
    }
    pcre2_match_data_free(x->match);
    pcre2_match_context_free(x->limits);
    m31ri_buf_release(&x->scratch);
    m31ri_free(x->nodes);
    m31ri_free(x->arena);
    m31ri_free(x->text);
    m31ri_free(x);
}

size_t m31r_expr_fields(const m31r_expr *x)
{
    return x->n_slots;
}

m31r_err m31r_expr_field_get(const m31r_expr *x, size_t i, m31r_expr_field *out)
{
    const char *names[M31RI_MET_NAMES];
    if (i >= x->n_slots) {
        return M31R_E_NOTFOUND;
    }
    *out = x->slots[i].facts;
    for (size_t k = 0; k < x->n_met; k++) {
        names[k] = x->met[k];
    }
    out->nearest = out->n_met == 0 ? m31ri_nearest(out->name, names, x->n_met) : NULL;
    return M31R_OK;
}

uint64_t m31r_expr_asked(const m31r_expr *x)
{
    return x->n_asked;
}

/* Members of a record, and of the objects in it that a dotted field goes into. */
typedef struct collector {
    m31r_expr *x;
    const m31r_record *record;
    char path[PATH_BYTES]; /* "a.b." inside of a.b */
    size_t path_length;
    unsigned depth;
} collector;

static void set_number(m31ri_expr_value *v, const char *text, size_t length)
{
    v->is = M31RI_IS_INT;
    if (!m31ri_number_read_int(text, length, &v->i)) {
        v->is = m31ri_number_read_double(text, length, &v->d) ? M31RI_IS_DOUBLE : M31RI_IS_OTHER;
    }
}

static m31ri_expr_value value_of(const m31ri_json_member *m)
{
    m31ri_expr_value v = {.is = M31RI_IS_OTHER};
    switch (m->type) {
    case 's':
        v.is = M31RI_IS_TEXT;
        v.text = m->value;
        v.length = m->value_length;
        v.is_escaped = m->value_escaped;
        break;
    case 'n':
        set_number(&v, m->value, m->value_length);
        break;
    case 't':
    case 'f':
        v.is = M31RI_IS_BOOL;
        v.b = m->type == 't';
        break;
    case '0':
        v.is = M31RI_IS_NULL;
        break;
    default:
        break;
    }
    return v;
}

static bool take_member(void *context, const m31ri_json_member *m)
{
    collector *c = context;
    m31ri_expr_value v = value_of(m);
    const char *key = m->key;
    size_t length = m->key_length;
    if (m->key_escaped) {
        m31ri_buf_clear(&c->x->scratch);
        m31ri_json_unescape(&c->x->scratch, key, length);
        key = m31ri_buf_str(&c->x->scratch);
        length = c->x->scratch.length;
    }
    size_t start = c->path_length;
    if (start + length + 2 > PATH_BYTES) {
        return true; /* longer than any field that is asked for */
    }
    if (c->record->level != 0 && start == 0 && length == 5 && memcmp(key, "level", 5) == 0) {
        v.is |= M31RI_IS_LEVEL;
        v.level = c->record->level;
    }
    memcpy(c->path + start, key, length);
    m31ri_expr_offer(c->x, c->path, start + length, &v);
    memcpy(c->path + start + length, ".", 2);
    if (m->type == 'o' && c->depth < NESTING_LIMIT && m31ri_expr_asks(c->x, c->path)) {
        c->path_length = start + length + 1;
        c->depth++;
        (void)m31ri_json_read_object(m->value, m->value_length, take_member, c, NULL);
        c->depth--;
        c->path_length = start;
    }
    return true;
}

void m31ri_expr_begin_record(m31r_expr *x, const m31r_record *place)
{
    m31ri_expr_begin(x);
    if (x->asks_place) {
        m31ri_expr_offer_text(x, "file", place->file);
        m31ri_expr_offer_text(x, "lane", place->lane);
        m31ri_expr_offer_int(x, "line", (int64_t)place->line_number);
    }
}

void m31ri_expr_set(m31r_expr *x, size_t slot, const m31ri_json_member *m, m31r_level level)
{
    m31ri_expr_value v = value_of(m);
    v.is |= level != 0 ? M31RI_IS_LEVEL : 0;
    v.level = (int)level;
    m31ri_expr_put(x, slot, &v);
}

bool m31ri_expr_all_met(const m31r_expr *x)
{
    return x->n_unmet == 0;
}

bool m31ri_expr_is_looking(const m31r_expr *x)
{
    return x->n_unmet > 0 && x->n_met < M31RI_MET_NAMES;
}

bool m31r_expr_holds_record(m31r_expr *x, const m31r_record *record)
{
    collector c = {.x = x, .record = record};
    m31ri_expr_begin_record(x, record);
    if (!x->asks_place && m31ri_expr_is_looking(x)) {
        m31ri_expr_offer_text(x, "file", record->file);
        m31ri_expr_offer_text(x, "lane", record->lane);
        m31ri_expr_offer_int(x, "line", (int64_t)record->line_number);
    }
    (void)m31ri_json_read_object(record->line, record->length, take_member, &c, NULL);
    return m31ri_expr_judge(x);
}

bool m31r_expr_holds_point(m31r_expr *x, const m31r_point_view *point)
{
    m31ri_expr_value name = {
        .is = M31RI_IS_TEXT, .text = point->name, .length = point->name_length};
    m31ri_expr_value ts = {.is = M31RI_IS_TIME, .i = point->wall_ns};
    m31ri_expr_begin(x);
    m31ri_expr_offer(x, "name", 4, &name);
    m31ri_expr_offer_int(x, "step", point->step);
    m31ri_expr_offer_double(x, "value", point->value);
    m31ri_expr_offer_int(x, "segment", (int64_t)point->segment);
    if (point->wall_ns != M31R_UNKNOWN) {
        m31ri_expr_offer(x, "ts", 2, &ts);
    }
    return m31ri_expr_judge(x);
}
