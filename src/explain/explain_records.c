/* explain_records.c - what the records tell of an end: one pass over all lanes merged, then the
 * last records again as they stand. */
#include <stdio.h>
#include <string.h>

#include "explain/explain_int.h"
#include "m31r/scan.h"
#include "read/merge.h"

static bool is_own(const m31r_record *r, const char *message)
{
    return r->module != NULL && r->message != NULL && r->module_length == 4 &&
           memcmp(r->module, "m31r", 4) == 0 && strlen(message) == r->message_length &&
           memcmp(r->message, message, r->message_length) == 0;
}

static m31ri_place place_at(const char *file, uint64_t line)
{
    m31ri_place place = {.line = line};
    snprintf(place.file, sizeof place.file, "%s", file);
    return place;
}

static m31ri_place place_of(const m31r_record *r)
{
    return place_at(r->file, r->line_number);
}

static void take_error(m31r_explanation *x, const m31r_record *r)
{
    m31ri_explain_facts *f = &x->facts;
    f->n_errors++;
    f->error = place_of(r);
    snprintf(f->error_text, sizeof f->error_text, "%s %.*s: %.*s",
             r->level == M31R_CRITICAL ? "CRITICAL" : "ERROR", (int)r->module_length,
             r->module != NULL ? r->module : "", (int)r->message_length,
             r->message != NULL ? r->message : "");
}

static void take_record(m31r_explanation *x, const m31r_record *r)
{
    m31ri_explain_facts *f = &x->facts;
    bool is_observed = strcmp(r->lane, "observer") == 0;
    if (r->wall_ns != M31R_UNKNOWN && !is_observed && r->wall_ns >= f->last_ns) {
        f->last_ns = r->wall_ns;
        f->last = place_of(r);
    }
    if (is_own(r, "run_end") || is_own(r, "rank_end")) {
        f->end = is_own(r, "run_end") ? place_of(r) : f->end;
        m31ri_explain_take_rank(x, r, true);
        return;
    }
    if (r->level >= M31R_ERROR) {
        m31ri_explain_take_rank(x, r, false);
        take_error(x, r);
    }
    if (is_own(r, "crash")) {
        m31ri_explain_take_crash(x, r, place_of(r));
    } else if (is_own(r, "records_lost")) {
        f->lost = place_of(r);
    } else if (is_own(r, "torn_tail")) {
        f->torn = place_of(r);
        f->n_torn_records++;
    } else if (is_own(r, "checkpoint_saved")) {
        f->checkpoint = place_of(r);
    } else if (r->has_step && !is_observed && r->step >= f->last_step) {
        f->last_step = r->step;
        f->step = place_of(r);
    }
}

static void take_counts(m31r_explanation *x, const m31r_scan *scan)
{
    m31r_scan_counts counts = m31r_scan_count(scan);
    m31ri_explain_facts *f = &x->facts;
    f->n_bad = counts.n_skipped;
    if (counts.n_skipped > 0) {
        f->bad = place_at(counts.first_bad_file, counts.first_bad_line);
        f->bad_class = m31r_line_class_name(counts.first_bad_class);
    }
    for (size_t i = 0; i < scan->n_sources; i++) {
        const m31ri_source *source = scan->sources[i];
        if (m31ri_source_is_torn(source)) {
            f->torn_tail = place_at(source->file, source->line_number + 1);
        }
    }
}

static m31r_err read_last(m31r_explanation *x, m31r_error *e)
{
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_scan *scan = NULL;
    m31r_record r;
    options.tail = M31R_EXPLAIN_RECORDS;
    m31r_err err = m31r_scan_open_run(&scan, x->reader, &options, e);
    while (err == M31R_OK && (err = m31r_scan_next(scan, &r, e)) == M31R_OK &&
           x->n_records < M31R_EXPLAIN_RECORDS) {
        x->records[x->n_records++] =
            (m31r_explain_record){m31ri_kept_text(&x->kept, r.file, strlen(r.file)), r.line_number,
                                  m31ri_kept_text(&x->kept, r.line, r.length)};
    }
    m31r_scan_close(scan);
    return err == M31R_EOF ? M31R_OK : err;
}

m31r_err m31ri_explain_records(m31r_explanation *x, m31r_error *e)
{
    static const m31ri_place nowhere = {"", 0};
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_scan *scan = NULL;
    m31r_record r;
    m31ri_explain_facts *f = &x->facts;
    f->end = f->error = f->lost = f->torn = f->checkpoint = f->step = f->bad = nowhere;
    f->torn_tail = f->last = nowhere;
    f->last_step = M31R_UNKNOWN;
    f->last_ns = M31R_UNKNOWN;
    m31r_err err = m31r_scan_open_run(&scan, x->reader, &options, e);
    while (err == M31R_OK && (err = m31r_scan_next(scan, &r, e)) == M31R_OK) {
        take_record(x, &r);
    }
    if (err == M31R_EOF) {
        take_counts(x, scan);
        err = read_last(x, e);
    }
    m31r_scan_close(scan);
    return err;
}
