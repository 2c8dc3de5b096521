/* chain.h - a resumed run and the runs it continues, as one series.
 *
 * Each run is an attempt; `resumes` in its metadata leads to the one before. The newest attempt
 * wins a step: a point of an older one is superseded when a newer attempt has points of the same
 * metric before or at its step and at or after it. Superseded points stay in their run and are
 * counted. Where both have been, the overlap, two attempts are held against each other point by
 * point; what is measured (times, rates, memory) is left out.
 *
 * It finds no run that continues the given one: the given run is the newest attempt.
 *
 *     m31r_chain_open(&chain, reader, &e);
 *     for (size_t i = 0; m31r_chain_attempt(chain, i, &attempt) == M31R_OK; i++) {
 *         printf("%zu: %lld..%lld\n", i + 1, (long long)attempt.first_step,
 *                (long long)attempt.last_step);
 *     }
 *     m31r_chain_close(chain);
 *
 * One thread at a time while it opens; an open one may be read by several.
 */
#ifndef M31R_CHAIN_H
#define M31R_CHAIN_H

#include "m31r/reader.h"
#include "m31r/series.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_CHAIN_LIMIT 64 /* attempts that are followed back */

typedef struct m31r_chain m31r_chain;

/* One run of the chain. Steps are those of its program's points; M31R_NO_STEP when it has none. */
typedef struct m31r_attempt {
    const m31r_reader *reader;
    int64_t first_step, last_step;
    uint64_t n_points, n_superseded, n_nonfinite;
} m31r_attempt;

/* A point in its file. */
typedef struct m31r_chain_place {
    const char *file; /* in its run's directory; "" when there is no such point */
    uint64_t line;
    double value;
} m31r_chain_place;

/* An attempt held against the one before it. */
typedef struct m31r_overlap {
    int64_t first_step, last_step;  /* that both have; M31R_NO_STEP: there is no overlap */
    uint64_t n_same, n_differ;      /* points of the same metric and step */
    uint64_t n_alone;               /* points that only one of the two has */
    const char *name;               /* metric of the first that differs; "" when none does */
    int64_t step;                   /* and its step */
    m31r_chain_place before, after; /* in the older and in the newer attempt */
} m31r_overlap;

/* Follows `reader`'s run back to its first attempt, which lies beside it, and reads the points of
 * all when there is more than one. Memory grows with the points in the overlaps.
 *
 * Returns: M31R_OK and the chain in `*out`, also when an older attempt is not found:
 *          m31r_chain_problem() says so.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it; `reader` must stay open as long.
 * Thread:  any.
 */
M31R_API m31r_err m31r_chain_open(m31r_chain **out, const m31r_reader *reader, m31r_error *e);

/* Frees it with the readers that it opened. NULL is fine.
 *
 * Owns:   frees `c`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_chain_close(m31r_chain *c);

/* Number of attempts that were found, at least 1.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API size_t m31r_chain_count(const m31r_chain *c);

/* The i-th attempt, from 0, the oldest first.
 *
 * Returns: M31R_OK and the attempt in `*out`.
 * Errors:  M31R_E_NOTFOUND after the last.
 * Owns:    the chain.
 * Thread:  any.
 */
M31R_API m31r_err m31r_chain_attempt(const m31r_chain *c, size_t i, m31r_attempt *out);

/* Attempt `i` held against the one before it; `i` is at least 1.
 *
 * Returns: M31R_OK and the overlap in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    the chain.
 * Thread:  any.
 */
M31R_API m31r_err m31r_chain_overlap(const m31r_chain *c, size_t i, m31r_overlap *out);

/* What config, code, data and seed of attempt `i` have different from the attempt before it:
 * "train.lr 0.1 -> 0.05; commit 1412ab5 -> 91caca1".
 *
 * Returns: the text; "" when nothing differs, or there is no attempt before.
 * Owns:    the chain.
 * Thread:  any.
 */
M31R_API const char *m31r_chain_changed(const m31r_chain *c, size_t i);

/* Why the chain does not reach its first attempt.
 *
 * Returns: a sentence; "" when it does.
 * Owns:    the chain.
 * Thread:  any.
 */
M31R_API const char *m31r_chain_problem(const m31r_chain *c);

/* Starts streaming the points of all attempts, the oldest first, without the superseded ones.
 *
 * Returns: M31R_OK and the points in `*out`, for m31r_points_next().
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it with m31r_points_close(); the chain must stay open as long.
 * Thread:  any.
 */
M31R_API m31r_err m31r_points_open_chain(m31r_points **out, const m31r_chain *chain, m31r_error *e);

/* As m31r_series_open(), of the points that m31r_points_open_chain() gives: `last` is the newest
 * attempt's. Units and directions are those of the newest attempt.
 *
 * Returns: M31R_OK and the series in `*out`.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it; the chain must stay open as long.
 * Thread:  any.
 */
M31R_API m31r_err m31r_series_open_chain(m31r_series **out, const m31r_chain *chain, m31r_error *e);

#ifdef __cplusplus
}
#endif
#endif
