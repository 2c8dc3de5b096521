/* history_rows.c - a run as a line, a line as an object. Runs go through their lines too, so that a
 * file and the runs it was made of give the same answers. */
#include "trend/history_rows.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runs/run_pieces_int.h"
#include "runs/runs_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "m31r/json.h"
#include "read/reader_int.h"

#define FIRST_ROWS 64

static void add_identity(m31r_json *j, const m31r_facts *f)
{
    char machine[512];
    snprintf(machine, sizeof machine, "%s, %s, %lld processors", f->arch, f->cpu_model,
             (long long)(f->cpus == M31R_UNKNOWN ? 0 : f->cpus));
    m31r_json_add_text(j, "run_id", f->run_id);
    m31r_json_add_text(j, "ts", f->start);
    m31r_json_add_text(j, "name", f->name);
    m31r_json_add_text(j, "stage", f->stage);
    m31r_json_add_text(j, "state", m31r_state_name(f->state));
    m31r_json_add_text(j, "commit", f->commit.value);
    m31r_json_add_bool(j, "dirty", f->is_dirty);
    m31r_json_add_text(j, "host", f->host);
    m31r_json_add_text(j, "machine", f->arch[0] != '\0' ? machine : "");
    m31r_json_add_text(j, "config_sha256", f->config.digest);
    m31r_json_add_text(j, "dataset", f->dataset.value);
    m31r_json_add_text(j, "tokenizer", f->tokenizer.value);
    m31r_json_add_text(j, "seed", f->seed.value);
    m31r_json_add_text(j, "tags", f->tags);
    m31r_json_add_text(j, "release", f->release);
}

static void add_config(m31r_json *j, m31ri_piece_bytes config)
{
    m31ri_config_entry entry;
    m31r_json_open(j, "config", '{');
    while (m31ri_config_next(&config, &entry)) {
        const m31ri_expr_value *v = &entry.value;
        if (v->is & M31RI_IS_INT) {
            m31r_json_add_int(j, entry.key, v->i);
        } else if (v->is & M31RI_IS_DOUBLE) {
            m31r_json_add_double(j, entry.key, v->d);
        } else if (v->is & M31RI_IS_BOOL) {
            m31r_json_add_bool(j, entry.key, v->b);
        } else if (v->is & M31RI_IS_TEXT) {
            m31r_json_add_bytes(j, entry.key, v->text, v->length);
        }
    }
    m31r_json_close(j);
}

/* `definitions`: the member "metrics" of metadata.json; NULL for none. */
static void add_metrics(m31r_json *j, m31ri_piece_bytes metrics, const json_t *definitions)
{
    static const char *const names[M31RI_METRIC_NUMBERS] = {"last", "min", "max", "mean"};
    m31ri_metric_entry m;
    int64_t last_step;
    bool has_more = m31ri_metrics_begin(&metrics, &last_step);
    m31r_json_open(j, "metrics", '{');
    while (has_more && m31ri_metrics_next(&metrics, &m)) {
        const json_t *defined = json_object_get(definitions, m.name);
        const char *better = json_string_value(json_object_get(defined, "better"));
        m31r_json_open(j, m.name, '{');
        for (size_t i = 0; i < M31RI_METRIC_NUMBERS; i++) {
            m31r_json_add_double(j, names[i], m.numbers[i]);
        }
        m31r_json_add_int(j, "count", m.n);
        if (better != NULL) {
            m31r_json_add_text(j, "better", better);
        }
        m31r_json_close(j);
    }
    m31r_json_close(j);
}

static m31r_err print_line(m31r_json *j, m31ri_buf *out, m31r_error *e)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (stream == NULL) {
        m31r_json_free(j);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a line");
    }
    m31r_err err = m31r_json_write(j, stream, e);
    if (fclose(stream) != 0 && err == M31R_OK) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for a line");
    }
    m31ri_buf_add(out, text, err == M31R_OK ? length : 0);
    free(text);
    return err;
}

m31r_err m31ri_history_line(m31r_runs *runs, size_t i, bool with_definitions, m31ri_buf *out,
                            m31r_error *e)
{
    const m31r_facts *facts;
    m31ri_piece_bytes config, metrics;
    m31r_reader *reader = NULL;
    m31r_err err = m31r_runs_facts(runs, i, &facts, e);
    if (err == M31R_OK) {
        err = m31ri_runs_piece(runs, M31RI_PIECE_CONFIG, &config, e);
    }
    if (err == M31R_OK) {
        err = m31ri_runs_piece(runs, M31RI_PIECE_METRICS, &metrics, e);
    }
    if (err == M31R_OK && with_definitions) {
        err = m31r_reader_open(&reader, runs->root, facts->run_id, e);
    }
    if (err != M31R_OK) {
        return err;
    }
    m31r_json *j = m31r_json_new("history");
    add_identity(j, facts);
    add_config(j, config);
    add_metrics(j, metrics, reader != NULL ? m31ri_reader_get(reader, "metrics") : NULL);
    err = print_line(j, out, e);
    m31r_reader_close(reader);
    return err;
}

static bool is_row(const json_t *row)
{
    const char *kind = json_string_value(json_object_get(row, "kind"));
    const char *run_id = json_string_value(json_object_get(row, "run_id"));
    return kind != NULL && strcmp(kind, "history") == 0 && run_id != NULL && run_id[0] != '\0' &&
           json_string_value(json_object_get(row, "ts")) != NULL;
}

m31r_err m31ri_history_add_line(m31ri_history *h, const char *line, size_t length, m31r_error *e)
{
    if (h->n == h->capacity) {
        size_t capacity = h->capacity == 0 ? FIRST_ROWS : h->capacity * 2;
        json_t **rows = m31ri_realloc(h->rows, capacity * sizeof *rows);
        if (rows == NULL) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a history");
        }
        h->rows = rows;
        h->capacity = capacity;
    }
    json_t *row = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
    if (!is_row(row)) {
        json_decref(row);
        m31r_err err = m31ri_fail(e, M31R_E_ARG, "the line is none of a history");
        m31ri_fail_hint(e, "such a file is made by: m31r export --history FILE");
        return err;
    }
    h->rows[h->n++] = row;
    return M31R_OK;
}

m31r_err m31ri_input_read(const char *path, m31ri_buf *out, m31r_error *e)
{
    if (strcmp(path, "-") == 0) {
        return m31ri_read_fd(STDIN_FILENO, M31RI_INPUT_LIMIT, out, e);
    }
    int fd = m31ri_open_input(path);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, path, "opening %s", path);
    }
    m31r_err err = m31ri_read_fd(fd, M31RI_INPUT_LIMIT, out, e);
    close(fd);
    return err;
}

m31r_err m31ri_history_read(m31ri_history *h, const char *path, m31r_error *e)
{
    m31ri_buf bytes = M31RI_BUF_INIT;
    m31r_err err = m31ri_input_read(path, &bytes, e);
    const char *at = bytes.data, *end = err == M31R_OK ? bytes.data + bytes.length : at;
    for (uint32_t line = 1; err == M31R_OK && at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        if (stop > at) {
            err = m31ri_history_add_line(h, at, (size_t)(stop - at), e);
        }
        if (err == M31R_E_ARG) {
            m31ri_fail_at(e, path, line, 0);
        }
        at = stop + 1;
    }
    m31ri_buf_release(&bytes);
    return err;
}

void m31ri_history_release(m31ri_history *h)
{
    for (size_t i = 0; i < h->n; i++) {
        json_decref(h->rows[i]);
    }
    m31ri_free(h->rows);
    *h = (m31ri_history){0};
}

const char *m31ri_history_text(const json_t *row, const char *field, m31ri_buf *scratch)
{
    bool is_config = strncmp(field, "config.", 7) == 0;
    const json_t *value = is_config ? json_object_get(json_object_get(row, "config"), field + 7)
                                    : json_object_get(row, field);
    if (value == NULL || json_is_null(value)) {
        return NULL;
    }
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    m31ri_buf_clear(scratch);
    m31ri_buf_add_str(scratch, text != NULL ? text : "");
    free(text);
    return m31ri_buf_str(scratch);
}

double m31ri_history_number(const json_t *row, const char *metric, const char *statistic,
                            bool *out_has)
{
    const json_t *m = json_object_get(json_object_get(row, "metrics"), metric);
    const json_t *value = json_object_get(m, statistic);
    const char *text = json_string_value(value);
    *out_has = m != NULL;
    if (json_is_number(value)) {
        return json_number_value(value);
    }
    if (text != NULL && strstr(text, "Infinity") != NULL) {
        return text[0] == '-' ? -INFINITY : INFINITY;
    }
    return NAN;
}
