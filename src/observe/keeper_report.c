/* keeper_report.c - what the observer itself has to say: records on its lane, and what of all
 * records is shown.
 *
 * In a pipe everything is shown as it was written. On a terminal, where the program's own text
 * passes through, samples and counts would drown it: there only warnings, errors and the program's
 * own records are shown, as key=value lines; records of m31r_progress() as a bar.
 */
#include <string.h>

#include "base/clock.h"
#include "base/os_pty.h"
#include "format/record.h"
#include "observe/keeper.h"
#include "observe/progress_bar.h"
#include "observe/record_text.h"

#define PROGRESS_NS (5LL * 1000 * 1000 * 1000)
#define REPORT_FIELDS 160

static void show(m31ri_keeper *k, const char *line, size_t length)
{
    m31ri_printer *p = k->records_to;
    if (p == NULL) {
        return;
    }
    if (!p->is_terminal) {
        m31ri_printer_add(p, line, length);
        return;
    }
    m31ri_buf_clear(&k->text);
    if (m31ri_terminal_is_smart() &&
        m31ri_progress_bar(&k->text, line, length, m31ri_terminal_columns(p->fd))) {
        m31ri_printer_bar(p, &k->text);
        return;
    }
    if (!p->at_line_start) {
        m31ri_buf_add_str(&k->text, "\r\n");
    }
    m31ri_record_text(&k->text, line, length);
    m31ri_printer_add(p, k->text.data, k->text.length);
}

void m31ri_keeper_report(m31ri_keeper *k, m31r_level level, const char *message,
                         const m31ri_field *fields, size_t n)
{
    m31r_value keys[REPORT_FIELDS];
    m31r_value values[REPORT_FIELDS];
    if (k->run == NULL || n > REPORT_FIELDS) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        keys[i] = m31r_of_string(fields[i].key);
        values[i] = fields[i].value;
    }
    m31ri_lane_write(k->observer, level, "observer", m31r_of_string(message), keys, values, n);
    const m31ri_buf *line = m31ri_lane_last_line(k->observer);
    bool is_worth_it =
        level >= M31R_WARNING || k->records_to == NULL || !k->records_to->is_terminal;
    if (is_worth_it && line != NULL && line->data != NULL) {
        show(k, line->data, line->length);
    }
}

static void show_program_line(void *context, const char *line, size_t length)
{
    m31ri_keeper *k = context;
    show(k, line, length);
}

bool m31ri_keeper_show_lanes(m31ri_keeper *k)
{
    return k->tail != NULL && k->records_to != NULL &&
           m31ri_lane_tail_read(k->tail, show_program_line, k);
}

bool m31ri_hint_is_due(m31ri_hint *h, int64_t start_mono_ns, int64_t now_ns, bool at_end)
{
    bool is_due =
        !h->is_given && (at_end || (start_mono_ns != 0 && now_ns - start_mono_ns > M31RI_HINT_NS));
    h->is_given |= is_due;
    return is_due;
}

void m31ri_keeper_report_unmatched(m31ri_keeper *k)
{
    uint64_t n_lines =
        k->shared->streams[M31RI_OUT].n_lines + k->shared->streams[M31RI_ERR].n_lines;
    for (size_t i = 0; i < m31r_patterns_count(k->plan->patterns); i++) {
        const m31r_pattern_count *count = &k->shared->counts[i];
        if (count->n_matched > 0) {
            continue;
        }
        const m31ri_field fields[] = {
            {"metric", m31r_of_string(m31r_patterns_name(k->plan->patterns, i))},
            {"pattern", m31r_of_string(m31r_patterns_text(k->plan->patterns, i))},
            {"lines", m31r_of_uint(n_lines)},
            {"not_a_number", m31r_of_uint(count->n_not_number)},
            {"gave_up", m31r_of_uint(count->n_limit)},
            {"proposal", m31r_of_string(k->proposals[i].length > 0 ? k->proposals[i].data : NULL)},
        };
        m31ri_keeper_report(k, M31R_WARNING, "metric_pattern_unmatched", fields,
                            sizeof fields / sizeof *fields);
    }
}

void m31ri_keeper_report_counts(m31ri_keeper *k)
{
    for (int i = 0; i < M31RI_STREAMS; i++) {
        const m31ri_stream_shared *s = &k->shared->streams[i];
        const m31ri_printer *p = &k->printers[i];
        const m31ri_field fields[] = {
            {"stream", m31r_of_string(k->streams[i].name)},
            {"capture", m31r_of_string(m31ri_capture_name(k->plan->capture))},
            {"bytes", m31r_of_uint(s->tail)},
            {"lines", m31r_of_uint(s->n_lines)},
            {"json_lines", m31r_of_uint(s->n_json)},
            {"overwritten", m31r_of_uint(s->n_bars_overwritten)},
            {"print_dropped_bytes", m31r_of_uint(p->n_dropped_bytes)},
        };
        m31ri_keeper_report(k, M31R_INFO, "capture_counts", fields, sizeof fields / sizeof *fields);
    }
    for (size_t i = 0; i < m31r_patterns_count(k->plan->patterns); i++) {
        const m31ri_field fields[] = {
            {"metric", m31r_of_string(m31r_patterns_name(k->plan->patterns, i))},
            {"matched", m31r_of_uint(k->shared->counts[i].n_matched)},
            {"not_a_number", m31r_of_uint(k->shared->counts[i].n_not_number)},
        };
        m31ri_keeper_report(k, M31R_INFO, "pattern_counts", fields, sizeof fields / sizeof *fields);
    }
}

void m31ri_keeper_report_disk(m31ri_keeper *k)
{
    m31ri_room room = {0, 0};
    if (m31ri_run_disk_got_low(k->run, &room)) {
        const m31ri_field fields[] = {{"free_bytes", m31r_of_uint(room.free_bytes)},
                                      {"reserved_bytes", m31r_of_uint(room.reserved_bytes)}};
        m31ri_keeper_report(k, M31R_WARNING, "disk_low", fields, 2);
    }
}

void m31ri_keeper_report_clock(m31ri_keeper *k)
{
    double seconds = m31ri_run_clock_step(k->run);
    if (seconds != 0) {
        const m31ri_field field = {"seconds", m31r_of_double(seconds)};
        m31ri_keeper_report(k, M31R_WARNING, "clock_set", &field, 1);
    }
}

void m31ri_keeper_report_progress(m31ri_keeper *k)
{
    const m31ri_fingerprint_progress *p = m31ri_run_fingerprint_progress(k->run);
    int64_t now_ns = m31ri_mono_ns();
    if (p == NULL || now_ns < k->next_progress_ns) {
        return;
    }
    k->next_progress_ns = now_ns + PROGRESS_NS;
    const m31ri_field fields[] = {
        {"files", m31r_of_uint(atomic_load(&p->n_files))},
        {"bytes", m31r_of_uint(atomic_load(&p->n_bytes))},
    };
    m31ri_keeper_report(k, M31R_INFO, "fingerprint_progress", fields, 2);
}
