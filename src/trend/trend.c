/* trend.c - rows into groups, groups into series, series into changes and verdicts.
 *
 * Rows come from runs or from a file, all as the same objects (history_rows.h). Each goes into the
 * group of its key, or is set aside with the reason counted: nothing is left out silently. Groups
 * are in the order of their newest run; without fields to group by there is one, that of the newest
 * run, and whoever differs from it is set aside by the first thing that differs.
 */
#include "m31r/trend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/measured.h"
#include "runs/runs_int.h"
#include "analyse/series_int.h"
#include "trend/trend_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "read/reader_int.h"

static const char *const default_by[] = {"machine", "config_sha256"};

const char *m31ri_row_text(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text != NULL ? text : "";
}

const char *m31ri_split_statistic(char *metric)
{
    static const char *const known[] = {"last", "min", "max", "mean"};
    char *dot = strrchr(metric, '.');
    for (size_t i = 0; dot != NULL && i < sizeof known / sizeof *known; i++) {
        if (strcmp(dot + 1, known[i]) == 0) {
            *dot = '\0';
            return known[i];
        }
    }
    return NULL;
}

static m31r_err name_metric(m31r_trend *t, const m31r_trend_options *o, m31r_error *e)
{
    t->metric = m31ri_strdup(o->metric);
    if (t->metric == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    bool is_measured;
    t->statistic = m31ri_split_statistic(t->metric);
    is_measured = m31ri_is_measured(t->metric, strlen(t->metric));
    if (t->statistic == NULL) {
        t->statistic = is_measured ? "mean" : "last";
    }
    t->facts.metric = t->metric;
    t->facts.statistic = t->statistic;
    t->facts.better = o->better;
    if (o->has_gate) {
        double usual = is_measured ? M31R_GATE_PERFORMANCE : M31R_GATE_QUALITY;
        t->facts.gate = o->gate > 0 ? o->gate : usual;
    }
    return M31R_OK;
}

static void set_aside(m31r_trend *t, const char *reason)
{
    size_t i = 0;
    while (i < t->facts.n_aside && strcmp(t->asides[i].reason, reason) != 0) {
        i++;
    }
    if (i == t->facts.n_aside && i < M31RI_ASIDE_LIMIT) {
        t->asides[t->facts.n_aside++].reason = reason;
    }
    t->asides[i].n_runs++;
}

/* Direction by the definition in the row, else in the run's metadata, else by the name. */
static m31r_better direction(const m31r_trend *t, const m31r_trend_options *o, const json_t *row)
{
    const json_t *m = json_object_get(json_object_get(row, "metrics"), t->metric);
    const char *better = json_string_value(json_object_get(m, "better"));
    m31r_reader *reader = NULL;
    if (better == NULL && o->history == NULL &&
        m31r_reader_open(&reader, o->root, m31ri_row_text(row, "run_id"), NULL) == M31R_OK) {
        m = json_object_get(m31ri_reader_get(reader, "metrics"), t->metric);
        better = json_string_value(json_object_get(m, "better"));
    }
    m31r_better known = m31ri_better_of(t->metric);
    if (better != NULL && strcmp(better, "lower") == 0) {
        known = M31R_BETTER_LOWER;
    } else if (better != NULL && strcmp(better, "higher") == 0) {
        known = M31R_BETTER_HIGHER;
    }
    m31r_reader_close(reader);
    return known;
}

static m31r_err read_runs(m31r_trend *t, const m31r_trend_options *o, m31r_error *e)
{
    m31r_runs *runs = NULL;
    m31ri_buf line = M31RI_BUF_INIT;
    m31r_err err = m31r_runs_open(&runs, o->root, e);
    if (err == M31R_OK && o->expr != NULL) {
        err = m31r_runs_set_filter(runs, o->expr, e);
    }
    for (size_t i = err == M31R_OK ? m31r_runs_count(runs) : 0; err == M31R_OK && i > 0; i--) {
        m31ri_buf_clear(&line);
        err = m31ri_history_line(runs, i - 1, false, &line, e);
        if (err == M31R_OK) {
            err = m31ri_history_add_line(&t->history, line.data, line.length, e);
        }
        err = err == M31R_E_NOTFOUND ? M31R_OK : err; /* removed meanwhile */
    }
    m31ri_buf_release(&line);
    m31r_runs_close(runs);
    return err;
}

/* Puts the rows in the order of the commits of a file; those of other commits are set aside. */
static m31r_err order_by_commits(m31r_trend *t, const char *path, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = m31ri_input_read(path, &text, e);
    json_t *places = json_object();
    char *rest = NULL;
    json_int_t n = 0;
    for (char *word = err == M31R_OK && text.length > 0 ? strtok_r(text.data, " \t\r\n", &rest)
                                                        : NULL;
         word != NULL; word = strtok_r(NULL, " \t\r\n", &rest)) {
        (void)json_object_set_new(places, word, json_integer(n++));
    }
    size_t kept = 0;
    for (size_t i = 0; err == M31R_OK && i < t->history.n; i++) {
        json_t *row = t->history.rows[i];
        json_t *place = json_object_get(places, m31ri_row_text(row, "commit"));
        if (place == NULL) {
            set_aside(t, "of a commit that is not in the list");
            json_decref(row);
        } else {
            (void)json_object_set(row, "place", place);
            t->history.rows[kept++] = row;
        }
    }
    t->history.n = err == M31R_OK ? kept : t->history.n;
    json_decref(places);
    m31ri_buf_release(&text);
    return err;
}

/* What a row is ordered by, looked up once. */
typedef struct order_key {
    json_int_t place; /* among the commits; 0 by time */
    const char *ts, *run_id;
    json_t *row;
} order_key;

static int by_key(const void *a, const void *b)
{
    const order_key *x = a, *y = b;
    int order =
        x->place != y->place ? (x->place > y->place) - (x->place < y->place) : strcmp(x->ts, y->ts);
    return order != 0 ? order : strcmp(x->run_id, y->run_id);
}

static m31r_err sort_rows(m31ri_history *h, bool by_commit, m31r_error *e)
{
    order_key *keys = m31ri_calloc(h->n + 1, sizeof *keys);
    if (keys == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the order of runs");
    }
    for (size_t i = 0; i < h->n; i++) {
        json_t *row = h->rows[i];
        const json_t *place = by_commit ? json_object_get(row, "place") : NULL;
        keys[i] = (order_key){.place = json_integer_value(place),
                              .ts = m31ri_row_text(row, "ts"),
                              .run_id = m31ri_row_text(row, "run_id"),
                              .row = row};
    }
    qsort(keys, h->n, sizeof *keys, by_key);
    for (size_t i = 0; i < h->n; i++) {
        h->rows[i] = keys[i].row;
    }
    m31ri_free(keys);
    return M31R_OK;
}

static m31r_err order_rows(m31r_trend *t, const m31r_trend_options *o, m31r_error *e)
{
    m31r_err err = o->commits != NULL ? order_by_commits(t, o->commits, e) : M31R_OK;
    return err == M31R_OK ? sort_rows(&t->history, o->commits != NULL, e) : err;
}

/* Why a row is not one of the series; NULL when it is. */
static const char *why_not(const m31r_trend *t, const m31r_trend_options *o, const json_t *row,
                           const json_t *newest)
{
    static const struct {
        const char *key, *reason;
    } like[] = {{"stage", "another stage"},
                {"machine", "another machine"},
                {"config_sha256", "another config"}};
    bool has;
    (void)m31ri_history_number(row, t->metric, t->statistic, &has);
    if (!has) {
        return "without the metric";
    }
    if (strcmp(m31ri_row_text(row, "state"), "finished") != 0) {
        return "not finished";
    }
    for (size_t i = 0; newest != NULL && o->n_by == 0 && i < sizeof like / sizeof *like; i++) {
        if (strcmp(m31ri_row_text(row, like[i].key), m31ri_row_text(newest, like[i].key)) != 0) {
            return like[i].reason;
        }
    }
    return NULL;
}

static const json_t *find_newest(const m31r_trend *t, const m31r_trend_options *o)
{
    for (size_t i = t->history.n; i > 0; i--) {
        if (why_not(t, o, t->history.rows[i - 1], NULL) == NULL) {
            return t->history.rows[i - 1];
        }
    }
    return NULL;
}

static m31r_err fill_groups(m31r_trend *t, const m31r_trend_options *o, m31r_error *e)
{
    const json_t *newest = find_newest(t, o);
    const char *const *by = o->n_by > 0 ? o->by : default_by;
    size_t n_by = o->n_by > 0 ? o->n_by : sizeof default_by / sizeof *default_by;
    m31ri_buf key = M31RI_BUF_INIT;
    m31r_err err = M31R_OK;
    if (newest != NULL && o->better == M31R_BETTER_UNKNOWN) {
        t->facts.better = direction(t, o, newest);
    }
    /* Newest first, so that groups stand in that order; each is turned round afterwards. */
    for (size_t i = t->history.n; err == M31R_OK && i > 0; i--) {
        const json_t *row = t->history.rows[i - 1];
        const char *reason = why_not(t, o, row, newest);
        bool has;
        if (reason != NULL) {
            set_aside(t, reason);
            continue;
        }
        m31ri_trend_make_key(row, by, n_by, &key);
        err = m31ri_trend_add(t, &key, row,
                              m31ri_history_number(row, t->metric, t->statistic, &has), e);
    }
    m31ri_buf_release(&key);
    return err;
}

static m31r_err no_metric(const m31r_trend *t, const m31r_trend_options *o, m31r_error *e)
{
    m31r_err err = m31ri_fail(e, M31R_E_ARG, "no finished run of %zu has the metric \"%.100s\"",
                              t->history.n, t->metric);
    m31ri_fail_hint(e, "%s",
                    o->history != NULL ? "metrics of a run: m31r metrics RUN"
                                       : "metrics of the latest run: m31r metrics @");
    return err;
}

/* The place of a baseline in a group: of a run by a part of its id, a tag or a release; the newest
 * that fits. */
static size_t find_named(const m31ri_trend_group *g, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = g->n; i > 0; i--) {
        const json_t *row = g->rows[i - 1];
        const char *tags = m31ri_row_text(row, "tags");
        for (const char *at = strstr(tags, name); at != NULL; at = strstr(at + 1, name)) {
            if ((at == tags || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) {
                return i - 1;
            }
        }
        if (strcmp(m31ri_row_text(row, "release"), name) == 0 ||
            strstr(m31ri_row_text(row, "run_id"), name) != NULL) {
            return i - 1;
        }
    }
    return SIZE_MAX;
}

static m31r_err judge_groups(m31r_trend *t, const m31r_trend_options *o, m31r_error *e)
{
    size_t n_found = 0;
    for (size_t i = 0; o->has_gate && i < t->facts.n_groups; i++) {
        m31ri_trend_group *g = &t->groups[i];
        size_t at = o->baseline != NULL ? find_named(g, o->baseline) : SIZE_MAX;
        n_found += at != SIZE_MAX;
        m31ri_gate_judge(&t->facts, g, at);
        t->facts.verdict = g->out.verdict > t->facts.verdict ? g->out.verdict : t->facts.verdict;
    }
    if (o->baseline != NULL && o->has_gate && n_found == 0) {
        return m31ri_fail(e, M31R_E_ARG,
                          "no run that is compared here is, or is tagged, \"%.100s\"", o->baseline);
    }
    return M31R_OK;
}

static m31r_err analyse(m31r_trend *t, const m31r_trend_options *o, m31r_error *e)
{
    if (t->facts.n_groups == 0) {
        return no_metric(t, o, e);
    }
    if (o->has_gate && t->facts.better == M31R_BETTER_UNKNOWN) {
        m31r_err err =
            m31ri_fail(e, M31R_E_CONFIG,
                       "nothing says whether a lower or a higher %.100s is better", t->metric);
        m31ri_fail_hint(e, "--goal min or --goal max; or define it: m31r_metric_define()");
        return err;
    }
    m31r_err err = M31R_OK;
    for (size_t i = 0; err == M31R_OK && i < t->facts.n_groups; i++) {
        m31ri_trend_group *g = &t->groups[i];
        m31ri_trend_turn_round(g);
        t->facts.n_runs += g->n;
        err = m31r_changes_find(&g->changes, g->values, g->n, M31R_PRESET_PERF, e);
    }
    if (err == M31R_OK) {
        err = m31ri_accepted_read(o->root, t, e);
    }
    return err == M31R_OK ? judge_groups(t, o, e) : err;
}

static m31r_err check_options(const m31r_trend_options *o, m31r_error *e)
{
    if (o->size != sizeof *o || o->metric == NULL || o->metric[0] == '\0' ||
        o->n_by > M31R_TREND_BY_LIMIT) {
        return m31ri_fail(e, M31R_E_ARG, "a trend is of one metric, by at most %d fields",
                          M31R_TREND_BY_LIMIT);
    }
    return M31R_OK;
}

m31r_err m31r_trend_open(m31r_trend **out, const m31r_trend_options *options, m31r_error *e)
{
    m31r_err err = check_options(options, e);
    if (err != M31R_OK) {
        return err;
    }
    m31r_trend *t = m31ri_calloc(1, sizeof *t);
    if (t == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a trend");
    }
    err = name_metric(t, options, e);
    if (err == M31R_OK) {
        err = options->history != NULL ? m31ri_history_read(&t->history, options->history, e)
                                       : read_runs(t, options, e);
    }
    if (err == M31R_OK && options->history != NULL && options->expr != NULL) {
        m31ri_history_keep(&t->history, options->expr);
    }
    if (err == M31R_OK) {
        err = order_rows(t, options, e);
    }
    if (err == M31R_OK) {
        err = fill_groups(t, options, e);
    }
    if (err == M31R_OK) {
        err = analyse(t, options, e);
    }
    if (err != M31R_OK) {
        m31r_trend_close(t);
        return err;
    }
    *out = t;
    return M31R_OK;
}

const m31r_trend_facts *m31r_trend_summary(const m31r_trend *t)
{
    return &t->facts;
}

m31r_err m31r_trend_group_at(const m31r_trend *t, size_t i, m31r_trend_group *out)
{
    if (i >= t->facts.n_groups) {
        return M31R_E_NOTFOUND;
    }
    const m31ri_trend_group *g = &t->groups[i];
    *out = g->out;
    out->name = g->name;
    out->n_runs = g->n;
    out->changes = g->changes;
    out->reason = g->reason;
    return M31R_OK;
}

m31r_err m31r_trend_run_at(const m31r_trend *t, size_t group, size_t i, m31r_trend_run *out)
{
    if (group >= t->facts.n_groups || i >= t->groups[group].n) {
        return M31R_E_NOTFOUND;
    }
    const json_t *row = t->groups[group].rows[i];
    *out = (m31r_trend_run){.run_id = m31ri_row_text(row, "run_id"),
                            .ts = m31ri_row_text(row, "ts"),
                            .commit = m31ri_row_text(row, "commit"),
                            .value = t->groups[group].values[i]};
    return M31R_OK;
}

m31r_err m31r_trend_aside_at(const m31r_trend *t, size_t i, m31r_trend_aside *out)
{
    if (i >= t->facts.n_aside) {
        return M31R_E_NOTFOUND;
    }
    *out = t->asides[i];
    return M31R_OK;
}

void m31r_trend_close(m31r_trend *t)
{
    if (t == NULL) {
        return;
    }
    m31ri_trend_release_groups(t);
    m31ri_free(t->metric);
    m31ri_history_release(&t->history);
    m31ri_free(t);
}
