/* anomalies.c - m31r/anomaly.h of a run: its points are judged again, as they were while it ran,
 * and what was recorded then is put beside it.
 *
 * The points of several ranks lie in a file each; they are read side by side, the earliest first,
 * so that ranks are compared at the same step. A record of the run is that of the first anomaly of
 * the same kind, metric and rank that has none yet; one that no point shows, such as a stall,
 * stands for itself.
 */
#include "m31r/anomaly.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/kept.h"
#include "analyse/series_int.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "format/timestamp.h"
#include "m31r/scan.h"
#include "read/reader_int.h"
#include "stat/run_watch.h"

struct m31r_anomalies {
    m31ri_kept kept;
    m31r_anomaly_facts *items;
    size_t n, capacity, n_all;
    bool failed; /* memory ran out */
};

/* A file of points, and its next one. */
typedef struct points_file {
    m31r_points *points;
    m31r_point_view next;
    int rank;
    bool has_next;
} points_file;

typedef struct pass {
    m31r_anomalies *a;
    const m31r_reader *reader;
    points_file *files;
    size_t n_files;
    m31ri_run_watch *watch;
    const m31r_point_view *at; /* the point that is judged; NULL: the clock alone */
    m31ri_buf text;
} pass;

static const char *keep(m31r_anomalies *a, const char *text)
{
    return m31ri_kept_text(&a->kept, text, strlen(text));
}

static const char *keep_time(m31r_anomalies *a, int64_t wall_ns)
{
    char ts[M31RI_TIMESTAMP_BYTES + 1] = "";
    if (wall_ns != M31R_UNKNOWN) {
        m31ri_timestamp_write(wall_ns, ts);
    }
    return keep(a, ts);
}

static m31r_anomaly_facts *add_item(m31r_anomalies *a)
{
    a->n_all++;
    if (a->n == M31R_ANOMALIES_LIMIT) {
        return NULL;
    }
    if (a->n == a->capacity) {
        size_t capacity = a->capacity != 0 ? 2 * a->capacity : 32;
        m31r_anomaly_facts *items = m31ri_realloc(a->items, capacity * sizeof *items);
        if (items == NULL) {
            a->failed = true;
            return NULL;
        }
        a->items = items;
        a->capacity = capacity;
    }
    return &a->items[a->n++];
}

static void clear_item(m31r_anomalies *a, const m31ri_finding *f)
{
    const char *kind = m31ri_anomaly_name(f->anomaly.kind);
    for (size_t i = a->n; i-- > 0;) {
        m31r_anomaly_facts *item = &a->items[i];
        if (item->is_open && item->rank == f->anomaly.rank && item->kind == kind &&
            strcmp(item->metric, f->metric) == 0) {
            item->is_open = false;
            item->cleared_step = f->step;
            return;
        }
    }
}

static void take_finding(void *context, const m31ri_finding *f)
{
    pass *p = context;
    m31r_anomalies *a = p->a;
    if (f->verdict == M31RI_CLEARED) {
        clear_item(a, f);
        return;
    }
    m31r_anomaly_facts *item = add_item(a);
    if (item == NULL) {
        return;
    }
    m31ri_buf_clear(&p->text);
    m31ri_anomaly_evidence(&f->anomaly, &p->text);
    *item = (m31r_anomaly_facts){
        .kind = m31ri_anomaly_name(f->anomaly.kind),
        .severity = m31ri_severity_name(f->anomaly.severity),
        .metric = keep(a, f->metric),
        .rank = f->anomaly.rank,
        .step = f->step,
        .ts = keep_time(a, f->wall_ns),
        .wall_ns = f->wall_ns,
        .is_open = true,
        .cleared_step = M31R_NO_STEP,
        .evidence = keep(a, m31ri_buf_str(&p->text)),
        .value = f->anomaly.value,
        .usual = f->anomaly.usual,
        .limit = f->anomaly.limit,
        .n = f->anomaly.n,
        .file = p->at != NULL ? keep(a, p->at->file) : "metrics.csv",
        .line = p->at != NULL ? p->at->line_number : 0,
        .record_file = "",
    };
}

static m31ri_metric_role role_by_definition(void *context, const char *name, size_t length)
{
    const pass *p = context;
    const json_t *all = m31ri_reader_get(p->reader, "metrics");
    const json_t *defined = json_object_getn(all, name, length);
    return m31ri_metric_role_of_definition(json_string_value(json_object_get(defined, "unit")),
                                           json_string_value(json_object_get(defined, "better")));
}

static m31r_err read_next(points_file *f, m31r_error *e)
{
    m31r_err err = m31r_points_next(f->points, &f->next, e);
    f->has_next = err == M31R_OK;
    return err == M31R_EOF ? M31R_OK : err;
}

static m31r_err open_files(pass *p, m31r_error *e)
{
    for (;;) {
        points_file f = {0};
        m31r_err err = m31ri_points_open_file(&f.points, p->reader, p->n_files, &f.rank, e);
        if (err != M31R_OK) {
            return err == M31R_EOF ? M31R_OK : err;
        }
        points_file *files = m31ri_realloc(p->files, (p->n_files + 1) * sizeof *files);
        if (files == NULL) {
            m31r_points_close(f.points);
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the points of a run");
        }
        p->files = files;
        p->files[p->n_files++] = f;
        err = read_next(&p->files[p->n_files - 1], e);
        if (err != M31R_OK) {
            return err;
        }
    }
}

static points_file *earliest(const pass *p)
{
    points_file *first = NULL;
    for (size_t i = 0; i < p->n_files; i++) {
        points_file *f = &p->files[i];
        if (f->has_next && (first == NULL || f->next.wall_ns < first->next.wall_ns)) {
            first = f;
        }
    }
    return first;
}

/* A run that is going on may stand still; so may one that did not end well. After a good end
 * nothing need come any more. */
static void check_clock(pass *p)
{
    const m31r_facts *f = m31r_reader_facts(p->reader);
    p->at = NULL;
    if (f->state == M31R_STATE_RUNNING) {
        m31ri_run_watch_check(p->watch, m31ri_wall_ns());
    } else if (f->state != M31R_STATE_FINISHED && f->end_ns != M31R_UNKNOWN) {
        m31ri_run_watch_check(p->watch, f->end_ns);
    }
}

static m31r_err judge_points(pass *p, m31r_error *e)
{
    int n_ranks = 0;
    for (size_t i = 0; i < p->n_files; i++) {
        n_ranks = p->files[i].rank >= n_ranks ? p->files[i].rank + 1 : n_ranks;
    }
    p->watch = m31ri_run_watch_new(&(m31ri_run_watch_options){
        .n_ranks = n_ranks, .found = take_finding, .role = role_by_definition, .context = p});
    if (p->watch == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the anomalies of a run");
    }
    for (points_file *f = earliest(p); f != NULL; f = earliest(p)) {
        const m31r_point_view *v = &f->next;
        m31ri_point point = {.name = v->name,
                             .name_length = v->name_length,
                             .step = v->step,
                             .value = v->value,
                             .wall_ns = v->wall_ns,
                             .segment = v->segment};
        p->at = v;
        m31ri_run_watch_add(p->watch, f->rank, &point);
        m31r_err err = read_next(f, e);
        if (err != M31R_OK) {
            return err;
        }
    }
    check_clock(p);
    return M31R_OK;
}

static void release_pass(pass *p)
{
    for (size_t i = 0; i < p->n_files; i++) {
        m31r_points_close(p->files[i].points);
    }
    m31ri_free(p->files);
    m31ri_run_watch_free(p->watch);
    m31ri_buf_release(&p->text);
}

/* What a record says of an anomaly. */
typedef struct said {
    char kind[32], severity[16], metric[M31RI_POINT_NAME_LIMIT + 1], evidence[256];
    int64_t step;
    int rank;
} said;

static void copy(char *out, size_t size, const m31r_field *f)
{
    size_t n = f->value_length < size - 1 ? f->value_length : size - 1;
    memcpy(out, f->value, n);
    out[n] = '\0';
}

static bool is_key(const m31r_field *f, const char *key)
{
    return strlen(key) == f->key_length && memcmp(f->key, key, f->key_length) == 0;
}

static bool take_field(void *context, const m31r_field *f)
{
    said *s = context;
    if (is_key(f, "kind")) {
        copy(s->kind, sizeof s->kind, f);
    } else if (is_key(f, "severity")) {
        copy(s->severity, sizeof s->severity, f);
    } else if (is_key(f, "metric") && f->type == 's') {
        copy(s->metric, sizeof s->metric, f);
    } else if (is_key(f, "evidence")) {
        copy(s->evidence, sizeof s->evidence, f);
    } else if (is_key(f, "rank") && f->type == 'n') {
        s->rank = (int)strtol(f->value, NULL, 10);
    }
    return true;
}

static m31r_anomaly_facts *without_record(m31r_anomalies *a, const said *s)
{
    for (size_t i = 0; i < a->n; i++) {
        m31r_anomaly_facts *item = &a->items[i];
        if (item->record_line == 0 && item->rank == s->rank && strcmp(item->kind, s->kind) == 0 &&
            strcmp(item->metric, s->metric) == 0) {
            return item;
        }
    }
    return NULL;
}

static void take_record(m31r_anomalies *a, const m31r_record *r)
{
    said s = {.rank = -1};
    m31ri_anomaly_kind kind;
    m31r_record_each(r, take_field, &s);
    if (!m31ri_anomaly_by_name(s.kind, &kind)) {
        return;
    }
    m31r_anomaly_facts *item = without_record(a, &s);
    if (item == NULL) {
        item = add_item(a);
        if (item == NULL) {
            return;
        }
        *item = (m31r_anomaly_facts){.kind = m31ri_anomaly_name(kind),
                                     .severity = keep(a, s.severity),
                                     .metric = keep(a, s.metric),
                                     .rank = s.rank,
                                     .step = r->has_step ? r->step : M31R_NO_STEP,
                                     .ts = keep_time(a, r->wall_ns),
                                     .wall_ns = r->wall_ns,
                                     .is_open = true,
                                     .cleared_step = M31R_NO_STEP,
                                     .evidence = keep(a, s.evidence),
                                     .value = NAN,
                                     .usual = NAN,
                                     .limit = NAN,
                                     .file = keep(a, r->file),
                                     .line = r->line_number};
    }
    item->record_file = keep(a, r->file);
    item->record_line = r->line_number;
}

static bool is_anomaly(const m31r_record *r)
{
    static const char message[] = "anomaly";
    return r->message_length == sizeof message - 1 &&
           memcmp(r->message, message, sizeof message - 1) == 0;
}

static m31r_err read_records(m31r_anomalies *a, const m31r_reader *reader, m31r_error *e)
{
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_scan *scan = NULL;
    m31r_record r;
    options.lane = "observer";
    options.filter.min_level = M31R_WARNING;
    m31r_err err = m31r_scan_open_run(&scan, reader, &options, e);
    if (err == M31R_E_NOTFOUND) {
        return M31R_OK; /* the run was not observed */
    }
    while (err == M31R_OK && (err = m31r_scan_next(scan, &r, e)) == M31R_OK) {
        if (is_anomaly(&r)) {
            take_record(a, &r);
        }
    }
    m31r_scan_close(scan);
    return err == M31R_EOF ? M31R_OK : err;
}

static m31r_err judge_run(m31r_anomalies *a, const m31r_reader *reader, m31r_error *e)
{
    pass p = {.a = a, .reader = reader};
    m31r_err err = open_files(&p, e);
    if (err == M31R_OK) {
        err = judge_points(&p, e);
    }
    a->failed |= !m31ri_buf_ok(&p.text);
    release_pass(&p);
    return err;
}

static m31r_err open_anomalies(m31r_anomalies **out, const m31r_reader *reader,
                               bool is_recorded_only, m31r_error *e)
{
    m31r_anomalies *a = m31ri_calloc(1, sizeof *a);
    if (a == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the anomalies of a run");
    }
    m31r_err err = is_recorded_only ? M31R_OK : judge_run(a, reader, e);
    if (err == M31R_OK) {
        err = read_records(a, reader, e);
    }
    if (err == M31R_OK && (a->failed || a->kept.failed)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for the anomalies of a run");
    }
    if (err != M31R_OK) {
        m31r_anomalies_close(a);
        return err;
    }
    *out = a;
    return M31R_OK;
}

m31r_err m31r_anomalies_open(m31r_anomalies **out, const m31r_reader *reader, m31r_error *e)
{
    return open_anomalies(out, reader, false, e);
}

m31r_err m31r_anomalies_open_recorded(m31r_anomalies **out, const m31r_reader *reader,
                                      m31r_error *e)
{
    return open_anomalies(out, reader, true, e);
}

void m31r_anomalies_close(m31r_anomalies *a)
{
    if (a != NULL) {
        m31ri_free(a->items);
        m31ri_kept_release(&a->kept);
        m31ri_free(a);
    }
}

size_t m31r_anomalies_count(const m31r_anomalies *a)
{
    return a->n_all;
}

m31r_err m31r_anomalies_get(const m31r_anomalies *a, size_t i, m31r_anomaly_facts *out)
{
    if (i >= a->n) {
        return M31R_E_NOTFOUND;
    }
    *out = a->items[i];
    return M31R_OK;
}
