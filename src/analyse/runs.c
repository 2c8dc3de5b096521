/* runs.c - m31r/runs.h: rows for a table of runs.
 *
 * A list of thousands must not read every point of every run: metrics.json, written at the end, has
 * what a row needs. It is taken only for a run whose end was recorded and when it is not older than
 * the points; all other runs are computed.
 */
#include "m31r/runs.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyse/series_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/number.h"
#include "format/run_find.h"
#include "m31r/series.h"
#include "read/reader_int.h"

#define METRICS_JSON_BYTES (64 * 1024 * 1024)

static const char *const shown_metrics[] = {"val_loss", "loss", "train_loss"};
static const char *const speed_metrics[] = {"tokens_per_sec", "tokens/s"};
#define N_SHOWN (sizeof shown_metrics / sizeof shown_metrics[0])
#define N_SPEED (sizeof speed_metrics / sizeof speed_metrics[0])

struct m31r_runs {
    char *root;
    m31ri_run_list list; /* oldest first */
    size_t *kept;        /* which of the list an expression let through, newest first; NULL: all */
    size_t n_kept;
    m31r_reader *reader; /* of the last row */
};

m31r_err m31r_runs_open(m31r_runs **out, const char *root, m31r_error *e)
{
    m31r_runs *runs = m31ri_calloc(1, sizeof *runs);
    const char *path = root != NULL ? root : "experiments";
    if (runs == NULL || (runs->root = m31ri_strdup(path)) == NULL) {
        m31ri_free(runs);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the list of runs");
    }
    m31r_err err = m31ri_run_list_read(path, &runs->list, e);
    if (err == M31R_E_NOTFOUND) {
        err = m31ri_fail(e, M31R_E_NOTFOUND, "there are no runs: no directory %s", path);
        m31ri_fail_hint(e, "m31r run -- PROGRAM makes one; --root DIR looks elsewhere");
    }
    if (err != M31R_OK) {
        m31r_runs_close(runs);
        return err;
    }
    *out = runs;
    return M31R_OK;
}

void m31r_runs_close(m31r_runs *runs)
{
    if (runs != NULL) {
        m31r_reader_close(runs->reader);
        m31ri_run_list_release(&runs->list);
        m31ri_free(runs->kept);
        m31ri_free(runs->root);
        m31ri_free(runs);
    }
}

size_t m31r_runs_count(const m31r_runs *runs)
{
    return runs->kept != NULL ? runs->n_kept : runs->list.n;
}

static double double_of(const json_t *value)
{
    double x;
    const char *text = json_string_value(value);
    if (text != NULL && m31ri_number_read_double(text, strlen(text), &x)) {
        return x;
    }
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool json_is_fresh(int dir)
{
    struct stat summary, points;
    if (fstatat(dir, "metrics.json", &summary, AT_SYMLINK_NOFOLLOW) != 0 ||
        fstatat(dir, "metrics.csv", &points, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    return summary.st_mtim.tv_sec > points.st_mtim.tv_sec ||
           (summary.st_mtim.tv_sec == points.st_mtim.tv_sec &&
            summary.st_mtim.tv_nsec >= points.st_mtim.tv_nsec);
}

static void row_of_metric(m31r_run_row *row, const char *name, const json_t *metric)
{
    const json_t *step = json_object_get(metric, "min_step");
    row->metric = name;
    row->metric_last = double_of(json_object_get(metric, "last"));
    row->metric_best = double_of(json_object_get(metric, "min"));
    row->metric_best_step = json_is_integer(step) ? json_integer_value(step) : M31R_UNKNOWN;
}

/* Fills the row from metrics.json. False when it does not have what is needed. */
static bool fill_from_json(const m31r_reader *reader, m31r_run_row *row)
{
    m31ri_buf text = M31RI_BUF_INIT;
    const char *name;
    json_t *metric;
    m31r_err err = m31ri_read_file(reader->fd, "metrics.json", METRICS_JSON_BYTES, &text, NULL);
    json_t *root = err == M31R_OK ? json_loadb(m31ri_buf_str(&text), text.length, 0, NULL) : NULL;
    json_t *metrics = json_object_get(root, "metrics");
    bool is_fine = json_is_object(metrics);
    json_object_foreach(metrics, name, metric)
    {
        const json_t *step = json_object_get(metric, "last_step");
        is_fine = is_fine && step != NULL;
        if (json_is_integer(step) && json_integer_value(step) > row->last_step) {
            row->last_step = json_integer_value(step);
        }
    }
    for (size_t i = N_SHOWN; i-- > 0 && is_fine;) {
        metric = json_object_get(metrics, shown_metrics[i]);
        if (metric != NULL) {
            row_of_metric(row, shown_metrics[i], metric);
        }
    }
    for (size_t i = 0; i < N_SPEED && isnan(row->tokens_per_sec); i++) {
        row->tokens_per_sec =
            double_of(json_object_get(json_object_get(metrics, speed_metrics[i]), "last"));
    }
    json_decref(root);
    m31ri_buf_release(&text);
    return is_fine;
}

static m31r_err fill_from_points(const m31r_reader *reader, m31r_run_row *row, m31r_error *e)
{
    m31r_series *series = NULL;
    m31r_metric_facts m;
    m31r_err err = m31r_series_open(&series, reader, e);
    if (err != M31R_OK) {
        return err;
    }
    row->last_step = m31r_series_last_step(series);
    for (size_t i = 0; i < N_SHOWN && row->metric[0] == '\0'; i++) {
        if (m31r_series_find(series, shown_metrics[i], &m) == M31R_OK) {
            row->metric = shown_metrics[i];
            row->metric_last = m.last;
            row->metric_best = m.best;
            row->metric_best_step = m.best_step;
        }
    }
    for (size_t i = 0; i < N_SPEED && isnan(row->tokens_per_sec); i++) {
        if (m31r_series_find(series, speed_metrics[i], &m) == M31R_OK) {
            row->tokens_per_sec = m.last;
        }
    }
    m31r_series_close(series);
    return M31R_OK;
}

static void empty_row(m31r_run_row *row)
{
    row->last_step = M31R_UNKNOWN;
    row->metric = "";
    row->metric_last = row->metric_best = row->tokens_per_sec = NAN;
    row->metric_best_step = M31R_UNKNOWN;
}

/* Opens the run at `at` of the list. */
static m31r_err open_listed(m31r_runs *runs, size_t at, m31r_error *e)
{
    m31ri_buf path = M31RI_BUF_INIT;
    m31r_reader_close(runs->reader);
    runs->reader = NULL;
    m31ri_buf_add_format(&path, "%s/%s", runs->root, runs->list.runs[at].run_id);
    m31r_err err = m31ri_reader_open_path(&runs->reader, m31ri_buf_str(&path), e);
    m31ri_buf_release(&path);
    return err;
}

m31r_err m31r_runs_set_filter(m31r_runs *runs, m31r_expr *expr, m31r_error *e)
{
    size_t n = 0;
    size_t *kept = m31ri_calloc(runs->list.n + 1, sizeof *kept);
    if (kept == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the list of runs");
    }
    for (size_t i = runs->list.n; i-- > 0;) {
        m31r_err err = open_listed(runs, i, e);
        if (err != M31R_OK && err != M31R_E_NOTFOUND) {
            m31ri_free(kept);
            return err;
        }
        if (err == M31R_OK && m31r_expr_holds_run(expr, runs->reader)) {
            kept[n++] = i;
        }
    }
    m31ri_free(runs->kept);
    runs->kept = kept;
    runs->n_kept = n;
    return M31R_OK;
}

m31r_err m31r_runs_facts(m31r_runs *runs, size_t i, const m31r_facts **out, m31r_error *e)
{
    if (i >= m31r_runs_count(runs)) {
        return m31ri_fail(e, M31R_E_NOTFOUND, "there is no run number %zu", i);
    }
    m31r_err err = open_listed(runs, runs->kept != NULL ? runs->kept[i] : runs->list.n - 1 - i, e);
    if (err == M31R_OK) {
        *out = m31r_reader_facts(runs->reader);
    }
    return err;
}

m31r_err m31r_runs_get(m31r_runs *runs, size_t i, m31r_run_row *out, m31r_error *e)
{
    m31r_run_row row = {0};
    m31r_err err = m31r_runs_facts(runs, i, &row.facts, e);
    if (err != M31R_OK) {
        return err;
    }
    empty_row(&row);
    bool is_ended = row.facts->end[0] != '\0' && json_is_fresh(runs->reader->fd);
    if (!is_ended || !fill_from_json(runs->reader, &row)) {
        empty_row(&row);
        err = fill_from_points(runs->reader, &row, e);
    }
    if (err == M31R_OK) {
        *out = row;
    }
    return err;
}
