/* capture.c - lines to records and points; capture.h.
 *
 * A line of text becomes {"module":"stdout","msg":"line","line":...}, level INFO from either
 * output: programs print progress to stderr, and a guess at what is an error would be wrong in both
 * directions. A line that is a JSON object keeps its fields (foreign.h).
 */
#include "observe/capture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

#define LINE_FIELDS 5

static const struct {
    const char *text;
    int seen;
} hints[] = {
    {"CUDA out of memory", M31RI_SEEN_CUDA_OOM},
    {"CUDA_ERROR_OUT_OF_MEMORY", M31RI_SEEN_CUDA_OOM},
    {"OutOfMemoryError: CUDA", M31RI_SEEN_CUDA_OOM},
    {"No space left on device", M31RI_SEEN_DISK_FULL},
};

static void look_for_hints(m31ri_capture_stream *c, const char *bytes, size_t length)
{
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        if ((c->shared->seen & hints[i].seen) == 0 &&
            memmem(bytes, length, hints[i].text, strlen(hints[i].text)) != NULL) {
            c->shared->seen |= hints[i].seen;
        }
    }
}

/* Remembers a loss that went bad, as a hint for the cause of a failure. */
static void note_value(m31ri_shared *s, const char *name, double value)
{
    if (!isfinite(value)) {
        snprintf(s->nonfinite_metric, sizeof s->nonfinite_metric, "%s", name);
    } else if (strcmp(s->nonfinite_metric, name) == 0) {
        s->nonfinite_metric[0] = '\0';
    }
}

static void propose(m31ri_capture_stream *c, const m31ri_line *line)
{
    if (c->n_proposal_lines >= M31RI_PROPOSE_LINES) {
        return;
    }
    c->n_proposal_lines++;
    for (size_t i = 0; i < m31r_patterns_count(c->patterns); i++) {
        if (c->shared->counts[i].n_matched == 0 && c->proposals[i].length == 0) {
            m31ri_pattern_propose(m31r_patterns_name(c->patterns, i), line->text, line->length,
                                  &c->proposals[i]);
        }
    }
}

static void take_points(m31ri_capture_stream *c, const m31ri_line *line)
{
    m31r_pattern_point found[M31R_PATTERN_LIMIT];
    size_t n = m31r_patterns_match(c->patterns, line->text, line->length, c->shared->counts, found);
    for (size_t i = 0; i < n; i++) {
        note_value(c->shared, found[i].name, found[i].value);
        if (c->skip_points > 0) {
            c->skip_points--;
        } else if (c->run != NULL) {
            m31r_metric(c->run, found[i].name, found[i].value, found[i].step);
        }
        m31ri_stream_now(&c->stream)->n_points++;
    }
    if (n < m31r_patterns_count(c->patterns)) {
        propose(c, line);
    }
}

static void write_record(m31ri_capture_stream *c, m31r_level level, const char *module,
                         m31r_value message, const m31r_value *keys, const m31r_value *values,
                         size_t n)
{
    if (c->skip_records > 0) {
        c->skip_records--;
    } else {
        m31ri_lane_write(c->lane, level, module, message, keys, values, n);
        if (c->json_to != NULL) {
            const m31ri_buf *line = m31ri_lane_last_line(c->lane);
            m31ri_printer_add(c->json_to, line->data, line->length);
        }
    }
}

static void write_text(m31ri_capture_stream *c, const m31ri_line *line)
{
    m31r_value keys[LINE_FIELDS];
    m31r_value values[LINE_FIELDS];
    size_t n = 0;
    keys[n] = m31r_of_string("line");
    values[n++] = m31r_text(line->text, line->length);
    if (line->part > 0) {
        keys[n] = m31r_of_string("part");
        values[n++] = m31r_of_uint(line->part);
    }
    if (line->n_parts > 0) {
        keys[n] = m31r_of_string("parts");
        values[n++] = m31r_of_uint(line->n_parts);
    }
    if (line->is_bar) {
        keys[n] = m31r_of_string("overwritten");
        values[n++] = m31r_of_uint(line->n_overwritten);
    }
    if (line->is_unterminated) {
        keys[n] = m31r_of_string("unterminated");
        values[n++] = m31r_of_bool(true);
    }
    write_record(c, M31R_INFO, c->name, m31r_of_string("line"), keys, values, n);
}

static void take_line(m31ri_capture_stream *c, const m31ri_line *line)
{
    c->stream.shared->n_lines++;
    c->stream.shared->n_bars_overwritten += line->n_overwritten;
    if (c->patterns != NULL) {
        take_points(c, line);
    }
    if (c->lane == NULL) {
        return;
    }
    if (line->part == 0 && !line->is_bar &&
        m31ri_foreign_read(&c->foreign, line->text, line->length)) {
        const m31ri_foreign *f = &c->foreign;
        c->stream.shared->n_json++;
        write_record(c, f->level, f->module[0] != '\0' ? f->module : c->name, f->message, f->keys,
                     f->values, f->n);
        return;
    }
    write_text(c, line);
}

/* Passes on what was not passed on yet, as it is. */
static void pass_on(m31ri_capture_stream *c)
{
    m31ri_stream_shared *s = c->stream.shared;
    uint64_t cursor = m31ri_stream_now(&c->stream)->cursor;
    if (c->raw_to != NULL && s->printed < s->tail) {
        size_t length;
        const char *bytes = m31ri_stream_bytes(&c->stream, &length);
        uint64_t from = s->printed > cursor ? s->printed : cursor;
        m31ri_printer_add(c->raw_to, bytes + (from - cursor), (size_t)(s->tail - from));
    }
    s->printed = s->tail;
}

void m31ri_capture_bytes(m31ri_capture_stream *c, bool at_end)
{
    pass_on(c);
    size_t length;
    const char *bytes = m31ri_stream_bytes(&c->stream, &length);
    m31ri_split_state split = m31ri_stream_now(&c->stream)->split;
    m31ri_line line;
    size_t used = 0;
    int64_t now_ns = m31ri_mono_ns();
    look_for_hints(c, bytes, length);
    if (c->lane != NULL) {
        m31ri_lane_hold(c->lane);
    }
    while (m31ri_split_next(&split, bytes + used, length - used, now_ns, at_end, &line)) {
        used += line.used;
        take_line(c, &line);
    }
    used += line.used;
    uint64_t lane_bytes = 0;
    if (c->lane != NULL) {
        m31ri_lane_release(c->lane);
        lane_bytes = m31ri_lane_bytes(c->lane);
    }
    m31ri_stream_commit_bytes(&c->stream, used, &split, lane_bytes);
}

void m31ri_capture_recover(m31ri_capture_stream *c)
{
    m31ri_stream_recover(&c->stream);
    m31ri_stream_commit *now = m31ri_stream_now(&c->stream);
    c->skip_points = now->n_points;
    now->n_points = 0;
    m31ri_capture_bytes(c, false);
    c->skip_records = 0;
    c->skip_points = 0;
}

void m31ri_capture_release(m31ri_capture_stream *c)
{
    m31ri_foreign_release(&c->foreign);
}
