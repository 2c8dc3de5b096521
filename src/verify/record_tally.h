/* record_tally.h - what was found in the records of one piece of a lane, and of all pieces
 * together.
 *
 * Records are looked at by several threads, piece by piece; each piece has a tally of its own, and
 * the tallies are put together in the order of the file. So the result does not depend on the
 * number of threads.
 */
#ifndef M31RI_RECORD_TALLY_H
#define M31RI_RECORD_TALLY_H

#include "format/json_read.h"
#include "format/stage_table.h"
#include "m31r/scan.h"

#define M31RI_TALLY_MESSAGES 16
#define M31RI_TALLY_LATE_RULES 16
#define M31RI_TALLY_WHY 256
#define M31RI_TALLY_HINTS 32
#define M31RI_TALLY_KEY 22

/* The first fault of a kind, and how many records have one. */
typedef struct m31ri_tally_fault {
    uint64_t n, line;
    const char *file;
    char why[M31RI_TALLY_WHY];
} m31ri_tally_fault;

/* A rule over other records, with what the newest record that states it says. */
typedef struct m31ri_late_rule {
    const m31ri_stage_rule *rule; /* NULL: no record states it */
    const char *message, *file;
    uint64_t line;
    int64_t wall_ns;
    double left;
} m31ri_late_rule;

/* What the key of a member was the last time: records of a message have the same keys in the same
 * order. */
typedef struct m31ri_key_hint {
    uint8_t length; /* 0: nothing is known */
    uint8_t field;  /* M31RI_STAGE_FIELDS: no field of the message */
    char key[M31RI_TALLY_KEY];
} m31ri_key_hint;

/* By message of the stage's schema, and field of it. */
typedef struct m31ri_stage_tally {
    uint64_t counts[M31RI_TALLY_MESSAGES];
    double sums[M31RI_TALLY_MESSAGES][M31RI_STAGE_FIELDS];
    m31ri_late_rule late[M31RI_TALLY_LATE_RULES];
    m31ri_tally_fault missing, lenient, invalid;
    m31ri_key_hint hints[M31RI_TALLY_MESSAGES][M31RI_TALLY_HINTS]; /* by place in the record */
} m31ri_stage_tally;

typedef struct m31ri_record_tally {
    uint64_t n_records, n_program_records, n_failures, n_leaks;
    bool has_step;
    m31ri_tally_fault shape, leak, context;
    m31ri_stage_tally stage;
} m31ri_record_tally;

/* A record that is looked at; its line number is counted from the beginning of the piece. */
typedef struct m31ri_checked_record {
    m31r_record record; /* `file` is the lane's */
    bool is_observers;
    const m31ri_json_member *members;
    size_t n_members;
} m31ri_checked_record;

/* Notes a fault of a record; `why` may be "". */
void m31ri_tally_note(m31ri_tally_fault *fault, const m31r_record *record, const char *why);

/* Adds what was found in a piece behind `line` lines of its lane. */
void m31ri_tally_add_fault(m31ri_tally_fault *total, const m31ri_tally_fault *piece, uint64_t line);
void m31ri_stage_tally_add(m31ri_stage_tally *total, const m31ri_stage_tally *piece, uint64_t line);
void m31ri_tally_add(m31ri_record_tally *total, const m31ri_record_tally *piece, uint64_t line);

#endif
