/* measure.h - the numbers that the specification asks for, computed as the literature defines them.
 *
 * Each stands alone and needs no run: a rate over a window, the memory of this process, pass@k,
 * quantiles that can be merged, what a tokenizer does to text. The typed calls of stage.h use them
 * by themselves. They are values to be given to a record, not records.
 *
 *     m31r_rate speed = M31R_RATE_INIT;
 *     double tokens_per_sec = m31r_rate_add(&speed, n_tokens, seconds);
 *     m31r_quantiles *latency = m31r_quantiles_new();
 *     m31r_quantiles_add(latency, 12.5);
 *     double p99 = m31r_quantiles_get(latency, 0.99);
 *     m31r_quantiles_free(latency);
 */
#ifndef M31R_MEASURE_H
#define M31R_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- pass@k ---------------------------------------------------------------------------------- */

/* The unbiased estimate of pass@k of one task: of `n` samples `c` passed, 1 <= k <= n.
 *
 *     1 - C(n-c, k) / C(n, k)  =  1 - product over i = n-c+1 .. n of (1 - k/i)
 *
 * M. Chen et al., "Evaluating Large Language Models Trained on Code" (2021), section 2.1, figure 3.
 * The product form neither overflows nor cancels. A benchmark's pass@k is the mean over its tasks.
 *
 * Returns: 0 to 1; NaN when k is 0, k > n or c > n.
 * Thread:  any.
 */
M31R_API double m31r_pass_at_k(uint64_t n, uint64_t c, uint64_t k);

/* ---- a rate over a window -------------------------------------------------------------------- */

#define M31R_RATE_PARTS 16
#define M31R_RATE_WINDOW_S 10.0

/* What was done and how long it took, over the newest ten seconds or so. Start from M31R_RATE_INIT;
 * the members are private. */
typedef struct m31r_rate {
    double amounts[M31R_RATE_PARTS];
    double seconds[M31R_RATE_PARTS];
    uint32_t newest;
} m31r_rate;

#define M31R_RATE_INIT                                                                             \
    {                                                                                              \
        {0}, {0}, 0                                                                                \
    }

/* Adds `amount` (tokens, bytes) that took `seconds`. The window is a ring of 16 parts of at least a
 * sixteenth of ten seconds each; what leaves it is forgotten, so the rate is that of the last 10 s,
 * or of the last 16 calls when one takes longer than that part. Negative or NaN values are ignored.
 *
 * Returns: amount per second over the window; NaN while no time has passed.
 * Thread:  one at a time per rate.
 */
M31R_API double m31r_rate_add(m31r_rate *rate, double amount, double seconds);

/* ---- memory ---------------------------------------------------------------------------------- */

typedef struct m31r_memory {
    uint64_t rss_bytes;  /* resident now (/proc/self/statm) */
    uint64_t peak_bytes; /* most that was resident (getrusage) */
    uint64_t gpu_bytes;  /* in use on all GPUs, by anybody (NVML); 0 without one */
    bool has_gpu;        /* a GPU answered */
} m31r_memory;

/* The memory of this process, now. With `with_gpu` NVML is opened at the first call that asks, when
 * it is installed; nothing here needs it.
 *
 * Returns: M31R_OK and `*out`.
 * Errors:  M31R_E_IO (/proc cannot be read).
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_memory_read(m31r_memory *out, bool with_gpu);

/* ---- quantiles ------------------------------------------------------------------------------- */

/* Relative error that a quantile may have. */
#define M31R_QUANTILE_ERROR 0.01

/* Any number of values in bounded memory (DDSketch: Masson, Rim, Lee, VLDB 2019); each quantile is
 * within 1 % of the exact one, for every distribution, and two of them can be merged without loss.
 */
typedef struct m31r_quantiles m31r_quantiles;

/* An empty one.
 *
 * Returns: NULL when memory is out.
 * Owns:    the caller frees it with m31r_quantiles_free().
 * Thread:  any.
 */
M31R_API m31r_quantiles *m31r_quantiles_new(void);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `q`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_quantiles_free(m31r_quantiles *q);

/* Counts one value.
 *
 * Returns: false when it is not finite or memory is out: it is then not counted.
 * Thread:  one at a time per object.
 */
M31R_API bool m31r_quantiles_add(m31r_quantiles *q, double value);

/* Adds what `other` has counted; the result is that of having counted both.
 *
 * Returns: false when memory is out.
 * Thread:  one at a time per object.
 */
M31R_API bool m31r_quantiles_merge(m31r_quantiles *q, const m31r_quantiles *other);

/* The smallest value that at least `share` (0 to 1) of the values do not exceed (nearest rank).
 *
 * Returns: it, within 1 %; NaN when nothing was counted or `share` is not 0 to 1.
 * Thread:  one at a time per object.
 */
M31R_API double m31r_quantiles_get(const m31r_quantiles *q, double share);

/* How many values were counted.
 *
 * Returns: the number.
 * Thread:  one at a time per object.
 */
M31R_API uint64_t m31r_quantiles_count(const m31r_quantiles *q);

/* ---- what a tokenizer does to text ----------------------------------------------------------- */

/* Sums over a text that was tokenized; start with all 0. */
typedef struct m31r_token_counts {
    uint64_t bytes, lines, words;
    uint64_t tokens;
    uint64_t known_bytes; /* bytes that stand in tokens other than the unknown token */
    uint64_t split_words; /* words that more than one token stands for */
} m31r_token_counts;

/* Adds one word (by the caller's definition of a word) of `bytes` bytes that became `tokens`
 * tokens, `known_bytes` of its bytes being in known tokens.
 *
 * Thread: one at a time per object.
 */
M31R_API void m31r_token_counts_add(m31r_token_counts *counts, uint64_t bytes, uint64_t tokens,
                                    uint64_t known_bytes);

/* What follows from the sums. Each is NaN when there is nothing to divide by. */
typedef struct m31r_token_measures {
    double coverage;        /* known bytes / bytes, 0 to 1 */
    double fragmentation;   /* fertility: tokens / words, at least 1 */
    double split_words;     /* words of more than one token / words, 0 to 1 */
    double tokens_per_line; /* tokens / lines */
    double bytes_per_token; /* bytes / tokens */
} m31r_token_measures;

/* Fertility and the share of split words as in P. Rust et al., "How Good is Your Tokenizer?" (ACL
 * 2021), section 3.1 (there "proportion of continued words"); the rest is plain division.
 *
 * Returns: the measures.
 * Thread:  any.
 */
M31R_API m31r_token_measures m31r_token_counts_measure(const m31r_token_counts *counts);

#ifdef __cplusplus
}
#endif
#endif
