/* verify_int.h - a verification while it is made: each part adds its checks. */
#ifndef M31RI_VERIFY_INT_H
#define M31RI_VERIFY_INT_H

#include "m31r/scan.h"
#include "m31r/verify.h"
#include "format/redactions.h"
#include "read/reader_int.h"
#include "verify/hash_jobs.h"
#include "verify/hash_jobs.h"
#include "verify/manifest_read.h"
#include "verify/record_tally.h"

typedef struct m31ri_verify_numbers {
    uint64_t n_records, n_program_records, n_points, n_leaks, n_failures,
        n_failures_without_context;
    uint64_t n_bytes; /* that the seal is of */
    bool has_step, metrics_agree;
} m31ri_verify_numbers;

struct m31r_verification {
    const m31r_reader *reader;
    bool is_complete;
    const char *key; /* that must have signed; NULL */
    m31ri_hash_listener listener;
    m31r_check criteria[M31R_CRITERIA];
    size_t n_criteria; /* 0: not asked for */
    m31r_check *checks;
    size_t n_checks, capacity;
    char **owned;
    size_t n_owned, owned_capacity;
    bool is_out_of_memory;
    m31ri_verify_numbers numbers;
};

/* What a check says besides its answer: where, and the verdict that "no" leads to. */
typedef struct m31ri_check_place {
    const char *path;
    uint64_t line;
    m31r_verdict breaks;
    uint64_t byte; /* where the line begins, when has_byte */
    bool has_byte;
} m31ri_check_place;

/* verify_add.c: adds a check; `id` and `what` are constant strings. */
void m31ri_verify_add(m31r_verification *v, const char *const statement[2], m31r_answer answer,
                      m31ri_check_place place, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Keeps formatted text as long as the verification. */
const char *m31ri_verify_text(m31r_verification *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* True when the run has ended, so that nothing in it may still be on its way. */
bool m31ri_verify_is_ended(const m31r_verification *v);

/* verify_stage.c: the records of a stage against its schema; NULL when memory is out. Looking
 * changes nothing but the tally, so any thread may look; the end, by one thread, says what all
 * tallies together come to. */
struct m31ri_verify_stage *m31ri_verify_stage_new(const m31r_verification *v);
void m31ri_verify_stage_free(struct m31ri_verify_stage *s);
void m31ri_verify_stage_look(const struct m31ri_verify_stage *s, m31ri_stage_tally *t,
                             const m31ri_checked_record *c);
void m31ri_verify_stage_end(m31r_verification *v, const struct m31ri_verify_stage *s,
                            m31ri_stage_tally *t);

/* verify_chain.c: who signed, on line `line` of the manifest; and what the chain beside the run
 * says.
 */
typedef struct m31ri_chain_says {
    bool has_own;
    bool has_redactions;
    m31ri_seal redactions; /* the last seal of redactions of the run */
} m31ri_chain_says;
void m31ri_verify_signature(m31r_verification *v, const m31ri_seal *seal, uint64_t line);
void m31ri_verify_chain(m31r_verification *v, int run, const m31ri_seal *own,
                        m31ri_chain_says *out);

/* verify_redactions.c: what was redacted in a sealed run. */
typedef struct m31ri_redacted {
    m31ri_redactions list; /* released by m31ri_redactions_release() */
    bool is_unreadable;    /* the file is there and cannot be read */
    uint64_t n_blocks, n_records;
    uint64_t n_pending; /* said to be redacted, and still what was sealed */
    uint64_t n_used;    /* lines of the list that name a block of a file */
} m31ri_redacted;
m31r_err m31ri_redacted_read(m31ri_redacted *r, int run, m31r_error *e);

/* Puts the leaf that was sealed in the place of that of each redacted block of a file, so that its
 * tree is the sealed one when nothing else differs. */
m31r_err m31ri_verify_redacted_job(m31ri_redacted *r, int run, m31ri_hash_job *job, m31r_error *e);

/* True in `*out_holds` when `f`, a compressed segment with the digest `sha256`, is what its
 * redactions made of it: that very file, and nothing else in it differs from what was sealed; or
 * when it is still to be redacted. False when none are of it. */
m31r_err m31ri_verify_redacted_segment(m31ri_redacted *r, int run, const m31ri_manifest_file *f,
                                       const uint8_t sha256[M31RI_SHA256_BYTES], bool *out_holds,
                                       m31r_error *e);

/* Says it, and whether it can be believed. Nothing when nothing was redacted. */
void m31ri_verify_redactions(m31r_verification *v, const m31ri_redacted *r, const m31ri_seal *own,
                             const m31ri_chain_says *says);

/* The parts, in this order. */
void m31ri_verify_identity(m31r_verification *v);
m31r_err m31ri_verify_records(m31r_verification *v, m31r_error *e);
m31r_err m31ri_verify_metrics(m31r_verification *v, m31r_error *e);
m31r_err m31ri_verify_seal(m31r_verification *v, m31r_error *e);

#endif
