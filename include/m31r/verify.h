/* verify.h - is a run's record whole, conforming, unchanged and clean of secrets?
 *
 * A verification is a list of checks, each with the requirement it shows (OBS-..), yes, no or not
 * applicable, and why; from them follow the five criteria of the specification's section 29 and one
 * verdict. It changes nothing and runs nothing; it is not a repair (see `m31r recover`).
 *
 *     m31r_verification *v;
 *     m31r_verify(&v, reader, NULL, &e);
 *     bool fine = m31r_verification_verdict(v) <= M31R_VERDICT_PREFIX;
 *     m31r_verification_free(v);
 */
#ifndef M31R_VERIFY_H
#define M31R_VERIFY_H

#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_CRITERIA 5

typedef struct m31r_verification m31r_verification;

typedef enum m31r_verdict {
    M31R_VERDICT_VERIFIED = 0,   /* everything that applies holds */
    M31R_VERDICT_PREFIX = 1,     /* not sealed, live or crashed: all holds up to its end so far */
    M31R_VERDICT_CHANGED = 2,    /* a file is not what was sealed, or listed while it grew */
    M31R_VERDICT_INCOMPLETE = 3, /* something that must be there is not */
    M31R_VERDICT_INVALID = 4,    /* a record breaks the schema of its stage */
    M31R_VERDICT_UNREADABLE = 5  /* bytes that the format does not allow */
} m31r_verdict;

typedef enum m31r_answer { M31R_NO = 0, M31R_YES = 1, M31R_NOT_APPLICABLE = 2 } m31r_answer;

/* One check or criterion. Strings are "" when they say nothing. */
typedef struct m31r_check {
    const char *id;   /* "OBS-21"; of a criterion "OBS-29.1" */
    const char *what; /* the statement, such as "metadata has every mandatory field" */
    m31r_answer answer;
    const char *why;  /* the fact it rests on */
    const char *path; /* where, relative to the run */
    uint64_t line;    /* 0 when it is no line */
    uint64_t byte;    /* in that file; where the line begins */
    bool has_byte;
    m31r_verdict breaks; /* the verdict that a "no" leads to */
} m31r_check;

typedef struct m31r_verify_options {
    bool is_complete; /* demands what only an ended run has: an end and a seal */
    bool seal_only;   /* only whether every byte is what was sealed, or listed so far */
    const char
        *key; /* public key, 64 hexadecimal digits, that must have signed; NULL: any or none */
    /* NULL, or called while files are hashed, from any thread of the verification, first after a
     * second and then at most five times a second: bytes hashed, of how many. */
    void (*hashing)(void *context, uint64_t done, uint64_t total);
    void *context; /* passed to it */
} m31r_verify_options;

#define M31R_VERIFY_OPTIONS_INIT                                                                   \
    {                                                                                              \
        0                                                                                          \
    }

/* Verifies a run. `options` may be NULL.
 *
 * Returns: M31R_OK and the verification in `*out`, whatever the verdict.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller frees it; `reader` must stay open as long.
 * Thread:  any.
 */
M31R_API m31r_err m31r_verify(m31r_verification **out, const m31r_reader *reader,
                              const m31r_verify_options *options, m31r_error *e);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `v`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_verification_free(m31r_verification *v);

/* The verdict.
 *
 * Returns: the worst that a check led to.
 * Thread:  any.
 */
M31R_API m31r_verdict m31r_verification_verdict(const m31r_verification *v);

/* Criterion `i` of section 29, from 0 to M31R_CRITERIA - 1.
 *
 * Returns: the criterion, or NULL when there is no such, or only the seal was verified.
 * Owns:    the verification.
 * Thread:  any.
 */
M31R_API const m31r_check *m31r_verification_criterion(const m31r_verification *v, size_t i);

/* Number of checks.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API size_t m31r_verification_checks(const m31r_verification *v);

/* The i-th check.
 *
 * Returns: the check, or NULL when there is no such.
 * Owns:    the verification.
 * Thread:  any.
 */
M31R_API const m31r_check *m31r_verification_check(const m31r_verification *v, size_t i);

/* Name of a verdict, such as "verified".
 *
 * Returns: the name; "?" for a number that is none.
 * Owns:    nothing; a constant string.
 * Thread:  any.
 */
M31R_API const char *m31r_verdict_name(m31r_verdict verdict);

#ifdef __cplusplus
}
#endif
#endif
