/* expr_run.c - an expression asked about a run, and one field of a run: its facts, its config, its
 * metrics.
 *
 * The config and the points are read only when the expression names one of their fields: they cost
 * far more than the rest. A config that cannot be read has no fields.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runs/run_pieces_int.h"
#include "m31r/expr.h"
#include "read/reader_int.h"

#define NAME_BYTES 256

static const char *const number_names[M31RI_METRIC_NUMBERS] = {"last", "min", "max", "mean"};

/* A fact that has a name. */
typedef struct fact {
    const char *name, *text; /* text NULL: a time */
    int64_t wall_ns;
} fact;

#define N_FACTS 15
#define N_ASKED 12 /* of them may be named in an expression */

static void list_facts(const m31r_facts *f, fact out[N_FACTS])
{
    const fact facts[N_FACTS] = {{"id", f->run_id, 0},
                                 {"name", f->name, 0},
                                 {"stage", f->stage, 0},
                                 {"kind", f->kind, 0},
                                 {"state", m31r_state_name(f->state), 0},
                                 {"cause", f->cause, 0},
                                 {"seed", f->seed.value, 0},
                                 {"dataset", f->dataset.value, 0},
                                 {"tokenizer", f->tokenizer.value, 0},
                                 {"commit", f->commit.value, 0},
                                 {"ts", NULL, f->start_ns},
                                 {"release", f->release, 0},
                                 {"tag", f->tags, 0},
                                 {"host", f->host, 0},
                                 {"resumes", f->resumes, 0}};
    memcpy(out, facts, sizeof facts);
}

static void offer_config(m31r_expr *x, m31ri_piece_bytes config)
{
    m31ri_config_entry entry;
    while (m31ri_config_next(&config, &entry)) {
        char name[NAME_BYTES];
        int length = snprintf(name, sizeof name, "config.%s", entry.key);
        if (length > 0 && (size_t)length < sizeof name) {
            m31ri_expr_offer(x, name, (size_t)length, &entry.value);
        }
    }
}

static void offer_metrics(m31r_expr *x, m31ri_piece_bytes metrics)
{
    m31ri_metric_entry m;
    int64_t last_step;
    char name[NAME_BYTES];
    if (!m31ri_metrics_begin(&metrics, &last_step)) {
        return;
    }
    while (m31ri_metrics_next(&metrics, &m)) {
        for (int i = 0; i < M31RI_METRIC_NUMBERS; i++) {
            snprintf(name, sizeof name, "metrics.%.200s.%s", m.name, number_names[i]);
            m31ri_expr_offer_double(x, name, m.numbers[i]);
        }
        snprintf(name, sizeof name, "metrics.%.200s.count", m.name);
        m31ri_expr_offer_int(x, name, m.n);
    }
    m31ri_expr_offer_int(x, "step", last_step);
}

bool m31ri_expr_asks_config(const m31r_expr *x)
{
    return m31ri_expr_asks(x, "config.");
}

bool m31ri_expr_asks_metrics(const m31r_expr *x)
{
    return m31ri_expr_asks(x, "metrics.") || m31ri_expr_asks(x, "step");
}

bool m31ri_expr_holds_pieces(m31r_expr *x, const m31r_facts *facts, m31ri_piece_bytes config,
                             m31ri_piece_bytes metrics)
{
    fact known[N_FACTS];
    list_facts(facts, known);
    m31ri_expr_begin(x);
    for (size_t i = 0; i < N_ASKED; i++) {
        m31ri_expr_value ts = {.is = M31RI_IS_TIME, .i = known[i].wall_ns};
        if (known[i].text != NULL) {
            m31ri_expr_offer_text(x, known[i].name, known[i].text);
        } else if (known[i].wall_ns != M31R_UNKNOWN) {
            m31ri_expr_offer(x, known[i].name, strlen(known[i].name), &ts);
        }
    }
    m31ri_expr_offer_words(x, "tag", facts->tags);
    offer_config(x, config);
    offer_metrics(x, metrics);
    return m31ri_expr_judge(x);
}

bool m31r_expr_holds_run(m31r_expr *x, const m31r_reader *run)
{
    m31ri_buf packed[2] = {M31RI_BUF_INIT, M31RI_BUF_INIT};
    if (m31ri_expr_asks_config(x)) {
        m31ri_config_pack(run, &packed[0]);
    }
    if (m31ri_expr_asks_metrics(x)) {
        m31ri_metrics_pack(run, &packed[1]);
    }
    bool is_held = m31ri_expr_holds_pieces(x, m31r_reader_facts(run),
                                           (m31ri_piece_bytes){packed[0].data, packed[0].length},
                                           (m31ri_piece_bytes){packed[1].data, packed[1].length});
    m31ri_buf_release(&packed[0]);
    m31ri_buf_release(&packed[1]);
    return is_held;
}

static void set_double(m31r_run_value *out, double d)
{
    if (!isnan(d)) {
        *out = (m31r_run_value){.type = 'd', .d = d, .text = ""};
    }
}

static void set_int(m31r_run_value *out, int64_t i)
{
    if (i != M31R_UNKNOWN) {
        *out = (m31r_run_value){.type = 'i', .i = i, .text = ""};
    }
}

static void set_text(m31r_run_value *out, const char *text)
{
    if (text[0] != '\0') {
        *out = (m31r_run_value){.type = 's', .text = text};
    }
}

static void find_config(m31ri_piece_bytes config, const char *key, m31r_run_value *out)
{
    m31ri_config_entry entry;
    while (m31ri_config_next(&config, &entry)) {
        if (strcmp(entry.key, key) != 0) {
            continue;
        }
        if ((entry.value.is & M31RI_IS_INT) != 0) {
            set_int(out, entry.value.i);
        } else if ((entry.value.is & M31RI_IS_DOUBLE) != 0) {
            set_double(out, entry.value.d);
        } else if ((entry.value.is & M31RI_IS_BOOL) != 0) {
            set_text(out, entry.value.b ? "true" : "false");
        } else {
            set_text(out, entry.value.text);
        }
        return;
    }
}

/* `field`: NAME.last, and so on, behind "metrics."; a bare NAME means its last value. */
static void find_metric(m31ri_piece_bytes metrics, const char *field, m31r_run_value *out)
{
    m31ri_metric_entry m;
    int64_t last_step;
    bool has_more = m31ri_metrics_begin(&metrics, &last_step);
    while (has_more && m31ri_metrics_next(&metrics, &m)) {
        if (strncmp(field, m.name, m.name_length) != 0) {
            continue;
        }
        const char *which = field + m.name_length;
        if (strcmp(which, ".count") == 0) {
            set_int(out, m.n);
        }
        for (int i = 0; i < M31RI_METRIC_NUMBERS; i++) {
            bool is_it =
                *which == '\0' ? i == 0 : *which == '.' && strcmp(which + 1, number_names[i]) == 0;
            if (is_it) {
                set_double(out, m.numbers[i]);
            }
        }
    }
}

void m31ri_pieces_value(const m31r_facts *facts, m31ri_piece_bytes config,
                        m31ri_piece_bytes metrics, const char *field, m31r_run_value *out)
{
    fact known[N_FACTS];
    *out = (m31r_run_value){.type = '0', .text = ""};
    if (strncmp(field, "config.", 7) == 0) {
        find_config(config, field + 7, out);
        return;
    }
    if (strncmp(field, "metrics.", 8) == 0) {
        find_metric(metrics, field + 8, out);
        return;
    }
    list_facts(facts, known);
    for (size_t i = 0; i < N_FACTS; i++) {
        if (strcmp(field, known[i].name) == 0 && known[i].text != NULL) {
            set_text(out, known[i].text);
        } else if (strcmp(field, known[i].name) == 0) {
            set_text(out, facts->start);
        }
    }
}
