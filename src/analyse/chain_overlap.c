/* chain_overlap.c - the steps that two attempts both have, point by point.
 *
 * The older attempt's points of those steps are held in memory, sorted by metric and step; the
 * newer one's are looked up among them as they come. When a run has several points of one metric
 * and step the last counts.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/chain_int.h"
#include "analyse/measured.h"
#include "base/alloc.h"
#include "base/fail.h"

typedef struct held_point {
    size_t metric; /* in the older attempt's list */
    int64_t step;
    m31r_chain_place at; /* file: kept by the chain */
    bool is_met;
} held_point;

typedef struct held {
    held_point *points;
    size_t n, capacity;
} held;

static m31r_err no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the overlap of two attempts");
}

/* Is the point one that both attempts may have? */
static bool is_shared(const m31r_overlap *o, const m31ri_chain_attempt *other,
                      const m31r_point_view *p)
{
    return p->step != M31R_NO_STEP && p->step >= o->first_step && p->step <= o->last_step &&
           !m31ri_is_measured(p->name, p->name_length) &&
           m31ri_chain_steps_of(other, p->name, p->name_length) != NULL;
}

static int by_key(const void *a, const void *b)
{
    const held_point *x = a;
    const held_point *y = b;
    if (x->metric != y->metric) {
        return x->metric < y->metric ? -1 : 1;
    }
    return (x->step > y->step) - (x->step < y->step);
}

/* Also by place in the file, so that the last of equals stands last. */
static int by_key_and_line(const void *a, const void *b)
{
    const held_point *x = a;
    const held_point *y = b;
    int order = by_key(a, b);
    return order != 0 ? order : (x->at.line > y->at.line) - (x->at.line < y->at.line);
}

static m31r_err hold(held *h, const held_point *p, m31r_error *e)
{
    if (h->n == h->capacity) {
        size_t capacity = h->capacity == 0 ? 256 : 2 * h->capacity;
        held_point *grown = m31ri_realloc(h->points, capacity * sizeof *grown);
        if (grown == NULL) {
            return no_memory(e);
        }
        h->points = grown;
        h->capacity = capacity;
    }
    h->points[h->n++] = *p;
    return M31R_OK;
}

/* Sorts, and leaves the last of those with one metric and step. */
static void put_in_order(held *h)
{
    size_t n = 0;
    if (h->n > 0) {
        qsort(h->points, h->n, sizeof *h->points, by_key_and_line);
    }
    for (size_t i = 0; i < h->n; i++) {
        n -= n > 0 && by_key(&h->points[n - 1], &h->points[i]) == 0;
        h->points[n++] = h->points[i];
    }
    h->n = n;
}

/* The points of attempt `i` in the overlap `o` with `other`; metrics are numbered as in `numbers`.
 */
static m31r_err read_points(m31r_chain *c, size_t i, const m31r_overlap *o, size_t other, held *out,
                            m31r_error *e)
{
    const m31ri_chain_attempt *numbers = &c->attempts[i < other ? i : other];
    m31r_points *points = NULL;
    m31r_point_view p;
    const char *file = NULL;
    const char *kept = "";
    m31r_err err = m31r_points_open(&points, c->attempts[i].said.reader, e);
    while (err == M31R_OK && (err = m31r_points_next(points, &p, e)) == M31R_OK) {
        if (!is_shared(o, &c->attempts[other], &p)) {
            continue;
        }
        if (file == NULL || strcmp(file, p.file) != 0) {
            kept = m31ri_kept_text(&c->kept, p.file, strlen(p.file));
            file = kept;
        }
        const m31ri_chain_steps *s = m31ri_chain_steps_of(numbers, p.name, p.name_length);
        const held_point one = {.metric = s != NULL ? (size_t)(s - numbers->metrics) : SIZE_MAX,
                                .step = p.step,
                                .at = {kept, p.line_number, p.value}};
        err = hold(out, &one, e);
    }
    m31r_points_close(points);
    if (err == M31R_EOF) {
        put_in_order(out);
    }
    return err == M31R_EOF ? M31R_OK : err;
}

static bool is_same_value(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Walks both lists side by side; what differs first is what has the smallest step. */
static void compare(m31r_chain *c, m31r_overlap *o, const m31ri_chain_attempt *numbers,
                    const held *before, const held *after)
{
    const held_point *x = before->points;
    const held_point *y = after->points;
    const held_point *end_x = x + before->n;
    const held_point *end_y = y + after->n;
    while (x < end_x && y < end_y) {
        int order = by_key(x, y);
        if (order != 0) {
            o->n_alone++;
            x += order < 0;
            y += order > 0;
            continue;
        }
        bool is_same = is_same_value(x->at.value, y->at.value);
        o->n_same += is_same;
        o->n_differ += !is_same;
        if (!is_same && (o->name[0] == '\0' || x->step < o->step)) {
            const char *name = numbers->metrics[x->metric].name;
            o->name = m31ri_kept_text(&c->kept, name, strlen(name));
            o->step = x->step;
            o->before = x->at;
            o->after = y->at;
        }
        x++;
        y++;
    }
    o->n_alone += (uint64_t)(end_x - x) + (uint64_t)(end_y - y);
}

/* The steps from the first to the last that both have of any metric that is not measured. */
static void find_steps(const m31ri_chain_attempt *before, const m31ri_chain_attempt *after,
                       m31r_overlap *o)
{
    for (size_t i = 0; i < before->n_metrics; i++) {
        const m31ri_chain_steps *x = &before->metrics[i];
        const m31ri_chain_steps *y = m31ri_chain_steps_of(after, x->name, strlen(x->name));
        if (y == NULL || m31ri_is_measured(x->name, strlen(x->name))) {
            continue;
        }
        int64_t first = x->first > y->first ? x->first : y->first;
        int64_t last = x->last < y->last ? x->last : y->last;
        if (first > last) {
            continue;
        }
        bool has_none = o->first_step == M31R_NO_STEP;
        o->first_step = has_none || first < o->first_step ? first : o->first_step;
        o->last_step = has_none || last > o->last_step ? last : o->last_step;
    }
}

m31r_err m31ri_chain_compare(m31r_chain *c, size_t i, m31r_error *e)
{
    held before = {0};
    held after = {0};
    m31r_overlap *o = &c->attempts[i].overlap;
    find_steps(&c->attempts[i - 1], &c->attempts[i], o);
    if (o->first_step == M31R_NO_STEP) {
        return M31R_OK;
    }
    m31r_err err = read_points(c, i - 1, o, i, &before, e);
    if (err == M31R_OK) {
        err = read_points(c, i, o, i - 1, &after, e);
    }
    if (err == M31R_OK) {
        compare(c, o, &c->attempts[i - 1], &before, &after);
        err = c->kept.failed ? no_memory(e) : M31R_OK;
    }
    m31ri_free(before.points);
    m31ri_free(after.points);
    return err;
}
