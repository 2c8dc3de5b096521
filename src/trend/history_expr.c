/* history_expr.c - an expression about runs asked of the lines of a history: the same names and the
 * same answers as of the runs that the lines were made of (runs/expr_run.c). */
#include <stdio.h>
#include <string.h>

#include "trend/history_rows.h"
#include "format/timestamp.h"
#include "read/expr_int.h"

#define NAME_BYTES 512

static void offer_facts(m31r_expr *x, const json_t *row)
{
    static const struct {
        const char *name, *member;
    } texts[] = {{"id", "run_id"},     {"name", "name"},       {"stage", "stage"},
                 {"state", "state"},   {"seed", "seed"},       {"dataset", "dataset"},
                 {"commit", "commit"}, {"release", "release"}, {"tokenizer", "tokenizer"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = json_string_value(json_object_get(row, texts[i].member));
        if (text != NULL) {
            m31ri_expr_offer_text(x, texts[i].name, text);
        }
    }
    const char *tags = json_string_value(json_object_get(row, "tags"));
    const char *ts = json_string_value(json_object_get(row, "ts"));
    m31ri_expr_value time = {.is = M31RI_IS_TIME};
    if (tags != NULL) {
        m31ri_expr_offer_words(x, "tag", tags);
    }
    if (ts != NULL && m31ri_timestamp_read(ts, strlen(ts), &time.i)) {
        m31ri_expr_offer(x, "ts", strlen("ts"), &time);
    }
}

static void offer_config(m31r_expr *x, json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach(config, key, value)
    {
        char name[NAME_BYTES];
        m31ri_expr_value v = {0};
        int length = snprintf(name, sizeof name, "config.%s", key);
        if (json_is_integer(value)) {
            v.is = M31RI_IS_INT;
            v.i = json_integer_value(value);
        } else if (json_is_real(value)) {
            v.is = M31RI_IS_DOUBLE;
            v.d = json_real_value(value);
        } else if (json_is_boolean(value)) {
            v.is = M31RI_IS_BOOL;
            v.b = json_is_true(value);
        } else if (json_is_string(value)) {
            v.is = M31RI_IS_TEXT;
            v.text = json_string_value(value);
            v.length = json_string_length(value);
        }
        if (v.is != 0 && length > 0 && (size_t)length < sizeof name) {
            m31ri_expr_offer(x, name, (size_t)length, &v);
        }
    }
}

static void offer_metrics(m31r_expr *x, const json_t *row)
{
    static const char *const numbers[] = {"last", "min", "max", "mean"};
    const char *metric;
    json_t *m;
    json_object_foreach(json_object_get(row, "metrics"), metric, m)
    {
        char name[NAME_BYTES];
        bool has;
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            snprintf(name, sizeof name, "metrics.%.200s.%s", metric, numbers[i]);
            m31ri_expr_offer_double(x, name, m31ri_history_number(row, metric, numbers[i], &has));
        }
        snprintf(name, sizeof name, "metrics.%.200s.count", metric);
        m31ri_expr_offer_int(x, name, json_integer_value(json_object_get(m, "count")));
    }
}

static bool holds(m31r_expr *x, const json_t *row)
{
    m31ri_expr_begin(x);
    offer_facts(x, row);
    offer_config(x, json_object_get(row, "config"));
    offer_metrics(x, row);
    return m31ri_expr_judge(x);
}

void m31ri_history_keep(m31ri_history *h, m31r_expr *x)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (holds(x, h->rows[i])) {
            h->rows[n++] = h->rows[i];
        } else {
            json_decref(h->rows[i]);
        }
    }
    h->n = n;
}
