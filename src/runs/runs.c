/* runs.c - m31r/runs.h: rows for a table of runs.
 *
 * A list of thousands must not read every point of every run: metrics.json, written at the end, has
 * what a row needs. It is taken only for a run whose end was recorded and when it is not older than
 * the points; all other runs are computed. What was read once comes from the index while the files
 * stay what they were (run_index.h); without it everything is read, through the same packed form.
 */
#include "m31r/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runs/runs_int.h"
#include "analyse/series_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/number.h"
#include "format/run_files.h"
#include "format/run_find.h"
#include "m31r/series.h"
#include "read/reader_int.h"

#define METRICS_JSON_BYTES (64 * 1024 * 1024)

static const char *const shown_metrics[] = {"val_loss", "loss", "train_loss"};
static const char *const speed_metrics[] = {"tokens_per_sec", "tokens/s"};
#define N_SHOWN (sizeof shown_metrics / sizeof shown_metrics[0])
#define N_SPEED (sizeof speed_metrics / sizeof speed_metrics[0])

/* A run's facts from the index. */
static bool find_facts(m31ri_run_index *index, const char *run_id, m31r_facts *out)
{
    m31ri_piece_bytes piece;
    return m31ri_run_index_get(index, run_id, M31RI_PIECE_FACTS, &piece.bytes, &piece.length) &&
           m31ri_facts_unpack(piece, out);
}

static bool find_known(void *context, const char *run_id, const char **out_name,
                       const char **out_timestamp)
{
    m31r_facts facts;
    if (!find_facts(context, run_id, &facts)) {
        return false;
    }
    *out_name = facts.name;
    *out_timestamp = facts.start;
    return true;
}

m31r_err m31r_runs_open(m31r_runs **out, const char *root, m31r_error *e)
{
    m31r_runs *runs = m31ri_calloc(1, sizeof *runs);
    const char *path = root != NULL ? root : "experiments";
    if (runs == NULL || (runs->root = m31ri_strdup(path)) == NULL) {
        m31ri_free(runs);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the list of runs");
    }
    runs->note = "";
    runs->fd = m31ri_open_dir(AT_FDCWD, path, true);
    m31r_err err = M31R_OK;
    if (runs->fd < 0) {
        err = m31ri_fail_sys(e, errno, path, "opening the directory of runs %s", path);
    } else {
        runs->index = m31ri_run_index_open(path, runs->fd, false, &runs->note);
        m31ri_run_known known = {find_known, runs->index};
        err = m31ri_run_list_read_fd(runs->fd, &known, &runs->list, e);
    }
    if (err == M31R_E_NOTFOUND) {
        err = m31ri_fail(e, M31R_E_NOTFOUND, "there are no runs: no directory %s", path);
        m31ri_fail_hint(e, "m31r run -- PROGRAM makes one; --root DIR looks elsewhere");
    }
    runs->at = runs->list.n;
    if (err != M31R_OK) {
        m31r_runs_close(runs);
        return err;
    }
    *out = runs;
    return M31R_OK;
}

m31r_err m31ri_runs_open_list(m31r_runs **out, const char *root, int fd, m31ri_run_list *list,
                              bool is_few, m31r_error *e)
{
    m31r_runs *runs = m31ri_calloc(1, sizeof *runs);
    if (runs == NULL || (runs->root = m31ri_strdup(root)) == NULL) {
        m31ri_free(runs);
        close(fd);
        m31ri_run_list_release(list);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the list of runs");
    }
    runs->fd = fd;
    runs->list = *list;
    *list = (m31ri_run_list){0};
    runs->at = runs->list.n;
    runs->index = m31ri_run_index_open(root, fd, is_few, &runs->note);
    *out = runs;
    return M31R_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Writes what was learned. Without memory for the list of ids the index is left as it was. */
static void close_index(m31r_runs *runs)
{
    const char **ids = m31ri_calloc(runs->list.n + 1, sizeof *ids);
    for (size_t i = 0; ids != NULL && i < runs->list.n; i++) {
        ids[i] = runs->list.runs[i].run_id;
    }
    if (ids != NULL && runs->list.n > 1) {
        qsort(ids, runs->list.n, sizeof *ids, by_text);
    }
    if (ids != NULL) {
        m31ri_run_index_close(runs->index, ids, runs->list.n);
    } else {
        m31ri_run_index_free(runs->index);
    }
    m31ri_free(ids);
}

void m31r_runs_close(m31r_runs *runs)
{
    if (runs == NULL) {
        return;
    }
    close_index(runs);
    if (runs->fd >= 0) {
        close(runs->fd);
    }
    m31r_reader_close(runs->reader);
    m31ri_run_list_release(&runs->list);
    for (int i = 0; i < M31RI_PIECES; i++) {
        m31ri_buf_release(&runs->pieces[i]);
    }
    m31ri_buf_release(&runs->path);
    m31ri_free(runs->order);
    m31ri_free(runs->root);
    m31ri_free(runs);
}

const char *m31r_runs_note(const m31r_runs *runs)
{
    return runs->note;
}

size_t m31r_runs_count(const m31r_runs *runs)
{
    return runs->order != NULL ? runs->n_order : runs->list.n;
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

/* The reader of the run at hand, opened when it is needed. */
static m31r_err need_reader(m31r_runs *runs, m31r_error *e)
{
    if (runs->reader != NULL) {
        return M31R_OK;
    }
    m31r_err err = m31ri_reader_open_path(&runs->reader, m31ri_buf_str(&runs->path), e);
    if (err == M31R_OK) {
        runs->facts = *m31r_reader_facts(runs->reader);
    }
    return err;
}

/* Facts come from the index when the end was recorded, since then only the files matter; else
 * whether the run lives is looked at. */
m31r_err m31ri_runs_take(m31r_runs *runs, size_t at, m31r_error *e)
{
    if (runs->at == at) {
        return M31R_OK;
    }
    const char *run_id = runs->list.runs[at].run_id;
    m31r_reader_close(runs->reader);
    runs->reader = NULL;
    runs->at = runs->list.n;
    m31ri_buf_clear(&runs->path);
    m31ri_buf_add_format(&runs->path, "%s/%s", runs->root, run_id);
    for (int i = 0; i < M31RI_PIECES; i++) {
        m31ri_buf_clear(&runs->pieces[i]);
    }
    bool is_kept = find_facts(runs->index, run_id, &runs->facts);
    bool is_known = is_kept && runs->facts.end[0] != '\0';
    m31r_err err = is_known ? M31R_OK : need_reader(runs, e);
    if (err != M31R_OK) {
        return err;
    }
    runs->facts.path = m31ri_buf_str(&runs->path);
    if (!is_kept) {
        m31ri_facts_pack(&runs->facts, &runs->pieces[M31RI_PIECE_FACTS]);
        m31ri_run_index_put(runs->index, run_id, M31RI_PIECE_FACTS,
                            &runs->pieces[M31RI_PIECE_FACTS]);
    }
    runs->at = at;
    return M31R_OK;
}

static m31r_err fill_numbers(m31r_runs *runs, m31r_run_row *row, m31r_error *e)
{
    m31r_err err = need_reader(runs, e);
    if (err != M31R_OK) {
        return err;
    }
    bool is_ended = row->facts->end[0] != '\0' && json_is_fresh(runs->reader->fd);
    if (!is_ended || !fill_from_json(runs->reader, row)) {
        empty_row(row);
        err = fill_from_points(runs->reader, row, e);
    }
    return err;
}

m31r_err m31ri_runs_piece(m31r_runs *runs, m31ri_piece kind, m31ri_piece_bytes *out, m31r_error *e)
{
    const char *run_id = runs->list.runs[runs->at].run_id;
    m31ri_buf *made = &runs->pieces[kind];
    if (made->length == 0 &&
        m31ri_run_index_get(runs->index, run_id, kind, &out->bytes, &out->length)) {
        return M31R_OK;
    }
    if (made->length == 0) {
        m31r_run_row row = {.facts = &runs->facts};
        m31r_err err = need_reader(runs, e);
        empty_row(&row);
        if (err == M31R_OK && kind == M31RI_PIECE_NUMBERS &&
            (err = fill_numbers(runs, &row, e)) == M31R_OK) {
            m31ri_numbers_pack(&row, made);
        } else if (err == M31R_OK && kind == M31RI_PIECE_METRICS) {
            m31ri_metrics_pack(runs->reader, made);
        } else if (err == M31R_OK && kind == M31RI_PIECE_CONFIG) {
            m31ri_config_pack(runs->reader, made);
        }
        if (err != M31R_OK) {
            return err;
        }
        m31ri_run_index_put(runs->index, run_id, kind, made);
    }
    *out = (m31ri_piece_bytes){m31ri_buf_str(made), made->length};
    return m31ri_buf_ok(made) ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory for a run");
}

size_t m31ri_runs_place(const m31r_runs *runs, size_t i)
{
    return runs->order != NULL ? runs->order[i] : runs->list.n - 1 - i;
}

static m31r_err judge(m31r_runs *runs, m31r_expr *expr, bool *out, m31r_error *e)
{
    m31ri_piece_bytes config = {0};
    m31ri_piece_bytes metrics = {0};
    m31r_err err = M31R_OK;
    if (m31ri_expr_asks_config(expr)) {
        err = m31ri_runs_piece(runs, M31RI_PIECE_CONFIG, &config, e);
    }
    if (err == M31R_OK && m31ri_expr_asks_metrics(expr)) {
        err = m31ri_runs_piece(runs, M31RI_PIECE_METRICS, &metrics, e);
    }
    *out = err == M31R_OK && m31ri_expr_holds_pieces(expr, &runs->facts, config, metrics);
    return err;
}

m31r_err m31r_runs_set_filter(m31r_runs *runs, m31r_expr *expr, m31r_error *e)
{
    size_t n = 0;
    size_t *order = m31ri_calloc(runs->list.n + 1, sizeof *order);
    if (order == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the list of runs");
    }
    for (size_t i = runs->list.n; i-- > 0;) {
        bool holds = false;
        m31r_err err = m31ri_runs_take(runs, i, e);
        if (err == M31R_OK) {
            err = judge(runs, expr, &holds, e);
        }
        if (err != M31R_OK && err != M31R_E_NOTFOUND) {
            m31ri_free(order);
            return err;
        }
        if (holds) {
            order[n++] = i;
        }
    }
    m31ri_free(runs->order);
    runs->order = order;
    runs->n_order = n;
    return M31R_OK;
}

m31r_err m31r_runs_facts(m31r_runs *runs, size_t i, const m31r_facts **out, m31r_error *e)
{
    if (i >= m31r_runs_count(runs)) {
        return m31ri_fail(e, M31R_E_NOTFOUND, "there is no run number %zu", i);
    }
    m31r_err err = m31ri_runs_take(runs, m31ri_runs_place(runs, i), e);
    if (err == M31R_OK) {
        *out = &runs->facts;
    }
    return err;
}

m31r_err m31r_runs_get(m31r_runs *runs, size_t i, m31r_run_row *out, m31r_error *e)
{
    m31r_run_row row = {0};
    m31ri_piece_bytes numbers;
    m31r_err err = m31r_runs_facts(runs, i, &row.facts, e);
    if (err == M31R_OK) {
        err = m31ri_runs_piece(runs, M31RI_PIECE_NUMBERS, &numbers, e);
    }
    if (err != M31R_OK) {
        return err;
    }
    if (!m31ri_numbers_unpack(numbers, &row)) {
        return m31ri_fail(e, M31R_E_CORRUPT, "the numbers of %s are not whole", row.facts->run_id);
    }
    *out = row;
    return M31R_OK;
}

m31r_err m31r_runs_bytes(m31r_runs *runs, size_t i, uint64_t *out, m31r_error *e)
{
    m31ri_run_files files;
    uint64_t bytes = 0;
    struct stat st;
    if (i >= m31r_runs_count(runs)) {
        return m31ri_fail(e, M31R_E_NOTFOUND, "there is no run number %zu", i);
    }
    const char *run_id = runs->list.runs[m31ri_runs_place(runs, i)].run_id;
    int fd = m31ri_open_dir(runs->fd, run_id, false);
    m31r_err err = fd >= 0 ? m31ri_run_files_read(fd, &files, e)
                           : m31ri_fail_sys(e, errno, run_id, "opening %s", run_id);
    for (size_t k = 0; err == M31R_OK && k < files.n; k++) {
        if (fstatat(fd, files.files[k].path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            bytes += (uint64_t)st.st_size;
        }
    }
    if (err == M31R_OK) {
        m31ri_run_files_release(&files);
        *out = bytes;
    }
    if (fd >= 0) {
        close(fd);
    }
    return err;
}
