/* diff_points.c - the points of two runs, by file, name, step and segment.
 *
 * Both are read whole and sorted by that key, so that the order in which processes wrote them does
 * not matter; within a key the file's order holds. The first difference is the one that stands
 * first in the file, not the first by name.
 */
#include <stdlib.h>
#include <string.h>

#include "diff/diff_int.h"
#include "analyse/measured.h"
#include "analyse/series_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "format/number.h"

typedef struct point {
    uint32_t name, segment;
    int64_t step;
    double value;
    uint64_t line;
    int64_t wall_ns;
} point;

typedef struct point_list {
    point *points;
    size_t n, capacity;
} point_list;

/* A metric in one file of points. */
typedef struct point_name {
    const char *file, *name;
    size_t part;
    bool is_measured;
} point_name;

typedef struct points_walk {
    m31r_diff *d;
    point_name *names;
    size_t n_names, last_name;
    point_list lists[2];
} points_walk;

static bool find_part(points_walk *w, const char *file, size_t *out)
{
    for (*out = 0; *out < w->d->n_parts; (*out)++) {
        if (strcmp(w->d->parts[*out].name, file) == 0) {
            return true;
        }
    }
    m31r_diff_part *part = m31ri_diff_add_part(w->d, file);
    if (part == NULL) {
        return false;
    }
    part->is_points = true;
    return true;
}

static bool find_name(points_walk *w, const m31r_point_view *p, uint32_t *out)
{
    for (size_t i = 0; i < w->n_names; i++) {
        size_t at = (w->last_name + 1 + i) % w->n_names;
        const point_name *known = &w->names[at];
        if (strlen(known->name) == p->name_length &&
            memcmp(known->name, p->name, p->name_length) == 0 &&
            strcmp(known->file, p->file) == 0) {
            w->last_name = at;
            *out = (uint32_t)at;
            return true;
        }
    }
    point_name *names = m31ri_realloc(w->names, (w->n_names + 1) * sizeof *names);
    point_name added = {.is_measured = m31ri_is_measured(p->name, p->name_length)};
    if (names == NULL || !find_part(w, p->file, &added.part)) {
        w->names = names != NULL ? names : w->names;
        return false;
    }
    w->names = names;
    added.file = w->d->parts[added.part].name;
    added.name = m31ri_kept_text(&w->d->kept, p->name, p->name_length);
    *out = (uint32_t)w->n_names;
    w->names[w->n_names++] = added;
    return true;
}

static bool add_point(points_walk *w, point_list *l, const m31r_point_view *p)
{
    if (l->n == l->capacity) {
        size_t capacity = l->capacity * 2 + 1024;
        point *grown = m31ri_realloc(l->points, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        l->points = grown;
        l->capacity = capacity;
    }
    point *added = &l->points[l->n];
    *added = (point){.segment = p->segment,
                     .step = p->step,
                     .value = p->value,
                     .line = p->line_number,
                     .wall_ns = p->wall_ns};
    if (!find_name(w, p, &added->name)) {
        return false;
    }
    l->n++;
    return true;
}

static int compare_keys(const point *a, const point *b)
{
    int order = (a->name > b->name) - (a->name < b->name);
    if (order == 0) {
        order = (a->step > b->step) - (a->step < b->step);
    }
    return order != 0 ? order : (a->segment > b->segment) - (a->segment < b->segment);
}

static int by_key(const void *x, const void *y)
{
    const point *a = x;
    const point *b = y;
    int order = compare_keys(a, b);
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static m31r_err read_list(points_walk *w, int side, m31r_error *e)
{
    const m31r_reader *reader = side == 0 ? w->d->a : w->d->b;
    m31r_points *points = NULL;
    m31r_point_view p;
    size_t part;
    m31r_err err = m31r_points_open(&points, reader, e);
    while (err == M31R_OK && (err = m31r_points_next(points, &p, e)) == M31R_OK) {
        if (m31ri_diff_takes(w->d, p.step != M31R_NO_STEP, p.step) &&
            !add_point(w, &w->lists[side], &p)) {
            err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for the points of a run");
        }
    }
    if (err == M31R_EOF) {
        uint64_t n_unread = m31ri_points_bad(points) + m31ri_points_torn(points);
        err = M31R_OK;
        if (n_unread > 0 && find_part(w, "metrics.csv", &part)) {
            w->d->parts[part].n_unread += n_unread;
        }
    }
    m31r_points_close(points);
    if (w->lists[side].n > 0) {
        qsort(w->lists[side].points, w->lists[side].n, sizeof(point), by_key);
    }
    return err;
}

static const char *number_text(m31r_diff *d, double value)
{
    char text[M31RI_NUMBER_BYTES];
    return m31ri_kept_text(&d->kept, text, m31ri_number_write_double(value, text));
}

/* Takes note of a difference; `a` or `b` is NULL when the run has no such point. */
static void differ(points_walk *w, const point *a, const point *b)
{
    m31r_diff *d = w->d;
    const point *known = a != NULL ? a : b;
    const point_name *name = &w->names[known->name];
    m31r_diff_part *part = &d->parts[name->part];
    int64_t start_ns = (a != NULL ? d->a : d->b)->facts.start_ns;
    uint64_t first_line = part->first.line_a > 0 ? part->first.line_a : part->first.line_b;
    part->n_differ++;
    if (part->differs && known->line >= first_line) {
        return;
    }
    part->differs = true;
    d->elapsed_ns[name->part] = start_ns != M31R_UNKNOWN ? known->wall_ns - start_ns : INT64_MAX;
    part->first = (m31r_diff_place){.file_a = a != NULL ? name->file : "",
                                    .file_b = b != NULL ? name->file : "",
                                    .line_a = a != NULL ? a->line : 0,
                                    .line_b = b != NULL ? b->line : 0,
                                    .field = name->name,
                                    .a = a != NULL ? number_text(d, a->value) : NULL,
                                    .b = b != NULL ? number_text(d, b->value) : NULL,
                                    .step = known->step};
}

static bool is_same(const m31r_diff *d, double a, double b)
{
    char text[2][M31RI_NUMBER_BYTES];
    m31ri_value_pair pair = {text[0], text[1], 0, 0};
    double values[2];
    bool are_numbers;
    if (memcmp(&a, &b, sizeof a) == 0) {
        return true;
    }
    pair.a_length = m31ri_number_write_double(a, text[0]);
    pair.b_length = m31ri_number_write_double(b, text[1]);
    return m31ri_diff_same_number(d, &pair, values, &are_numbers);
}

static bool compare_pair(points_walk *w, const point *a, const point *b)
{
    const point_name *name = &w->names[(a != NULL ? a : b)->name];
    m31r_diff_part *part = &w->d->parts[name->part];
    if (!name->is_measured) {
        part->n_a += a != NULL;
        part->n_b += b != NULL;
        if (a == NULL || b == NULL || !is_same(w->d, a->value, b->value)) {
            differ(w, a, b);
        } else {
            part->n_same++;
        }
    }
    if (a == NULL || b == NULL) {
        return true;
    }
    const double values[2] = {a->value, b->value};
    const char *const span[2] = {name->name, name->name + strlen(name->name)};
    return m31ri_diff_note(w->d, span, values, a->step, true);
}

static m31r_err merge(points_walk *w, m31r_error *e)
{
    const point_list *a = &w->lists[0];
    const point_list *b = &w->lists[1];
    size_t i = 0;
    size_t k = 0;
    while (i < a->n || k < b->n) {
        int order = i == a->n ? 1 : k == b->n ? -1 : compare_keys(&a->points[i], &b->points[k]);
        const point *x = order <= 0 ? &a->points[i++] : NULL;
        const point *y = order >= 0 ? &b->points[k++] : NULL;
        if (!compare_pair(w, x, y)) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a difference");
        }
    }
    return M31R_OK;
}

m31r_err m31ri_diff_points(m31r_diff *d, m31r_error *e)
{
    points_walk w = {.d = d};
    m31r_err err = read_list(&w, 0, e);
    if (err == M31R_OK) {
        err = read_list(&w, 1, e);
    }
    if (err == M31R_OK) {
        err = merge(&w, e);
    }
    m31ri_free(w.lists[0].points);
    m31ri_free(w.lists[1].points);
    m31ri_free(w.names);
    return err;
}
