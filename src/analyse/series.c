/* series.c - m31r/series.h: the summary of src/stat and a trace for each metric, from one pass over
 * the points.
 *
 * metrics.json is not read: it is derived from the same points, and `verify` compares the two.
 */
#include "m31r/series.h"

#include <math.h>
#include <string.h>

#include "analyse/chain_int.h"
#include "analyse/series_int.h"
#include "analyse/trace.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "base/name_table.h"
#include "read/reader_int.h"
#include "stat/summary.h"

typedef struct metric_trace {
    char *name;
    m31ri_trace trace;
    double values[M31R_TRACE_LIMIT];
    size_t n_values;
} metric_trace;

/* Where the points of one name go. */
typedef struct column {
    metric_trace *trace; /* NULL: not looked up yet */
    size_t metric;       /* in the summary at hand; M31RI_NO_NAME: not in it yet */
} column;

struct m31r_series {
    const m31r_reader *reader;
    m31ri_summary *summary;
    m31ri_summary *of_file; /* of the file being read; NULL: all in one */
    m31ri_name_table names;
    metric_trace **traces; /* by number of the name: in the order of first appearance */
    size_t *order;         /* indices of `traces` as the caller counts them */
    size_t n_traces;
    column *columns; /* by number of the name among the points being read */
    size_t n_columns;
    uint64_t n_bad, n_torn;
    int64_t last_step;
};

static metric_trace *find_trace(m31r_series *s, const m31ri_point *p)
{
    size_t at = m31ri_name_table_add(&s->names, p->name, p->name_length);
    if (at < s->n_traces) {
        return s->traces[at];
    }
    metric_trace **grown = m31ri_realloc(s->traces, (s->n_traces + 1) * sizeof(metric_trace *));
    metric_trace *t = m31ri_calloc(1, sizeof *t);
    if (grown != NULL) {
        s->traces = grown;
    }
    if (at == M31RI_NO_NAME || t == NULL || grown == NULL) {
        m31ri_free(t);
        return NULL;
    }
    t->name = s->names.names[at].text;
    s->traces[s->n_traces++] = t;
    return t;
}

/* The column of that number, which is at most one more than there are. NULL when memory is out. */
static column *find_column(m31r_series *s, size_t number, const m31ri_point *p)
{
    if (number == s->n_columns) {
        column *grown = m31ri_realloc(s->columns, (number + 1) * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        s->columns = grown;
        s->columns[s->n_columns++] = (column){NULL, M31RI_NO_NAME};
    }
    column *c = &s->columns[number];
    c->trace = c->trace != NULL ? c->trace : find_trace(s, p);
    return c->trace != NULL ? c : NULL;
}

static bool add_point(m31r_series *s, size_t number, const m31ri_point *p)
{
    m31ri_summary *summary = s->of_file != NULL ? s->of_file : s->summary;
    column *c = number != M31RI_NO_NAME ? find_column(s, number, p) : NULL;
    if (c == NULL || !(c->metric != M31RI_NO_NAME ? m31ri_summary_add_to(summary, c->metric, p)
                                                  : m31ri_summary_add(summary, p))) {
        return false;
    }
    if (c->metric == M31RI_NO_NAME) {
        c->metric = m31ri_summary_find(summary, c->trace->name);
    }
    m31ri_trace_add(&c->trace->trace, p->value);
    s->last_step = p->step > s->last_step ? p->step : s->last_step;
    return true;
}

static void forget_metrics(m31r_series *s)
{
    for (size_t i = 0; i < s->n_columns; i++) {
        s->columns[i].metric = M31RI_NO_NAME;
    }
}

/* Each file of points is summarised by itself and they are merged in their order, as metrics.json
 * is made: what is `last` among ranks is not decided by who wrote last. */
static bool begin_file(m31r_series *s)
{
    if (s->of_file != NULL && !m31ri_summary_merge(s->summary, s->of_file)) {
        return false;
    }
    m31ri_summary_free(s->of_file);
    s->of_file = m31ri_summary_new();
    forget_metrics(s);
    return s->of_file != NULL;
}

static bool end_files(m31r_series *s)
{
    bool ok = s->of_file == NULL || m31ri_summary_merge(s->summary, s->of_file);
    m31ri_summary_free(s->of_file);
    s->of_file = NULL;
    return ok;
}

/* Takes in all of `points` and closes it. */
static m31r_err read_points(m31r_series *s, m31r_points *points, bool by_file, m31r_error *e)
{
    m31r_point_view p;
    m31ri_point point;
    const char *file = NULL;
    bool has_memory = true;
    m31r_err err = M31R_OK;
    s->n_columns = 0;
    while (err == M31R_OK && (err = m31r_points_next(points, &p, e)) == M31R_OK) {
        bool is_new = by_file && p.file != file;
        file = p.file;
        point = (m31ri_point){.name = p.name,
                              .name_length = p.name_length,
                              .step = p.step,
                              .value = p.value,
                              .wall_ns = p.wall_ns,
                              .segment = p.segment};
        has_memory =
            (!is_new || begin_file(s)) && add_point(s, m31ri_points_name(points, &p), &point);
        while (has_memory && m31ri_points_next_here(points, &point)) {
            has_memory = add_point(s, m31ri_points_name_here(points), &point);
        }
        if (!has_memory) {
            err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for the metrics of a run");
        }
    }
    if (err == M31R_EOF) {
        s->n_bad += m31ri_points_bad(points);
        s->n_torn += m31ri_points_torn(points);
        err = end_files(s) ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory for the metrics");
    }
    m31r_points_close(points);
    return err;
}

/* The observer's own metrics come after the program's: what a person asks for comes first. */
static bool is_system(const metric_trace *t)
{
    return strncmp(t->name, "system.", 7) == 0;
}

static m31r_err put_in_order(m31r_series *s, m31r_error *e)
{
    size_t n = 0;
    s->order = m31ri_calloc(s->n_traces + 1, sizeof *s->order);
    if (s->order == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the metrics of a run");
    }
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < s->n_traces; i++) {
            if (is_system(s->traces[i]) == (turn == 1)) {
                s->order[n++] = i;
            }
        }
    }
    return M31R_OK;
}

static m31r_err new_series(m31r_series **out, const m31r_reader *reader, m31r_error *e)
{
    m31r_series *s = m31ri_calloc(1, sizeof *s);
    if (s == NULL || (s->summary = m31ri_summary_new()) == NULL) {
        m31ri_free(s);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the metrics of a run");
    }
    s->reader = reader;
    s->last_step = M31R_NO_STEP;
    *out = s;
    return M31R_OK;
}

/* Hands out the series when all its points were read (`err` is M31R_OK), else closes it. */
static m31r_err finish_series(m31r_series **out, m31r_series *s, m31r_err err, m31r_error *e)
{
    err = err == M31R_OK ? put_in_order(s, e) : err;
    if (err != M31R_OK) {
        m31r_series_close(s);
        return err;
    }
    for (size_t i = 0; i < s->n_traces; i++) {
        s->traces[i]->n_values = m31ri_trace_read(&s->traces[i]->trace, s->traces[i]->values);
    }
    *out = s;
    return M31R_OK;
}

/* Of the points, which are closed, also on failure. */
static m31r_err open_series(m31r_series **out, const m31r_reader *reader, m31r_points *points,
                            bool by_file, m31r_error *e)
{
    m31r_series *s = NULL;
    m31r_err err = new_series(&s, reader, e);
    if (err != M31R_OK) {
        m31r_points_close(points);
        return err;
    }
    return finish_series(out, s, read_points(s, points, by_file, e), e);
}

m31r_err m31r_series_open(m31r_series **out, const m31r_reader *reader, m31r_error *e)
{
    m31r_points *points = NULL;
    m31r_err err = m31r_points_open(&points, reader, e);
    return err == M31R_OK ? open_series(out, reader, points, true, e) : err;
}

/* Adds attempt `i`: summarised by itself, then put behind those before it. */
static m31r_err add_attempt(m31r_series *s, const m31r_chain *chain, size_t i, m31r_error *e)
{
    m31r_points *points = NULL;
    m31ri_summary *before = s->summary;
    m31ri_summary *of_attempt = m31ri_summary_new();
    if (of_attempt == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the metrics of a run");
    }
    m31r_err err = m31ri_points_open_attempts(&points, chain, i, i, e);
    s->summary = of_attempt;
    err = err == M31R_OK ? read_points(s, points, true, e) : err;
    s->summary = before;
    if (err == M31R_OK && !m31ri_summary_append(before, of_attempt)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for the metrics of a run");
    }
    m31ri_summary_free(of_attempt);
    return err;
}

m31r_err m31r_series_open_chain(m31r_series **out, const m31r_chain *chain, m31r_error *e)
{
    m31r_series *s = NULL;
    size_t n = m31r_chain_count(chain);
    if (n == 1) {
        return m31r_series_open(out, m31ri_chain_reader(chain, 0), e);
    }
    m31r_err err = new_series(&s, m31ri_chain_reader(chain, n - 1), e);
    if (err != M31R_OK) {
        return err;
    }
    for (size_t i = 0; i < n && err == M31R_OK; i++) {
        err = add_attempt(s, chain, i, e);
    }
    return finish_series(out, s, err, e);
}

m31r_err m31r_series_open_lines(m31r_series **out, const m31r_reader *reader,
                                m31r_patterns *patterns, m31r_pattern_count *counts, m31r_error *e)
{
    m31r_points *points = NULL;
    m31r_err err = m31r_points_open_lines(&points, reader, patterns, counts, e);
    return err == M31R_OK ? open_series(out, reader, points, false, e) : err;
}

void m31r_series_close(m31r_series *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->n_traces; i++) {
        m31ri_free(s->traces[i]);
    }
    m31ri_free(s->traces);
    m31ri_free(s->order);
    m31ri_free(s->columns);
    m31ri_name_table_release(&s->names);
    m31ri_summary_free(s->summary);
    m31ri_summary_free(s->of_file);
    m31ri_free(s);
}

size_t m31r_series_count(const m31r_series *s)
{
    return s->n_traces;
}

m31r_better m31ri_better_of(const char *name)
{
    static const struct {
        const char *name;
        m31r_better better;
    } known[] = {
        {"loss", M31R_BETTER_LOWER},
        {"train_loss", M31R_BETTER_LOWER},
        {"val_loss", M31R_BETTER_LOWER},
        {"compile_rate", M31R_BETTER_HIGHER},
        {"pass_at_k", M31R_BETTER_HIGHER},
        {"pass@k", M31R_BETTER_HIGHER},
        {"tokens_per_sec", M31R_BETTER_HIGHER},
        {"tokens/s", M31R_BETTER_HIGHER},
        {"latency", M31R_BETTER_LOWER},
        {"latency_ms", M31R_BETTER_LOWER},
        {"memory", M31R_BETTER_LOWER},
        {"memory_mb", M31R_BETTER_LOWER},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].better;
        }
    }
    return M31R_BETTER_UNKNOWN;
}

static void fill_definition(const m31r_series *s, m31r_metric_facts *out)
{
    const json_t *all = m31ri_reader_get(s->reader, "metrics");
    const json_t *defined = json_object_get(all, out->name);
    const char *unit = json_string_value(json_object_get(defined, "unit"));
    const char *better = json_string_value(json_object_get(defined, "better"));
    out->unit = unit != NULL ? unit : "";
    out->better = m31ri_better_of(out->name);
    if (better != NULL && strcmp(better, "lower") == 0) {
        out->better = M31R_BETTER_LOWER;
    } else if (better != NULL && strcmp(better, "higher") == 0) {
        out->better = M31R_BETTER_HIGHER;
    }
}

m31r_err m31r_series_get(const m31r_series *s, size_t i, m31r_metric_facts *out)
{
    m31ri_metric_summary m;
    if (i >= s->n_traces || i >= m31ri_summary_count(s->summary)) {
        return M31R_E_NOTFOUND;
    }
    const metric_trace *t = s->traces[s->order[i]];
    m31ri_summary_get(s->summary, s->order[i], &m);
    memset(out, 0, sizeof *out);
    out->name = t->name;
    fill_definition(s, out);
    out->n = m.count;
    out->n_nonfinite = m.n_nonfinite;
    out->n_segments = m.segments;
    bool has_finite = m.count > m.n_nonfinite;
    out->first = m.first;
    out->last = m.last;
    out->min = has_finite ? m.min : NAN;
    out->max = has_finite ? m.max : NAN;
    out->mean = has_finite ? m.mean : NAN;
    out->std = has_finite ? m.std : NAN;
    out->p50 = has_finite ? m.p50 : NAN;
    out->p90 = has_finite ? m.p90 : NAN;
    out->p99 = has_finite ? m.p99 : NAN;
    out->first_step = m.first_step;
    out->last_step = m.last_step;
    out->min_step = m.min_step;
    out->max_step = m.max_step;
    out->quantiles_are_exact = m.quantiles_are_exact;
    out->best = NAN;
    out->best_step = M31R_NO_STEP;
    if (out->better != M31R_BETTER_UNKNOWN) {
        bool is_lower = out->better == M31R_BETTER_LOWER;
        out->best = is_lower ? out->min : out->max;
        out->best_step = is_lower ? out->min_step : out->max_step;
    }
    out->trace = t->values;
    out->n_trace = t->n_values;
    return M31R_OK;
}

m31r_err m31r_series_find(const m31r_series *s, const char *name, m31r_metric_facts *out)
{
    for (size_t i = 0; i < s->n_traces; i++) {
        if (strcmp(s->traces[s->order[i]]->name, name) == 0) {
            return m31r_series_get(s, i, out);
        }
    }
    return M31R_E_NOTFOUND;
}

uint64_t m31r_series_bad_lines(const m31r_series *s)
{
    return s->n_bad;
}

uint64_t m31ri_series_torn(const m31r_series *s)
{
    return s->n_torn;
}

int64_t m31r_series_last_step(const m31r_series *s)
{
    return s->last_step;
}
