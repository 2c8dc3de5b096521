/* groups.c - m31r/groups.h: a summary of points whose names are the groups.
 *
 * src/stat/summary.h keeps, for each name, count, extremes, mean and quantiles in one pass and in
 * bounded memory; a group is such a name: the JSON texts of its values, with commas between. What
 * is only counted is added as NaN, which the summary counts and keeps nothing of.
 */
#include "m31r/groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/json_read.h"
#include "format/json_text.h"
#include "format/number.h"
#include "stat/summary.h"

/* A group's place and what it is ordered by. */
typedef struct place {
    size_t index;
    uint64_t count;
    const char *name;
} place;

struct m31r_groups {
    m31r_groups_options options;
    m31ri_summary *summary;
    uint64_t n_records, n_without;
    m31ri_buf values[M31R_GROUPS_BY_LIMIT]; /* of the record at hand */
    m31ri_buf key, scratch;
    double number;
    bool has_number;
    place *order; /* NULL until asked for, and again after an addition */
};

m31r_err m31r_groups_open(m31r_groups **out, const m31r_groups_options *options, m31r_error *e)
{
    if (options == NULL || options->size != sizeof *options ||
        options->n_by > M31R_GROUPS_BY_LIMIT) {
        return m31ri_fail(e, M31R_E_ARG, "records are grouped by at most %d fields",
                          M31R_GROUPS_BY_LIMIT);
    }
    m31r_groups *g = m31ri_calloc(1, sizeof *g);
    if (g == NULL || (g->summary = m31ri_summary_new()) == NULL) {
        m31ri_free(g);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for groups");
    }
    g->options = *options;
    *out = g;
    return M31R_OK;
}

void m31r_groups_close(m31r_groups *g)
{
    if (g == NULL) {
        return;
    }
    for (size_t i = 0; i < M31R_GROUPS_BY_LIMIT; i++) {
        m31ri_buf_release(&g->values[i]);
    }
    m31ri_buf_release(&g->key);
    m31ri_buf_release(&g->scratch);
    m31ri_summary_free(g->summary);
    m31ri_free(g->order);
    m31ri_free(g);
}

static bool is_named(const m31ri_json_member *m, const char *name)
{
    return strlen(name) == m->key_length && memcmp(m->key, name, m->key_length) == 0;
}

/* A string in its one form, cut when it is long; anything else as it stands, or as a cut string. */
static void set_value(m31r_groups *g, m31ri_buf *out, const m31ri_json_member *m)
{
    const char *text = m->value;
    size_t length = m->value_length;
    m31ri_buf_clear(out);
    if (m->type != 's' && length <= M31R_GROUPS_VALUE_BYTES) {
        m31ri_buf_add(out, text, length);
        return;
    }
    m31ri_buf_clear(&g->scratch);
    if (m->value_escaped && m->type == 's') {
        m31ri_json_unescape(&g->scratch, text, length);
    } else {
        m31ri_buf_add(&g->scratch, text, length);
    }
    if (g->scratch.length > M31R_GROUPS_VALUE_BYTES) {
        g->scratch.length =
            m31ri_utf8_cut(g->scratch.data, g->scratch.length, M31R_GROUPS_VALUE_BYTES);
        m31ri_buf_add_str(&g->scratch, "...");
    }
    m31ri_json_string(out, m31ri_buf_str(&g->scratch), g->scratch.length);
}

static bool read_number(const m31ri_json_member *m, double *out)
{
    bool may_be = m->type == 'n' ||
                  (m->type == 's' && m->value_length > 2 &&
                   (m->value[m->value_length - 1] == 'N' || m->value[m->value_length - 1] == 'y'));
    return may_be && m31ri_number_read_double(m->value, m->value_length, out);
}

static bool take_member(void *context, const m31ri_json_member *m)
{
    m31r_groups *g = context;
    for (size_t i = 0; i < g->options.n_by; i++) {
        if (is_named(m, g->options.by[i])) {
            set_value(g, &g->values[i], m);
        }
    }
    if (g->options.field != NULL && is_named(m, g->options.field)) {
        g->has_number = read_number(m, &g->number);
    }
    return true;
}

m31r_err m31r_groups_add(m31r_groups *g, const m31r_record *record, m31r_error *e)
{
    for (size_t i = 0; i < g->options.n_by; i++) {
        m31ri_buf_clear(&g->values[i]);
        m31ri_buf_add_str(&g->values[i], "null");
    }
    g->has_number = g->options.field == NULL;
    g->number = NAN;
    (void)m31ri_json_read_object(record->line, record->length, take_member, g, NULL);
    g->n_records++;
    if (!g->has_number) {
        g->n_without++;
        return M31R_OK;
    }
    m31ri_buf_clear(&g->key);
    bool is_fine = true;
    for (size_t i = 0; i < g->options.n_by; i++) {
        m31ri_buf_add_str(&g->key, i > 0 ? "," : "");
        m31ri_buf_add(&g->key, g->values[i].data, g->values[i].length);
        is_fine = is_fine && m31ri_buf_ok(&g->values[i]) && m31ri_buf_ok(&g->scratch);
    }
    m31ri_point p = {.name = m31ri_buf_str(&g->key), .name_length = g->key.length};
    p.step = INT64_MIN;
    p.value = g->number;
    m31ri_free(g->order);
    g->order = NULL;
    if (!is_fine || !m31ri_buf_ok(&g->key) || !m31ri_summary_add(g->summary, &p)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for groups");
    }
    if (m31ri_summary_count(g->summary) > M31R_GROUPS_LIMIT) {
        m31r_err err =
            m31ri_fail(e, M31R_E_LIMIT, "there are more than %d groups", M31R_GROUPS_LIMIT);
        m31ri_fail_hint(e, "group by fields with fewer values, or choose records with -w");
        return err;
    }
    return M31R_OK;
}

const m31r_groups_options *m31r_groups_asked(const m31r_groups *g)
{
    return &g->options;
}

uint64_t m31r_groups_records(const m31r_groups *g)
{
    return g->n_records;
}

uint64_t m31r_groups_without(const m31r_groups *g)
{
    return g->n_without;
}

size_t m31r_groups_count(const m31r_groups *g)
{
    return m31ri_summary_count(g->summary);
}

static int compare_places(const void *left, const void *right)
{
    const place *a = left;
    const place *b = right;
    if (a->count != b->count) {
        return a->count > b->count ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static bool put_in_order(m31r_groups *g)
{
    size_t n = m31r_groups_count(g);
    m31ri_metric_summary s;
    if (g->order != NULL) {
        return true;
    }
    g->order = m31ri_calloc(n + 1, sizeof *g->order);
    if (g->order == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        m31ri_summary_get(g->summary, i, &s);
        g->order[i] = (place){i, s.count, s.name};
    }
    qsort(g->order, n, sizeof *g->order, compare_places);
    return true;
}

/* Bytes of the JSON value that a group's name goes on with: up to a comma outside of strings and
 * brackets. */
static size_t value_length(const char *text)
{
    int depth = 0;
    bool in_string = false;
    size_t i = 0;
    for (; text[i] != '\0' && (in_string || depth > 0 || text[i] != ','); i++) {
        if (in_string && text[i] == '\\') {
            i++;
        } else if (text[i] == '"') {
            in_string = !in_string;
        } else if (!in_string) {
            depth += (text[i] == '[' || text[i] == '{') - (text[i] == ']' || text[i] == '}');
        }
    }
    return i;
}

m31r_err m31r_groups_get(m31r_groups *g, size_t i, m31r_group *out)
{
    m31ri_metric_summary s;
    if (i >= m31r_groups_count(g)) {
        return M31R_E_NOTFOUND;
    }
    if (!put_in_order(g)) {
        return M31R_E_NOMEM;
    }
    m31ri_summary_get(g->summary, g->order[i].index, &s);
    *out = (m31r_group){.n = s.count, .n_nonfinite = s.n_nonfinite};
    const char *at = s.name;
    for (size_t k = 0; k < g->options.n_by; k++) {
        out->values[k] = at;
        out->lengths[k] = value_length(at);
        at += out->lengths[k] + (at[out->lengths[k]] == ',');
    }
    out->min = s.min;
    out->max = s.max;
    out->mean = s.mean;
    out->p50 = s.p50;
    out->p90 = s.p90;
    out->p99 = s.p99;
    out->quantiles_are_exact = s.quantiles_are_exact;
    return M31R_OK;
}
