/* summary_json.c - the summary as the text of metrics.json; docs/FORMAT.md describes it.
 *
 * One line for each metric, so that two versions of the file compare well with line tools.
 */
#include <math.h>
#include <string.h>

#include "format/json_text.h"
#include "format/number.h"
#include "format/stage_table.h"
#include "stat/summary.h"

static void write_text(m31ri_buf *out, const char *text)
{
    m31ri_json_string(out, text, strlen(text));
}

static void write_value(m31ri_buf *out, double x)
{
    char digits[M31RI_NUMBER_BYTES];
    size_t length = m31ri_number_write_double(x, digits);
    const char *quote = isfinite(x) ? "" : "\"";
    m31ri_buf_add_str(out, quote);
    m31ri_buf_add(out, digits, length);
    m31ri_buf_add_str(out, quote);
}

static void write_member(m31ri_buf *out, const char *key, double x, bool exists)
{
    m31ri_buf_add_format(out, ",\"%s\":", key);
    if (exists) {
        write_value(out, x);
    } else {
        m31ri_buf_add_str(out, "null");
    }
}

static void write_step(m31ri_buf *out, const char *key, int64_t step)
{
    if (step == INT64_MIN) {
        m31ri_buf_add_format(out, ",\"%s\":null", key);
    } else {
        m31ri_buf_add_format(out, ",\"%s\":%lld", key, (long long)step);
    }
}

static void write_metric(m31ri_buf *out, const m31ri_metric_summary *m)
{
    bool any = m->count > m->n_nonfinite;
    write_text(out, m->name);
    m31ri_buf_add_format(out,
                         ":{\"count\":%llu,\"nonfinite\":%llu,\"superseded\":%llu,\"segments\":%lu",
                         (unsigned long long)m->count, (unsigned long long)m->n_nonfinite,
                         (unsigned long long)m->n_superseded, (unsigned long)m->segments);
    write_member(out, "first", m->first, true);
    write_step(out, "first_step", m->first_step);
    write_member(out, "last", m->last, true);
    write_step(out, "last_step", m->last_step);
    write_member(out, "min", m->min, any);
    write_step(out, "min_step", m->min_step);
    write_member(out, "max", m->max, any);
    write_step(out, "max_step", m->max_step);
    write_member(out, "mean", m->mean, any);
    write_member(out, "std", m->std, m->count - m->n_nonfinite > 1);
    write_member(out, "p50", m->p50, any);
    write_member(out, "p90", m->p90, any);
    write_member(out, "p99", m->p99, any);
    m31ri_buf_add_format(out, ",\"quantiles\":\"%s\"}",
                         m->quantiles_are_exact ? "exact" : "sketch");
}

/* Last value of the first of the names that there is; null when there is none. */
static void write_mandatory(m31ri_buf *out, const m31ri_summary *s,
                            const m31ri_stage_metric *wanted)
{
    for (size_t k = 0; k < M31RI_STAGE_METRIC_NAMES && wanted->names[k] != NULL; k++) {
        size_t i = m31ri_summary_find(s, wanted->names[k]);
        if (i != SIZE_MAX) {
            m31ri_metric_summary m;
            m31ri_summary_get(s, i, &m);
            write_value(out, m.last);
            return;
        }
    }
    m31ri_buf_add_str(out, "null");
}

void m31ri_summary_write_json(const m31ri_summary *s, const char *run_id, const char *updated_ts,
                              m31ri_buf *out)
{
    m31ri_metric_summary m;
    size_t n = m31ri_summary_count(s);
    m31ri_buf_add_str(out, "{\n\"format_version\":1,\n\"run_id\":");
    write_text(out, run_id);
    m31ri_buf_add_str(out, ",\n\"updated\":");
    write_text(out, updated_ts);
    m31ri_buf_add_format(out, ",\n\"points\":%llu,\n\"bad_lines\":%llu,\n\"mandatory\":{",
                         (unsigned long long)m31ri_summary_points(s),
                         (unsigned long long)m31ri_summary_bad_lines(s));
    for (size_t i = 0; i < M31RI_MANDATORY_METRICS; i++) {
        m31ri_buf_add_format(out, "%s\"%s\":", i != 0 ? "," : "", m31ri_mandatory_metrics[i].what);
        write_mandatory(out, s, &m31ri_mandatory_metrics[i]);
    }
    m31ri_buf_add_str(out, "},\n\"metrics\":{");
    for (size_t i = 0; i < n; i++) {
        m31ri_summary_get(s, i, &m);
        m31ri_buf_add_str(out, i != 0 ? ",\n" : "\n");
        write_metric(out, &m);
    }
    m31ri_buf_add_str(out, n != 0 ? "\n}\n}\n" : "}\n}\n");
}
