/* record_tally.c - see record_tally.h. */
#include "verify/record_tally.h"

#include <stdio.h>

void m31ri_tally_note(m31ri_tally_fault *fault, const m31r_record *record, const char *why)
{
    if (fault->n++ == 0) {
        fault->line = record->line_number;
        fault->file = record->file;
        snprintf(fault->why, sizeof fault->why, "%s", why);
    }
}

void m31ri_tally_add_fault(m31ri_tally_fault *total, const m31ri_tally_fault *piece, uint64_t line)
{
    uint64_t n = total->n + piece->n;
    if (total->n == 0 && piece->n > 0) {
        *total = *piece;
        total->line += line;
    }
    total->n = n;
}

/* The record that was written last states what holds. */
static void add_late(m31ri_late_rule *total, const m31ri_late_rule *piece, uint64_t line)
{
    bool is_newer = total->rule == NULL || total->file == piece->file ||
                    total->wall_ns == M31R_UNKNOWN || piece->wall_ns >= total->wall_ns;
    if (piece->rule != NULL && is_newer) {
        *total = *piece;
        total->line += line;
    }
}

void m31ri_stage_tally_add(m31ri_stage_tally *total, const m31ri_stage_tally *piece, uint64_t line)
{
    for (size_t i = 0; i < M31RI_TALLY_MESSAGES; i++) {
        total->counts[i] += piece->counts[i];
        for (size_t k = 0; k < M31RI_STAGE_FIELDS; k++) {
            total->sums[i][k] += piece->sums[i][k];
        }
    }
    for (size_t i = 0; i < M31RI_TALLY_LATE_RULES; i++) {
        add_late(&total->late[i], &piece->late[i], line);
    }
    m31ri_tally_add_fault(&total->missing, &piece->missing, line);
    m31ri_tally_add_fault(&total->lenient, &piece->lenient, line);
    m31ri_tally_add_fault(&total->invalid, &piece->invalid, line);
}

void m31ri_tally_add(m31ri_record_tally *total, const m31ri_record_tally *piece, uint64_t line)
{
    total->n_records += piece->n_records;
    total->n_program_records += piece->n_program_records;
    total->n_failures += piece->n_failures;
    total->n_leaks += piece->n_leaks;
    total->has_step |= piece->has_step;
    m31ri_tally_add_fault(&total->shape, &piece->shape, line);
    m31ri_tally_add_fault(&total->leak, &piece->leak, line);
    m31ri_tally_add_fault(&total->context, &piece->context, line);
    m31ri_stage_tally_add(&total->stage, &piece->stage, line);
}
