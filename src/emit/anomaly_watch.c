/* anomaly_watch.c - points in, findings out; anomaly_watch.h says when. */
#include "emit/anomaly_watch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "emit/state.h"

#define QUEUE_LIMIT 4096 /* findings that wait; further ones of one tick are not told */

typedef struct m31ri_anomaly_watch {
    m31r_run *run;
    m31ri_run_watch *watch;
    m31ri_point_listener listener;
    m31ri_run_anomaly *queue;
    size_t n, next, capacity;
    bool is_replay;  /* the points of a dead observer's time are read again */
    m31r_lane *lane; /* of a program without an observer; the run owns it; NULL: no record yet */
} m31ri_anomaly_watch;

static void hear(void *context, int rank, const m31ri_point *p)
{
    m31ri_anomaly_watch *w = context;
    m31ri_run_watch_add(w->watch, rank, p);
}

static m31ri_metric_role role_by_definition(void *context, const char *name, size_t length)
{
    const m31ri_anomaly_watch *w = context;
    const json_t *all = m31ri_metadata_get(&w->run->metadata, "metrics");
    const json_t *defined = json_object_getn(all, name, length);
    return m31ri_metric_role_of_definition(json_string_value(json_object_get(defined, "unit")),
                                           json_string_value(json_object_get(defined, "better")));
}

static bool make_room(m31ri_anomaly_watch *w)
{
    if (w->next == w->n) {
        w->next = w->n = 0;
    }
    if (w->n < w->capacity) {
        return true;
    }
    size_t capacity = w->capacity != 0 ? 2 * w->capacity : 8;
    m31ri_run_anomaly *queue =
        capacity <= QUEUE_LIMIT ? m31ri_realloc(w->queue, capacity * sizeof *queue) : NULL;
    if (queue == NULL) {
        return false;
    }
    w->queue = queue;
    w->capacity = capacity;
    return true;
}

static void keep_finding(void *context, const m31ri_finding *f)
{
    m31ri_anomaly_watch *w = context;
    m31ri_buf text = M31RI_BUF_INIT;
    if (!make_room(w)) {
        return;
    }
    m31ri_run_anomaly *a = &w->queue[w->n++];
    *a = (m31ri_run_anomaly){
        .is_cleared = f->verdict == M31RI_CLEARED, .is_old = w->is_replay, .finding = *f};
    a->finding.metric = NULL;
    snprintf(a->metric, sizeof a->metric, "%s", f->metric);
    if (!a->is_cleared) {
        m31ri_anomaly_evidence(&f->anomaly, &text);
        snprintf(a->evidence, sizeof a->evidence, "%s", m31ri_buf_str(&text));
        m31ri_buf_release(&text);
    }
}

bool m31ri_anomaly_watch_open(m31r_run *run)
{
    if (!run->settings->anomalies) {
        return true;
    }
    m31ri_anomaly_watch *w = m31ri_calloc(1, sizeof *w);
    if (w == NULL) {
        return false;
    }
    int64_t n_ranks = json_integer_value(m31ri_metadata_get(&run->metadata, "ranks"));
    w->run = run;
    w->is_replay = true;
    w->listener = (m31ri_point_listener){.point = hear, .context = w};
    w->watch = m31ri_run_watch_new(&(m31ri_run_watch_options){
        .n_ranks = (int)n_ranks, .found = keep_finding, .role = role_by_definition, .context = w});
    if (w->watch == NULL) {
        m31ri_free(w);
        return false;
    }
    run->anomalies = w;
    return true;
}

void m31ri_anomaly_watch_close(m31r_run *run)
{
    m31ri_anomaly_watch *w = run->anomalies;
    if (w != NULL) {
        m31ri_run_watch_free(w->watch);
        m31ri_free(w->queue);
        m31ri_free(w);
        run->anomalies = NULL;
    }
}

void m31ri_anomaly_watch_forget(m31r_run *run)
{
    m31r_lane *lane = run->anomalies != NULL ? run->anomalies->lane : NULL;
    for (m31r_lane **at = &run->lanes; lane != NULL && *at != NULL; at = &(*at)->next) {
        if (*at == lane) {
            *at = lane->next;
            m31ri_lane_free(lane);
            break;
        }
    }
    m31ri_anomaly_watch_close(run);
}

const m31ri_point_listener *m31ri_anomaly_listener(const m31r_run *run)
{
    return run->anomalies != NULL ? &run->anomalies->listener : NULL;
}

void m31ri_anomaly_watch_begin(m31r_run *run)
{
    if (run->anomalies != NULL) {
        run->anomalies->is_replay = false;
    }
}

void m31ri_anomaly_watch_check(m31r_run *run, int64_t wall_ns)
{
    if (run->anomalies != NULL) {
        m31ri_run_watch_check(run->anomalies->watch, wall_ns);
    }
}

bool m31ri_run_next_anomaly(m31r_run *run, m31ri_run_anomaly *out)
{
    m31ri_anomaly_watch *w = run != NULL ? run->anomalies : NULL;
    if (w == NULL || w->next == w->n) {
        return false;
    }
    *out = w->queue[w->next++];
    return true;
}

/* A number as a value; null for none. */
static m31r_value number(double x)
{
    return isnan(x) ? m31r_of_string(NULL) : m31r_of_double(x);
}

size_t m31ri_run_anomaly_fields(const m31ri_run_anomaly *a,
                                m31ri_field fields[M31RI_ANOMALY_FIELDS])
{
    const m31ri_anomaly *found = &a->finding.anomaly;
    const char *metric = a->metric[0] != '\0' ? a->metric : NULL;
    size_t n = 0;
    fields[n++] = (m31ri_field){"kind", m31r_of_string(m31ri_anomaly_name(found->kind))};
    if (!a->is_cleared) {
        fields[n++] =
            (m31ri_field){"severity", m31r_of_string(m31ri_severity_name(found->severity))};
    }
    fields[n++] = (m31ri_field){"metric", m31r_of_string(metric)};
    if (found->rank >= 0) {
        fields[n++] = (m31ri_field){"rank", m31r_of_int(found->rank)};
    }
    if (a->finding.step != M31R_NO_STEP) {
        fields[n++] = (m31ri_field){"step", m31r_of_int(a->finding.step)};
    }
    if (!a->is_cleared) {
        fields[n++] = (m31ri_field){"evidence", m31r_of_string(a->evidence)};
        fields[n++] = (m31ri_field){"value", number(found->value)};
        fields[n++] = (m31ri_field){"usual", number(found->usual)};
        fields[n++] = (m31ri_field){"limit", number(found->limit)};
    }
    return n;
}

/* The lane that an observer would write, since what the rules say of times differs between two runs
 * of the same thing. It is not there before there is something to say. */
static m31r_lane *lane_of(m31ri_anomaly_watch *w)
{
    m31r_run *run = w->run;
    if (w->lane == NULL && !run->is_file_off) {
        (void)m31ri_run_lane(run, "observer", M31RI_LANE_DIRECT, &w->lane, NULL);
    }
    return w->lane != NULL ? w->lane : run->main_lane;
}

void m31ri_anomaly_watch_report(m31r_run *run)
{
    m31ri_run_anomaly a;
    while (!run->is_observer && m31ri_run_next_anomaly(run, &a)) {
        m31ri_field fields[M31RI_ANOMALY_FIELDS];
        m31r_value keys[M31RI_ANOMALY_FIELDS], values[M31RI_ANOMALY_FIELDS];
        size_t n = m31ri_run_anomaly_fields(&a, fields);
        for (size_t i = 0; i < n; i++) {
            keys[i] = m31r_of_string(fields[i].key);
            values[i] = fields[i].value;
        }
        m31ri_lane_write(lane_of(run->anomalies), a.is_cleared ? M31R_INFO : M31R_WARNING,
                         "observer", m31r_of_string(a.is_cleared ? "anomaly_cleared" : "anomaly"),
                         keys, values, n);
    }
}
