/* anomaly_csv.c - m31r_anomaly_csv_*: the streaming rules over a table, a row a step.
 *
 * A row is read, each judged cell is given to its column's rules, the ranks' cells together to
 * theirs; what they find waits in a small queue until it is asked for.
 */
#include "m31r/anomaly.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/number.h"
#include "stat/rank_rules.h"
#include "stat/run_watch.h"
#include "stat/series_watch.h"

#define BLOCK_BYTES ((size_t)64 * 1024)
#define LINE_LIMIT ((size_t)1024 * 1024)
#define COLUMN_LIMIT 8192

typedef struct column {
    char *name;
    m31ri_series_watch *watch; /* NULL: not judged by itself */
    bool is_needed;            /* a cell that is no number is an error, else it is skipped */
    int rank;                  /* -1 */
} column;

struct m31r_anomaly_csv {
    int fd;
    char *path;
    m31ri_buf bytes;
    size_t at; /* of the next line in `bytes` */
    bool is_ended;
    uint64_t line; /* last line read, 1-based */
    uint64_t row;  /* of it */
    column *columns;
    size_t n_columns;
    m31ri_rank_rules *ranks;
    double *figures; /* of the ranks */
    uint32_t n_ranks;
    m31r_anomaly_row *found;
    m31ri_anomaly *why; /* of each */
    m31ri_buf text;
    size_t n_found, next_found, found_capacity;
};

static m31r_err no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a table");
}

static m31r_err read_more(m31r_anomaly_csv *c, m31r_error *e)
{
    if (c->at > 0) {
        c->bytes.length -= c->at;
        memmove(c->bytes.data, c->bytes.data + c->at, c->bytes.length);
        c->at = 0;
    }
    char block[BLOCK_BYTES];
    ssize_t n = 0;
    do {
        n = read(c->fd, block, sizeof block);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return m31ri_fail_sys(e, errno, c->path, "cannot read %s", c->path);
    }
    c->is_ended = n == 0;
    m31ri_buf_add(&c->bytes, block, (size_t)n);
    return m31ri_buf_ok(&c->bytes) ? M31R_OK : no_memory(e);
}

/* The next line without its end. M31R_EOF after the last. */
static m31r_err next_line(m31r_anomaly_csv *c, const char **out, size_t *out_length, m31r_error *e)
{
    for (;;) {
        const char *start = c->bytes.length > 0 ? c->bytes.data + c->at : "";
        size_t left = c->bytes.length - c->at;
        const char *end = memchr(start, '\n', left);
        if (end == NULL && !c->is_ended) {
            if (left > LINE_LIMIT) {
                m31ri_fail(e, M31R_E_LIMIT, "a line of %s is longer than 1 MiB", c->path);
                m31ri_fail_at(e, c->path, (uint32_t)c->line + 1, 0);
                return M31R_E_LIMIT;
            }
            m31r_err err = read_more(c, e);
            if (err != M31R_OK) {
                return err;
            }
            continue;
        }
        if (end == NULL && left == 0) {
            return M31R_EOF;
        }
        size_t length = end != NULL ? (size_t)(end - start) : left;
        c->at += length + (end != NULL);
        c->line++;
        *out = start;
        *out_length = length > 0 && start[length - 1] == '\r' ? length - 1 : length;
        return M31R_OK;
    }
}

/* The cell at `*at`, without spaces and quotes around it; `*at` goes behind its comma. */
static size_t next_cell(const char *line, size_t length, size_t *at, const char **out)
{
    size_t start = *at;
    size_t end = start;
    bool is_quoted = false;
    while (end < length && (is_quoted || line[end] != ',')) {
        is_quoted ^= line[end] == '"';
        end++;
    }
    *at = end + 1;
    while (start < end && (line[start] == ' ' || line[start] == '"')) {
        start++;
    }
    while (end > start && (line[end - 1] == ' ' || line[end - 1] == '"')) {
        end--;
    }
    *out = line + start;
    return end - start;
}

/* The rank of a column r3 or rank3; -1. */
static int rank_of(const char *name, size_t length)
{
    size_t prefix = length > 4 && strncasecmp(name, "rank", 4) == 0    ? 4
                    : length > 1 && (name[0] == 'r' || name[0] == 'R') ? 1
                                                                       : length;
    int64_t rank = -1;
    bool is_rank = prefix < length && name[prefix] >= '0' && name[prefix] <= '9' &&
                   m31ri_number_read_int(name + prefix, length - prefix, &rank) &&
                   rank < M31RI_RANK_RULES_LIMIT;
    return is_rank ? (int)rank : -1;
}

static bool is_counter(const char *name)
{
    static const char *const names[] = {"step",  "row",  "iteration", "iter",
                                        "epoch", "time", "ts",        "timestamp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static m31r_err add_column(m31r_anomaly_csv *c, const char *name, size_t length, m31r_error *e)
{
    if (c->n_columns == COLUMN_LIMIT) {
        return m31ri_fail(e, M31R_E_LIMIT, "%s has more than %d columns", c->path, COLUMN_LIMIT);
    }
    column *columns = m31ri_realloc(c->columns, (c->n_columns + 1) * sizeof *columns);
    if (columns == NULL) {
        return no_memory(e);
    }
    c->columns = columns;
    column *new = &columns[c->n_columns];
    *new = (column){.name = m31ri_strndup(name, length), .rank = rank_of(name, length)};
    if (new->name == NULL) {
        return no_memory(e);
    }
    c->n_columns++;
    if (new->rank >= 0) {
        uint32_t n = (uint32_t) new->rank + 1;
        c->n_ranks = n > c->n_ranks ? n : c->n_ranks;
    } else if (!is_counter(new->name)) {
        m31ri_metric_role role = m31ri_metric_role_of_name(new->name, length);
        new->is_needed = role != M31RI_METRIC_OTHER;
        new->watch = m31ri_series_watch_new(role);
        return new->watch != NULL ? M31R_OK : no_memory(e);
    }
    return M31R_OK;
}

static m31r_err read_header(m31r_anomaly_csv *c, m31r_error *e)
{
    const char *line = NULL;
    size_t length = 0;
    m31r_err err = next_line(c, &line, &length, e);
    if (err == M31R_EOF || (err == M31R_OK && length == 0)) {
        m31ri_fail(e, M31R_E_ARG, "%s has no header", c->path);
        m31ri_fail_hint(e, "The first line names the columns: step,loss,step_ms");
        m31ri_fail_at(e, c->path, 1, 0);
        return M31R_E_ARG;
    }
    for (size_t at = 0; at <= length && err == M31R_OK;) {
        const char *name = NULL;
        size_t n = next_cell(line, length, &at, &name);
        err = add_column(c, name, n, e);
    }
    if (err != M31R_OK || c->n_ranks < 2) {
        return err;
    }
    c->ranks = m31ri_rank_rules_new(c->n_ranks);
    c->figures = m31ri_calloc(c->n_ranks, sizeof *c->figures);
    return c->ranks != NULL && c->figures != NULL ? M31R_OK : no_memory(e);
}

m31r_err m31r_anomaly_csv_open(m31r_anomaly_csv **out, const char *path, m31r_error *e)
{
    bool is_stdin = strcmp(path, "-") == 0;
    m31r_anomaly_csv *c = m31ri_calloc(1, sizeof *c);
    if (c == NULL) {
        return no_memory(e);
    }
    c->path = m31ri_strdup(is_stdin ? "standard input" : path);
    c->fd = is_stdin ? STDIN_FILENO : m31ri_open_input(path);
    m31r_err err = M31R_OK;
    if (c->path == NULL) {
        err = no_memory(e);
    } else if (c->fd < 0) {
        err = m31ri_fail_sys(e, errno, path, "cannot open %s", path);
    } else {
        err = read_header(c, e);
    }
    if (err != M31R_OK) {
        m31r_anomaly_csv_close(c);
        return err;
    }
    *out = c;
    return M31R_OK;
}

void m31r_anomaly_csv_close(m31r_anomaly_csv *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->n_columns; i++) {
        m31ri_free(c->columns[i].name);
        m31ri_series_watch_free(c->columns[i].watch);
    }
    if (c->fd > STDIN_FILENO) {
        close(c->fd);
    }
    m31ri_rank_rules_free(c->ranks);
    m31ri_free(c->figures);
    m31ri_free(c->columns);
    m31ri_free(c->found);
    m31ri_free(c->why);
    m31ri_buf_release(&c->text);
    m31ri_free(c->path);
    m31ri_buf_release(&c->bytes);
    m31ri_free(c);
}

static bool is_word(const char *cell, size_t length, const char *word)
{
    return strlen(word) == length && strncasecmp(cell, word, length) == 0;
}

static bool read_number(const char *cell, size_t length, double *out)
{
    bool is_negative = cell[0] == '-';
    size_t sign = is_negative || cell[0] == '+' ? 1 : 0;
    if (is_word(cell + sign, length - sign, "nan")) {
        *out = NAN;
        return true;
    }
    if (is_word(cell + sign, length - sign, "inf") ||
        is_word(cell + sign, length - sign, "infinity")) {
        *out = is_negative ? -INFINITY : INFINITY;
        return true;
    }
    size_t plus = cell[0] == '+' ? 1 : 0;
    return m31ri_number_read_double(cell + plus, length - plus, out);
}

static m31r_err keep(m31r_anomaly_csv *c, const char *name, const m31ri_anomaly *a, m31r_error *e)
{
    if (c->n_found == c->found_capacity) {
        size_t capacity = c->found_capacity != 0 ? c->found_capacity * 2 : 8;
        m31r_anomaly_row *found = m31ri_realloc(c->found, capacity * sizeof *found);
        c->found = found != NULL ? found : c->found;
        m31ri_anomaly *why = found != NULL ? m31ri_realloc(c->why, capacity * sizeof *why) : NULL;
        if (why == NULL) {
            return no_memory(e);
        }
        c->why = why;
        c->found_capacity = capacity;
    }
    c->why[c->n_found] = *a;
    c->found[c->n_found++] = (m31r_anomaly_row){.row = c->row,
                                                .kind = m31ri_anomaly_name(a->kind),
                                                .severity = m31ri_severity_name(a->severity),
                                                .column = name,
                                                .value = a->value,
                                                .usual = a->usual,
                                                .limit = a->limit,
                                                .n = a->n};
    return M31R_OK;
}

static m31r_err judge_cell(m31r_anomaly_csv *c, const column *k, double x, m31r_error *e)
{
    m31ri_series_change changes[M31RI_SERIES_CHANGES];
    m31r_err err = M31R_OK;
    if (k->rank >= 0 && c->ranks != NULL) {
        c->figures[k->rank] = x;
    }
    size_t n = k->watch != NULL ? m31ri_series_watch_add(k->watch, x, changes) : 0;
    for (size_t i = 0; i < n && err == M31R_OK; i++) {
        if (changes[i].verdict == M31RI_OPENED) {
            err = keep(c, k->name, &changes[i].anomaly, e);
        }
    }
    return err;
}

static const char *name_of_rank(const m31r_anomaly_csv *c, int rank)
{
    for (size_t i = 0; i < c->n_columns; i++) {
        if (c->columns[i].rank == rank) {
            return c->columns[i].name;
        }
    }
    return "";
}

static m31r_err judge_ranks(m31r_anomaly_csv *c, m31r_error *e)
{
    m31ri_anomaly a;
    m31ri_anomaly_event verdict = M31RI_NOTHING;
    m31r_err err = M31R_OK;
    m31ri_rank_rules_add(c->ranks, c->figures);
    while (err == M31R_OK && (verdict = m31ri_rank_rules_next(c->ranks, &a)) != M31RI_NOTHING) {
        if (verdict == M31RI_OPENED) {
            err = keep(c, name_of_rank(c, a.rank), &a, e);
        }
    }
    return err;
}

static m31r_err bad_cell(m31r_anomaly_csv *c, const char *what, m31r_error *e)
{
    m31ri_fail(e, M31R_E_ARG, "%s, line %llu: %s", c->path, (unsigned long long)c->line, what);
    m31ri_fail_at(e, c->path, (uint32_t)c->line, 0);
    m31ri_fail_hint(e, "A cell is a number, NaN, Infinity or empty.");
    return M31R_E_ARG;
}

static m31r_err judge_row(m31r_anomaly_csv *c, const char *line, size_t length, m31r_error *e)
{
    size_t i = 0;
    m31r_err err = M31R_OK;
    for (uint32_t rank = 0; c->ranks != NULL && rank < c->n_ranks; rank++) {
        c->figures[rank] = NAN;
    }
    for (size_t at = 0; at <= length && err == M31R_OK; i++) {
        const char *cell = NULL;
        double x = 0;
        size_t n = next_cell(line, length, &at, &cell);
        if (i >= c->n_columns) {
            return n == 0 && at > length ? M31R_OK
                                         : bad_cell(c, "more cells than the header names", e);
        }
        const column *k = &c->columns[i];
        if (n == 0 || (k->watch == NULL && k->rank < 0)) {
            continue;
        }
        if (read_number(cell, n, &x)) {
            err = judge_cell(c, k, x, e);
        } else if (k->is_needed || k->rank >= 0) {
            return bad_cell(c, "a cell is no number", e);
        }
    }
    return err == M31R_OK && c->ranks != NULL ? judge_ranks(c, e) : err;
}

m31r_err m31r_anomaly_csv_next(m31r_anomaly_csv *c, m31r_anomaly_row *out, m31r_error *e)
{
    while (c->next_found == c->n_found) {
        const char *line = NULL;
        size_t length = 0;
        c->next_found = c->n_found = 0;
        m31r_err err = next_line(c, &line, &length, e);
        if (err != M31R_OK) {
            return err;
        }
        if (length == 0) {
            continue; /* an empty line is no row */
        }
        err = judge_row(c, line, length, e);
        c->row++;
        if (err != M31R_OK) {
            return err;
        }
    }
    m31ri_buf_clear(&c->text);
    m31ri_anomaly_evidence(&c->why[c->next_found], &c->text);
    if (!m31ri_buf_ok(&c->text)) {
        return no_memory(e);
    }
    *out = c->found[c->next_found++];
    out->evidence = m31ri_buf_str(&c->text);
    return M31R_OK;
}
