/* verify_records.c - does every line of every lane parse, have its mandatory fields in order, and
 * hold no secret? */
#include <string.h>

#include "verify/verify_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "format/json_split.h"
#include "m31r/scan.h"
#include "read/leaks.h"
#include "read/scan_all.h"
#include "rules/privacy_run.h"

#define MEMBERS 64 /* of a record, at first */

/* What all threads share while the records of a lane are looked at. */
typedef struct records_pass {
    const m31r_lane_facts *lane;
    const m31ri_privacy *rules;
    const struct m31ri_verify_stage *stage;
    m31ri_record_tally total; /* the caller's thread only, as is n_lines */
    uint64_t n_lines;         /* of the lane's pieces so far */
} records_pass;

/* What one piece needs for itself. */
typedef struct piece_pass {
    m31ri_leaks *leaks;
    m31ri_json_member *members;
    size_t capacity;
    m31ri_record_tally tally;
} piece_pass;

static void free_piece_pass(void *context, m31ri_piece *piece)
{
    piece_pass *p = piece->own;
    (void)context;
    if (p != NULL) {
        m31ri_leaks_free(p->leaks);
        m31ri_free(p->members);
        m31ri_free(p);
    }
    piece->own = NULL;
}

static piece_pass *piece_pass_of(const records_pass *pass, m31ri_piece *piece)
{
    if (piece->own == NULL) {
        piece_pass *p = m31ri_calloc(1, sizeof *p);
        piece->own = p;
        if (p != NULL) {
            p->leaks = m31ri_leaks_new(pass->rules);
            p->members = m31ri_alloc(MEMBERS * sizeof *p->members);
            p->capacity = MEMBERS;
        }
        if (p != NULL && (p->leaks == NULL || p->members == NULL)) {
            free_piece_pass(NULL, piece);
        }
    }
    return piece->own;
}

/* The record is known to be good: its members are looked up once, for all that is asked of it. */
static bool split(piece_pass *p, m31ri_checked_record *c)
{
    const m31r_record *r = &c->record;
    c->n_members = m31ri_json_split(r->line, r->length, p->members, p->capacity);
    if (c->n_members > p->capacity) {
        m31ri_json_member *grown = m31ri_realloc(p->members, c->n_members * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        p->members = grown;
        p->capacity = c->n_members;
        (void)m31ri_json_split(r->line, r->length, p->members, p->capacity);
    }
    c->members = p->members;
    return true;
}

static bool is_key(const m31ri_json_member *m, const char *name, size_t length)
{
    return m->key_length == length && memcmp(m->key, name, length) == 0;
}

/* ts, level, module and msg come first, as texts. */
static bool begins_well(const m31ri_checked_record *c)
{
    const m31ri_json_member *m = c->members;
    for (size_t i = 0; i < 4 && i < c->n_members; i++) {
        if (m[i].type != 's') {
            return false;
        }
    }
    return c->n_members >= 4 && is_key(&m[0], "ts", 2) && is_key(&m[1], "level", 5) &&
           is_key(&m[2], "module", 6) && is_key(&m[3], "msg", 3) && c->record.level != 0 &&
           c->record.wall_ns != M31R_UNKNOWN;
}

/* More than where it was: a field besides the first four and the stack. */
static bool has_context(const m31ri_checked_record *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_members; i++) {
        n += !is_key(&c->members[i], "stack", 5);
    }
    return n > 4;
}

static void look_at(const records_pass *pass, piece_pass *p, const m31ri_checked_record *c)
{
    m31ri_record_tally *t = &p->tally;
    t->n_records++;
    t->n_program_records += !c->is_observers;
    t->has_step |= c->record.has_step;
    if (!begins_well(c)) {
        m31ri_tally_note(&t->shape, &c->record, "");
    }
    if (c->record.level >= M31R_ERROR) {
        t->n_failures++;
        if (!has_context(c)) {
            m31ri_tally_note(&t->context, &c->record, "");
        }
    }
    m31ri_verify_stage_look(pass->stage, &t->stage, c);
    uint32_t n_leaks = 0;
    bool is_timed = c->record.wall_ns != M31R_UNKNOWN && c->n_members > 0 &&
                    is_key(&c->members[0], "ts", 2); /* a time, and nothing else */
    for (size_t i = is_timed; i < c->n_members; i++) {
        if (c->members[i].type != 'n') {
            n_leaks += m31ri_leaks_in_member(p->leaks, &c->members[i]);
        }
    }
    if (n_leaks > 0) {
        m31ri_tally_note(&t->leak, &c->record, "");
        t->n_leaks += n_leaks;
    }
}

static bool take_record(void *context, m31ri_piece *piece, m31ri_judge *judge, const uint8_t *slots,
                        const m31r_record *line)
{
    const records_pass *pass = context;
    piece_pass *p = piece_pass_of(pass, piece);
    m31ri_checked_record c = {.record = *line,
                              .is_observers = strcmp(pass->lane->name, "observer") == 0};
    (void)slots;
    if (judge != NULL) {
        m31ri_judge_record(judge, line->line, line->length, &c.record);
    }
    c.record.file = pass->lane->file;
    c.record.line_number -= piece->first_line;
    if (p == NULL || !split(p, &c)) {
        return false;
    }
    look_at(pass, p, &c);
    return true;
}

static m31r_err use_piece(void *context, m31ri_piece *piece, m31r_error *e)
{
    records_pass *pass = context;
    piece_pass *p = piece->own;
    (void)e;
    if (p != NULL) {
        m31ri_tally_add(&pass->total, &p->tally, pass->n_lines);
        memset(&p->tally, 0, sizeof p->tally);
    }
    pass->n_lines += piece->n_lines;
    return M31R_OK;
}

static void check_lines(m31r_verification *v, const m31r_scan_counts *counts)
{
    static const char *const parse[2] = {"OBS-06", "every line is one JSON object"};
    static const char *const whole[2] = {"OBS-04", "no line is torn"};
    m31ri_check_place place = {.path = m31ri_verify_text(v, "%s", counts->first_bad_file),
                               .line = counts->first_bad_line,
                               .breaks = M31R_VERDICT_UNREADABLE};
    if (counts->n_skipped > 0) {
        m31ri_verify_add(v, parse, M31R_NO, place, "%llu lines are not, the first is %s",
                         (unsigned long long)counts->n_skipped,
                         m31r_line_class_name(counts->first_bad_class));
    } else {
        m31ri_verify_add(v, parse, M31R_YES, place, "%llu records",
                         (unsigned long long)v->numbers.n_records);
    }
    /* A run that is not over may be inside a write, or have died inside one. */
    m31ri_check_place torn = {.path = "",
                              .breaks = m31ri_verify_is_ended(v) ? M31R_VERDICT_UNREADABLE
                                                                 : M31R_VERDICT_PREFIX};
    m31ri_verify_add(v, whole, counts->n_torn > 0 ? M31R_NO : M31R_YES, torn,
                     "%llu with an unfinished last line", (unsigned long long)counts->n_torn);
}

static void check_faults(m31r_verification *v, const m31ri_record_tally *t)
{
    static const char *const fields[2] = {"OBS-08",
                                          "ts, level, module, msg come first, in that order"};
    static const char *const clean[2] = {"OBS-18", "no secret or personal datum in any record"};
    static const char *const context[2] = {"OBS-25", "every ERROR and CRITICAL record has context"};
    m31ri_check_place shape = {
        .path = t->shape.file, .line = t->shape.line, .breaks = M31R_VERDICT_INCOMPLETE};
    m31ri_verify_add(v, fields, t->shape.n > 0 ? M31R_NO : M31R_YES, shape,
                     "%llu of %llu records are without", (unsigned long long)t->shape.n,
                     (unsigned long long)t->n_records);
    m31ri_check_place leak = {
        .path = t->leak.file, .line = t->leak.line, .breaks = M31R_VERDICT_INCOMPLETE};
    m31ri_verify_add(v, clean, t->leak.n > 0 ? M31R_NO : M31R_YES, leak, "%llu found",
                     (unsigned long long)t->n_leaks);
    m31ri_check_place bare = {
        .path = t->context.file, .line = t->context.line, .breaks = M31R_VERDICT_VERIFIED};
    m31ri_verify_add(v, context, t->context.n > 0 ? M31R_NO : M31R_YES, bare,
                     "%llu of %llu are without", (unsigned long long)t->context.n,
                     (unsigned long long)t->n_failures);
}

static m31r_err check_metadata_leaks(m31r_verification *v, const m31ri_privacy *rules,
                                     m31r_error *e)
{
    static const char *const clean[2] = {"OBS-18", "no secret or personal datum in metadata.json"};
    m31ri_check_place place = {.path = "metadata.json", .breaks = M31R_VERDICT_INCOMPLETE};
    m31ri_leaks *leaks = m31ri_leaks_new(rules);
    if (leaks == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the rules of records");
    }
    uint32_t n = m31ri_leaks_in_json(leaks, v->reader->metadata);
    m31ri_leaks_free(leaks);
    v->numbers.n_leaks += n;
    m31ri_verify_add(v, clean, n > 0 ? M31R_NO : M31R_YES, place, "%u found", (unsigned)n);
    return M31R_OK;
}

static void add_counts(m31r_verification *v, m31r_scan_counts *total, const m31r_scan *scan)
{
    m31r_scan_counts counts = m31r_scan_count(scan);
    if (total->n_skipped == 0 && counts.n_skipped > 0) {
        total->first_bad_file = m31ri_verify_text(v, "%s", counts.first_bad_file);
        total->first_bad_line = counts.first_bad_line;
        total->first_bad_class = counts.first_bad_class;
    }
    total->n_skipped += counts.n_skipped;
    total->n_torn += counts.n_torn;
}

/* Lane by lane: their order in time does not matter here, and one file can be read by several
 * threads. */
static m31r_err look_at_lanes(m31r_verification *v, records_pass *pass, m31r_scan_counts *counts,
                              m31r_error *e)
{
    const m31ri_piece_work work = {.needs_head = true,
                                   .take = take_record,
                                   .use = use_piece,
                                   .drop = free_piece_pass,
                                   .context = pass};
    const m31ri_lane_list *lanes = &v->reader->lanes;
    m31r_err err = M31R_OK;
    for (size_t i = 0; i < lanes->n && err == M31R_OK; i++) {
        m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
        m31r_scan *scan = NULL;
        options.is_strict = true;
        options.lane = lanes->lanes[i].file;
        pass->lane = &lanes->lanes[i];
        pass->n_lines = 0;
        err = m31r_scan_open_run(&scan, v->reader, &options, e);
        if (err == M31R_E_NOTFOUND) {
            err = M31R_OK; /* removed since it was listed: the seal says so */
            continue;
        }
        err = err == M31R_OK ? m31ri_scan_all(scan, &work, e) : err;
        if (err == M31R_EOF) {
            add_counts(v, counts, scan);
            err = M31R_OK;
        }
        m31r_scan_close(scan);
    }
    return err;
}

static m31r_err look_at_records(m31r_verification *v, records_pass *pass, m31r_error *e)
{
    m31r_scan_counts counts = {.first_bad_file = ""};
    m31r_err err = look_at_lanes(v, pass, &counts, e);
    if (err != M31R_OK) {
        return err;
    }
    m31ri_record_tally *t = &pass->total;
    m31ri_verify_numbers *n = &v->numbers;
    n->n_records = t->n_records;
    n->n_program_records = t->n_program_records;
    n->n_failures = t->n_failures;
    n->n_failures_without_context = t->context.n;
    n->n_leaks = t->n_leaks;
    n->has_step |= t->has_step;
    check_lines(v, &counts);
    check_faults(v, t);
    err = check_metadata_leaks(v, pass->rules, e);
    m31ri_verify_stage_end(v, pass->stage, &t->stage);
    return err;
}

m31r_err m31ri_verify_records(m31r_verification *v, m31r_error *e)
{
    m31ri_privacy *rules = m31ri_privacy_of_record(v->reader->fd);
    struct m31ri_verify_stage *stage = m31ri_verify_stage_new(v);
    records_pass *pass = m31ri_calloc(1, sizeof *pass); /* its tally is large */
    m31r_err err = M31R_OK;
    if (rules == NULL || stage == NULL || pass == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "the privacy rules of the run cannot be read");
    } else {
        pass->rules = rules;
        pass->stage = stage;
        err = look_at_records(v, pass, e);
    }
    m31ri_free(pass);
    m31ri_verify_stage_free(stage);
    m31ri_privacy_free(rules);
    return err;
}
