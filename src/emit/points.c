/* points.c - metric points on their way to metrics.csv.
 *
 * All processes of a run share the file, so each batch is appended under its lock. Segments make a
 * step that goes back visible without refusing it: when a name's step is lower than the one it had
 * in the current segment, a new segment begins for everybody, and one WARNING says so.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "emit/state.h"
#include "format/point.h"
#include "m31r/metric.h"
#include "store/notices.h"

#define FIRST_SLOTS 64
#define MAX_SERIES                                                                                 \
    65536 /* names whose steps are watched; further names are kept, but not watched */

static uint64_t hash_name(const char *s)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a, 64 bits */
    for (; *s != '\0'; s++) {
        h = (h ^ (uint8_t)*s) * 1099511628211u;
    }
    return h;
}

static m31ri_series *find_slot(m31ri_series *slots, uint32_t n_slots, const char *name)
{
    uint32_t i = (uint32_t)hash_name(name) & (n_slots - 1);
    while (slots[i].name != NULL && strcmp(slots[i].name, name) != 0) {
        i = (i + 1) & (n_slots - 1);
    }
    return &slots[i];
}

static bool grow(m31ri_points *p)
{
    uint32_t n_slots = p->n_slots == 0 ? FIRST_SLOTS : p->n_slots * 2;
    m31ri_series *slots = m31ri_calloc(n_slots, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_slots; i++) {
        if (p->series[i].name != NULL) {
            *find_slot(slots, n_slots, p->series[i].name) = p->series[i];
        }
    }
    m31ri_free(p->series);
    p->series = slots;
    p->n_slots = n_slots;
    return true;
}

/* The series of `name`, made when it is new; NULL when memory is out or too many names are watched.
 */
static m31ri_series *series_of(m31ri_points *p, const char *name, bool *is_new)
{
    *is_new = false;
    if (p->n_series * 2 >= p->n_slots && (p->n_series >= MAX_SERIES || !grow(p))) {
        return NULL;
    }
    m31ri_series *s = find_slot(p->series, p->n_slots, name);
    if (s->name == NULL) {
        s->name = m31ri_strdup(name);
        if (s->name == NULL) {
            return NULL;
        }
        p->n_series++;
        *is_new = true;
    }
    return s;
}

/* Moves to the segment that a point of `name` at `step` belongs to. */
static void follow_step(m31ri_points *p, const char *name, int64_t step)
{
    bool is_new = false;
    m31ri_series *s = step != M31R_NO_STEP ? series_of(p, name, &is_new) : NULL;
    if (s == NULL) {
        return;
    }
    if (!is_new && s->segment == p->segment && step < s->last_step) {
        p->segment++;
        p->step_went_back = true;
    }
    s->last_step = step;
    s->segment = p->segment;
}

const char *m31ri_point_name_safe(const m31ri_privacy *rules, const char *name)
{
    const m31ri_key_verdict none = {M31RI_KEY_NONE, NULL};
    return rules == NULL || m31ri_privacy_is_clean(rules, none, name, strlen(name)) ? name
                                                                                    : "redacted";
}

/* Appends the point's line; false when the value is no number or the name is none. */
static bool add_line(m31ri_points *p, const char *name, const m31r_value *v, int64_t step)
{
    m31ri_point point = {
        .name = name, .name_length = strlen(name), .step = step, .wall_ns = p->last_wall_ns};
    switch (v->type) {
    case M31R_T_INT:
        point.value = (double)v->as.i;
        break;
    case M31R_T_UINT:
        point.value = (double)v->as.u;
        break;
    case M31R_T_DOUBLE:
        point.value = v->as.d;
        break;
    case M31R_T_FLOAT:
        point.value = (double)v->as.f;
        point.is_float = true;
        break;
    default:
        return false;
    }
    follow_step(p, name, step);
    point.segment = p->segment;
    m31ri_point_write(&p->lines, &point);
    return true;
}

static size_t add_lines(m31r_run *run, const char *const *names, const m31r_value *values, size_t n,
                        int64_t step)
{
    m31ri_points *p = &run->points;
    size_t n_points = 0;
    int64_t now = m31ri_wall_ns();
    if (now > p->last_wall_ns) {
        p->last_wall_ns = now;
    }
    m31ri_buf_clear(&p->lines);
    for (size_t i = 0; i < n; i++) {
        n_points += add_line(p, m31ri_point_name_safe(run->privacy, names[i]), &values[i], step);
    }
    return n_points;
}

/* Appends the batch. What an outage lost before is told to the owner once writing works again. */
static void append_lines(m31r_run *run, size_t n_points)
{
    m31ri_points *p = &run->points;
    int err =
        p->lines.failed ? ENOMEM : m31ri_append_write(p->append, p->lines.data, p->lines.length);
    uint64_t n_lost = 0;
    int error = 0;
    if (err != 0) {
        m31ri_outage_begin(&p->outage, err, n_points, "metrics.csv");
        return;
    }
    p->n_points += n_points;
    if (m31ri_outage_end(&p->outage, &n_lost, &error)) {
        m31ri_notice(run, json_pack("{s:s, s:s, s:s, s:I}", "kind", "lost", "what", "points",
                                    "reason", strerror(error), "count", (json_int_t)n_lost));
    }
}

static void warn_of_segment(m31r_run *run, int64_t step, uint32_t segment)
{
    m31r_warning(m31r_run_logger(run, "m31r"), "step_went_back", "step", step, "segment", segment);
}

/* Puts what the rings take; returns how many of the first points they do not: more names than they
 * can number. */
static size_t through_rings(m31r_run *run, const char *const *names, const m31r_value *values,
                            size_t n, int64_t step)
{
    size_t i = 0;
    for (; i < n; i++) {
        bool is_number = values[i].type >= M31R_T_INT && values[i].type <= M31R_T_FLOAT;
        if (is_number &&
            m31ri_rings_point(run->rings, names[i], &values[i], step) == M31R_E_LIMIT) {
            break;
        }
    }
    return i == n ? 0 : n;
}

void m31ri_points_add(m31r_run *run, const char *const *names, const m31r_value *values, size_t n,
                      int64_t step)
{
    m31ri_points *p = &run->points;
    int saved = errno;
    if (run->rings != NULL) {
        n = through_rings(run, names, values, n, step);
    }
    if (n == 0) {
        errno = saved;
        return;
    }
    pthread_mutex_lock(&p->lock);
    bool went_back = false;
    if (p->append == NULL) {
        p->outage.n_lost_total += n;
    } else if (!m31ri_outage_must_skip(&p->outage, n)) {
        size_t n_points = add_lines(run, names, values, n, step);
        if (n_points != 0) {
            append_lines(run, n_points);
        }
        went_back = p->step_went_back;
        p->step_went_back = false;
    }
    uint32_t segment = p->segment;
    pthread_mutex_unlock(&p->lock);
    if (went_back) {
        warn_of_segment(run, step, segment);
    }
    errno = saved;
}

void m31ri_run_points_file(const m31r_run *run, char *out, size_t size)
{
    if (run->rank > 0) {
        snprintf(out, size, "metrics.rank%04d.csv", run->rank);
    } else {
        snprintf(out, size, "metrics.csv");
    }
}

m31r_err m31ri_points_open(m31r_run *run, m31r_error *e)
{
    char file[64];
    m31ri_points *p = &run->points;
    m31ri_run_points_file(run, file, sizeof file);
    return m31ri_append_open(run->dir.fd, file, M31RI_APPEND_SHARED, M31RI_POINT_HEADER, NULL,
                             &p->append, e);
}

void m31ri_points_close(m31r_run *run)
{
    m31ri_points *p = &run->points;
    m31ri_append_close(p->append);
    p->append = NULL;
    for (uint32_t i = 0; i < p->n_slots; i++) {
        m31ri_free(p->series[i].name);
    }
    m31ri_free(p->series);
    p->series = NULL;
    p->n_series = p->n_slots = 0;
    m31ri_buf_release(&p->lines);
}

static void lose_point(m31r_run *run, const char *reason)
{
    pthread_mutex_lock(&run->points.lock);
    run->points.outage.n_lost_total++;
    pthread_mutex_unlock(&run->points.lock);
    m31ri_notice(run, json_pack("{s:s, s:s, s:s, s:I}", "kind", "lost", "what", "points", "reason",
                                reason, "count", (json_int_t)1));
}

void m31r_metric(m31r_run *run, const char *name, double value, int64_t step)
{
    if (!m31ri_run_enter(run)) {
        return;
    }
    if (name == NULL || !m31ri_point_name_is_valid(name, strlen(name))) {
        lose_point(run, "bad_name");
        return;
    }
    if (step < 0 && step != M31R_NO_STEP) {
        lose_point(run, "bad_step");
        return;
    }
    const m31r_value v = m31r_of_double(value);
    m31ri_points_add(run, &name, &v, 1, step);
    if (run->rings == NULL) {
        m31ri_owner_pace(run);
    }
}

void m31r_metric_define(m31r_run *run, const char *name, const char *unit, m31r_better better)
{
    if (!m31ri_run_enter(run)) {
        return;
    }
    if (name == NULL || !m31ri_point_name_is_valid(name, strlen(name))) {
        return;
    }
    static const char *const words[] = {"unknown", "lower", "higher"};
    m31ri_notice(run,
                 json_pack("{s:s, s:s, s:s?, s:s}", "kind", "metric", "name", name, "unit", unit,
                           "better", better <= M31R_BETTER_HIGHER ? words[better] : words[0]));
}
