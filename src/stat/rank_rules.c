/* rank_rules.c - stragglers and flaky ranks; rank_rules.h says what they are.
 *
 * A rank's first ratios, after a few steps, are what it is used to: machines differ by a percent or
 * two for ever, and a rank that becomes 3 % slower is found by its own past, not by the others'.
 */
#include "stat/rank_rules.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "stat/window.h"

#define WARM_UP 16
#define WINDOW 64
#define SLOW_SHARE 0.05
#define SLOW_SIGMAS 6.0
#define SLOW_NOISE 0.8 /* of one ratio: 5 errors of a median of 64 */
#define RISE_SHARE 0.025
#define RISE_SIGMAS 1.35 /* of one ratio: 6 errors of the difference of two medians of 64 */
#define BEHIND_SHARE 0.015
#define LATE_TIMES 1.5
#define LATE_STEPS 6
#define LATE_OTHERS 3 /* a rank with so many is like that too */

typedef struct rank_state {
    m31ri_window recent; /* ratios */
    double level;        /* their median */
    double base, spread; /* of the first ones; base 0 until they are there */
    uint64_t late[2];    /* one bit a step, the last 128 */
    uint32_t n;
    double clear_below;
    bool is_slow, is_flaky;
} rank_state;

struct m31ri_rank_rules {
    uint32_t n;
    uint32_t next_rank; /* of m31ri_rank_rules_next */
    bool is_flaky_next;
    double usual_level, level_sigma; /* of the ranks' levels */
    uint32_t n_late;                 /* ranks with LATE_OTHERS late steps or more */
    double *scratch;                 /* n numbers */
    rank_state *ranks;
};

m31ri_rank_rules *m31ri_rank_rules_new(uint32_t n)
{
    if (n < 2 || n > M31RI_RANK_RULES_LIMIT) {
        return NULL;
    }
    m31ri_rank_rules *r = m31ri_calloc(1, sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    r->n = n;
    r->scratch = m31ri_calloc(n, sizeof *r->scratch);
    r->ranks = m31ri_calloc(n, sizeof *r->ranks);
    if (r->scratch == NULL || r->ranks == NULL) {
        m31ri_rank_rules_free(r);
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        m31ri_window_init(&r->ranks[i].recent, WINDOW);
    }
    r->next_rank = n;
    return r;
}

void m31ri_rank_rules_free(m31ri_rank_rules *r)
{
    if (r != NULL) {
        m31ri_free(r->scratch);
        m31ri_free(r->ranks);
        m31ri_free(r);
    }
}

static bool is_present(double figure)
{
    return isfinite(figure) && figure > 0;
}

static uint32_t count_late(const rank_state *k)
{
    return (uint32_t)(__builtin_popcountll(k->late[0]) + __builtin_popcountll(k->late[1]));
}

static void add_ratio(rank_state *k, double ratio)
{
    k->late[1] = k->late[1] << 1 | k->late[0] >> 63;
    k->late[0] = k->late[0] << 1 | (ratio > LATE_TIMES);
    m31ri_window_add(&k->recent, ratio, NULL);
    k->level = m31ri_window_median(&k->recent);
    k->n += k->n < WARM_UP + WINDOW;
    if (k->n == WARM_UP + WINDOW && k->base == 0) {
        k->base = k->level;
        k->spread = m31ri_window_sigma(&k->recent, k->level);
    }
}

/* The middle and the spread of the ranks' levels, and how many ranks are late now and then. */
static void compare_ranks(m31ri_rank_rules *r)
{
    uint32_t n = 0;
    r->n_late = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        r->n_late += count_late(&r->ranks[i]) >= LATE_OTHERS;
        if (r->ranks[i].recent.n > 0) {
            r->scratch[n++] = r->ranks[i].level;
        }
    }
    r->usual_level = m31ri_median_of(r->scratch, n);
    for (uint32_t i = 0; i < n; i++) {
        r->scratch[i] = fabs(r->scratch[i] - r->usual_level);
    }
    r->level_sigma = M31RI_SIGMAS_OF_MAD * m31ri_median_of(r->scratch, n);
}

void m31ri_rank_rules_add(m31ri_rank_rules *r, const double *figures)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        if (is_present(figures[i])) {
            r->scratch[n++] = figures[i];
        }
    }
    double median = m31ri_median_of(r->scratch, n);
    for (uint32_t i = 0; i < r->n && n > 1; i++) {
        if (is_present(figures[i])) {
            add_ratio(&r->ranks[i], figures[i] / median);
        }
    }
    compare_ranks(r);
    r->next_rank = 0;
    r->is_flaky_next = false;
}

/* What a rank's level must stay within: the lower of the two ways to be a straggler. */
static double slow_limit(const m31ri_rank_rules *r, const rank_state *k)
{
    double noise = fmax(SLOW_SIGMAS * r->level_sigma, SLOW_NOISE * k->spread);
    double behind = r->usual_level * (1 + fmax(SLOW_SHARE, noise));
    double risen = k->base + fmax(RISE_SHARE, RISE_SIGMAS * k->spread);
    return fmin(behind, fmax(risen, r->usual_level * (1 + BEHIND_SHARE)));
}

static m31ri_anomaly_event judge_slow(const m31ri_rank_rules *r, rank_state *k, m31ri_anomaly *out)
{
    if (k->base == 0) {
        return M31RI_NOTHING;
    }
    double limit = slow_limit(r, k);
    if (k->is_slow) {
        k->is_slow = k->level > k->clear_below;
        return k->is_slow ? M31RI_NOTHING : M31RI_CLEARED;
    }
    if (k->level <= limit) {
        return M31RI_NOTHING;
    }
    double usual = fmin(k->base, r->usual_level);
    k->is_slow = true;
    k->clear_below = usual + (limit - usual) / 2;
    *out = (m31ri_anomaly){.kind = M31RI_ANOMALY_STRAGGLER,
                           .value = k->level,
                           .usual = k->base,
                           .limit = limit,
                           .n = WINDOW};
    return M31RI_OPENED;
}

static m31ri_anomaly_event judge_flaky(const m31ri_rank_rules *r, rank_state *k, m31ri_anomaly *out)
{
    uint32_t n_late = count_late(k);
    if (k->is_flaky) {
        k->is_flaky = n_late > 1;
        return k->is_flaky ? M31RI_NOTHING : M31RI_CLEARED;
    }
    if (n_late < LATE_STEPS || r->n_late > 1 + r->n / 4 || k->is_slow) {
        return M31RI_NOTHING;
    }
    k->is_flaky = true;
    *out = (m31ri_anomaly){
        .kind = M31RI_ANOMALY_FLAKY, .value = n_late, .limit = LATE_STEPS - 1, .n = 128};
    return M31RI_OPENED;
}

m31ri_anomaly_event m31ri_rank_rules_next(m31ri_rank_rules *r, m31ri_anomaly *out)
{
    while (r->next_rank < r->n) {
        uint32_t rank = r->next_rank;
        rank_state *k = &r->ranks[rank];
        bool is_flaky = r->is_flaky_next;
        m31ri_anomaly found = {0};
        m31ri_anomaly_event verdict =
            is_flaky ? judge_flaky(r, k, &found) : judge_slow(r, k, &found);
        r->next_rank += is_flaky;
        r->is_flaky_next = !is_flaky;
        if (verdict != M31RI_NOTHING) {
            *out = found;
            out->kind = is_flaky ? M31RI_ANOMALY_FLAKY : M31RI_ANOMALY_STRAGGLER;
            out->severity = M31RI_SEVERITY_WARNING;
            out->rank = (int)rank;
            return verdict;
        }
    }
    return M31RI_NOTHING;
}
