/* history.c - m31r/history.h: lines of runs into a file that is sorted and holds each run once. */
#include "m31r/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trend/history_rows.h"
#include "runs/runs_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"

/* A line, and whether it is one of now: of two of one run that one stays. */
typedef struct entry {
    const char *line, *run_id;
    size_t length;
    bool is_new;
} entry;

typedef struct collection {
    m31ri_buf text; /* all lines, each with its newline */
    m31ri_history ids;
    entry *entries;
    size_t n_old;
} collection;

static bool has_ended(m31r_state state)
{
    return state != M31R_STATE_RUNNING && state != M31R_STATE_UNKNOWN;
}

static m31r_err add_runs(collection *c, m31r_runs *runs, m31r_history_written *out, m31r_error *e)
{
    m31r_err err = M31R_OK;
    for (size_t i = 0; err == M31R_OK && i < m31r_runs_count(runs); i++) {
        const m31r_facts *facts;
        err = m31r_runs_facts(runs, i, &facts, e);
        if (err == M31R_OK && !has_ended(facts->state)) {
            out->n_open++;
        } else if (err == M31R_OK) {
            size_t from = c->text.length;
            err = m31ri_history_line(runs, i, true, &c->text, e);
            if (err == M31R_OK) {
                err =
                    m31ri_history_add_line(&c->ids, c->text.data + from, c->text.length - from, e);
            }
        }
        err = err == M31R_E_NOTFOUND ? M31R_OK : err; /* removed meanwhile */
    }
    return err;
}

/* The lines that are there already; a file that is not there has none. */
static m31r_err read_old(collection *c, const char *path, m31r_error *e)
{
    int fd = m31ri_open_input(path);
    if (fd < 0) {
        return errno == ENOENT ? M31R_OK : m31ri_fail_sys(e, errno, path, "opening %s", path);
    }
    m31r_err err = m31ri_read_fd(fd, M31RI_INPUT_LIMIT, &c->text, e);
    close(fd);
    if (err == M31R_OK && c->text.length > 0 && c->text.data[c->text.length - 1] != '\n') {
        m31ri_buf_add_char(&c->text, '\n');
    }
    if (err == M31R_OK) {
        err = m31ri_history_read(&c->ids, path, e);
    }
    c->n_old = c->ids.n;
    return err;
}

static int by_run(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = strcmp(x->run_id, y->run_id);
    return order != 0 ? order : (int)y->is_new - (int)x->is_new;
}

static m31r_err sort_lines(collection *c, m31r_error *e)
{
    size_t n = 0;
    c->entries = m31ri_calloc(c->ids.n + 1, sizeof *c->entries);
    if (c->entries == NULL || !m31ri_buf_ok(&c->text)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a history");
    }
    const char *at = c->text.data, *end = at + c->text.length;
    while (at < end && n < c->ids.n) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop > at) {
            const char *run_id = json_string_value(json_object_get(c->ids.rows[n], "run_id"));
            c->entries[n] = (entry){.line = at,
                                    .run_id = run_id,
                                    .length = (size_t)(stop - at) + 1,
                                    .is_new = n >= c->n_old};
            n++;
        }
        at = stop + 1;
    }
    qsort(c->entries, n, sizeof *c->entries, by_run);
    return M31R_OK;
}

/* The lines to be written, one for each run. */
static void join_lines(const collection *c, m31ri_buf *out, m31r_history_written *counts)
{
    for (size_t i = 0; i < c->ids.n; i++) {
        const entry *x = &c->entries[i];
        const entry *y = i + 1 < c->ids.n ? x + 1 : NULL; /* the old line of the same run */
        bool is_twice = y != NULL && strcmp(x->run_id, y->run_id) == 0;
        bool is_same =
            is_twice && x->length == y->length && memcmp(x->line, y->line, x->length) == 0;
        m31ri_buf_add(out, x->line, x->length);
        counts->n_lines++;
        counts->n_added += x->is_new && !is_twice;
        counts->n_changed += x->is_new && is_twice && !is_same;
        while (i + 1 < c->ids.n && strcmp(c->entries[i + 1].run_id, x->run_id) == 0) {
            i++;
        }
    }
}

static m31r_err write_out(const char *path, const m31ri_buf *text, m31r_error *e)
{
    if (!m31ri_buf_ok(text)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a history");
    }
    if (strcmp(path, "-") != 0) {
        return m31ri_replace_file(AT_FDCWD, path, m31ri_buf_str(text), text->length, true, e);
    }
    size_t written;
    int failed = m31ri_write_all(STDOUT_FILENO, m31ri_buf_str(text), text->length, &written);
    return failed != 0 ? m31ri_fail_sys(e, failed, NULL, "writing") : M31R_OK;
}

m31r_err m31r_history_write(const char *path, const char *root, m31r_expr *expr,
                            m31r_history_written *out, m31r_error *e)
{
    collection c = {0};
    m31r_runs *runs = NULL;
    m31r_history_written counts = {0};
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = m31r_runs_open(&runs, root, e);
    if (err == M31R_OK && expr != NULL) {
        err = m31r_runs_set_filter(runs, expr, e);
    }
    if (err == M31R_OK && strcmp(path, "-") != 0) {
        err = read_old(&c, path, e);
    }
    if (err == M31R_OK) {
        err = add_runs(&c, runs, &counts, e);
    }
    if (err == M31R_OK) {
        err = sort_lines(&c, e);
    }
    if (err == M31R_OK) {
        join_lines(&c, &text, &counts);
        err = write_out(path, &text, e);
    }
    if (err == M31R_OK) {
        *out = counts;
    }
    m31ri_buf_release(&text);
    m31ri_buf_release(&c.text);
    m31ri_history_release(&c.ids);
    m31ri_free(c.entries);
    m31r_runs_close(runs);
    return err;
}
