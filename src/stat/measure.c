/* measure.c - the numbers that the specification asks for; measure.h has their sources. */
#include "m31r/measure.h"

#include <math.h>

#include "base/alloc.h"
#include "stat/sketch.h"

#define PART_S (M31R_RATE_WINDOW_S / M31R_RATE_PARTS)

double m31r_pass_at_k(uint64_t n, uint64_t c, uint64_t k)
{
    if (k == 0 || k > n || c > n) {
        return NAN;
    }
    if (n - c < k) {
        return 1.0; /* every choice of k holds one that passed */
    }
    double none_passes = 1.0;
    for (uint64_t i = n - c + 1; i <= n; i++) {
        none_passes *= 1.0 - (double)k / (double)i;
    }
    return 1.0 - none_passes;
}

double m31r_rate_add(m31r_rate *rate, double amount, double seconds)
{
    if (amount >= 0 && seconds >= 0) {
        uint32_t at = rate->newest;
        if (rate->seconds[at] >= PART_S) {
            at = (at + 1) % M31R_RATE_PARTS;
            rate->newest = at;
            rate->amounts[at] = rate->seconds[at] = 0;
        }
        rate->amounts[at] += amount;
        rate->seconds[at] += seconds;
    }
    double amounts = 0;
    double all = 0;
    for (uint32_t i = 0; i < M31R_RATE_PARTS; i++) {
        amounts += rate->amounts[i];
        all += rate->seconds[i];
    }
    return all > 0 ? amounts / all : NAN;
}

struct m31r_quantiles {
    m31ri_sketch sketch;
};

m31r_quantiles *m31r_quantiles_new(void)
{
    return m31ri_calloc(1, sizeof(m31r_quantiles));
}

void m31r_quantiles_free(m31r_quantiles *q)
{
    if (q != NULL) {
        m31ri_sketch_release(&q->sketch);
        m31ri_free(q);
    }
}

bool m31r_quantiles_add(m31r_quantiles *q, double value)
{
    return isfinite(value) && m31ri_sketch_add(&q->sketch, value);
}

bool m31r_quantiles_merge(m31r_quantiles *q, const m31r_quantiles *other)
{
    return m31ri_sketch_merge(&q->sketch, &other->sketch);
}

uint64_t m31r_quantiles_count(const m31r_quantiles *q)
{
    return q->sketch.negative.total + q->sketch.n_zero + q->sketch.positive.total;
}

double m31r_quantiles_get(const m31r_quantiles *q, double share)
{
    bool has_answer = share >= 0 && share <= 1 && m31r_quantiles_count(q) > 0;
    return has_answer ? m31ri_sketch_quantile(&q->sketch, share) : NAN;
}

void m31r_token_counts_add(m31r_token_counts *counts, uint64_t bytes, uint64_t tokens,
                           uint64_t known_bytes)
{
    counts->words++;
    counts->bytes += bytes;
    counts->tokens += tokens;
    counts->known_bytes += known_bytes;
    counts->split_words += tokens > 1;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : NAN;
}

m31r_token_measures m31r_token_counts_measure(const m31r_token_counts *counts)
{
    return (m31r_token_measures){
        .coverage = ratio(counts->known_bytes, counts->bytes),
        .fragmentation = ratio(counts->tokens, counts->words),
        .split_words = ratio(counts->split_words, counts->words),
        .tokens_per_line = ratio(counts->tokens, counts->lines),
        .bytes_per_token = ratio(counts->bytes, counts->tokens),
    };
}
