/* explain.h - why did a run fail or stall, and what does that rest on?
 *
 * An explanation is a list of statements, each with the file and line in the run that it rests on,
 * then the last records of all lanes. It says what is not known instead of guessing, and a cause
 * that the observer called likely stays likely. It repairs nothing and starts nothing; payload
 * files are looked at, not read.
 *
 *     m31r_explanation_open(&explanation, reader, &e);
 *     for (size_t i = 0; m31r_explanation_statement(explanation, i, &s) == M31R_OK; i++) {
 *         printf("%s %s [%s:%llu]\n", s.topic, s.text, s.file, (unsigned long long)s.line);
 *     }
 *     m31r_explanation_close(explanation);
 *
 * One thread at a time while it opens; an open one may be read by several.
 */
#ifndef M31R_EXPLAIN_H
#define M31R_EXPLAIN_H

#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_EXPLAIN_RECORDS 8 /* last records that are told */

typedef struct m31r_explanation m31r_explanation;

/* What is said, and where it stands. */
typedef struct m31r_statement {
    const char *topic; /* "ended", "cause", "root", "followed", "proof", "error", "crash",
                          "stack", "silent", "healthy", "nonfinite", "spike", "warned", "memory",
                          "attempt", "overlap", "changed", "lost", "torn", "unread", "checkpoint",
                          "resume", "unknown" */
    const char *text;
    const char *file;         /* from the run's directory; that of another attempt: ../RUN/... */
    uint64_t line, last_line; /* 1-based; equal for one line; 0: the file as a whole */
} m31r_statement;

/* One of the last records. */
typedef struct m31r_explain_record {
    const char *file;
    uint64_t line;
    const char *text;
} m31r_explain_record;

/* Reads records and points of the run once. Memory does not grow with their number.
 *
 * Returns: M31R_OK and the explanation in `*out`, whatever the state.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it; `reader` must stay open as long.
 * Thread:  any.
 */
M31R_API m31r_err m31r_explanation_open(m31r_explanation **out, const m31r_reader *reader,
                                        m31r_error *e);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `x`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_explanation_close(m31r_explanation *x);

/* The i-th statement, from 0; the first is "ended": state and cause in one line.
 *
 * Returns: M31R_OK and the statement in `*out`.
 * Errors:  M31R_E_NOTFOUND after the last.
 * Owns:    the explanation.
 * Thread:  any.
 */
M31R_API m31r_err m31r_explanation_statement(const m31r_explanation *x, size_t i,
                                             m31r_statement *out);

/* The i-th of the last records, oldest first.
 *
 * Returns: M31R_OK and the record in `*out`.
 * Errors:  M31R_E_NOTFOUND after the last.
 * Owns:    the explanation.
 * Thread:  any.
 */
M31R_API m31r_err m31r_explanation_record(const m31r_explanation *x, size_t i,
                                          m31r_explain_record *out);

#ifdef __cplusplus
}
#endif
#endif
