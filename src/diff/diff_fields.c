/* diff_fields.c - two records of the same place, field by field in their order.
 *
 * Measurement fields are stepped over on both sides, wherever they stand; what remains must be the
 * same keys in the same order with the same values.
 */
#include <string.h>

#include "diff/diff_lanes_int.h"
#include "analyse/measured.h"
#include "base/alloc.h"

static bool collect(void *context, const m31r_field *field)
{
    m31ri_fields *f = context;
    if (f->n == f->capacity) {
        size_t capacity = f->capacity * 2 + 32;
        m31r_field *grown = m31ri_realloc(f->fields, capacity * sizeof *grown);
        if (grown == NULL) {
            f->failed = true;
            return false;
        }
        f->fields = grown;
        f->capacity = capacity;
    }
    f->fields[f->n++] = *field;
    return true;
}

static bool is_text(const char *text, size_t length, const char *want)
{
    return text != NULL && length == strlen(want) && memcmp(text, want, length) == 0;
}

static bool is_own(const m31r_record *r, const char *message)
{
    return is_text(r->module, r->module_length, "m31r") &&
           is_text(r->message, r->message_length, message);
}

/* Is the field set aside? The identity in run_start is told apart, and the evidence of an end holds
 * measured numbers. An exit status of 0 is what only an observer can say: another one shows in the
 * state. */
static bool is_aside(const m31r_record *r, const m31r_field *f)
{
    static const char *const kept[] = {"level", "module", "msg", "stage", "kind"};
    if (is_own(r, "run_start")) {
        for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
            if (is_text(f->key, f->key_length, kept[i])) {
                return false;
            }
        }
        return true;
    }
    bool is_unsaid =
        is_text(f->key, f->key_length, "evidence") ||
        (is_text(f->key, f->key_length, "exit_status") && is_text(f->value, f->value_length, "0"));
    return m31ri_is_measured(f->key, f->key_length) || (is_own(r, "run_end") && is_unsaid);
}

static bool is_number(const m31r_field *f)
{
    return f->type == 'n' || (f->type == 's' && (is_text(f->value, f->value_length, "NaN") ||
                                                 is_text(f->value, f->value_length, "Infinity") ||
                                                 is_text(f->value, f->value_length, "-Infinity")));
}

static bool is_same_value(m31r_diff *d, const m31r_field *a, const m31r_field *b)
{
    m31ri_value_pair pair = {a->value, b->value, a->value_length, b->value_length};
    double values[2];
    bool are_numbers;
    if (is_number(a) && is_number(b)) {
        return m31ri_diff_same_number(d, &pair, values, &are_numbers);
    }
    return a->type == b->type && m31ri_diff_same_text(d, &pair);
}

/* Takes note of numbers that both records have at the same step. */
static bool note_numbers(m31r_diff *d, const m31ri_fields f[2], int64_t step)
{
    size_t k = 0;
    for (size_t i = 0; i < f[0].n; i++) {
        const m31r_field *a = &f[0].fields[i];
        for (size_t tries = 0; tries < f[1].n; tries++, k++) {
            const m31r_field *b = &f[1].fields[k % f[1].n];
            if (a->key_length != b->key_length || memcmp(a->key, b->key, a->key_length) != 0) {
                continue;
            }
            m31ri_value_pair pair = {a->value, b->value, a->value_length, b->value_length};
            const char *const name[2] = {a->key, a->key + a->key_length};
            double values[2];
            bool are_numbers = false;
            if (is_number(a) && is_number(b) && !is_text(a->key, a->key_length, "step")) {
                (void)m31ri_diff_same_number(d, &pair, values, &are_numbers);
            }
            if (are_numbers && !m31ri_diff_note(d, name, values, step, false)) {
                return false;
            }
            break;
        }
    }
    return true;
}

static const m31r_field *next_field(const m31r_record *r, const m31ri_fields *f, size_t *at)
{
    while (*at < f->n && is_aside(r, &f->fields[*at])) {
        (*at)++;
    }
    return *at < f->n ? &f->fields[(*at)++] : NULL;
}

static bool has_key(const m31ri_fields *f, const m31r_field *wanted)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->fields[i].key_length == wanted->key_length &&
            memcmp(f->fields[i].key, wanted->key, wanted->key_length) == 0) {
            return true;
        }
    }
    return false;
}

/* The first pair that is not the same; both NULL when all are. */
static void find_difference(m31r_diff *d, const m31r_record r[2], const m31ri_fields f[2],
                            const m31r_field *out[2])
{
    size_t at[2] = {0, 0};
    for (;;) {
        const m31r_field *a = next_field(&r[0], &f[0], &at[0]);
        const m31r_field *b = next_field(&r[1], &f[1], &at[1]);
        out[0] = a;
        out[1] = b;
        if (a == NULL || b == NULL) {
            return;
        }
        bool is_same_key =
            a->key_length == b->key_length && memcmp(a->key, b->key, a->key_length) == 0;
        if (!is_same_key) {
            if (!has_key(&f[1], a)) {
                out[1] = NULL;
            } else if (!has_key(&f[0], b)) {
                out[0] = NULL;
            }
            return;
        }
        if (!is_same_value(d, a, b)) {
            return;
        }
    }
}

m31r_err m31ri_diff_fields(m31r_diff *d, const m31r_record records[2], m31ri_fields fields[2],
                           bool notes, const m31r_field *out[2])
{
    for (int i = 0; i < 2; i++) {
        fields[i].n = 0;
        m31r_record_each(&records[i], collect, &fields[i]);
        if (fields[i].failed) {
            return M31R_E_NOMEM;
        }
    }
    bool is_same_step =
        records[0].has_step && records[1].has_step && records[0].step == records[1].step;
    if (notes && is_same_step && !note_numbers(d, fields, records[0].step)) {
        return M31R_E_NOMEM;
    }
    find_difference(d, records, fields, out);
    return M31R_OK;
}
