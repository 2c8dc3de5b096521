/* summary.c - per metric, what one pass over its points tells; summary.h defines each figure.
 *
 * Metrics stand in an array in order of first appearance, as their names do in a table. What can
 * fail (memory) is done before anything is counted, so a point is in the summary wholly or not at
 * all.
 *
 * Mean and squared deviations are long double: the difference of two doubles always fits, and the
 * mean of a million losses does not drift.
 */
#include "stat/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/name_table.h"
#include "format/point_stream.h"
#include "stat/sketch.h"

#define EXACT_LIMIT 256
#define NO_STEP INT64_MIN
#define FIRST_METRICS 16
#define FIRST_VALUES 16

typedef struct metric {
    uint64_t count, n_nonfinite, n_superseded;
    uint64_t n_finite;
    double first, last, min, max;
    long double mean, m2;
    int64_t first_step, last_step, min_step, max_step;
    int64_t top_step;     /* highest so far */
    int64_t earlier_step; /* highest of the segments before the newest */
    uint32_t newest_segment, segments;
    double *values; /* the finite values while there are at most EXACT_LIMIT, else NULL */
    size_t values_capacity;
    m31ri_sketch sketch;
} metric;

struct m31ri_summary {
    m31ri_name_table names;
    metric *metrics; /* by number of the name */
    size_t n, capacity;
    uint64_t bad_lines;
    m31ri_point_stream lines;
    const m31ri_point_listener *listener; /* NULL: nobody */
    int rank;                             /* what it is told */
};

m31ri_summary *m31ri_summary_new(void)
{
    return m31ri_calloc(1, sizeof(m31ri_summary));
}

static void release_metric(metric *m)
{
    m31ri_free(m->values);
    m31ri_sketch_release(&m->sketch);
}

void m31ri_summary_free(m31ri_summary *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->n; i++) {
        release_metric(&s->metrics[i]);
    }
    m31ri_free(s->metrics);
    m31ri_name_table_release(&s->names);
    m31ri_point_stream_release(&s->lines);
    m31ri_free(s);
}

/* The values so far go into the sketch, which counts from now on. */
static bool change_to_sketch(metric *m)
{
    for (uint64_t i = 0; i < m->n_finite; i++) {
        if (!m31ri_sketch_add(&m->sketch, m->values[i])) {
            m31ri_sketch_release(&m->sketch);
            return false;
        }
    }
    m31ri_free(m->values);
    m->values = NULL;
    return true;
}

static bool is_exact(const metric *m)
{
    return m->n_finite <= EXACT_LIMIT && (m->values != NULL || m->n_finite == 0);
}

/* Keeps a finite value for the quantiles. */
static bool keep_value(metric *m, double x)
{
    if (is_exact(m) && m->n_finite < EXACT_LIMIT) {
        if (m->n_finite == m->values_capacity) {
            size_t capacity = m->values_capacity != 0 ? m->values_capacity * 2 : FIRST_VALUES;
            double *values = m31ri_realloc(m->values, capacity * sizeof *values);
            if (values == NULL) {
                return false;
            }
            m->values = values;
            m->values_capacity = capacity;
        }
        m->values[m->n_finite] = x;
        return true;
    }
    if (m->values != NULL && !change_to_sketch(m)) {
        return false;
    }
    return m31ri_sketch_add(&m->sketch, x);
}

static void count_finite(metric *m, double x, int64_t step)
{
    m->n_finite++;
    long double delta = (long double)x - m->mean;
    m->mean += delta / (long double)m->n_finite;
    m->m2 += delta * ((long double)x - m->mean);
    if (m->n_finite == 1 || x < m->min) {
        m->min = x;
        m->min_step = step;
    }
    if (m->n_finite == 1 || x > m->max) {
        m->max = x;
        m->max_step = step;
    }
}

static void count_segment(metric *m, const m31ri_point *p)
{
    if (m->count == 0) {
        m->newest_segment = p->segment;
        m->segments = 1;
    } else if (p->segment > m->newest_segment) {
        m->newest_segment = p->segment;
        m->segments++;
        m->earlier_step = m->top_step;
    }
    if (p->segment == m->newest_segment && p->step != NO_STEP && p->step <= m->earlier_step) {
        m->n_superseded++;
    }
    if (p->step > m->top_step) {
        m->top_step = p->step;
    }
}

static bool add_to(metric *m, const m31ri_point *p)
{
    bool finite = isfinite(p->value);
    if (finite && !keep_value(m, p->value)) {
        return false;
    }
    count_segment(m, p);
    if (m->count == 0) {
        m->first = p->value;
        m->first_step = p->step;
    }
    m->last = p->value;
    m->last_step = p->step;
    m->count++;
    if (finite) {
        count_finite(m, p->value, p->step);
    } else {
        m->n_nonfinite++;
    }
    return true;
}

/* Starts a metric behind the last one, not yet counted. NULL when memory is out. */
static metric *start_metric(m31ri_summary *s)
{
    if (s->n == s->capacity) {
        size_t capacity = s->capacity != 0 ? s->capacity * 2 : FIRST_METRICS;
        metric *metrics = m31ri_realloc(s->metrics, capacity * sizeof *metrics);
        if (metrics == NULL) {
            return NULL;
        }
        s->metrics = metrics;
        s->capacity = capacity;
    }
    metric *m = &s->metrics[s->n];
    *m = (metric){.first_step = NO_STEP,
                  .last_step = NO_STEP,
                  .min_step = NO_STEP,
                  .max_step = NO_STEP,
                  .top_step = NO_STEP,
                  .earlier_step = NO_STEP};
    return m;
}

/* Gives the metric that was started its name, with which it is in. */
static bool name_metric(m31ri_summary *s, const char *name, size_t length)
{
    bool is_in = m31ri_name_table_add(&s->names, name, length) != M31RI_NO_NAME;
    s->n += is_in;
    return is_in;
}

bool m31ri_summary_add(m31ri_summary *s, const m31ri_point *p)
{
    size_t found = m31ri_name_table_find(&s->names, p->name, p->name_length);
    if (found != M31RI_NO_NAME) {
        return add_to(&s->metrics[found], p);
    }
    metric *m = start_metric(s);
    if (m == NULL) {
        return false;
    }
    if (!add_to(m, p) || !name_metric(s, p->name, p->name_length)) {
        release_metric(m);
        return false;
    }
    return true;
}

bool m31ri_summary_add_to(m31ri_summary *s, size_t index, const m31ri_point *p)
{
    return add_to(&s->metrics[index], p);
}

void m31ri_summary_listen(m31ri_summary *s, const m31ri_point_listener *listener, int rank)
{
    s->listener = listener;
    s->rank = rank;
}

size_t m31ri_summary_add_lines(m31ri_summary *s, const char *bytes, size_t length)
{
    static const char header[] = M31RI_POINT_HEADER;
    size_t used = 0;
    for (;;) {
        const char *line = bytes + used;
        const char *newline = memchr(line, '\n', length - used);
        if (newline == NULL) {
            return used;
        }
        size_t line_length = (size_t)(newline - line);
        m31ri_point p;
        if (line_length + 1 == sizeof header - 1 && memcmp(line, header, line_length) == 0) {
            used += line_length + 1;
            continue;
        }
        m31ri_point_found found = m31ri_point_stream_read(&s->lines, line, line_length, &p);
        if (found == M31RI_POINT_NOMEM || (found == M31RI_POINT_OK && !m31ri_summary_add(s, &p))) {
            return used;
        }
        if (found == M31RI_POINT_OK && s->listener != NULL) {
            s->listener->point(s->listener->context, s->rank, &p);
        }
        s->bad_lines += found == M31RI_POINT_BAD;
        used += line_length + 1;
    }
}

/* The quantile part of a merge: exact while all values fit. */
static bool merge_values(metric *m, const metric *other)
{
    if (other->n_finite == 0) {
        return true;
    }
    if (is_exact(m) && is_exact(other) && m->n_finite + other->n_finite <= EXACT_LIMIT) {
        size_t n = (size_t)(m->n_finite + other->n_finite);
        double *values = m31ri_realloc(m->values, n * sizeof *values);
        if (values == NULL) {
            return false;
        }
        memcpy(values + m->n_finite, other->values, (size_t)other->n_finite * sizeof *values);
        m->values = values;
        m->values_capacity = n;
        return true;
    }
    if (m->values != NULL && !change_to_sketch(m)) {
        return false;
    }
    for (uint64_t i = 0; is_exact(other) && i < other->n_finite; i++) {
        if (!m31ri_sketch_add(&m->sketch, other->values[i])) {
            return false;
        }
    }
    return m31ri_sketch_merge(&m->sketch, &other->sketch);
}

/* Moments of two sets (Chan, Golub, LeVeque), and their ends. */
static void merge_finite(metric *m, const metric *other)
{
    if (other->n_finite == 0) {
        return;
    }
    if (m->n_finite == 0 || other->min < m->min) {
        m->min = other->min;
        m->min_step = other->min_step;
    }
    if (m->n_finite == 0 || other->max > m->max) {
        m->max = other->max;
        m->max_step = other->max_step;
    }
    long double a = (long double)m->n_finite;
    long double b = (long double)other->n_finite;
    long double delta = other->mean - m->mean;
    m->mean += delta * (b / (a + b));
    m->m2 += other->m2 + delta * delta * (a * b / (a + b));
    m->n_finite += other->n_finite;
}

/* `is_later`: `other` comes after, so its last value is the last. */
static bool merge_metric(metric *m, const metric *other, bool is_later)
{
    if (!merge_values(m, other)) {
        return false;
    }
    merge_finite(m, other);
    if (m->count == 0) {
        m->first = other->first;
        m->first_step = other->first_step;
    }
    if (m->count == 0 || (other->count > 0 && is_later) || other->last_step > m->last_step) {
        m->last = other->last;
        m->last_step = other->last_step;
    }
    m->count += other->count;
    m->n_nonfinite += other->n_nonfinite;
    m->n_superseded += other->n_superseded;
    m->segments = other->segments > m->segments ? other->segments : m->segments;
    return true;
}

static bool merge(m31ri_summary *s, const m31ri_summary *other, bool is_later)
{
    s->bad_lines += other->bad_lines;
    for (size_t i = 0; i < other->n; i++) {
        const m31ri_table_name *name = &other->names.names[i];
        size_t at = m31ri_name_table_find(&s->names, name->text, name->length);
        if (at == M31RI_NO_NAME) {
            at = s->n;
            if (start_metric(s) == NULL || !name_metric(s, name->text, name->length)) {
                return false;
            }
        }
        if (!merge_metric(&s->metrics[at], &other->metrics[i], is_later)) {
            return false;
        }
    }
    return true;
}

bool m31ri_summary_merge(m31ri_summary *s, const m31ri_summary *other)
{
    return merge(s, other, false);
}

bool m31ri_summary_append(m31ri_summary *s, const m31ri_summary *later)
{
    return merge(s, later, true);
}

size_t m31ri_summary_count(const m31ri_summary *s)
{
    return s->n;
}

uint64_t m31ri_summary_bad_lines(const m31ri_summary *s)
{
    return s->bad_lines;
}

uint64_t m31ri_summary_points(const m31ri_summary *s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        n += s->metrics[i].count;
    }
    return n;
}

size_t m31ri_summary_find(const m31ri_summary *s, const char *name)
{
    return m31ri_name_table_find(&s->names, name, strlen(name));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void fill_quantiles(const metric *m, m31ri_metric_summary *out)
{
    static const double wanted[] = {0.5, 0.9, 0.99};
    double *const results[] = {&out->p50, &out->p90, &out->p99};
    double sorted[EXACT_LIMIT];
    size_t n = out->quantiles_are_exact ? (size_t)m->n_finite : 0;
    if (n != 0) {
        memcpy(sorted, m->values, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_value);
    }
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (n != 0) {
            size_t rank = (size_t)ceil(wanted[i] * (double)n);
            *results[i] = sorted[rank - 1];
        } else {
            double x = m31ri_sketch_quantile(&m->sketch, wanted[i]);
            *results[i] = fmin(fmax(x, m->min), m->max);
        }
    }
}

void m31ri_summary_get(const m31ri_summary *s, size_t i, m31ri_metric_summary *out)
{
    const metric *m = &s->metrics[i];
    bool any = m->n_finite != 0;
    *out = (m31ri_metric_summary){.name = s->names.names[i].text,
                                  .count = m->count,
                                  .n_nonfinite = m->n_nonfinite,
                                  .n_superseded = m->n_superseded,
                                  .first = m->first,
                                  .last = m->last,
                                  .min = any ? m->min : NAN,
                                  .max = any ? m->max : NAN,
                                  .mean = any ? (double)m->mean : NAN,
                                  .std = NAN,
                                  .p50 = NAN,
                                  .p90 = NAN,
                                  .p99 = NAN,
                                  .first_step = m->first_step,
                                  .last_step = m->last_step,
                                  .min_step = m->min_step,
                                  .max_step = m->max_step,
                                  .quantiles_are_exact = is_exact(m),
                                  .segments = m->segments};
    if (m->n_finite > 1) {
        out->std = (double)sqrtl(m->m2 / (long double)(m->n_finite - 1));
    }
    if (any) {
        fill_quantiles(m, out);
    }
}
