/* verify_records.c - does every line of every lane parse, have its mandatory fields in order, and
 * hold no secret? */
#include <string.h>

#include "verify/verify_int.h"
#include "base/fail.h"
#include "m31r/scan.h"
#include "read/leaks.h"

/* What one record turned out to be. */
typedef struct record_shape {
    int n_members, n_in_order;
} record_shape;

/* First place where a kind of fault was met. */
typedef struct first_fault {
    uint64_t n, line;
    const char *file;
} first_fault;

typedef struct records_pass {
    m31r_verification *v;
    m31ri_leaks *leaks;
    struct m31ri_verify_stage *stage;
    first_fault shape, leak, context;
} records_pass;

static bool count_member(void *context, const m31r_field *field)
{
    static const char *const order[] = {"ts", "level", "module", "msg"};
    record_shape *shape = context;
    if (field->key_length == 5 && memcmp(field->key, "stack", 5) == 0) {
        return true; /* it says where, not with what */
    }
    int i = shape->n_members++;
    if (i < 4 && field->type == 's' && strlen(order[i]) == field->key_length &&
        memcmp(order[i], field->key, field->key_length) == 0) {
        shape->n_in_order++;
    }
    return true;
}

static void note_fault(records_pass *p, first_fault *fault, const m31r_record *record)
{
    if (fault->n++ == 0) {
        fault->line = record->line_number;
        fault->file = m31ri_verify_text(p->v, "%s", record->file);
    }
}

static void look_at(records_pass *p, const m31r_record *record)
{
    m31ri_verify_numbers *numbers = &p->v->numbers;
    record_shape shape = {0, 0};
    m31r_record_each(record, count_member, &shape);
    numbers->n_records++;
    numbers->n_program_records += strcmp(record->lane, "observer") != 0;
    numbers->has_step |= record->has_step;
    if (shape.n_in_order < 4 || record->level == 0 || record->wall_ns == M31R_UNKNOWN) {
        note_fault(p, &p->shape, record);
    }
    if (record->level >= M31R_ERROR) {
        numbers->n_failures++;
        if (shape.n_members <= 4) {
            note_fault(p, &p->context, record);
        }
    }
    m31ri_verify_stage_look(p->stage, record);
    uint32_t n_leaks = m31ri_leaks_in_record(p->leaks, record);
    if (n_leaks > 0) {
        note_fault(p, &p->leak, record);
        numbers->n_leaks += n_leaks;
    }
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
                     "%llu files end in a line without newline",
                     (unsigned long long)counts->n_torn);
}

static void check_faults(records_pass *p)
{
    static const char *const fields[2] = {"OBS-08",
                                          "ts, level, module, msg come first, in that order"};
    static const char *const clean[2] = {"OBS-18", "no secret or personal datum in any record"};
    static const char *const context[2] = {"OBS-25", "every ERROR and CRITICAL record has context"};
    m31r_verification *v = p->v;
    m31ri_check_place shape = {
        .path = p->shape.file, .line = p->shape.line, .breaks = M31R_VERDICT_INCOMPLETE};
    m31ri_verify_add(v, fields, p->shape.n > 0 ? M31R_NO : M31R_YES, shape,
                     "%llu records of %llu do not have them", (unsigned long long)p->shape.n,
                     (unsigned long long)v->numbers.n_records);
    m31ri_check_place leak = {
        .path = p->leak.file, .line = p->leak.line, .breaks = M31R_VERDICT_INCOMPLETE};
    m31ri_verify_add(v, clean, p->leak.n > 0 ? M31R_NO : M31R_YES, leak, "%llu found",
                     (unsigned long long)v->numbers.n_leaks);
    m31ri_check_place bare = {
        .path = p->context.file, .line = p->context.line, .breaks = M31R_VERDICT_VERIFIED};
    v->numbers.n_failures_without_context = p->context.n;
    m31ri_verify_add(v, context, p->context.n > 0 ? M31R_NO : M31R_YES, bare,
                     "%llu of %llu have none", (unsigned long long)p->context.n,
                     (unsigned long long)v->numbers.n_failures);
}

static void check_metadata_leaks(records_pass *p)
{
    static const char *const clean[2] = {"OBS-18", "no secret or personal datum in metadata.json"};
    m31ri_check_place place = {.path = "metadata.json", .breaks = M31R_VERDICT_INCOMPLETE};
    uint32_t n = m31ri_leaks_in_json(p->leaks, p->v->reader->metadata);
    p->v->numbers.n_leaks += n;
    m31ri_verify_add(p->v, clean, n > 0 ? M31R_NO : M31R_YES, place, "%u found", (unsigned)n);
}

m31r_err m31ri_verify_records(m31r_verification *v, m31r_error *e)
{
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_scan *scan = NULL;
    m31r_record record;
    records_pass pass = {.v = v, .shape = {0, 0, ""}, .leak = {0, 0, ""}, .context = {0, 0, ""}};
    pass.leaks = m31ri_leaks_new(json_is_true(m31ri_reader_get(v->reader, "privacy.log_prompts")));
    pass.stage = m31ri_verify_stage_new(v);
    if (pass.leaks == NULL || pass.stage == NULL) {
        m31ri_leaks_free(pass.leaks);
        m31ri_verify_stage_free(pass.stage);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the rules of records");
    }
    m31r_err err = m31r_scan_open_run(&scan, v->reader, &options, e);
    while (err == M31R_OK && (err = m31r_scan_next(scan, &record, e)) == M31R_OK) {
        look_at(&pass, &record);
    }
    if (err == M31R_EOF) {
        m31r_scan_counts counts = m31r_scan_count(scan);
        check_lines(v, &counts);
        check_faults(&pass);
        check_metadata_leaks(&pass);
        m31ri_verify_stage_end(pass.stage);
        err = M31R_OK;
    }
    m31r_scan_close(scan);
    m31ri_leaks_free(pass.leaks);
    m31ri_verify_stage_free(pass.stage);
    return err;
}
