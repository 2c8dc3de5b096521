/* expr.h - one small language that chooses records, points of metrics, and runs.
 *
 *     level>=WARNING and module=="trainer" and step in 1000..2000 and loss>3.5
 *     config.train.lr>=1e-3 and state=="failed" and metrics.loss.last<2
 *
 * An expression is compiled once and asked many times; docs/expressions.md has the grammar. It is
 * no query: it says yes or no about one subject. A comparison holds only when it can be made: a
 * missing field, or one of another type, makes it false, and how often that happened is counted.
 *
 * Invariants: asking never fails and allocates nothing (a foreign string with escapes and more than
 * 64 KiB is the exception). `-2h` is taken from the time of compiling.
 *
 *     if (m31r_expr_compile(&expr, "loss>3.5", M31R_EXPR_RECORD, &e) == M31R_OK) {
 *         options.filter.expr = expr;
 *         m31r_scan_open_run(&scan, reader, &options, &e);
 *         ...
 *         m31r_scan_close(scan);
 *     }
 *     m31r_expr_free(expr);
 *
 * One thread at a time for each expression; different expressions are independent.
 */
#ifndef M31R_EXPR_H
#define M31R_EXPR_H

#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_EXPR_BYTES 8192 /* longest expression */
#define M31R_EXPR_DEPTH 64   /* parentheses and `not` inside each other */
#define M31R_EXPR_TESTS 512  /* comparisons, `and`, `or`, `not`, list items; all together */
#define M31R_EXPR_FIELDS 32  /* different fields */

typedef struct m31r_expr m31r_expr;
struct m31r_record;
struct m31r_point_view;

/* What an expression is about: it decides which fields exist. */
typedef enum m31r_expr_subject {
    M31R_EXPR_RECORD = 0, /* any field a record may have; file, line and lane when it has none */
    M31R_EXPR_POINT = 1,  /* name step value ts segment */
    M31R_EXPR_RUN = 2     /* id name stage kind state cause step seed dataset tokenizer commit ts
                             config.KEY metrics.NAME.last|min|max|mean|count */
} m31r_expr_subject;

/* What was met of one field so far. */
typedef struct m31r_expr_field {
    const char *name;
    const char *nearest; /* a field that was met instead and has a similar name; NULL for none */
    uint64_t n_met;      /* subjects that had it */
    uint64_t n_other;    /* comparisons that its type did not allow: they are false */
    uint64_t n_too_hard; /* texts on which a regular expression was given up: they do not match */
} m31r_expr_field;

/* Compiles an expression.
 *
 * Returns: M31R_OK and the expression in `*out`.
 * Errors:  M31R_E_ARG (`line` and `column` say where, the hint shows it with a caret),
 *          M31R_E_LIMIT (longer or deeper than the limits above), M31R_E_NOMEM.
 * Owns:    the caller frees it with m31r_expr_free(); `text` is copied.
 * Thread:  any.
 */
M31R_API m31r_err m31r_expr_compile(m31r_expr **out, const char *text, m31r_expr_subject subject,
                                    m31r_error *e);

/* Frees an expression. NULL is fine.
 *
 * Owns:   frees `x`; no scan that uses it may be open.
 * Thread: excludes every other call on the same expression.
 */
M31R_API void m31r_expr_free(m31r_expr *x);

/* Asks about a record, a point, or a run; `x` was compiled for that subject. A run's points are
 * read when the expression names a metric or `step`.
 *
 * Returns: true when the expression holds.
 * Thread:  one at a time per expression.
 */
M31R_API bool m31r_expr_holds_record(m31r_expr *x, const struct m31r_record *record);
M31R_API bool m31r_expr_holds_point(m31r_expr *x, const struct m31r_point_view *point);
M31R_API bool m31r_expr_holds_run(m31r_expr *x, const m31r_reader *run);

/* Number of different fields that the expression names.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API size_t m31r_expr_fields(const m31r_expr *x);

/* The i-th field and what was met of it.
 *
 * Returns: M31R_OK and the field in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    the expression; strings are valid until m31r_expr_free().
 * Thread:  one at a time per expression.
 */
M31R_API m31r_err m31r_expr_field_get(const m31r_expr *x, size_t i, m31r_expr_field *out);

/* How many subjects were asked about.
 *
 * Returns: the number.
 * Thread:  one at a time per expression.
 */
M31R_API uint64_t m31r_expr_asked(const m31r_expr *x);

/* Reads a time as people type it: "2h" or "-2h" ago (units s m h d w), "now", "2026-11-23",
 * "2026-11-23T10:26" or any RFC 3339 time; without an offset it is UTC.
 *
 * Returns: M31R_OK and nanoseconds since 1970 in `*out_wall_ns`.
 * Errors:  M31R_E_ARG when it is none.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_time_read(const char *text, int64_t *out_wall_ns, m31r_error *e);

#ifdef __cplusplus
}
#endif
#endif
