/* trend_groups.c - the groups of a trend: runs that are compared with one another.
 *
 * A group is found by its name in a table of open addressing, at most half full, so that thousands
 * of groups cost no more for each run than one does.
 */
#include <string.h>

#include "trend/trend_int.h"
#include "base/alloc.h"
#include "base/fail.h"

#define FIRST_RUNS 64
#define FIRST_GROUPS 16

void m31ri_trend_make_key(const json_t *row, const char *const *by, size_t n_by, m31ri_buf *out)
{
    m31ri_buf scratch = M31RI_BUF_INIT;
    m31ri_buf_clear(out);
    m31ri_buf_add_format(out, "stage=%s", m31ri_row_text(row, "stage"));
    for (size_t i = 0; i < n_by; i++) {
        const char *text = m31ri_history_text(row, by[i], &scratch);
        bool is_digest = strcmp(by[i], "config_sha256") == 0;
        m31ri_buf_add_format(out, ", %s=%.*s", by[i], is_digest ? 12 : 200,
                             text != NULL ? text : "-");
    }
    m31ri_buf_release(&scratch);
}

static m31r_err add_run(m31ri_trend_group *g, const json_t *row, double value, m31r_error *e)
{
    if (g->n == g->capacity) {
        size_t capacity = g->capacity == 0 ? FIRST_RUNS : g->capacity * 2;
        const json_t **rows = m31ri_realloc(g->rows, capacity * sizeof *rows);
        g->rows = rows != NULL ? rows : g->rows;
        double *values = rows == NULL ? NULL : m31ri_realloc(g->values, capacity * sizeof *values);
        if (values == NULL) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the runs of a group");
        }
        g->values = values;
        g->capacity = capacity;
    }
    g->rows[g->n] = row;
    g->values[g->n++] = value;
    return M31R_OK;
}

/* FNV-1a. */
static size_t hash_of(const char *text)
{
    uint64_t h = 14695981039346656037ULL;
    for (; *text != '\0'; text++) {
        h = (h ^ (unsigned char)*text) * 1099511628211ULL;
    }
    return (size_t)(h ^ h >> 32);
}

/* Where the table has the group of a name, or the free place for it. */
static size_t place_of(const m31r_trend *t, const char *name)
{
    size_t size = 2 * t->groups_capacity, at = hash_of(name) % size;
    while (t->places[at] != 0 && strcmp(t->groups[t->places[at] - 1].name, name) != 0) {
        at = (at + 1) % size;
    }
    return at;
}

static bool make_room(m31r_trend *t)
{
    if (t->facts.n_groups < t->groups_capacity) {
        return true;
    }
    size_t capacity = t->groups_capacity == 0 ? FIRST_GROUPS : 2 * t->groups_capacity;
    m31ri_trend_group *groups = m31ri_realloc(t->groups, capacity * sizeof *groups);
    t->groups = groups != NULL ? groups : t->groups;
    uint32_t *places = groups == NULL ? NULL : m31ri_calloc(2 * capacity, sizeof *places);
    if (places == NULL) {
        return false;
    }
    m31ri_free(t->places);
    t->places = places;
    t->groups_capacity = capacity;
    for (size_t i = 0; i < t->facts.n_groups; i++) {
        t->places[place_of(t, t->groups[i].name)] = (uint32_t)(i + 1);
    }
    return true;
}

/* The group of a name, made when there is none; NULL: no memory. */
static m31ri_trend_group *find_group(m31r_trend *t, const char *name)
{
    if (!make_room(t)) {
        return NULL;
    }
    size_t at = place_of(t, name);
    if (t->places[at] == 0) {
        char *copy = m31ri_strdup(name);
        if (copy == NULL) {
            return NULL;
        }
        t->groups[t->facts.n_groups++] = (m31ri_trend_group){.name = copy, .accepted_at = SIZE_MAX};
        t->places[at] = (uint32_t)t->facts.n_groups;
    }
    return &t->groups[t->places[at] - 1];
}

m31r_err m31ri_trend_add(m31r_trend *t, const m31ri_buf *key, const json_t *row, double value,
                         m31r_error *e)
{
    m31ri_trend_group *g = m31ri_buf_ok(key) ? find_group(t, m31ri_buf_str(key)) : NULL;
    return g != NULL ? add_run(g, row, value, e)
                     : m31ri_fail(e, M31R_E_NOMEM, "out of memory for a group of runs");
}

void m31ri_trend_turn_round(m31ri_trend_group *g)
{
    for (size_t i = 0; i < g->n / 2; i++) {
        const json_t *row = g->rows[i];
        double value = g->values[i];
        g->rows[i] = g->rows[g->n - 1 - i];
        g->values[i] = g->values[g->n - 1 - i];
        g->rows[g->n - 1 - i] = row;
        g->values[g->n - 1 - i] = value;
    }
}

void m31ri_trend_release_groups(m31r_trend *t)
{
    for (size_t i = 0; i < t->facts.n_groups; i++) {
        m31r_changes_free(t->groups[i].changes);
        m31ri_free(t->groups[i].rows);
        m31ri_free(t->groups[i].values);
        m31ri_free(t->groups[i].name);
    }
    m31ri_free(t->groups);
    m31ri_free(t->places);
}
