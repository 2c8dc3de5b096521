/* runs_fields.c - fields of runs by name, and a list put in order by one of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runs/run_pieces_int.h"
#include "runs/runs_int.h"
#include "base/alloc.h"
#include "base/fail.h"

#define NAME_BYTES 320
#define ATTEMPTS_LIMIT 10000 /* a chain that is longer goes in a circle */

static bool is_one_of(const char *field, const char *const *names)
{
    while (*names != NULL && strcmp(field, *names) != 0) {
        names++;
    }
    return *names != NULL;
}

static const char *const in_facts[] = {
    "id",        "name",   "stage", "kind", "state",   "cause", "seed",    "dataset",
    "tokenizer", "commit", "host",  "ts",   "resumes", "tag",   "release", NULL};
static const char *const in_row[] = {"step",      "metric",         "last", "best",
                                     "best_step", "tokens_per_sec", NULL};
static const char *const others[] = {"path", "end", "duration_s", "lost", "attempt", NULL};

static m31r_err check_field(const char *field, m31r_error *e)
{
    bool is_fine = is_one_of(field, in_facts) || is_one_of(field, in_row) ||
                   is_one_of(field, others) ||
                   (strncmp(field, "config.", 7) == 0 && field[7] != '\0') ||
                   (strncmp(field, "metrics.", 8) == 0 && field[8] != '\0');
    if (is_fine) {
        return M31R_OK;
    }
    m31r_err err = m31ri_fail(e, M31R_E_ARG, "a run has no field \"%.80s\"", field);
    m31ri_fail_hint(e, "fields: id name stage kind state cause step metric last best best_step "
                       "tokens_per_sec ts end duration_s lost attempt resumes host seed dataset "
                       "tokenizer commit path tag release config.KEY metrics.NAME");
    return err;
}

static void set_int(m31r_run_value *out, int64_t i)
{
    if (i != M31R_UNKNOWN) {
        *out = (m31r_run_value){.type = 'i', .i = i, .text = ""};
    }
}

static void set_double(m31r_run_value *out, double d)
{
    if (!isnan(d)) {
        *out = (m31r_run_value){.type = 'd', .d = d, .text = ""};
    }
}

static void set_text(m31r_run_value *out, const char *text)
{
    if (text[0] != '\0') {
        *out = (m31r_run_value){.type = 's', .text = text};
    }
}

static m31r_err value_of_row(m31r_runs *runs, size_t i, const char *field, m31r_run_value *out,
                             m31r_error *e)
{
    m31r_run_row row;
    m31r_err err = m31r_runs_get(runs, i, &row, e);
    if (err != M31R_OK) {
        return err;
    }
    if (strcmp(field, "step") == 0) {
        set_int(out, row.last_step);
    } else if (strcmp(field, "best_step") == 0) {
        set_int(out, row.metric_best_step);
    } else if (strcmp(field, "metric") == 0) {
        set_text(out, row.metric);
    } else if (strcmp(field, "last") == 0) {
        set_double(out, row.metric_last);
    } else if (strcmp(field, "best") == 0) {
        set_double(out, row.metric_best);
    } else {
        set_double(out, row.tokens_per_sec);
    }
    return M31R_OK;
}

static size_t find_run(const m31r_runs *runs, const char *run_id)
{
    size_t at = 0;
    while (at < runs->list.n && strcmp(runs->list.runs[at].run_id, run_id) != 0) {
        at++;
    }
    return at;
}

/* The run is the n-th attempt when it resumes one that is the (n-1)-th. A run that is not here any
 * more counts as the first. */
static m31r_err count_attempts(m31r_runs *runs, size_t place, int64_t *out, m31r_error *e)
{
    int64_t n = 1;
    m31r_err err = m31ri_runs_take(runs, place, e);
    while (err == M31R_OK && runs->facts.resumes[0] != '\0' && n < ATTEMPTS_LIMIT) {
        size_t at = find_run(runs, runs->facts.resumes);
        n++;
        if (at == runs->list.n) {
            break;
        }
        err = m31ri_runs_take(runs, at, e);
    }
    *out = n;
    return err == M31R_OK || err == M31R_E_NOTFOUND ? m31ri_runs_take(runs, place, e) : err;
}

static m31r_err value_of_others(m31r_runs *runs, size_t place, const char *field,
                                m31r_run_value *out, m31r_error *e)
{
    const m31r_facts *f = &runs->facts;
    m31r_err err = M31R_OK;
    int64_t n;
    if (strcmp(field, "path") == 0) {
        set_text(out, f->path);
    } else if (strcmp(field, "end") == 0) {
        set_text(out, f->end);
    } else if (strcmp(field, "lost") == 0) {
        bool is_known = f->lost_records != M31R_UNKNOWN && f->lost_points != M31R_UNKNOWN;
        set_int(out, is_known ? f->lost_records + f->lost_points : M31R_UNKNOWN);
    } else if (strcmp(field, "attempt") == 0) {
        err = count_attempts(runs, place, &n, e);
        set_int(out, err == M31R_OK ? n : M31R_UNKNOWN);
    } else if (f->start_ns != M31R_UNKNOWN && f->end_ns != M31R_UNKNOWN) {
        set_double(out, (double)(f->end_ns - f->start_ns) / 1e9);
    }
    return err;
}

m31r_err m31r_runs_value(m31r_runs *runs, size_t i, const char *field, m31r_run_value *out,
                         m31r_error *e)
{
    m31r_run_value value = {.type = '0', .text = ""};
    m31ri_piece_bytes config = {0};
    m31ri_piece_bytes metrics = {0};
    const m31r_facts *facts;
    m31r_err err = check_field(field, e);
    if (err == M31R_OK) {
        err = m31r_runs_facts(runs, i, &facts, e);
    }
    if (err != M31R_OK) {
        return err;
    }
    if (is_one_of(field, in_row)) {
        err = value_of_row(runs, i, field, &value, e);
    } else if (is_one_of(field, others)) {
        err = value_of_others(runs, m31ri_runs_place(runs, i), field, &value, e);
    } else {
        if (strncmp(field, "config.", 7) == 0) {
            err = m31ri_runs_piece(runs, M31RI_PIECE_CONFIG, &config, e);
        } else if (strncmp(field, "metrics.", 8) == 0) {
            err = m31ri_runs_piece(runs, M31RI_PIECE_METRICS, &metrics, e);
        }
        if (err == M31R_OK) {
            m31ri_pieces_value(facts, config, metrics, field, &value);
        }
    }
    if (err == M31R_OK) {
        *out = value;
    }
    return err;
}

static bool each_of(const char *const *names, bool (*each)(void *context, const char *field),
                    void *context)
{
    bool goes_on = true;
    for (; *names != NULL && goes_on; names++) {
        goes_on = each(context, *names);
    }
    return goes_on;
}

static bool each_packed(m31ri_piece_bytes config, m31ri_piece_bytes metrics,
                        bool (*each)(void *context, const char *field), void *context)
{
    static const char *const statistics[] = {"last", "min", "max", "mean", "count"};
    m31ri_config_entry entry;
    m31ri_metric_entry m;
    int64_t last_step;
    char name[NAME_BYTES];
    bool goes_on = true;
    while (goes_on && m31ri_config_next(&config, &entry)) {
        snprintf(name, sizeof name, "config.%s", entry.key);
        goes_on = each(context, name);
    }
    bool has_more = m31ri_metrics_begin(&metrics, &last_step);
    while (goes_on && has_more && m31ri_metrics_next(&metrics, &m)) {
        for (size_t i = 0; i < sizeof statistics / sizeof *statistics && goes_on; i++) {
            snprintf(name, sizeof name, "metrics.%s.%s", m.name, statistics[i]);
            goes_on = each(context, name);
        }
    }
    return goes_on;
}

m31r_err m31r_runs_each_field(m31r_runs *runs, size_t i,
                              bool (*each)(void *context, const char *field), void *context,
                              m31r_error *e)
{
    const m31r_facts *facts;
    m31ri_piece_bytes config;
    m31ri_piece_bytes metrics;
    m31r_err err = m31r_runs_facts(runs, i, &facts, e);
    if (err == M31R_OK) {
        err = m31ri_runs_piece(runs, M31RI_PIECE_CONFIG, &config, e);
    }
    if (err == M31R_OK) {
        err = m31ri_runs_piece(runs, M31RI_PIECE_METRICS, &metrics, e);
    }
    if (err == M31R_OK && each_of(in_facts, each, context) && each_of(in_row, each, context) &&
        each_of(others, each, context)) {
        (void)each_packed(config, metrics, each, context);
    }
    return err;
}

typedef struct sort_key {
    m31r_run_value value;
    char *text;
    size_t place, before; /* in the list; in the order there was */
    bool is_descending;
} sort_key;

static double number_of(const m31r_run_value *v)
{
    return v->type == 'i' ? (double)v->i : v->d;
}

/* 0 a number, 1 a text, 2 missing. */
static int rank_of(const m31r_run_value *v)
{
    return v->type == '0' ? 2 : v->type == 's';
}

static int by_value(const void *a, const void *b)
{
    const sort_key *x = a;
    const sort_key *y = b;
    int order = rank_of(&x->value) - rank_of(&y->value);
    if (order == 0 && x->value.type == 'i' && y->value.type == 'i') {
        order = (x->value.i > y->value.i) - (x->value.i < y->value.i);
    } else if (order == 0 && rank_of(&x->value) == 0) {
        double p = number_of(&x->value);
        double q = number_of(&y->value);
        order = (p > q) - (p < q);
    } else if (order == 0 && x->text != NULL && y->text != NULL) {
        order = strcmp(x->text, y->text);
    }
    bool turns = x->is_descending && rank_of(&x->value) == rank_of(&y->value);
    order = turns ? -order : order;
    return order != 0 ? order : (x->before > y->before) - (x->before < y->before);
}

static m31r_err fill_keys(m31r_runs *runs, const char *field, bool is_descending, sort_key *keys,
                          m31r_error *e)
{
    size_t n = m31r_runs_count(runs);
    for (size_t i = 0; i < n; i++) {
        sort_key *key = &keys[i];
        key->value.type = '0';
        key->place = m31ri_runs_place(runs, i);
        key->before = i;
        key->is_descending = is_descending;
        m31r_err err = m31r_runs_value(runs, i, field, &key->value, e);
        if (err == M31R_OK && key->value.type == 's') {
            key->text = m31ri_strdup(key->value.text);
            err = key->text != NULL ? err : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
        }
        if (err != M31R_OK && err != M31R_E_NOTFOUND) {
            return err;
        }
    }
    return M31R_OK;
}

m31r_err m31r_runs_sort(m31r_runs *runs, const char *field, bool is_descending, m31r_error *e)
{
    size_t n = m31r_runs_count(runs);
    m31r_err err = check_field(field, e);
    if (err != M31R_OK) {
        return err;
    }
    sort_key *keys = m31ri_calloc(n + 1, sizeof *keys);
    size_t *order = m31ri_calloc(n + 1, sizeof *order);
    if (keys == NULL || order == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for the list of runs");
    } else {
        err = fill_keys(runs, field, is_descending, keys, e);
    }
    if (err == M31R_OK) {
        if (n > 1) {
            qsort(keys, n, sizeof *keys, by_value);
        }
        for (size_t i = 0; i < n; i++) {
            order[i] = keys[i].place;
        }
        m31ri_free(runs->order);
        runs->order = order;
        runs->n_order = n;
        order = NULL;
    }
    for (size_t i = 0; keys != NULL && i < n; i++) {
        m31ri_free(keys[i].text);
    }
    m31ri_free(keys);
    m31ri_free(order);
    return err;
}
