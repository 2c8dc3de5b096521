/* thin.c - m31r/thin.h: stretches that double in length when there are too many of them.
 *
 * How many points will come is not known, so a metric has up to 2 * limit stretches of `stride`
 * points; one more joins each two neighbours and doubles the stride. Only what a stretch keeps is
 * needed to join it. At the end they are joined once more, into limit / 2 - 1.
 */
#include "m31r/thin.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/name_table.h"
#include "format/point.h"

typedef struct kept {
    uint64_t number; /* among the points of the metric, from 1; 0: none */
    int64_t step, wall_ns;
    double value;
    uint32_t segment;
} kept;

typedef struct stretch {
    kept low, high, nonfinite;
} stretch;

typedef struct metric {
    stretch *stretches;
    size_t n, capacity;
    uint64_t stride, n_points;
    kept first, last;
    size_t next; /* metric that came behind it last time */
} metric;

struct m31r_thin {
    size_t limit;
    m31ri_name_table names;
    metric *metrics; /* by number of the name */
    size_t n_metrics;
    size_t last_metric; /* of the point added last */
    size_t at_metric;   /* of m31r_thin_next() */
    kept *given;        /* points of that metric, in order; NULL: not made yet */
    size_t n_given, at_given;
    m31ri_buf line;
};

m31r_err m31r_thin_new(m31r_thin **out, size_t limit, m31r_error *e)
{
    if (limit < M31R_THIN_LEAST || limit > M31R_THIN_MOST) {
        return m31ri_fail(e, M31R_E_ARG, "%zu points: from %d to %d can be asked for", limit,
                          M31R_THIN_LEAST, M31R_THIN_MOST);
    }
    m31r_thin *t = m31ri_calloc(1, sizeof *t);
    if (t == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the points of a plot");
    }
    t->limit = limit;
    *out = t;
    return M31R_OK;
}

static void join(stretch *to, const stretch *later)
{
    if (to->low.number == 0 || (later->low.number != 0 && later->low.value < to->low.value)) {
        to->low = later->low;
    }
    if (to->high.number == 0 || (later->high.number != 0 && later->high.value > to->high.value)) {
        to->high = later->high;
    }
    if (to->nonfinite.number == 0) {
        to->nonfinite = later->nonfinite;
    }
}

static void join_neighbours(metric *m)
{
    for (size_t i = 0; i < m->n / 2; i++) {
        m->stretches[i] = m->stretches[2 * i];
        join(&m->stretches[i], &m->stretches[2 * i + 1]);
    }
    m->n /= 2;
    m->stride *= 2;
}

/* A stretch more behind the last one, which is full. */
static bool begin_stretch(metric *m, size_t limit)
{
    if (m->n == 2 * limit) {
        join_neighbours(m);
    }
    if (m->n == m->capacity) {
        size_t wanted = m->capacity != 0 ? 2 * m->capacity : 64;
        size_t capacity = wanted < 2 * limit ? wanted : 2 * limit;
        stretch *grown = m31ri_realloc(m->stretches, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        m->stretches = grown;
        m->capacity = capacity;
    }
    memset(&m->stretches[m->n++], 0, sizeof *m->stretches);
    return true;
}

static metric *look_up_metric(m31r_thin *t, const m31r_point_view *p)
{
    size_t at = m31ri_name_table_add(&t->names, p->name, p->name_length);
    if (at == M31RI_NO_NAME || at < t->n_metrics) {
        return at == M31RI_NO_NAME ? NULL : &t->metrics[at];
    }
    metric *grown = m31ri_realloc(t->metrics, (at + 1) * sizeof *grown);
    if (grown == NULL) {
        return NULL;
    }
    t->metrics = grown;
    for (; t->n_metrics <= at; t->n_metrics++) {
        t->metrics[t->n_metrics] = (metric){.stride = 1};
    }
    return &t->metrics[at];
}

/* Metrics come in turns: the one that came behind the last one is tried first. */
static metric *find_metric(m31r_thin *t, const m31r_point_view *p)
{
    if (t->n_metrics > 0) {
        size_t next = t->metrics[t->last_metric].next;
        const m31ri_table_name *name = &t->names.names[next];
        if (name->length == p->name_length && memcmp(name->text, p->name, name->length) == 0) {
            t->last_metric = next;
            return &t->metrics[next];
        }
    }
    metric *m = look_up_metric(t, p);
    if (m != NULL) {
        t->metrics[t->last_metric].next = (size_t)(m - t->metrics);
        t->last_metric = (size_t)(m - t->metrics);
    }
    return m;
}

m31r_err m31r_thin_add(m31r_thin *t, const m31r_point_view *point, m31r_error *e)
{
    metric *m = find_metric(t, point);
    bool is_new = m != NULL && m->n_points % m->stride == 0;
    if (m == NULL || (is_new && !begin_stretch(m, t->limit))) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the points of a plot");
    }
    kept k = {++m->n_points, point->step, point->wall_ns, point->value, point->segment};
    stretch *s = &m->stretches[m->n - 1];
    if (!isfinite(k.value)) {
        s->nonfinite = s->nonfinite.number == 0 ? k : s->nonfinite;
    } else {
        s->low = s->low.number == 0 || k.value < s->low.value ? k : s->low;
        s->high = s->high.number == 0 || k.value > s->high.value ? k : s->high;
    }
    m->first = k.number == 1 ? k : m->first;
    m->last = k;
    return M31R_OK;
}

/* Puts `k` among the points given, which stand in their order; one that is there already is not put
 * again. */
static void give(m31r_thin *t, const kept *k)
{
    size_t at = t->n_given;
    while (at > 0 && t->given[at - 1].number > k->number) {
        at--;
    }
    if (k->number == 0 || (at > 0 && t->given[at - 1].number == k->number)) {
        return;
    }
    memmove(&t->given[at + 1], &t->given[at], (t->n_given - at) * sizeof *t->given);
    t->given[at] = *k;
    t->n_given++;
}

static bool give_metric(m31r_thin *t, const metric *m)
{
    size_t n_wanted = m->n_points <= t->limit ? m->n : t->limit / 2 - 1;
    size_t n = n_wanted < m->n ? n_wanted : m->n;
    t->given = m31ri_alloc((3 * n + 2) * sizeof *t->given);
    if (t->given == NULL) {
        return false;
    }
    t->n_given = 0;
    t->at_given = 0;
    give(t, &m->first);
    for (size_t i = 0; i < n; i++) {
        size_t from = i * m->n / n, to = (i + 1) * m->n / n;
        stretch s = m->stretches[from];
        for (size_t k = from + 1; k < to; k++) {
            join(&s, &m->stretches[k]);
        }
        give(t, &s.low);
        give(t, &s.high);
        give(t, &s.nonfinite);
    }
    give(t, &m->last);
    return true;
}

static m31r_err show(m31r_thin *t, const kept *k, m31r_point_view *out)
{
    const m31ri_table_name *name = &t->names.names[t->at_metric];
    m31ri_point p = {.name = name->text,
                     .name_length = name->length,
                     .step = k->step,
                     .value = k->value,
                     .wall_ns = k->wall_ns,
                     .segment = k->segment};
    m31ri_buf_clear(&t->line);
    m31ri_point_write(&t->line, &p);
    if (!m31ri_buf_ok(&t->line)) {
        return M31R_E_NOMEM;
    }
    *out = (m31r_point_view){.name = name->text,
                             .name_length = name->length,
                             .step = k->step,
                             .value = k->value,
                             .wall_ns = k->wall_ns,
                             .segment = k->segment,
                             .line = t->line.data,
                             .length = t->line.length - 1,
                             .file = ""};
    return M31R_OK;
}

m31r_err m31r_thin_next(m31r_thin *t, m31r_point_view *out)
{
    for (; t->at_metric < t->n_metrics; t->at_metric++) {
        if (t->given == NULL && !give_metric(t, &t->metrics[t->at_metric])) {
            return M31R_E_NOMEM;
        }
        if (t->at_given < t->n_given) {
            return show(t, &t->given[t->at_given++], out);
        }
        m31ri_free(t->given);
        t->given = NULL;
    }
    return M31R_EOF;
}

void m31r_thin_free(m31r_thin *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < t->n_metrics; i++) {
        m31ri_free(t->metrics[i].stretches);
    }
    m31ri_free(t->metrics);
    m31ri_free(t->given);
    m31ri_name_table_release(&t->names);
    m31ri_buf_release(&t->line);
    m31ri_free(t);
}
