/* explain_anomalies.c - what went wrong in the run before its end: the warnings that there were,
 * and how long before. */
#include <stdio.h>
#include <string.h>

#include "explain/explain_int.h"
#include "m31r/anomaly.h"
#include "m31r/series.h"

#define WARNINGS 8 /* the last so many are told */

static bool is_info(const m31r_anomaly_facts *a)
{
    return strcmp(a->severity, "info") == 0;
}

/* The record that was made at the time, else the point. */
static m31ri_place place_of(const m31r_anomaly_facts *a)
{
    m31ri_place place = {.line = a->record_line != 0 ? a->record_line : a->line};
    snprintf(place.file, sizeof place.file, "%s", a->record_line != 0 ? a->record_file : a->file);
    return place;
}

/* ", 52 min before the end", or nothing where neither is known. */
static const char *how_long_before(m31r_explanation *x, const m31r_anomaly_facts *a)
{
    const m31r_facts *f = m31r_reader_facts(x->reader);
    int64_t before_s = f->end[0] != '\0' && f->end_ns != M31R_UNKNOWN && a->wall_ns != M31R_UNKNOWN
                           ? (f->end_ns - a->wall_ns) / 1000000000
                           : -1;
    if (before_s < 0) {
        return "";
    }
    return before_s < 120
               ? m31ri_kept_format(&x->kept, ", %lld s before the end", (long long)before_s)
               : m31ri_kept_format(&x->kept, ", %lld min before the end",
                                   (long long)(before_s / 60));
}

static void say_one(m31r_explanation *x, const m31r_anomaly_facts *a)
{
    const char *step = a->step == M31R_NO_STEP
                           ? ""
                           : m31ri_kept_format(&x->kept, " at step %lld", (long long)a->step);
    const char *rank = a->rank < 0 ? "" : m31ri_kept_format(&x->kept, " of rank %d", a->rank);
    m31ri_explain_say(x, "warned", place_of(a), "%s%s%s%s%s%s: %s%s", a->kind,
                      a->metric[0] != '\0' ? " in " : "", a->metric, rank, step,
                      how_long_before(x, a), a->evidence, a->is_open ? "" : "; it was over later");
}

static void say_spikes(m31r_explanation *x, const m31r_anomaly_facts *last, uint64_t n)
{
    if (n > 0) {
        const char *step = last->step == M31R_NO_STEP ? ""
                                                      : m31ri_kept_format(&x->kept, " at step %lld",
                                                                          (long long)last->step);
        m31ri_place place = {.line = last->line};
        snprintf(place.file, sizeof place.file, "%s", last->file);
        m31ri_explain_say(x, "spike", place, "last in %s%s: %s; %llu spikes in all", last->metric,
                          step, last->evidence, (unsigned long long)n);
    }
}

m31r_err m31ri_explain_anomalies(m31r_explanation *x, m31r_error *e)
{
    m31r_anomalies *anomalies = NULL;
    m31r_anomaly_facts a;
    m31r_anomaly_facts spike = {0};
    uint64_t n_spikes = 0;
    size_t n_warnings = 0;
    m31r_err err = m31r_anomalies_open(&anomalies, x->reader, e);
    if (err != M31R_OK) {
        return err;
    }
    for (size_t i = 0; m31r_anomalies_get(anomalies, i, &a) == M31R_OK; i++) {
        n_warnings += !is_info(&a);
        if (strcmp(a.kind, "spike") == 0) {
            spike = a;
            n_spikes++;
        }
    }
    say_spikes(x, &spike, n_spikes);
    size_t n_left_out = n_warnings > WARNINGS ? n_warnings - WARNINGS : 0;
    size_t at = 0;
    for (size_t i = 0; m31r_anomalies_get(anomalies, i, &a) == M31R_OK; i++) {
        if (!is_info(&a) && at++ >= n_left_out) {
            say_one(x, &a);
        }
    }
    if (n_left_out > 0) {
        m31ri_place place = {.file = "metrics.csv"};
        m31ri_explain_say(x, "warned", place, "%zu times more before: m31r anomalies", n_left_out);
    }
    m31r_anomalies_close(anomalies);
    return M31R_OK;
}
