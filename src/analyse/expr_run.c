/* expr_run.c - an expression asked about a run: its facts, its config, its metrics.
 *
 * The config and the points are read only when the expression names one of their fields: they cost
 * far more than the rest. A config that cannot be read has no fields.
 */
#include <string.h>

#include "analyse/series_int.h"
#include "base/os_file.h"
#include "format/yaml.h"
#include "m31r/expr.h"
#include "read/expr_int.h"
#include "read/reader_int.h"

#define CONFIG_FILE "config_snapshot.yaml"
#define NAME_BYTES 256

static void offer_scalar(void *context, const char *dotted, const m31ri_yaml_node *n)
{
    m31r_expr *x = context;
    m31ri_expr_value v = {.is = M31RI_IS_TEXT, .text = n->text, .length = n->text_length};
    char name[NAME_BYTES];
    int length = snprintf(name, sizeof name, "config.%s", dotted);
    if (length < 0 || (size_t)length >= sizeof name) {
        return;
    }
    if (n->type == M31RI_YAML_INT) {
        v.is |= M31RI_IS_INT;
        v.i = n->i;
    } else if (n->type == M31RI_YAML_FLOAT) {
        v.is |= M31RI_IS_DOUBLE;
        v.d = n->f;
    } else if (n->type == M31RI_YAML_BOOL) {
        v.is = M31RI_IS_BOOL;
        v.b = n->b;
    } else if (n->type == M31RI_YAML_NULL) {
        v.is = M31RI_IS_NULL;
    } else {
        v.is_loose = true; /* `lr: "1e-3"` */
    }
    m31ri_expr_offer(x, name, (size_t)length, &v);
}

/* The tree of the config lives until the judgement: texts point into it. */
static m31ri_yaml *offer_config(m31r_expr *x, const m31r_reader *run)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_yaml *config = NULL;
    if (m31ri_read_file(run->fd, CONFIG_FILE, M31RI_YAML_BYTES, &text, NULL) == M31R_OK &&
        m31ri_yaml_read(m31ri_buf_str(&text), text.length, CONFIG_FILE, &config, NULL) == M31R_OK) {
        m31ri_yaml_each_scalar(m31ri_yaml_root(config), offer_scalar, x);
    }
    m31ri_buf_release(&text);
    return config;
}

static void offer_metric(m31r_expr *x, const m31r_metric_facts *m)
{
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"last", m->last}, {"min", m->min}, {"max", m->max}, {"mean", m->mean}};
    char name[NAME_BYTES];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(name, sizeof name, "metrics.%.200s.%s", m->name, numbers[i].name);
        m31ri_expr_offer_double(x, name, numbers[i].value);
    }
    snprintf(name, sizeof name, "metrics.%.200s.count", m->name);
    m31ri_expr_offer_int(x, name, (int64_t)m->n);
}

static void offer_metrics(m31r_expr *x, const m31r_reader *run)
{
    m31r_series *series = NULL;
    m31r_metric_facts m;
    if (m31r_series_open(&series, run, NULL) != M31R_OK) {
        return;
    }
    for (size_t i = 0; m31r_series_get(series, i, &m) == M31R_OK; i++) {
        offer_metric(x, &m);
    }
    m31ri_expr_offer_int(x, "step", m31r_series_last_step(series));
    m31r_series_close(series);
}

bool m31r_expr_holds_run(m31r_expr *x, const m31r_reader *run)
{
    const m31r_facts *f = m31r_reader_facts(run);
    m31ri_expr_value ts = {.is = M31RI_IS_TIME, .i = f->start_ns};
    m31ri_yaml *config = NULL;
    m31ri_expr_begin(x);
    m31ri_expr_offer_text(x, "id", f->run_id);
    m31ri_expr_offer_text(x, "name", f->name);
    m31ri_expr_offer_text(x, "stage", f->stage);
    m31ri_expr_offer_text(x, "kind", f->kind);
    m31ri_expr_offer_text(x, "state", m31r_state_name(f->state));
    m31ri_expr_offer_text(x, "cause", f->cause);
    m31ri_expr_offer_text(x, "seed", f->seed.value);
    m31ri_expr_offer_text(x, "dataset", f->dataset.value);
    m31ri_expr_offer_text(x, "tokenizer", f->tokenizer.value);
    m31ri_expr_offer_text(x, "commit", f->commit.value);
    if (f->start_ns != M31R_UNKNOWN) {
        m31ri_expr_offer(x, "ts", 2, &ts);
    }
    if (m31ri_expr_asks(x, "config.")) {
        config = offer_config(x, run);
    }
    if (m31ri_expr_asks(x, "metrics.") || m31ri_expr_asks(x, "step")) {
        offer_metrics(x, run);
    }
    bool is_held = m31ri_expr_judge(x);
    m31ri_yaml_free(config);
    return is_held;
}
