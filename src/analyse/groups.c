/* groups.c - m31r/groups.h: a table of groups, each named by the JSON texts of its values.
 *
 * A group keeps its numbers as they came, so that quantiles are exact; when all groups together
 * have too many, each goes on with a sketch (src/stat/sketch.h). Where they come from, and several
 * threads, is groups_scan.c.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/groups_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "format/json_text.h"
#include "format/number.h"

m31r_err m31r_groups_open(m31r_groups **out, const m31r_groups_options *options, m31r_error *e)
{
    if (options == NULL || options->size != sizeof *options ||
        options->n_by > M31R_GROUPS_BY_LIMIT) {
        return m31ri_fail(e, M31R_E_ARG, "records are grouped by at most %d fields",
                          M31R_GROUPS_BY_LIMIT);
    }
    m31r_groups *g = m31ri_calloc(1, sizeof *g);
    if (g == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for groups");
    }
    g->options = *options;
    g->exact_limit = options->exact_values > 0 ? options->exact_values : M31R_GROUPS_EXACT_VALUES;
    *out = g;
    return M31R_OK;
}

void m31r_groups_close(m31r_groups *g)
{
    if (g == NULL) {
        return;
    }
    for (size_t i = 0; i < g->n_groups; i++) {
        m31ri_free(g->groups[i].name);
        m31ri_free(g->groups[i].values);
        m31ri_sketch_release(&g->groups[i].sketch);
    }
    m31ri_free(g->groups);
    m31ri_free(g->table);
    m31ri_free(g->order);
    m31ri_buf_release(&g->key);
    m31ri_buf_release(&g->scratch);
    m31ri_free(g);
}

/* A string in its one form, cut when it is long; anything else as it stands, or as a cut string. */
static void add_value_text(m31r_groups *g, const m31ri_group_value *v)
{
    if (v->text == NULL) {
        m31ri_buf_add_str(&g->key, "null");
        return;
    }
    if (v->type != 's' && v->length <= M31R_GROUPS_VALUE_BYTES) {
        m31ri_buf_add(&g->key, v->text, v->length);
        return;
    }
    m31ri_buf_clear(&g->scratch);
    if (v->is_escaped && v->type == 's') {
        m31ri_json_unescape(&g->scratch, v->text, v->length);
    } else {
        m31ri_buf_add(&g->scratch, v->text, v->length);
    }
    if (g->scratch.length > M31R_GROUPS_VALUE_BYTES) {
        g->scratch.length =
            m31ri_utf8_cut(g->scratch.data, g->scratch.length, M31R_GROUPS_VALUE_BYTES);
        m31ri_buf_add_str(&g->scratch, "...");
    }
    m31ri_json_string(&g->key, m31ri_buf_str(&g->scratch), g->scratch.length);
}

uint64_t m31ri_groups_hash(const char *bytes, size_t length)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ length;
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    uint64_t rest = 0;
    for (size_t i = 0; i < length; i++) {
        rest = rest << 8 | (unsigned char)bytes[i];
    }
    h = (h ^ rest) * 0xff51afd7ed558ccdu;
    return h ^ h >> 29;
}

static bool grow(m31r_groups *g)
{
    size_t capacity = g->table_size > 0 ? 2 * g->table_size : 64;
    uint32_t *table = m31ri_calloc(capacity, sizeof *table);
    m31ri_group *groups = m31ri_realloc(g->groups, capacity / 2 * sizeof *groups);
    g->groups = groups != NULL ? groups : g->groups;
    if (table == NULL || groups == NULL) {
        m31ri_free(table);
        return false;
    }
    for (size_t i = 0; i < g->n_groups; i++) {
        size_t at = groups[i].hash & (capacity - 1);
        while (table[at] != 0) {
            at = (at + 1) & (capacity - 1);
        }
        table[at] = (uint32_t)i + 1;
    }
    m31ri_free(g->table);
    g->table = table;
    g->table_size = capacity;
    return true;
}

m31r_err m31ri_groups_find(m31r_groups *g, const m31ri_group_value *values, m31ri_group **out,
                           m31r_error *e)
{
    m31ri_buf_clear(&g->key);
    for (size_t i = 0; i < g->options.n_by; i++) {
        m31ri_buf_add_str(&g->key, i > 0 ? "," : "");
        add_value_text(g, &values[i]);
    }
    bool is_fine = m31ri_buf_ok(&g->key) && m31ri_buf_ok(&g->scratch) &&
                   (2 * g->n_groups < g->table_size || grow(g));
    const char *key = m31ri_buf_str(&g->key);
    uint64_t hash = m31ri_groups_hash(key, g->key.length);
    size_t at = is_fine ? hash & (g->table_size - 1) : 0;
    for (; is_fine && g->table[at] != 0; at = (at + 1) & (g->table_size - 1)) {
        m31ri_group *group = &g->groups[g->table[at] - 1];
        if (group->hash == hash && strcmp(group->name, key) == 0) {
            *out = group;
            return M31R_OK;
        }
    }
    if (is_fine && g->n_groups == M31R_GROUPS_LIMIT) {
        m31r_err err =
            m31ri_fail(e, M31R_E_LIMIT, "there are more than %d groups", M31R_GROUPS_LIMIT);
        m31ri_fail_hint(e, "group by fields with fewer values, or choose records with -w");
        return err;
    }
    char *name = is_fine ? m31ri_strndup(key, g->key.length) : NULL;
    if (name == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for groups");
    }
    m31ri_group *group = &g->groups[g->n_groups++];
    *group = (m31ri_group){.name = name, .hash = hash, .min = NAN, .max = NAN};
    g->table[at] = (uint32_t)g->n_groups;
    *out = group;
    return M31R_OK;
}

/* From here on every group has a sketch, and no values. */
static bool begin_sketches(m31r_groups *g)
{
    for (size_t i = 0; i < g->n_groups; i++) {
        m31ri_group *group = &g->groups[i];
        for (size_t k = 0; k < group->n_values; k++) {
            if (!m31ri_sketch_add(&group->sketch, group->values[k])) {
                return false;
            }
        }
        m31ri_free(group->values);
        group->values = NULL;
        group->n_values = group->room = 0;
    }
    g->has_sketches = true;
    return true;
}

static bool keep_value(m31r_groups *g, m31ri_group *group, double x)
{
    if (g->n_values == g->exact_limit && !g->has_sketches && !begin_sketches(g)) {
        return false;
    }
    if (g->has_sketches) {
        return m31ri_sketch_add(&group->sketch, x);
    }
    if (group->n_values == group->room) {
        size_t room = group->room > 0 ? 2 * group->room : 64;
        double *values = m31ri_realloc(group->values, room * sizeof *values);
        if (values == NULL) {
            return false;
        }
        group->values = values;
        group->room = room;
    }
    group->values[group->n_values++] = x;
    g->n_values++;
    return true;
}

bool m31ri_groups_add_number(m31r_groups *g, m31ri_group *group, double x)
{
    group->n++;
    if (!isfinite(x)) {
        group->n_nonfinite++;
        return true;
    }
    group->min = !(x >= group->min) ? x : group->min; /* NaN at first */
    group->max = !(x <= group->max) ? x : group->max;
    group->sum += x;
    return keep_value(g, group, x);
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
    return g->n_groups;
}

static int compare_places(const void *left, const void *right)
{
    const m31ri_group *a = *(m31ri_group *const *)left;
    const m31ri_group *b = *(m31ri_group *const *)right;
    if (a->n != b->n) {
        return a->n > b->n ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static void swap(double *a, double *b)
{
    double x = *a;
    *a = *b;
    *b = x;
}

static double median_of_three(double a, double b, double c)
{
    double low = a < b ? a : b;
    double high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* Parts values[0, n): those less than the pivot come first, `*n_less` of them, then those equal to
 * it, `*n_equal` of them. */
static void part(double *values, size_t n, size_t *n_less, size_t *n_equal)
{
    double pivot = median_of_three(values[0], values[n / 2], values[n - 1]);
    size_t less = 0;
    size_t at = 0;
    size_t greater = n;
    while (at < greater) {
        if (values[at] < pivot) {
            swap(&values[at++], &values[less++]);
        } else if (values[at] > pivot) {
            swap(&values[at], &values[--greater]);
        } else {
            at++;
        }
    }
    *n_less = less;
    *n_equal = at - less;
}

/* Puts values so that values[k] is what it would be if they were sorted, with none greater before
 * it (quickselect); when the pivots are bad for too long it sorts. */
static void select_value(double *values, size_t n, size_t k)
{
    for (unsigned tries = 0; n > 1; tries++) {
        size_t n_less, n_equal;
        if (tries == 64) {
            qsort(values, n, sizeof *values, compare_numbers);
            return;
        }
        part(values, n, &n_less, &n_equal);
        if (k < n_less) {
            n = n_less;
        } else if (k < n_less + n_equal) {
            return;
        } else {
            values += n_less + n_equal;
            n -= n_less + n_equal;
            k -= n_less + n_equal;
        }
    }
}

/* The smallest value that at least so many per cent of the values do not exceed. */
static void set_quantiles(const m31r_groups *g, m31ri_group *group)
{
    static const unsigned percent[M31RI_GROUP_QUANTILES] = {99, 90, 50};
    size_t n = group->n_values; /* what is before a quantile is not greater: the next is there */
    for (size_t i = 0; i < M31RI_GROUP_QUANTILES; i++) {
        group->quantiles[i] = NAN;
        if (g->has_sketches && group->n > group->n_nonfinite) {
            group->quantiles[i] = m31ri_sketch_quantile(&group->sketch, percent[i] / 100.0);
        } else if (group->n_values > 0) {
            size_t rank = (group->n_values * percent[i] + 99) / 100;
            select_value(group->values, n, rank - 1);
            group->quantiles[i] = group->values[rank - 1];
            n = rank;
        }
    }
}

static bool put_in_order(m31r_groups *g)
{
    if (g->order != NULL) {
        return true;
    }
    g->order = m31ri_calloc(g->n_groups + 1, sizeof *g->order);
    if (g->order == NULL) {
        return false;
    }
    for (size_t i = 0; i < g->n_groups; i++) {
        g->order[i] = &g->groups[i];
        set_quantiles(g, &g->groups[i]);
    }
    if (g->n_groups > 0) {
        qsort(g->order, g->n_groups, sizeof *g->order, compare_places);
    }
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
    if (i >= g->n_groups) {
        return M31R_E_NOTFOUND;
    }
    if (!put_in_order(g)) {
        return M31R_E_NOMEM;
    }
    const m31ri_group *group = g->order[i];
    uint64_t n_finite = group->n - group->n_nonfinite;
    *out = (m31r_group){.n = group->n, .n_nonfinite = group->n_nonfinite};
    const char *at = group->name;
    for (size_t k = 0; k < g->options.n_by; k++) {
        out->values[k] = at;
        out->lengths[k] = value_length(at);
        at += out->lengths[k] + (at[out->lengths[k]] == ',');
    }
    out->min = group->min;
    out->max = group->max;
    out->mean = n_finite > 0 ? (double)(group->sum / (long double)n_finite) : NAN;
    out->p50 = group->quantiles[2];
    out->p90 = group->quantiles[1];
    out->p99 = group->quantiles[0];
    out->quantiles_are_exact = !g->has_sketches;
    return M31R_OK;
}
