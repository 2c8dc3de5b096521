/* stage_write.c - the fields of a typed call, checked and written in the table's order.
 *
 * What is mandatory and not set is named once in an ERROR record; the record itself goes without
 * it, so that nothing stands there that nobody said.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "emit/stage_state.h"

static bool is_unset(const m31ri_stage_field *f, const m31ri_cell *cell)
{
    return cell->bits == UINT64_MAX || (f->type == M31RI_FIELD_STRING && cell->s == NULL);
}

static m31r_value value_of(const m31ri_stage_field *f, const m31ri_cell *cell)
{
    switch (f->type) {
    case M31RI_FIELD_INTEGER:
        return m31r_of_int(cell->i);
    case M31RI_FIELD_REAL:
        return m31r_of_double(cell->d);
    default:
        return m31r_of_string(cell->s);
    }
}

static bool is_out_of_range(const m31ri_stage_field *f, const m31ri_cell *cell)
{
    double x = f->type == M31RI_FIELD_INTEGER ? (double)cell->i : cell->d;
    return f->type != M31RI_FIELD_STRING && (x < f->minimum || x > f->maximum);
}

/* The ERROR that names fields, once a run, call and kind of fault. */
static void say_fault(m31r_run *run, const m31ri_stage_message *m, const char *fault,
                      const char *names)
{
    const m31r_value keys[] = {m31r_of_string("record"), m31r_of_string("fields"),
                               m31r_of_string("stage")};
    const m31r_value values[] = {m31r_of_string(m->name), m31r_of_string(names),
                                 m31r_of_string(run->stage)};
    const m31r_fields fields = {keys, values, 3};
    m31r_log_write(m31r_run_logger(run, m->module), M31R_ERROR, m31r_of_string(fault), &fields);
}

typedef struct name_list {
    char text[256];
    size_t length;
} name_list;

static void add_name(name_list *list, const char *name)
{
    int n = snprintf(list->text + list->length, sizeof list->text - list->length, "%s%s",
                     list->length > 0 ? " " : "", name);
    if (n > 0 && list->length + (size_t)n < sizeof list->text) {
        list->length += (size_t)n;
    }
}

void m31ri_stage_check(m31r_run *run, const m31ri_stage_message *m, const m31ri_cell *cells,
                       uint8_t *said)
{
    name_list missing = {"", 0};
    name_list outside = {"", 0};
    for (size_t i = 0; i < m->n_fields; i++) {
        const m31ri_stage_field *f = &m->fields[i];
        bool must = (f->flags & (M31RI_FIELD_REQUIRED | M31RI_FIELD_IN_CALL)) != 0;
        if (!is_unset(f, &cells[i])) {
            if (is_out_of_range(f, &cells[i])) {
                add_name(&outside, f->key);
            }
        } else if (must) {
            add_name(&missing, f->filled_from[0] != '\0' ? f->filled_from : f->key);
        }
    }
    if (missing.length > 0 && (*said & M31RI_SAID_MISSING) == 0) {
        *said |= M31RI_SAID_MISSING;
        say_fault(run, m, "field_missing", missing.text);
    }
    if (outside.length > 0 && (*said & M31RI_SAID_RANGE) == 0) {
        *said |= M31RI_SAID_RANGE;
        say_fault(run, m, "field_out_of_range", outside.text);
    }
}

static m31ri_stage_site *new_site(const m31ri_stage_message *m, uint32_t set)
{
    m31ri_stage_site *made = m31ri_calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->set = set;
    made->site = (m31r_site){.level = m->level, .message = m->name, .keys = made->keys, .file = ""};
    for (size_t i = 0; i < m->n_fields; i++) {
        if ((set >> i & 1) != 0) {
            made->keys[made->site.n_keys++] = m->fields[i].key;
        }
    }
    return made;
}

/* The call site for a set of fields; NULL when too many sets are in use or memory is out. */
static m31r_site *site_of(struct m31ri_stage_state *s, const m31ri_stage_message *m, uint32_t set)
{
    m31ri_stage_site **known = s->sites[m->call];
    for (size_t i = 0; i < M31RI_STAGE_SITES && m->call != 0; i++) {
        if (known[i] == NULL) {
            known[i] = new_site(m, set);
            return known[i] != NULL ? &known[i]->site : NULL;
        }
        if (known[i]->set == set) {
            return &known[i]->site;
        }
    }
    return NULL;
}

/* One record; `set` says which fields `keys` and `values` are. */
static void write_record(m31r_run *run, const m31ri_stage_message *m, uint32_t set,
                         const m31r_fields *fields)
{
    m31r_log *log = m31r_run_logger(run, m->module);
    if (!m31r_log_is_on(log, m->level)) {
        return;
    }
    m31r_site *site = site_of(run->stages, m, set);
    if (site != NULL) {
        m31r_log_emit(log, site, fields->values);
    } else {
        m31r_log_write(log, m->level, m31r_of_string(m->name), fields);
    }
}

void m31ri_stage_write(m31r_run *run, const m31ri_stage_message *m, const m31ri_cell *cells)
{
    m31r_value keys[M31RI_STAGE_FIELDS];
    m31r_value values[M31RI_STAGE_FIELDS];
    m31r_value numbers[M31RI_STAGE_FIELDS];
    const char *names[M31RI_STAGE_FIELDS];
    size_t n = 0;
    size_t n_points = 0;
    uint32_t set = 0;
    int64_t step = M31R_NO_STEP;
    for (size_t i = 0; i < m->n_fields; i++) {
        const m31ri_stage_field *f = &m->fields[i];
        if (is_unset(f, &cells[i])) {
            continue;
        }
        set |= 1u << i;
        keys[n] = m31r_of_string(f->key);
        values[n] = value_of(f, &cells[i]);
        if ((int)i == m->step && cells[i].i >= 0) {
            step = cells[i].i;
        }
        if ((f->flags & M31RI_FIELD_POINT) != 0) {
            names[n_points] = f->key;
            numbers[n_points++] = values[n];
        }
        n++;
    }
    const m31r_fields fields = {keys, values, n};
    write_record(run, m, set, &fields);
    if (n_points > 0) {
        m31ri_points_add(run, names, numbers, n_points, step);
    }
}
