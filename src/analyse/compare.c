/* compare.c - m31r/compare.h: rows collected run by run from metadata.json, the config snapshot and
 * the points.
 *
 * A row is found by group and key. Configs are compared as flat keys with the scalar's text, so
 * that layout and comments make no difference but 1.0 and 1 do: they may mean different types.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "m31r/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/compare_int.h"
#include "analyse/environment_rows.h"
#include "analyse/kept.h"
#include "analyse/measured.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "format/number.h"
#include "format/yaml.h"
#include "m31r/series.h"
#include "read/reader_int.h"

#define DIFF_BYTES (64 * 1024 * 1024)

enum { RUN, CONFIG, CODE, DATA, ENVIRONMENT, METRIC };
static const char *const groups[] = {"run", "config", "code", "data", "environment", "metric"};

typedef struct row {
    int group;
    size_t order; /* of first appearance */
    m31r_compare_row said;
    m31r_compare_cell cells[M31R_COMPARE_LIMIT];
} row;

struct m31r_comparison {
    size_t n_runs, at; /* `at`: the run that is being read */
    row **rows;
    size_t n_rows, capacity, last_row;
    m31ri_kept kept;
};

static const struct {
    int group;
    const char *key, *path;
} facts[] = {
    {RUN, "state", "state"},
    {RUN, "cause", "cause"},
    {RUN, "exit_status", "exit_status"},
    {RUN, "signal", "signal"},
    {RUN, "stage", "stage"},
    {RUN, "kind", "kind"},
    {RUN, "seed", "seed"},
    {RUN, "seed_source", "sources.seed"},
    {RUN, "resumes", "resumes.run"},
    {RUN, "command", "command.argv"},
    {RUN, "cwd", "command.cwd"},
    {CONFIG, "(path)", "config_path"},
    {CODE, "commit", "git_commit"},
    {CODE, "branch", "code.branch"},
    {CODE, "dirty", "code.dirty"},
    {CODE, "changes_sha256", "code.changes_sha256"},
    {CODE, "diff_sha256", "code.diff.sha256"},
    {CODE, "script", "code.script.path"},
    {CODE, "script_sha256", "code.script.sha256"},
    {DATA, "dataset", "dataset_version"},
    {DATA, "dataset_path", "dataset_path"},
    {DATA, "dataset_sha256", "dataset_sha256"},
    {DATA, "tokenizer", "tokenizer_version"},
    {DATA, "tokenizer_path", "tokenizer_path"},
    {DATA, "tokenizer_sha256", "tokenizer_sha256"},
    {ENVIRONMENT, "host", "host.name"},
    {ENVIRONMENT, "os", "host.os"},
    {ENVIRONMENT, "kernel", "host.kernel"},
    {ENVIRONMENT, "arch", "host.arch"},
    {ENVIRONMENT, "cpu_model", "host.cpu_model"},
    {ENVIRONMENT, "cpus", "host.cpus"},
    {ENVIRONMENT, "memory_bytes", "host.memory_bytes"},
    {ENVIRONMENT, "library_version", "writer.library_version"},
    {ENVIRONMENT, "ranks", "ranks"},
    {ENVIRONMENT, "capture", "capture"},
};

static row *find_row(m31r_comparison *c, int group, const char *key)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        size_t at = (c->last_row + 1 + i) % c->n_rows;
        if (c->rows[at]->group == group && strcmp(c->rows[at]->said.key, key) == 0) {
            c->last_row = at;
            return c->rows[at];
        }
    }
    if (c->n_rows == c->capacity) {
        size_t capacity = c->capacity * 2 + 64;
        row **grown = m31ri_realloc(c->rows, capacity * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        c->rows = grown;
        c->capacity = capacity;
    }
    row *added = m31ri_calloc(1, sizeof *added);
    if (added == NULL) {
        return NULL;
    }
    added->group = group;
    added->order = c->n_rows;
    added->said.group = groups[group];
    added->said.key = m31ri_kept_text(&c->kept, key, strlen(key));
    for (size_t i = 0; i < M31R_COMPARE_LIMIT; i++) {
        added->cells[i] = (m31r_compare_cell){.number = NAN, .delta = NAN, .relative = NAN};
    }
    c->rows[c->n_rows++] = added;
    return added;
}

static void set_cell(m31r_comparison *c, int group, const char *key, const char *text)
{
    row *r = find_row(c, group, key);
    if (r == NULL) {
        c->kept.failed = true;
        return;
    }
    m31r_compare_cell *cell = &r->cells[c->at];
    cell->text = m31ri_kept_text(&c->kept, text, strlen(text));
    /* A digest may look like a number. */
    bool has_numbers = group != CODE && group != DATA;
    if (!has_numbers || !m31ri_number_read_double(text, strlen(text), &cell->number)) {
        cell->number = NAN;
    }
}

/* A value of metadata.json as text; NULL when it says nothing. */
static const char *fact_text(m31r_comparison *c, const json_t *value)
{
    if (json_is_boolean(value)) {
        return json_is_true(value) ? "true" : "false";
    }
    if (json_is_integer(value)) {
        return m31ri_kept_format(&c->kept, "%lld", (long long)json_integer_value(value));
    }
    if (!json_is_array(value)) {
        return json_string_value(value);
    }
    m31ri_buf text = M31RI_BUF_INIT;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *word = json_string_value(json_array_get(value, i));
        m31ri_buf_add_str(&text, i > 0 ? " " : "");
        m31ri_buf_add_str(&text, word != NULL ? word : "?");
    }
    const char *kept = m31ri_kept_text(&c->kept, m31ri_buf_str(&text), text.length);
    c->kept.failed |= text.failed;
    m31ri_buf_release(&text);
    return kept;
}

static void add_environment(void *context, const char *key, const char *text)
{
    set_cell(context, ENVIRONMENT, key, text);
}

static void add_facts(m31r_comparison *c, const m31r_reader *r)
{
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const char *text = fact_text(c, m31ri_reader_get(r, facts[i].path));
        if (text != NULL) {
            set_cell(c, facts[i].group, facts[i].key, text);
        }
    }
    set_cell(c, RUN, "state", m31r_state_name(r->facts.state));
    m31ri_environment_each(m31ri_reader_get(r, "environment"), add_environment, c);
}

/* Times, steps, and the files that are not in the commit. */
static void add_derived(m31r_comparison *c, const m31r_reader *r)
{
    const m31r_facts *f = &r->facts;
    const json_t *untracked = m31ri_reader_get(r, "code.untracked");
    if (f->start_ns != M31R_UNKNOWN && f->end_ns != M31R_UNKNOWN && f->end[0] != '\0') {
        const char *text =
            m31ri_kept_format(&c->kept, "%.3f", (double)(f->end_ns - f->start_ns) / 1e9);
        set_cell(c, RUN, "duration_s", text);
        row *added = find_row(c, RUN, "duration_s");
        if (added != NULL) {
            added->said.is_measured = true;
        }
    }
    for (size_t i = 0; i < json_array_size(untracked); i++) {
        const json_t *file = json_array_get(untracked, i);
        const char *path = json_string_value(json_object_get(file, "path"));
        const char *digest = json_string_value(json_object_get(file, "sha256"));
        if (path != NULL) {
            set_cell(c, CODE, m31ri_kept_format(&c->kept, "untracked %s", path),
                     digest != NULL ? digest : "");
        }
    }
}

/* Which files the kept diff changes, each with the digest of its part: the first that differs says
 * where two work trees part. */
static m31r_err add_diff(m31r_comparison *c, const m31r_reader *r, m31r_error *e)
{
    static const char head[] = "diff --git a/";
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = r->facts.diff_file[0] != '\0'
                       ? m31ri_read_file(r->fd, r->facts.diff_file, DIFF_BYTES, &text, NULL)
                       : M31R_E_NOTFOUND;
    const char *at = err == M31R_OK ? strstr(m31ri_buf_str(&text), head) : NULL;
    while (at != NULL) {
        const char *name = at + sizeof head - 1;
        const char *end = strstr(name, "\ndiff --git a/");
        size_t length = end != NULL ? (size_t)(end - at) : strlen(at);
        const char *space = memmem(name, strcspn(name, "\n"), " b/", 3);
        uint8_t digest[M31RI_SHA256_BYTES];
        char hex[M31RI_SHA256_HEX];
        m31ri_sha256_of(at, length, digest);
        m31ri_sha256_hex(digest, hex);
        int n_name = space != NULL ? (int)(space - name) : (int)strcspn(name, "\n");
        set_cell(c, CODE, m31ri_kept_format(&c->kept, "diff %.*s", n_name, name), hex);
        at = end != NULL ? end + 1 : NULL;
    }
    m31ri_buf_release(&text);
    return err == M31R_E_NOMEM ? m31ri_fail(e, err, "out of memory for a diff") : M31R_OK;
}

static void add_scalar(void *context, const char *dotted, const m31ri_yaml_node *n)
{
    set_cell(context, CONFIG, dotted, n->text != NULL ? n->text : "");
}

static m31r_err add_config(m31r_comparison *c, const m31r_reader *r, m31r_error *e)
{
    static const char file[] = "config_snapshot.yaml";
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_yaml *yaml = NULL;
    m31r_error reason = {0};
    m31r_err err = m31ri_read_file(r->fd, file, M31RI_YAML_BYTES, &text, &reason);
    if (err == M31R_OK) {
        err = m31ri_yaml_read(m31ri_buf_str(&text), text.length, file, &yaml, &reason);
    }
    if (err == M31R_OK) {
        m31ri_yaml_each_scalar(m31ri_yaml_root(yaml), add_scalar, c);
    } else if (err == M31R_E_NOMEM) {
        err = m31ri_fail(e, err, "%s", reason.message);
    } else {
        set_cell(c, CONFIG, "(unreadable)", reason.message);
        err = M31R_OK;
    }
    m31ri_yaml_free(yaml);
    m31ri_buf_release(&text);
    return err;
}

static void set_number(m31r_comparison *c, const char *name, const char *what, double value)
{
    char key[512];
    char text[M31RI_NUMBER_BYTES + 1];
    snprintf(key, sizeof key, "%s.%s", name, what);
    text[m31ri_number_write_double(value, text)] = '\0';
    set_cell(c, METRIC, key, text);
    row *r = find_row(c, METRIC, key);
    if (r != NULL) {
        r->said.is_measured = m31ri_is_measured(name, strlen(name));
    }
}

static m31r_err add_metrics(m31r_comparison *c, const m31r_reader *r, m31r_error *e)
{
    m31r_series *series = NULL;
    m31r_metric_facts m;
    m31r_err err = m31r_series_open(&series, r, e);
    if (err != M31R_OK) {
        return err;
    }
    for (size_t i = 0; m31r_series_get(series, i, &m) == M31R_OK; i++) {
        set_number(c, m.name, "last", m.last);
        if (m.better != M31R_BETTER_UNKNOWN) {
            set_number(c, m.name, "best", m.best);
        }
        if (m.n_nonfinite > 0) {
            set_number(c, m.name, "nonfinite", (double)m.n_nonfinite);
        }
    }
    m31r_series_close(series);
    return M31R_OK;
}

static int by_group(const void *a, const void *b)
{
    const row *x = *(row *const *)a;
    const row *y = *(row *const *)b;
    return x->group != y->group ? x->group - y->group
                                : (x->order > y->order) - (x->order < y->order);
}

/* Fills what follows from the cells: deltas, and whether they differ. */
static void judge(const m31r_comparison *c, row *r)
{
    const m31r_compare_cell *base = &r->cells[0];
    for (size_t i = 1; i < c->n_runs; i++) {
        m31r_compare_cell *cell = &r->cells[i];
        bool has_both = base->text != NULL && cell->text != NULL;
        r->said.differs |= (base->text == NULL) != (cell->text == NULL) ||
                           (has_both && strcmp(base->text, cell->text) != 0);
        if (has_both && isfinite(base->number) && isfinite(cell->number)) {
            cell->delta = cell->number - base->number;
            cell->relative = base->number != 0 ? cell->delta / fabs(base->number) : NAN;
        }
    }
    r->said.cells = r->cells;
    r->said.n_cells = c->n_runs;
}

static m31r_err open_comparison(m31r_comparison **out, const m31r_reader *const *readers, size_t n,
                                bool with_metrics, m31r_error *e)
{
    if (n < 2 || n > M31R_COMPARE_LIMIT) {
        return m31ri_fail(e, M31R_E_ARG, "%zu runs; 2 to %d can be compared", n,
                          M31R_COMPARE_LIMIT);
    }
    m31r_comparison *c = m31ri_calloc(1, sizeof *c);
    if (c == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a comparison");
    }
    c->n_runs = n;
    m31r_err err = M31R_OK;
    for (c->at = 0; c->at < n && err == M31R_OK; c->at++) {
        add_facts(c, readers[c->at]);
        add_derived(c, readers[c->at]);
        err = add_diff(c, readers[c->at], e);
        if (err == M31R_OK) {
            err = add_config(c, readers[c->at], e);
        }
        if (err == M31R_OK && with_metrics) {
            err = add_metrics(c, readers[c->at], e);
        }
    }
    if (err == M31R_OK && c->kept.failed) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for a comparison");
    }
    if (err != M31R_OK) {
        m31r_comparison_close(c);
        return err;
    }
    qsort(c->rows, c->n_rows, sizeof *c->rows, by_group);
    for (size_t i = 0; i < c->n_rows; i++) {
        judge(c, c->rows[i]);
    }
    *out = c;
    return M31R_OK;
}

m31r_err m31r_comparison_open(m31r_comparison **out, const m31r_reader *const *readers, size_t n,
                              m31r_error *e)
{
    return open_comparison(out, readers, n, true, e);
}

m31r_err m31ri_comparison_open_given(m31r_comparison **out, const m31r_reader *const *readers,
                                     size_t n, m31r_error *e)
{
    return open_comparison(out, readers, n, false, e);
}

void m31r_comparison_close(m31r_comparison *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->n_rows; i++) {
        m31ri_free(c->rows[i]);
    }
    m31ri_free(c->rows);
    m31ri_kept_release(&c->kept);
    m31ri_free(c);
}

m31r_err m31r_comparison_row(const m31r_comparison *c, size_t i, m31r_compare_row *out)
{
    if (i >= c->n_rows) {
        return M31R_E_NOTFOUND;
    }
    *out = c->rows[i]->said;
    return M31R_OK;
}
