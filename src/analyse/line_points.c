/* line_points.c - line_points.h.
 *
 * Kept lines are the records with a field `line` in the lanes stdout and stderr. They are matched
 * as `m31r run --metric` matches them while the program runs, but that they were kept as text:
 * invalid bytes are U+FFFD, secrets are gone, of progress bars one a second is left, and a line
 * that was a JSON object is no line any more. The run is only read.
 */
#include "analyse/line_points.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/json_text.h"
#include "format/point.h"
#include "m31r/scan.h"

struct m31ri_line_points {
    m31r_scan *scan;
    m31r_patterns *patterns;
    m31r_pattern_count *counts;
    m31r_pattern_point found[M31R_PATTERN_LIMIT]; /* of the line read last */
    size_t n_found, next_found;
    int64_t wall_ns;
    m31ri_buf text; /* the line */
    m31ri_buf row;  /* the point as a line of metrics.csv */
};

m31r_err m31ri_line_points_open(m31ri_line_points **out, const m31r_reader *reader,
                                m31r_patterns *patterns, m31r_pattern_count *counts, m31r_error *e)
{
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    for (size_t i = 0; i < m31r_patterns_count(patterns); i++) {
        const char *name = m31r_patterns_name(patterns, i);
        if (!m31ri_point_name_is_valid(name, strlen(name))) {
            return m31ri_fail(e, M31R_E_ARG, "\"%s\" is no name of a metric", name);
        }
    }
    m31ri_line_points *l = m31ri_calloc(1, sizeof *l);
    if (l == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the points of a run");
    }
    l->patterns = patterns;
    l->counts = counts;
    m31r_err err = m31r_scan_open_run(&l->scan, reader, &options, e);
    if (err != M31R_OK) {
        m31ri_free(l);
        return err;
    }
    *out = l;
    return M31R_OK;
}

static bool find_line(void *context, const m31r_field *field)
{
    m31ri_line_points *l = context;
    bool is_line =
        field->type == 's' && field->key_length == 4 && memcmp(field->key, "line", 4) == 0;
    if (is_line) {
        m31ri_json_unescape(&l->text, field->value, field->value_length);
    }
    return !is_line;
}

/* Finds the points of the next kept line that has any. */
static m31r_err read_line(m31ri_line_points *l, m31r_error *e)
{
    m31r_record record;
    m31r_err err;
    while ((err = m31r_scan_next(l->scan, &record, e)) == M31R_OK) {
        if (strcmp(record.lane, "stdout") != 0 && strcmp(record.lane, "stderr") != 0) {
            continue;
        }
        m31ri_buf_clear(&l->text);
        m31r_record_each(&record, find_line, l);
        if (!m31ri_buf_ok(&l->text)) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a line");
        }
        l->next_found = 0;
        l->n_found = l->text.length == 0 ? 0
                                         : m31r_patterns_match(l->patterns, l->text.data,
                                                               l->text.length, l->counts, l->found);
        l->wall_ns = record.wall_ns;
        if (l->n_found > 0) {
            return M31R_OK;
        }
    }
    return err;
}

m31r_err m31ri_line_points_next(m31ri_line_points *l, m31r_point_view *out, m31r_error *e)
{
    m31r_err err = l->next_found < l->n_found ? M31R_OK : read_line(l, e);
    if (err != M31R_OK) {
        return err;
    }
    const m31r_pattern_point *found = &l->found[l->next_found++];
    const m31ri_point point = {.name = found->name,
                               .name_length = strlen(found->name),
                               .step = found->step,
                               .value = found->value,
                               .wall_ns = l->wall_ns};
    m31ri_buf_clear(&l->row);
    m31ri_point_write(&l->row, &point);
    if (!m31ri_buf_ok(&l->row)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a point");
    }
    *out = (m31r_point_view){.name = point.name,
                             .name_length = point.name_length,
                             .step = point.step,
                             .value = point.value,
                             .wall_ns = point.wall_ns,
                             .line = l->row.data,
                             .length = l->row.length - 1};
    return M31R_OK;
}

void m31ri_line_points_close(m31ri_line_points *l)
{
    if (l != NULL) {
        m31r_scan_close(l->scan);
        m31ri_buf_release(&l->text);
        m31ri_buf_release(&l->row);
        m31ri_free(l);
    }
}
