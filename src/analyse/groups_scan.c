/* groups_scan.c - records into groups: one by one, or all of a scan by several threads.
 *
 * A thread counts the records of a piece by the bytes of their values as they stand in the line.
 * When the piece is used, in the order of the file, its few groups are found by the one form of
 * their values, and its numbers are added in their order. So the result is that of one thread.
 */
#include <string.h>

#include "analyse/groups_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "format/json_read.h"
#include "format/number.h"
#include "read/scan_all.h"

#define VALUES (M31R_GROUPS_BY_LIMIT + 1) /* those to group by, and the number */

/* Records of a piece that have the same bytes in the fields to group by. */
typedef struct local_group {
    uint64_t hash, n;
    size_t key, key_length; /* in the piece's `out` */
    double *numbers;
    size_t n_numbers, room;
} local_group;

/* A piece's `own`. */
typedef struct local_groups {
    local_group *groups;
    size_t n_groups, room, last;
    uint32_t *table;
    size_t table_size;
    uint64_t n_records, n_without;

    /* By node of the shapes, where its path alone says which group it is: its number + 1. Holds for
     * that many times that the shapes were forgotten. */
    uint32_t by_node[M31RI_SHAPE_NODES];
    uint64_t n_forgotten;
} local_groups;

/* What a key begins with, for each value; their bytes follow. */
typedef struct key_part {
    uint32_t length;
    char type; /* 0: missing */
    bool is_escaped;
    uint16_t unused; /* 0, so that equal keys are equal bytes */
} key_part;

static bool read_number(const m31ri_group_value *v, double *out)
{
    bool may_be =
        v->text != NULL &&
        (v->type == 'n' || (v->type == 's' && v->length > 2 &&
                            (v->text[v->length - 1] == 'N' || v->text[v->length - 1] == 'y')));
    return may_be && m31ri_number_read_double(v->text, v->length, out);
}

/* The values by the exact parser. */
typedef struct exact_values {
    const m31r_groups *g;
    m31ri_group_value *values;
} exact_values;

static void set_if_named(const m31ri_json_member *m, const char *name, m31ri_group_value *out)
{
    if (strlen(name) == m->key_length && memcmp(m->key, name, m->key_length) == 0) {
        *out = (m31ri_group_value){m->value, m->value_length, m->type, m->value_escaped};
    }
}

static bool take_member(void *context, const m31ri_json_member *m)
{
    const exact_values *x = context;
    const m31r_groups_options *o = &x->g->options;
    for (size_t i = 0; i < o->n_by; i++) {
        set_if_named(m, o->by[i], &x->values[i]);
    }
    if (o->field != NULL) {
        set_if_named(m, o->field, &x->values[o->n_by]);
    }
    return true;
}

static void read_values(const m31r_groups *g, const m31r_record *record, m31ri_group_value *values)
{
    exact_values x = {g, values};
    memset(values, 0, VALUES * sizeof *values);
    (void)m31ri_json_read_object(record->line, record->length, take_member, &x, NULL);
}

m31r_err m31r_groups_add(m31r_groups *g, const m31r_record *record, m31r_error *e)
{
    m31ri_group_value values[VALUES];
    m31ri_group *group = NULL;
    double number = 0;
    read_values(g, record, values);
    g->n_records++;
    if (g->options.field != NULL && !read_number(&values[g->options.n_by], &number)) {
        g->n_without++;
        return M31R_OK;
    }
    m31ri_free(g->order);
    g->order = NULL;
    m31r_err err = m31ri_groups_find(g, values, &group, e);
    if (err == M31R_OK && g->options.field == NULL) {
        group->n++;
    } else if (err == M31R_OK && !m31ri_groups_add_number(g, group, number)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for groups");
    }
    return err;
}

static bool grow_table(local_groups *l)
{
    size_t size = l->table_size > 0 ? 2 * l->table_size : 64;
    uint32_t *table = m31ri_calloc(size, sizeof *table);
    local_group *groups = m31ri_realloc(l->groups, size / 2 * sizeof *groups);
    l->groups = groups != NULL ? groups : l->groups;
    if (table == NULL || groups == NULL) {
        m31ri_free(table);
        return false;
    }
    memset(groups + l->room, 0, (size / 2 - l->room) * sizeof *groups);
    l->room = size / 2;
    for (size_t i = 0; i < l->n_groups; i++) {
        size_t at = groups[i].hash & (size - 1);
        while (table[at] != 0) {
            at = (at + 1) & (size - 1);
        }
        table[at] = (uint32_t)i + 1;
    }
    m31ri_free(l->table);
    l->table = table;
    l->table_size = size;
    return true;
}

static bool is_key(const m31ri_buf *keys, const local_group *group, const char *key, size_t length)
{
    return group->key_length == length && memcmp(keys->data + group->key, key, length) == 0;
}

/* The group of the key that stands at the end of `keys` from `at` on; it is taken off again when it
 * is known. NULL when memory is out. */
static local_group *find_local(local_groups *l, m31ri_buf *keys, size_t at)
{
    const char *key = keys->data + at;
    size_t length = keys->length - at;
    if (l->last < l->n_groups && is_key(keys, &l->groups[l->last], key, length)) {
        keys->length = at;
        return &l->groups[l->last];
    }
    if (2 * l->n_groups >= l->table_size && !grow_table(l)) {
        return NULL;
    }
    uint64_t hash = m31ri_groups_hash(key, length);
    size_t place = hash & (l->table_size - 1);
    for (; l->table[place] != 0; place = (place + 1) & (l->table_size - 1)) {
        local_group *group = &l->groups[l->table[place] - 1];
        if (group->hash == hash && is_key(keys, group, key, length)) {
            keys->length = at;
            l->last = l->table[place] - 1;
            return group;
        }
    }
    local_group *group = &l->groups[l->n_groups];
    group->hash = hash;
    group->n = group->n_numbers = 0;
    group->key = at;
    group->key_length = length;
    l->last = l->n_groups++;
    l->table[place] = (uint32_t)l->n_groups;
    return group;
}

static bool add_local(local_group *group, double x)
{
    if (group->n_numbers == group->room) {
        size_t room = group->room > 0 ? 2 * group->room : 256;
        double *numbers = m31ri_realloc(group->numbers, room * sizeof *numbers);
        if (numbers == NULL) {
            return false;
        }
        group->numbers = numbers;
        group->room = room;
    }
    group->numbers[group->n_numbers++] = x;
    return true;
}

static bool put_key(m31ri_buf *keys, const m31ri_group_value *values, size_t n)
{
    size_t length = n * sizeof(key_part);
    for (size_t i = 0; i < n; i++) {
        length += values[i].length;
    }
    if (!m31ri_buf_reserve(keys, length)) {
        return false;
    }
    char *parts = keys->data + keys->length;
    char *at = parts + n * sizeof(key_part);
    for (size_t i = 0; i < n; i++) {
        key_part part = {.length = (uint32_t)values[i].length,
                         .type = values[i].text != NULL ? values[i].type : '\0',
                         .is_escaped = values[i].is_escaped};
        memcpy(parts + i * sizeof part, &part, sizeof part);
        if (values[i].text != NULL) {
            memcpy(at, values[i].text, values[i].length);
            at += values[i].length;
        }
    }
    keys->length += length;
    return true;
}

static void find_values(const m31r_groups *g, const m31ri_judge *judge, const uint8_t *slots,
                        const m31r_record *line, m31ri_group_value *values)
{
    size_t n = g->options.n_by + (g->options.field != NULL);
    if (judge == NULL || !judge->is_found) {
        read_values(g, line, values);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const m31ri_shape_value *v = &judge->found.values[slots[i]];
        bool is_there = (judge->found.present >> slots[i] & 1) != 0;
        values[i] =
            (m31ri_group_value){is_there ? line->line + v->start : NULL, is_there ? v->length : 0,
                                v->type, is_there && v->is_escaped};
    }
}

static local_groups *groups_of(m31ri_piece *piece)
{
    if (piece->own == NULL) {
        piece->own = m31ri_calloc(1, sizeof(local_groups));
    }
    return piece->own;
}

/* Where the number of the group is kept for lines that end where this one does, when all of these
 * have the same values to group by; else NULL. */
static uint32_t *place_of(const m31r_groups *g, local_groups *l, const m31ri_judge *judge,
                          const uint8_t *slots)
{
    if (judge == NULL || !judge->is_found) {
        return NULL;
    }
    const m31ri_shapes *shapes = &judge->shapes;
    const m31ri_shape_node *last = judge->found.last;
    for (size_t i = 0; i < g->options.n_by; i++) {
        if ((last->constant >> slots[i] & 1) == 0) {
            return NULL;
        }
    }
    if (l->n_forgotten != shapes->n_forgotten) {
        memset(l->by_node, 0, sizeof l->by_node);
        l->n_forgotten = shapes->n_forgotten;
    }
    return &l->by_node[last - shapes->nodes];
}

static bool take(void *context, m31ri_piece *piece, m31ri_judge *judge, const uint8_t *slots,
                 const m31r_record *line)
{
    const m31r_groups *g = context;
    m31ri_group_value values[VALUES];
    double number = 0;
    local_groups *l = groups_of(piece);
    if (l == NULL) {
        return false;
    }
    l->n_records++;
    uint32_t *place = place_of(g, l, judge, slots);
    if (place != NULL && *place != 0 && g->options.field == NULL) {
        l->groups[*place - 1].n++;
        return true;
    }
    find_values(g, judge, slots, line, values);
    if (g->options.field != NULL && !read_number(&values[g->options.n_by], &number)) {
        l->n_without++;
        return true;
    }
    size_t at = piece->out.length;
    bool has_key = put_key(&piece->out, values, g->options.n_by);
    local_group *group = has_key ? find_local(l, &piece->out, at) : NULL;
    if (group == NULL) {
        return false;
    }
    group->n++;
    if (place != NULL) {
        *place = (uint32_t)(group - l->groups) + 1;
    }
    return g->options.field == NULL || add_local(group, number);
}

/* Of records that need not be seen: they are without the number, or all in one group. */
static bool take_many(void *context, m31ri_piece *piece, uint64_t n)
{
    const m31r_groups *g = context;
    local_groups *l = groups_of(piece);
    if (l == NULL) {
        return false;
    }
    if (g->options.field != NULL) {
        l->n_records += n;
        l->n_without += n;
        return true;
    }
    size_t at = piece->out.length;
    bool has_key = put_key(&piece->out, NULL, g->options.n_by);
    local_group *group = has_key ? find_local(l, &piece->out, at) : NULL;
    l->n_records += n;
    if (group != NULL) {
        group->n += n;
    }
    return group != NULL;
}

/* The values that a key was made of. */
static void open_key(const char *key, size_t n, m31ri_group_value *values)
{
    const char *at = key + n * sizeof(key_part);
    for (size_t i = 0; i < n; i++) {
        key_part part;
        memcpy(&part, key + i * sizeof part, sizeof part);
        values[i] = (m31ri_group_value){part.type != '\0' ? at : NULL, part.length, part.type,
                                        part.is_escaped};
        at += part.length;
    }
}

static m31r_err use(void *context, m31ri_piece *piece, m31r_error *e)
{
    m31r_groups *g = context;
    local_groups *l = piece->own;
    m31r_err err = M31R_OK;
    for (size_t i = 0; l != NULL && i < l->n_groups && err == M31R_OK; i++) {
        local_group *from = &l->groups[i];
        m31ri_group_value values[VALUES];
        m31ri_group *to = NULL;
        open_key(piece->out.data + from->key, g->options.n_by, values);
        err = m31ri_groups_find(g, values, &to, e);
        if (err == M31R_OK && g->options.field == NULL) {
            to->n += from->n;
        }
        for (size_t k = 0; k < from->n_numbers && err == M31R_OK; k++) {
            if (!m31ri_groups_add_number(g, to, from->numbers[k])) {
                err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for groups");
            }
        }
    }
    if (l != NULL) {
        g->n_records += l->n_records;
        g->n_without += l->n_without;
        l->n_records = l->n_without = l->n_groups = l->last = 0;
        memset(l->by_node, 0, sizeof l->by_node);
        if (l->table_size > 0) {
            memset(l->table, 0, l->table_size * sizeof *l->table);
        }
    }
    return err;
}

static void drop(void *context, m31ri_piece *piece)
{
    local_groups *l = piece->own;
    (void)context;
    for (size_t i = 0; l != NULL && i < l->room; i++) {
        m31ri_free(l->groups[i].numbers);
    }
    if (l != NULL) {
        m31ri_free(l->groups);
        m31ri_free(l->table);
        m31ri_free(l);
        piece->own = NULL;
    }
}

/* The field as a key of JSON, when records that have it are sure to hold these bytes or an escape.
 */
static bool write_demanded(const char *field, char out[M31RI_NEEDLE_BYTES + 1])
{
    size_t length = strlen(field);
    bool is_plain = length > 0 && length <= M31RI_NEEDLE_BYTES - 2;
    for (size_t i = 0; i < length && is_plain; i++) {
        is_plain = field[i] > 0x20 && field[i] < 0x7f && field[i] != '"' && field[i] != '\\';
    }
    if (is_plain) {
        out[0] = out[length + 1] = '"';
        memcpy(out + 1, field, length);
        out[length + 2] = '\0';
    }
    return is_plain;
}

m31r_err m31r_groups_add_scan(m31r_groups *g, m31r_scan *scan, m31r_error *e)
{
    const char *names[VALUES];
    char demanded[M31RI_NEEDLE_BYTES + 1];
    size_t n = 0;
    for (; n < g->options.n_by; n++) {
        names[n] = g->options.by[n];
    }
    if (g->options.field != NULL) {
        names[n++] = g->options.field;
    }
    m31ri_piece_work work = {.names = names,
                             .n_names = n,
                             .wants_names_only = true,
                             .take = take,
                             .use = use,
                             .drop = drop,
                             .context = g};
    bool is_demanding = g->options.field != NULL && write_demanded(g->options.field, demanded);
    work.demanded = is_demanding ? demanded : NULL;
    work.take_many = n == 0 || is_demanding ? take_many : NULL;
    m31ri_free(g->order);
    g->order = NULL;
    return m31ri_scan_all(scan, &work, e);
}
