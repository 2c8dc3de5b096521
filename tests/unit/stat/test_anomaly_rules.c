/* The streaming rules on small series that are worked out by hand, and on what is no series. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "stat/rank_rules.h"
#include "stat/series_rules.h"
#include "stat/series_watch.h"

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static void test_window__median_and_sigma_of_the_last_values(void **state)
{
    (void)state;
    m31ri_window w;
    double oldest = 0;
    m31ri_window_init(&w, 5);
    assert_true(m31ri_window_median(&w) == 0);
    const double first[] = {100, 4, 1, 3};
    for (int i = 0; i < 4; i++) {
        assert_false(m31ri_window_add(&w, first[i], NULL));
    }
    NEAR(m31ri_window_median(&w), 3.5);
    NEAR(m31ri_window_sigma(&w, 3.5), 1.4826 * 1.5); /* 0.5 0.5 2.5 96.5 */
    assert_false(m31ri_window_add(&w, 2, &oldest));
    NEAR(m31ri_window_median(&w), 3);
    NEAR(m31ri_window_sigma(&w, 3), 1.4826); /* 0 1 1 2 97 */
    assert_true(m31ri_window_add(&w, 50, &oldest));
    assert_true(oldest == 100);
    NEAR(m31ri_window_median(&w), 3); /* 1 2 3 4 50 */
}

static void test_window__is_the_sorted_past(void **state)
{
    (void)state;
    m31ri_window w;
    uint32_t seed = 7;
    double past[1000];
    m31ri_window_init(&w, 31);
    for (int i = 0; i < 1000; i++) {
        seed = seed * 1664525 + 1013904223;
        past[i] = (double)(seed >> 28); /* many ties */
        m31ri_window_add(&w, past[i], NULL);
        for (uint32_t k = 1; k < w.n; k++) {
            assert_true(w.sorted[k - 1] <= w.sorted[k]);
        }
        double sum = 0;
        double expected = 0;
        for (uint32_t k = 0; k < w.n; k++) {
            sum += w.sorted[k];
            expected += past[i - (int)k];
        }
        assert_true(sum == expected);
    }
}

static void test_nonfinite__is_told_once_until_16_finite_values(void **state)
{
    (void)state;
    m31ri_nonfinite_rule r;
    m31ri_anomaly a;
    m31ri_nonfinite_init(&r);
    assert_int_equal(m31ri_nonfinite_add(&r, 3, &a), M31RI_NOTHING);
    assert_int_equal(m31ri_nonfinite_add(&r, NAN, &a), M31RI_OPENED);
    assert_int_equal(a.severity, M31RI_SEVERITY_ERROR);
    assert_true(isnan(a.value) && a.usual == 3);
    for (int i = 0; i < 15; i++) {
        assert_int_equal(m31ri_nonfinite_add(&r, 3, &a), M31RI_NOTHING);
    }
    assert_int_equal(m31ri_nonfinite_add(&r, -INFINITY, &a), M31RI_NOTHING);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(m31ri_nonfinite_add(&r, 3, &a), i < 15 ? M31RI_NOTHING : M31RI_CLEARED);
    }
    assert_int_equal(m31ri_nonfinite_add(&r, INFINITY, &a), M31RI_OPENED);
}

/* 64 values in turn 1.00 and 1.02: median 1.01, sigma 0.0148. The tenth decides: 1.111. */
static void fill_spike(m31ri_spike_rule *r, double low, double high)
{
    m31ri_anomaly a;
    m31ri_spike_init(r);
    for (int i = 0; i < 64; i++) {
        assert_int_equal(m31ri_spike_add(r, i % 2 == 0 ? low : high, &a), M31RI_NOTHING);
    }
}

static void test_spike__is_a_tenth_and_six_sigmas_above(void **state)
{
    (void)state;
    m31ri_spike_rule r;
    m31ri_anomaly a;
    fill_spike(&r, 1.00, 1.02);
    assert_int_equal(m31ri_spike_add(&r, 1.1109, &a), M31RI_NOTHING);
    fill_spike(&r, 1.00, 1.02);
    assert_int_equal(m31ri_spike_add(&r, 1.1111, &a), M31RI_OPENED);
    NEAR(a.usual, 1.01);
    NEAR(a.limit, 1.111);
    fill_spike(&r, 1, 2); /* median 1.5, sigma 0.7413: 5.9478 */
    assert_int_equal(m31ri_spike_add(&r, 5.94, &a), M31RI_NOTHING);
    fill_spike(&r, 1, 2);
    assert_int_equal(m31ri_spike_add(&r, 5.95, &a), M31RI_OPENED);
    NEAR(a.limit, 1.5 + 6 * 1.4826 * 0.5);
}

static void test_spike__one_report_and_the_third_is_a_warning(void **state)
{
    (void)state;
    m31ri_spike_rule r;
    m31ri_anomaly a;
    fill_spike(&r, 1.00, 1.02);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(m31ri_spike_add(&r, 2, &a), M31RI_OPENED);
        assert_int_equal(a.severity, i < 2 ? M31RI_SEVERITY_INFO : M31RI_SEVERITY_WARNING);
        assert_int_equal(m31ri_spike_add(&r, 2, &a), M31RI_NOTHING);
        assert_int_equal(m31ri_spike_add(&r, 1, &a), M31RI_CLEARED);
    }
    for (int i = 0; i < 200; i++) {
        assert_int_equal(m31ri_spike_add(&r, 1.01, &a), M31RI_NOTHING);
    }
    assert_int_equal(m31ri_spike_add(&r, 2, &a), M31RI_OPENED);
    assert_int_equal(a.severity, M31RI_SEVERITY_INFO);
}

/* 16 high values are kept out of the past; then they are the new level, and the median follows. */
static void test_spike__a_new_level_ends_the_episode(void **state)
{
    (void)state;
    m31ri_spike_rule r;
    m31ri_anomaly a;
    int n = 0;
    fill_spike(&r, 1.00, 1.02);
    assert_int_equal(m31ri_spike_add(&r, 2, &a), M31RI_OPENED);
    while (m31ri_spike_add(&r, 2, &a) == M31RI_NOTHING) {
        assert_true(++n < 100);
    }
    /* 15 refused after the first; the 33rd taken sees 32 of 64 at 2: median 1.51, limit 1.51 + 6
     * sigmas of 0.5; so it ends there. */
    assert_int_equal(n, 15 + 32);
}

static void test_diverge__the_seventeenth_high_value_of_32(void **state)
{
    (void)state;
    m31ri_diverge_rule r;
    m31ri_anomaly a;
    m31ri_diverge_init(&r);
    for (int i = 0; i < 160; i++) {
        assert_int_equal(m31ri_diverge_add(&r, i % 2 == 0 ? 0.99 : 1.01, &a), M31RI_NOTHING);
    }
    for (int i = 0; i < 16; i++) {
        assert_int_equal(m31ri_diverge_add(&r, 1.09, &a), M31RI_NOTHING);
    }
    assert_int_equal(m31ri_diverge_add(&r, 1.09, &a), M31RI_OPENED);
    NEAR(a.value, 1.09);
    NEAR(a.usual, 1.00);
    NEAR(a.limit, 1.08);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(m31ri_diverge_add(&r, 1.09, &a), M31RI_NOTHING);
    }
    for (int i = 0; i < 16; i++) {
        assert_int_equal(m31ri_diverge_add(&r, 1.0, &a), M31RI_NOTHING);
    }
    assert_int_equal(m31ri_diverge_add(&r, 1.0, &a), M31RI_CLEARED); /* 1.00 < 1.04 */
}

static void test_diverge__spikes_are_not_one(void **state)
{
    (void)state;
    m31ri_diverge_rule r;
    m31ri_anomaly a;
    m31ri_diverge_init(&r);
    for (int i = 0; i < 5000; i++) {
        double x =
            4.0 / (1 + i / 500.0) * (i % 10 < 3 ? 5 : 1); /* falling; three of ten are high */
        assert_int_equal(m31ri_diverge_add(&r, x, &a), M31RI_NOTHING);
    }
}

static void test_diverge__a_training_that_never_worked_is_told_early(void **state)
{
    (void)state;
    m31ri_diverge_rule r;
    m31ri_anomaly a;
    m31ri_diverge_init(&r);
    m31ri_anomaly_event v = M31RI_NOTHING;
    int i = 0;
    for (; i < 160 && v == M31RI_NOTHING; i++) {
        v = m31ri_diverge_add(&r, 5 * pow(1.1, i), &a);
    }
    assert_int_equal(v, M31RI_OPENED);
    /* 1.1^14.5 is just below 4 and 1.1^15.5 above; it is the middle of the 13th to the 20th */
    assert_int_equal(i, 20);
}

/* The first update already ruined it: 5.5, then a thousand. */
static void test_diverge__a_training_that_blew_up_at_once_is_told(void **state)
{
    (void)state;
    m31ri_diverge_rule r;
    m31ri_anomaly a;
    m31ri_diverge_init(&r);
    assert_int_equal(m31ri_diverge_add(&r, 5.5, &a), M31RI_NOTHING);
    for (int i = 1; i < 15; i++) {
        assert_int_equal(m31ri_diverge_add(&r, 1000 - i, &a), M31RI_NOTHING);
    }
    assert_int_equal(m31ri_diverge_add(&r, 990, &a), M31RI_OPENED);
    NEAR(a.usual, 5.5);
    NEAR(a.limit, 22);
    for (int i = 0; i < 100; i++) { /* and stays so */
        assert_int_equal(m31ri_diverge_add(&r, 900, &a), M31RI_NOTHING);
    }
}

/* Losses of small batches, from 0.01 to 5 around the same level: no ratio means anything. */
static void test_diverge__noise_of_orders_is_none(void **state)
{
    (void)state;
    m31ri_anomaly a;
    uint32_t seed = 1;
    int n_told = 0;
    for (int run = 0; run < 500; run++) {
        m31ri_diverge_rule r;
        m31ri_diverge_init(&r);
        for (int i = 0; i < 2000; i++) {
            seed = seed * 1664525 + 1013904223;
            double x = -log(((double)(seed >> 8) + 1) / ((1 << 24) + 1)); /* exponential */
            n_told += m31ri_diverge_add(&r, x, &a) == M31RI_OPENED;
        }
    }
    assert_true(n_told <= 10); /* 1 of 100,000 values */
}

static void test_stuck__fifteen_equal_values(void **state)
{
    (void)state;
    m31ri_stuck_rule r;
    m31ri_anomaly a;
    m31ri_stuck_init(&r);
    assert_int_equal(m31ri_stuck_add(&r, 2.5, &a), M31RI_NOTHING);
    for (int i = 1; i < 40; i++) {
        assert_int_equal(m31ri_stuck_add(&r, 2, &a), i == 15 ? M31RI_OPENED : M31RI_NOTHING);
    }
    assert_int_equal(m31ri_stuck_add(&r, 2.5, &a), M31RI_CLEARED);
}

static void test_plateau__half_of_all_values_without_progress(void **state)
{
    (void)state;
    m31ri_plateau_rule r;
    m31ri_anomaly a;
    m31ri_plateau_init(&r);
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(m31ri_plateau_add(&r, 10 - i * 0.003, &a), M31RI_NOTHING);
    }
    int n = 0;
    while (m31ri_plateau_add(&r, 1.1, &a) == M31RI_NOTHING) {
        assert_true(++n < 10000);
    }
    assert_int_equal(a.severity, M31RI_SEVERITY_INFO);
    assert_true(n > 2900 && n < 3100); /* as long as all before */
}

static void begin_slow(m31ri_slow_rule *r, double level, int after)
{
    m31ri_anomaly a;
    m31ri_slow_init(r);
    for (int i = 0; i < 50 + 200 + after; i++) {
        double x = i < 50 ? 900 : level; /* the warm-up does not count */
        assert_int_equal(m31ri_slow_add(r, x, &a), M31RI_NOTHING);
    }
}

static void test_slow__eight_percent_by_the_last_64(void **state)
{
    (void)state;
    m31ri_slow_rule r;
    m31ri_anomaly a;
    begin_slow(&r, 100, 64);
    for (int i = 0; i < 32; i++) {
        assert_int_equal(m31ri_slow_add(&r, 110, &a), M31RI_NOTHING);
    }
    assert_int_equal(m31ri_slow_add(&r, 110, &a), M31RI_OPENED);
    NEAR(a.value, 110);
    NEAR(a.usual, 100);
    NEAR(a.limit, 108);
    assert_int_equal(a.n, 64);
    for (int i = 0; i < 32; i++) {
        assert_int_equal(m31ri_slow_add(&r, i < 31 ? 100 : 110, &a), M31RI_NOTHING);
    }
    m31ri_anomaly_event v = M31RI_NOTHING;
    for (int i = 0; i < 64 && v == M31RI_NOTHING; i++) {
        v = m31ri_slow_add(&r, 100, &a);
    }
    assert_int_equal(v, M31RI_CLEARED);
}

static void test_slow__five_percent_by_the_last_256(void **state)
{
    (void)state;
    m31ri_slow_rule r;
    m31ri_anomaly a;
    begin_slow(&r, 100, 256);
    for (int i = 0; i < 191; i++) { /* from the 129th on; looked at with each 64th */
        assert_int_equal(m31ri_slow_add(&r, 105, &a), M31RI_NOTHING);
    }
    assert_int_equal(m31ri_slow_add(&r, 105, &a), M31RI_OPENED);
    assert_int_equal(a.n, 256);
    NEAR(a.limit, 104);
}

static void test_slow__hiccups_and_evaluations_are_none(void **state)
{
    (void)state;
    m31ri_slow_rule r;
    m31ri_anomaly a;
    m31ri_slow_init(&r);
    for (int i = 0; i < 20000; i++) {
        double x = i % 97 < 2 ? 400 : i % 250 == 0 ? 1500 : 100 + i % 3;
        assert_int_equal(m31ri_slow_add(&r, x, &a), M31RI_NOTHING);
    }
}

static m31ri_anomaly_event check_and_add(m31ri_slow_rule *r, double x, m31ri_anomaly *out)
{
    m31ri_anomaly_event verdict = m31ri_outlier_check(r, x, out);
    assert_int_equal(m31ri_slow_add(r, x, out), M31RI_NOTHING);
    return verdict;
}

static void test_outlier__more_than_twenty_times(void **state)
{
    (void)state;
    m31ri_slow_rule r;
    m31ri_anomaly a;
    m31ri_slow_init(&r);
    for (int i = 0; i < 64; i++) {
        assert_int_equal(check_and_add(&r, 1, &a), M31RI_NOTHING);
    }
    assert_int_equal(check_and_add(&r, 20, &a), M31RI_NOTHING);
    assert_int_equal(check_and_add(&r, 20.1, &a), M31RI_OPENED);
    assert_int_equal(a.kind, M31RI_ANOMALY_OUTLIER);
    assert_int_equal(check_and_add(&r, 30, &a), M31RI_NOTHING);
    assert_int_equal(check_and_add(&r, 1, &a), M31RI_CLEARED);
}

/* 1000 + i/10. After 200 values there are 25 parts of 8; 8 times 3 of them begin at value 8 and
 * their last low is value 176: 1000.8 and 1017.6, 1.68 % more. Two at a time: 1.1 %. */
static void test_leak__a_line_is_found_at_the_two_hundredth_value(void **state)
{
    (void)state;
    m31ri_leak_rule r;
    m31ri_anomaly a;
    m31ri_leak_init(&r);
    for (int i = 0; i < 199; i++) {
        assert_int_equal(m31ri_leak_add(&r, 1000 + i / 10.0, &a), M31RI_NOTHING);
    }
    assert_int_equal(m31ri_leak_add(&r, 1019.9, &a), M31RI_OPENED);
    NEAR(a.usual, 1000.8);
    NEAR(a.value, 1017.6);
    assert_int_equal(a.n, 192);
    m31ri_anomaly_event v = M31RI_NOTHING;
    for (int i = 0; i < 100 && v == M31RI_NOTHING; i++) {
        v = m31ri_leak_add(&r, 1000, &a);
    }
    assert_int_equal(v, M31RI_CLEARED);
}

static void test_leak__steps_teeth_and_filling_caches_are_none(void **state)
{
    (void)state;
    m31ri_leak_rule rules[4];
    m31ri_anomaly a;
    for (int k = 0; k < 4; k++) {
        m31ri_leak_init(&rules[k]);
    }
    for (int i = 0; i < 20000; i++) {
        double noise = (i * 7919 % 101) / 20.0;
        double values[] = {
            i < 700 ? 1000 : 1400,             /* one step */
            1000 + 3.0 * (i % 150),            /* teeth of a collector */
            1000 + 300 * (1 - exp(-i / 80.0)), /* a cache that fills */
            1000 + (i >= 300) * 100 + (i >= 9000) * 100,
        };
        for (int k = 0; k < 4; k++) {
            assert_int_equal(m31ri_leak_add(&rules[k], values[k] + noise, &a), M31RI_NOTHING);
        }
    }
}

static void test_idle__only_after_work(void **state)
{
    (void)state;
    m31ri_idle_rule r;
    m31ri_anomaly a;
    m31ri_idle_init(&r);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(m31ri_idle_add(&r, 0, &a), M31RI_NOTHING);
    }
    for (int i = 0; i < 64; i++) {
        assert_int_equal(m31ri_idle_add(&r, 98, &a), M31RI_NOTHING);
    }
    for (int i = 0; i < 16; i++) {
        assert_int_equal(m31ri_idle_add(&r, 0, &a), M31RI_NOTHING);
    }
    assert_int_equal(m31ri_idle_add(&r, 0, &a), M31RI_OPENED);
    NEAR(a.usual, 98);
}

static void test_stall__twenty_steps_and_ten_seconds(void **state)
{
    (void)state;
    m31ri_stall_rule r;
    m31ri_anomaly a;
    m31ri_stall_init(&r);
    assert_int_equal(m31ri_stall_check(&r, 1e9, &a), M31RI_NOTHING); /* no step yet */
    for (int i = 0; i <= 20; i++) {
        assert_int_equal(m31ri_stall_step(&r, i), M31RI_NOTHING);
    }
    assert_int_equal(m31ri_stall_check(&r, 20 + 20, &a), M31RI_NOTHING);
    assert_int_equal(m31ri_stall_check(&r, 20 + 20.5, &a), M31RI_OPENED);
    NEAR(a.usual, 1);
    NEAR(a.limit, 20);
    assert_int_equal(m31ri_stall_check(&r, 90, &a), M31RI_NOTHING);
    assert_int_equal(m31ri_stall_step(&r, 100), M31RI_CLEARED);
    assert_int_equal(m31ri_stall_check(&r, 119, &a), M31RI_NOTHING);
}

static m31ri_anomaly_event add_ranks(m31ri_rank_rules *r, const double figures[4],
                                     m31ri_anomaly *out)
{
    m31ri_rank_rules_add(r, figures);
    return m31ri_rank_rules_next(r, out);
}

static void test_ranks__one_that_becomes_three_percent_slower(void **state)
{
    (void)state;
    m31ri_rank_rules *r = m31ri_rank_rules_new(4);
    m31ri_anomaly a;
    const double usual[] = {100, 101, 99, 100};
    const double slow[] = {100, 101, 102.5, 100};
    for (int i = 0; i < 200; i++) {
        assert_int_equal(add_ranks(r, usual, &a), M31RI_NOTHING);
    }
    m31ri_anomaly_event v = M31RI_NOTHING;
    int n = 0;
    for (; n < 100 && v == M31RI_NOTHING; n++) {
        v = add_ranks(r, slow, &a);
    }
    assert_int_equal(v, M31RI_OPENED);
    assert_int_equal(a.kind, M31RI_ANOMALY_STRAGGLER);
    assert_int_equal(a.rank, 2);
    assert_int_equal(n, 33); /* of the 64 */
    assert_int_equal(m31ri_rank_rules_next(r, &a), M31RI_NOTHING);
    m31ri_rank_rules_free(r);
}

static void test_ranks__one_that_is_late_now_and_then(void **state)
{
    (void)state;
    m31ri_rank_rules *r = m31ri_rank_rules_new(4);
    m31ri_anomaly a;
    const double usual[] = {100, 101, 99, 100};
    const double late[] = {100, 155, 99, NAN};
    int n_late = 0;
    m31ri_anomaly_event v = M31RI_NOTHING;
    for (int i = 0; i < 128 && v == M31RI_NOTHING; i++) {
        n_late += i % 10 == 9;
        v = add_ranks(r, i % 10 == 9 ? late : usual, &a);
    }
    assert_int_equal(v, M31RI_OPENED);
    assert_int_equal(a.kind, M31RI_ANOMALY_FLAKY);
    assert_int_equal(a.rank, 1);
    assert_int_equal(n_late, 6);
    m31ri_rank_rules_free(r);
}

static void test_ranks__what_slows_all_is_nobodys_fault(void **state)
{
    (void)state;
    m31ri_rank_rules *r = m31ri_rank_rules_new(4);
    m31ri_anomaly a;
    for (int i = 0; i < 3000; i++) {
        double k = i > 1000 ? 3 : i % 50 == 0 ? 8 : 1;
        const double figures[] = {100 * k, 101 * k, 99 * k, 100.5 * k};
        assert_int_equal(add_ranks(r, figures, &a), M31RI_NOTHING);
    }
    const double none[] = {NAN, NAN, -1, INFINITY};
    assert_int_equal(add_ranks(r, none, &a), M31RI_NOTHING);
    m31ri_rank_rules_free(r);
    assert_null(m31ri_rank_rules_new(1));
    assert_null(m31ri_rank_rules_new(M31RI_RANK_RULES_LIMIT + 1));
}

static void test_roles__by_the_last_part_of_the_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        m31ri_metric_role role;
    } cases[] = {
        {"loss", M31RI_METRIC_LOSS},
        {"train/loss", M31RI_METRIC_LOSS},
        {"Val_Loss", M31RI_METRIC_LOSS},
        {"glossary", M31RI_METRIC_OTHER},
        {"tokens_per_sec", M31RI_METRIC_THROUGHPUT},
        {"tokens/s", M31RI_METRIC_THROUGHPUT},
        {"perf/step_ms", M31RI_METRIC_DURATION},
        {"latency_ms", M31RI_METRIC_DURATION},
        {"memory_mb", M31RI_METRIC_MEMORY},
        {"system.rss_mb", M31RI_METRIC_MEMORY},
        {"peak_memory_mb", M31RI_METRIC_OTHER},
        {"system.gpu3.util_percent", M31RI_METRIC_BUSY},
        {"system.gpu3.memory_mb", M31RI_METRIC_MEMORY},
        {"system.cpu_percent", M31RI_METRIC_OTHER},
        {"grad_norm", M31RI_METRIC_OTHER},
        {"", M31RI_METRIC_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(m31ri_metric_role_of_name(cases[i].name, strlen(cases[i].name)),
                         cases[i].role);
    }
}

static double strange(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    uint32_t pick = *seed >> 16;
    double x = (double)(*seed >> 8) / (1 << 24);
    switch (pick % 40) {
    case 0:
        return NAN;
    case 1:
        return INFINITY;
    case 2:
        return -INFINITY;
    case 3:
        return 1.7e308;
    case 4:
        return -1.7e308;
    case 5:
        return 5e-324;
    case 6:
        return -0.0;
    default:
        return pick % 3000 < 1000 ? 0 : pick % 7 == 0 ? x * 1e6 : x;
    }
}

/* Of each kind, opened and cleared take turns, whatever comes. */
static void check_turns(m31ri_metric_role role, uint32_t seed, long n)
{
    bool is_open[M31RI_ANOMALY_KINDS] = {false};
    m31ri_series_change changes[M31RI_SERIES_CHANGES];
    m31ri_series_watch *w = m31ri_series_watch_new(role);
    for (long i = 0; i < n; i++) {
        double x = i % 5000 < 1000 ? 2.5 : strange(&seed); /* also long constant stretches */
        size_t n_changes = m31ri_series_watch_add(w, x, changes);
        assert_true(n_changes <= M31RI_SERIES_CHANGES);
        for (size_t k = 0; k < n_changes; k++) {
            m31ri_anomaly_kind kind = changes[k].anomaly.kind;
            assert_int_equal(is_open[kind], changes[k].verdict == M31RI_CLEARED);
            is_open[kind] = changes[k].verdict == M31RI_OPENED;
        }
    }
    m31ri_series_watch_free(w);
}

static void test_fuzz__opened_and_cleared_take_turns(void **state)
{
    (void)state;
    for (int role = 0; role < M31RI_METRIC_ROLES; role++) {
        for (uint32_t seed = 1; seed <= 4; seed++) {
            check_turns((m31ri_metric_role)role, seed, 20000);
        }
    }
    uint32_t seed = 5;
    m31ri_rank_rules *ranks = m31ri_rank_rules_new(7);
    for (int i = 0; i < 20000; i++) {
        double figures[7];
        m31ri_anomaly a;
        for (int k = 0; k < 7; k++) {
            figures[k] = strange(&seed);
        }
        m31ri_rank_rules_add(ranks, figures);
        for (int k = 0; m31ri_rank_rules_next(ranks, &a) != M31RI_NOTHING; k++) {
            assert_true(k < 14 && a.rank >= 0 && a.rank < 7);
        }
    }
    m31ri_rank_rules_free(ranks);
}

/* Ten million values of each role, in the same memory; M31R_SOAK takes the long way. */
static void test_fuzz__ten_million_values(void **state)
{
    (void)state;
    long n = getenv("M31R_SOAK") != NULL ? 10 * 1000 * 1000 : 100 * 1000;
    for (int role = 0; role < M31RI_METRIC_ROLES; role++) {
        check_turns((m31ri_metric_role)role, 11, n);
    }
}

/* A level series with a little noise: nothing to say in a long run. */
static void test_fuzz__noise_is_no_anomaly(void **state)
{
    (void)state;
    m31ri_series_change changes[M31RI_SERIES_CHANGES];
    for (int role = 0; role < M31RI_METRIC_ROLES; role++) {
        m31ri_series_watch *w = m31ri_series_watch_new((m31ri_metric_role)role);
        uint32_t seed = 3;
        for (long i = 0; i < 200000; i++) {
            double noise = 0;
            for (int k = 0; k < 12; k++) { /* nearly normal */
                seed = seed * 1664525 + 1013904223;
                noise += (double)(seed >> 8) / (1 << 24) - 0.5;
            }
            double trend = role == M31RI_METRIC_LOSS ? 3 + 1000.0 / (1000 + (double)i) : 60;
            size_t n = m31ri_series_watch_add(w, trend * (1 + 0.01 * noise), changes);
            for (size_t k = 0; k < n; k++) {
                assert_int_equal(changes[k].anomaly.kind, M31RI_ANOMALY_PLATEAU);
            }
        }
        m31ri_series_watch_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window__median_and_sigma_of_the_last_values),
        cmocka_unit_test(test_window__is_the_sorted_past),
        cmocka_unit_test(test_nonfinite__is_told_once_until_16_finite_values),
        cmocka_unit_test(test_spike__is_a_tenth_and_six_sigmas_above),
        cmocka_unit_test(test_spike__one_report_and_the_third_is_a_warning),
        cmocka_unit_test(test_spike__a_new_level_ends_the_episode),
        cmocka_unit_test(test_diverge__the_seventeenth_high_value_of_32),
        cmocka_unit_test(test_diverge__spikes_are_not_one),
        cmocka_unit_test(test_diverge__a_training_that_never_worked_is_told_early),
        cmocka_unit_test(test_diverge__a_training_that_blew_up_at_once_is_told),
        cmocka_unit_test(test_diverge__noise_of_orders_is_none),
        cmocka_unit_test(test_stuck__fifteen_equal_values),
        cmocka_unit_test(test_plateau__half_of_all_values_without_progress),
        cmocka_unit_test(test_slow__eight_percent_by_the_last_64),
        cmocka_unit_test(test_slow__five_percent_by_the_last_256),
        cmocka_unit_test(test_slow__hiccups_and_evaluations_are_none),
        cmocka_unit_test(test_outlier__more_than_twenty_times),
        cmocka_unit_test(test_leak__a_line_is_found_at_the_two_hundredth_value),
        cmocka_unit_test(test_leak__steps_teeth_and_filling_caches_are_none),
        cmocka_unit_test(test_idle__only_after_work),
        cmocka_unit_test(test_stall__twenty_steps_and_ten_seconds),
        cmocka_unit_test(test_ranks__one_that_becomes_three_percent_slower),
        cmocka_unit_test(test_ranks__one_that_is_late_now_and_then),
        cmocka_unit_test(test_ranks__what_slows_all_is_nobodys_fault),
        cmocka_unit_test(test_roles__by_the_last_part_of_the_name),
        cmocka_unit_test(test_fuzz__opened_and_cleared_take_turns),
        cmocka_unit_test(test_fuzz__ten_million_values),
        cmocka_unit_test(test_fuzz__noise_is_no_anomaly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
