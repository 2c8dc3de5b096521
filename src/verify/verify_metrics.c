/* verify_metrics.c - do the points read, does metrics.json say what they say, and are the mandatory
 * metrics there? */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyse/series_int.h"
#include "verify/verify_int.h"
#include "base/os_file.h"
#include "format/number.h"
#include "format/stage_table.h"

#define METRICS_JSON_BYTES (64 * 1024 * 1024)

static double double_of(const json_t *value)
{
    double x;
    const char *text = json_string_value(value);
    if (text != NULL && m31ri_number_read_double(text, strlen(text), &x)) {
        return x;
    }
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool is_same(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b;
}

/* The first thing in which metrics.json and the points differ, or NULL. */
static const char *difference(m31r_verification *v, const m31r_series *series,
                              const json_t *metrics)
{
    if (json_object_size(metrics) != m31r_series_count(series)) {
        return m31ri_verify_text(v, "%zu metrics, the points have %zu", json_object_size(metrics),
                                 m31r_series_count(series));
    }
    for (size_t i = 0; i < m31r_series_count(series); i++) {
        m31r_metric_facts m;
        (void)m31r_series_get(series, i, &m);
        const json_t *said = json_object_get(metrics, m.name);
        const json_t *n = json_object_get(said, "count");
        if (json_integer_value(n) != (json_int_t)m.n) {
            return m31ri_verify_text(v, "%s: count %lld, the points say %llu", m.name,
                                     (long long)json_integer_value(n), (unsigned long long)m.n);
        }
        const struct {
            const char *key;
            double value;
        } values[] = {{"last", m.last}, {"first", m.first}, {"min", m.min}, {"max", m.max}};
        for (size_t k = 0; k < 4; k++) {
            double x = double_of(json_object_get(said, values[k].key));
            if (!is_same(x, values[k].value)) {
                return m31ri_verify_text(v, "%s: %s %.17g, the points say %.17g", m.name,
                                         values[k].key, x, values[k].value);
            }
        }
    }
    return NULL;
}

static void check_summary(m31r_verification *v, const m31r_series *series)
{
    static const char *const reads[2] = {"OBS-19", "metrics.json reads"};
    static const char *const agrees[2] = {"OBS-19", "metrics.json agrees with the points"};
    m31ri_check_place place = {.path = "metrics.json", .breaks = M31R_VERDICT_UNREADABLE};
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = m31ri_read_file(v->reader->fd, "metrics.json", METRICS_JSON_BYTES, &text, NULL);
    json_t *root = err == M31R_OK ? json_loadb(m31ri_buf_str(&text), text.length, 0, NULL) : NULL;
    const json_t *metrics = json_object_get(root, "metrics");
    m31ri_buf_release(&text);
    m31ri_verify_add(v, reads, json_is_object(metrics) ? M31R_YES : M31R_NO, place, "%s",
                     json_is_object(metrics) ? "an object of metrics" : "missing, or no JSON");
    place.breaks = M31R_VERDICT_CHANGED;
    if (!m31ri_verify_is_ended(v)) {
        m31ri_verify_add(v, agrees, M31R_NOT_APPLICABLE, place,
                         "the run did not end: it may lag behind");
        v->numbers.metrics_agree = true;
    } else if (json_is_object(metrics)) {
        const char *why = difference(v, series, metrics);
        v->numbers.metrics_agree = why == NULL;
        m31ri_verify_add(v, agrees, why == NULL ? M31R_YES : M31R_NO, place, "%s",
                         why == NULL ? "count, first, last, min, max of each" : why);
    }
    json_decref(root);
}

static void check_points(m31r_verification *v, const m31r_series *series)
{
    static const char *const reads[2] = {"OBS-19", "metrics.csv reads"};
    uint64_t n_bad = m31r_series_bad_lines(series);
    uint64_t n_torn = m31ri_series_torn(series);
    m31r_verdict breaks = M31R_VERDICT_UNREADABLE;
    for (size_t i = 0; i < m31r_series_count(series); i++) {
        m31r_metric_facts m;
        (void)m31r_series_get(series, i, &m);
        v->numbers.n_points += m.n;
    }
    v->numbers.has_step |= m31r_series_last_step(series) != M31R_NO_STEP;
    if (n_bad == 0 && n_torn > 0 && !m31ri_verify_is_ended(v)) {
        breaks = M31R_VERDICT_PREFIX;
    }
    m31ri_check_place place = {.path = "metrics.csv", .breaks = breaks};
    m31ri_verify_add(v, reads, n_bad + n_torn > 0 ? M31R_NO : M31R_YES, place,
                     "%llu points, %llu lines that are none, %llu torn",
                     (unsigned long long)v->numbers.n_points, (unsigned long long)n_bad,
                     (unsigned long long)n_torn);
}

static bool has_any(const m31r_series *series, const char *const names[M31RI_STAGE_METRIC_NAMES])
{
    m31r_metric_facts m;
    for (size_t i = 0; i < M31RI_STAGE_METRIC_NAMES && names[i] != NULL; i++) {
        if (m31r_series_find(series, names[i], &m) == M31R_OK) {
            return true;
        }
    }
    return false;
}

static void check_mandatory(m31r_verification *v, const m31r_series *series)
{
    static const char *const statement[2] = {"OBS-20", "the stage's mandatory metrics have points"};
    const m31r_facts *f = &v->reader->facts;
    m31ri_check_place place = {.path = "metrics.csv", .breaks = M31R_VERDICT_INCOMPLETE};
    char missing[256] = "";
    size_t n = 0;
    const m31ri_stage *stage = m31ri_stage_find(f->stage);
    size_t n_wanted = stage != NULL ? stage->n_metrics : 0;
    for (size_t i = 0; i < n_wanted; i++) {
        if (!has_any(series, stage->metrics[i].names)) {
            n += (size_t)snprintf(missing + n, sizeof missing - n, "%s%s", n > 0 ? ", " : "",
                                  stage->metrics[i].what);
        }
    }
    if (strcmp(f->kind, "trial") == 0 || n_wanted == 0) {
        m31ri_verify_add(v, statement, M31R_NOT_APPLICABLE, place, "%s%s",
                         n_wanted == 0 ? "this stage has none" : "a trial; missing: ",
                         n_wanted == 0 ? ""
                         : n > 0       ? missing
                                       : "none");
    } else {
        m31ri_verify_add(v, statement, n > 0 ? M31R_NO : M31R_YES, place, "%s%s",
                         n > 0 ? "missing: " : "all have", n > 0 ? missing : "");
    }
}

m31r_err m31ri_verify_metrics(m31r_verification *v, m31r_error *e)
{
    m31r_series *series = NULL;
    m31r_err err = m31r_series_open(&series, v->reader, e);
    if (err != M31R_OK) {
        return err;
    }
    check_points(v, series);
    check_summary(v, series);
    check_mandatory(v, series);
    m31r_series_close(series);
    return M31R_OK;
}
