/* diff_lanes.c - the lanes of two runs, record by record.
 *
 * Program order is the only order that a lane has, so the n-th record of one run belongs to the
 * n-th of the other. Behind the first difference the walk goes on while the records still are of
 * the same kind (module, msg, step); once they are not, the rest is only counted.
 */
#include <string.h>

#include "diff/diff_lanes_int.h"
#include "base/alloc.h"
#include "base/fail.h"

#define LINES (M31R_DIFF_CONTEXT * 3 + 2)

typedef struct lane_walk {
    m31r_diff *d;
    size_t part;
    m31r_scan *scans[2];
    m31r_record records[2];
    bool has[2];
    m31ri_fields fields[2];
    m31ri_buf recent[M31R_DIFF_CONTEXT]; /* the last records before the difference */
    uint64_t recent_lines[M31R_DIFF_CONTEXT];
    uint64_t n_recent;
    int n_after;
    m31r_diff_line *lines;
    size_t n_lines;
} lane_walk;

static const char *reason_aside(const m31r_lane_facts *lane)
{
    if (lane->is_observer) {
        return "made by the observer";
    }
    if (strcmp(lane->name, "progress") == 0) {
        return "paced by the clock";
    }
    bool is_captured = strcmp(lane->name, "stdout") == 0 || strcmp(lane->name, "stderr") == 0;
    return is_captured ? "captured text" : "";
}

static m31r_err take(lane_walk *w, int side, m31r_error *e)
{
    m31r_diff_part *part = &w->d->parts[w->part];
    w->has[side] = false;
    if (w->scans[side] == NULL) {
        return M31R_OK;
    }
    for (;;) {
        m31r_err err = m31r_scan_next(w->scans[side], &w->records[side], e);
        if (err == M31R_EOF) {
            return M31R_OK;
        }
        if (err != M31R_OK) {
            return err;
        }
        if (w->d->options.ignores_debug && w->records[side].level == M31R_DEBUG) {
            part->n_debug++;
            continue;
        }
        if (!m31ri_diff_takes(w->d, w->records[side].has_step, w->records[side].step)) {
            continue;
        }
        w->has[side] = true;
        *(side == 0 ? &part->n_a : &part->n_b) += 1;
        return M31R_OK;
    }
}

static void add_line(lane_walk *w, char side, uint64_t line, const char *text, size_t length)
{
    if (w->lines != NULL && w->n_lines < LINES) {
        w->lines[w->n_lines++] = (m31r_diff_line){
            .side = side, .line = line, .text = m31ri_kept_text(&w->d->kept, text, length)};
    }
}

static void add_pair(lane_walk *w)
{
    for (int i = 0; i < 2; i++) {
        if (w->has[i]) {
            add_line(w, i == 0 ? 'a' : 'b', w->records[i].line_number, w->records[i].line,
                     w->records[i].length);
        }
    }
}

static void remember(lane_walk *w)
{
    size_t at = w->n_recent++ % M31R_DIFF_CONTEXT;
    m31ri_buf_clear(&w->recent[at]);
    m31ri_buf_add(&w->recent[at], w->records[0].line, w->records[0].length);
    w->recent_lines[at] = w->records[0].line_number;
}

static const char *keep_value(m31r_diff *d, const m31r_field *f)
{
    return f != NULL ? m31ri_kept_text(&d->kept, f->value, f->value_length) : NULL;
}

/* Fills the place of the first difference. `f` are the members that differ. */
static bool set_first(lane_walk *w, const m31r_field *f[2])
{
    m31r_diff *d = w->d;
    m31r_diff_part *part = &d->parts[w->part];
    const m31r_field *known = f[0] != NULL ? f[0] : f[1];
    int side = w->has[0] ? 0 : 1;
    const m31r_record *r = &w->records[side];
    int64_t start_ns = (side == 0 ? d->a : d->b)->facts.start_ns;
    w->lines = m31ri_calloc(LINES, sizeof *w->lines);
    if (w->lines == NULL) {
        return false;
    }
    for (uint64_t n = M31R_DIFF_CONTEXT; n > 0; n--) {
        if (w->n_recent >= n) {
            size_t at = (w->n_recent - n) % M31R_DIFF_CONTEXT;
            add_line(w, '=', w->recent_lines[at], m31ri_buf_str(&w->recent[at]),
                     w->recent[at].length);
        }
    }
    add_pair(w);
    bool has_times = start_ns != M31R_UNKNOWN && r->wall_ns != M31R_UNKNOWN;
    d->elapsed_ns[w->part] = has_times ? r->wall_ns - start_ns : INT64_MAX;
    part->differs = true;
    for (int i = 0; i < 2; i++) {
        const char *file =
            w->has[i] ? m31ri_kept_text(&d->kept, w->records[i].file, strlen(w->records[i].file))
                      : "";
        *(i == 0 ? &part->first.file_a : &part->first.file_b) = file;
        *(i == 0 ? &part->first.line_a : &part->first.line_b) =
            w->has[i] ? w->records[i].line_number : 0;
    }
    bool is_whole = !w->has[0] || !w->has[1] || known == NULL;
    part->first.field = is_whole ? "" : m31ri_kept_text(&d->kept, known->key, known->key_length);
    part->first.a = is_whole ? NULL : keep_value(d, f[0]);
    part->first.b = is_whole ? NULL : keep_value(d, f[1]);
    part->first.step = r->has_step ? r->step : M31R_UNKNOWN;
    part->first.context = w->lines;
    return true;
}

static bool are_of_one_kind(const m31r_record r[2])
{
    return r[0].has_step == r[1].has_step && (!r[0].has_step || r[0].step == r[1].step) &&
           r[0].module_length == r[1].module_length && r[0].message_length == r[1].message_length &&
           (r[0].module == NULL || r[1].module == NULL ||
            memcmp(r[0].module, r[1].module, r[0].module_length) == 0) &&
           (r[0].message == NULL || r[1].message == NULL ||
            memcmp(r[0].message, r[1].message, r[0].message_length) == 0);
}

/* Compares what stands at this place. */
static m31r_err compare(lane_walk *w, m31r_error *e)
{
    m31r_diff_part *part = &w->d->parts[w->part];
    const m31r_field *f[2] = {NULL, NULL};
    bool are_paired = w->has[0] && w->has[1] && part->is_aligned;
    bool is_same = false;
    if (are_paired && part->differs && !are_of_one_kind(w->records)) {
        part->is_aligned = false;
        are_paired = false;
    }
    if (are_paired) {
        bool notes = part->set_aside[0] == '\0' && are_of_one_kind(w->records);
        if (m31ri_diff_fields(w->d, w->records, w->fields, notes, f) != M31R_OK) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a record's fields");
        }
        is_same = f[0] == NULL && f[1] == NULL;
        part->n_same += is_same;
        part->n_differ += !is_same;
    }
    if (is_same && !part->differs) {
        remember(w);
    } else if (!part->differs) {
        part->is_aligned = w->has[0] && w->has[1] && are_of_one_kind(w->records);
        if (!set_first(w, f)) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a difference");
        }
    } else if (w->n_after++ < M31R_DIFF_CONTEXT) {
        if (is_same) {
            add_line(w, '=', w->records[0].line_number, w->records[0].line, w->records[0].length);
        } else {
            add_pair(w);
        }
    }
    return M31R_OK;
}

static m31r_err walk(lane_walk *w, m31r_error *e)
{
    for (;;) {
        m31r_err err = take(w, 0, e);
        if (err == M31R_OK) {
            err = take(w, 1, e);
        }
        if (err != M31R_OK || (!w->has[0] && !w->has[1])) {
            return err;
        }
        if ((err = compare(w, e)) != M31R_OK) {
            return err;
        }
    }
}

static uint64_t count_unread(const m31r_scan *s)
{
    if (s == NULL) {
        return 0;
    }
    m31r_scan_counts counts = m31r_scan_count(s);
    return counts.n_skipped + counts.n_torn;
}

/* Compares one lane; `a` or `b` is NULL when the run has no such lane. */
static m31r_err compare_lane(m31r_diff *d, const m31r_lane_facts *a, const m31r_lane_facts *b,
                             m31r_error *e)
{
    const m31r_lane_facts *lanes[2] = {a, b};
    const m31r_reader *readers[2] = {d->a, d->b};
    lane_walk w = {.d = d, .part = d->n_parts};
    m31r_diff_part *part = m31ri_diff_add_part(d, (a != NULL ? a : b)->file);
    if (part == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a difference");
    }
    part->set_aside = reason_aside(a != NULL ? a : b);
    m31r_err err = M31R_OK;
    for (int i = 0; i < 2 && err == M31R_OK; i++) {
        m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
        if (lanes[i] != NULL) {
            options.lane = lanes[i]->file;
            err = m31r_scan_open_run(&w.scans[i], readers[i], &options, e);
        }
    }
    if (err == M31R_OK) {
        err = walk(&w, e);
    }
    part = &d->parts[w.part];
    part->n_unread = count_unread(w.scans[0]) + count_unread(w.scans[1]);
    part->first.context = w.lines;
    part->first.n_context = w.n_lines;
    for (int i = 0; i < 2; i++) {
        m31r_scan_close(w.scans[i]);
        m31ri_free(w.fields[i].fields);
    }
    for (int i = 0; i < M31R_DIFF_CONTEXT; i++) {
        d->kept.failed |= w.recent[i].failed;
        m31ri_buf_release(&w.recent[i]);
    }
    return err;
}

static const m31r_lane_facts *find_lane(const m31r_reader *r, const m31r_lane_facts *like)
{
    for (size_t i = 0; i < r->lanes.n; i++) {
        const m31r_lane_facts *lane = &r->lanes.lanes[i];
        if (strcmp(lane->name, like->name) == 0 && lane->rank == like->rank) {
            return lane;
        }
    }
    return NULL;
}

m31r_err m31ri_diff_lanes(m31r_diff *d, m31r_error *e)
{
    m31r_err err = M31R_OK;
    for (size_t i = 0; i < d->a->lanes.n && err == M31R_OK; i++) {
        const m31r_lane_facts *lane = &d->a->lanes.lanes[i];
        err = compare_lane(d, lane, find_lane(d->b, lane), e);
    }
    for (size_t i = 0; i < d->b->lanes.n && err == M31R_OK; i++) {
        const m31r_lane_facts *lane = &d->b->lanes.lanes[i];
        if (find_lane(d->a, lane) == NULL) {
            err = compare_lane(d, NULL, lane, e);
        }
    }
    return err;
}
