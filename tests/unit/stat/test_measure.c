/* The numbers of measure.h against independent computation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "m31r/measure.h"

/* C(n, k) by Pascal's triangle: exact in a long double up to n = 60. */
static long double choose(unsigned n, unsigned k)
{
    long double row[64] = {1};
    for (unsigned i = 1; i <= n; i++) {
        for (unsigned j = i; j > 0; j--) {
            row[j] += row[j - 1];
        }
    }
    return k <= n ? row[k] : 0;
}

static void test_obs_16__pass_at_k_is_the_published_formula(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 60; n++) {
        for (unsigned c = 0; c <= n; c++) {
            for (unsigned k = 1; k <= n; k++) {
                double exact = (double)(1.0L - choose(n - c, k) / choose(n, k));
                double got = m31r_pass_at_k(n, c, k);
                if (fabs(got - exact) > 1e-14) {
                    fail_msg("n %u c %u k %u: %.17g, exactly %.17g", n, c, k, got, exact);
                }
            }
        }
    }
}

/* From Python's fractions: 1 - Fraction(comb(n - c, k), comb(n, k)), where factorials overflow. */
static void test_obs_16__pass_at_k_is_stable_for_many_samples(void **state)
{
    (void)state;
    assert_true(fabs(m31r_pass_at_k(200, 7, 100) - 0.9929911172418123) < 1e-15);
    assert_true(fabs(m31r_pass_at_k(100000, 1, 1) - 1e-5) < 2e-16);
    assert_true(fabs(m31r_pass_at_k(100000, 1, 50000) - 0.5) < 1e-15);
}

static void test_measure__pass_at_k_of_nonsense_is_not_a_number(void **state)
{
    (void)state;
    assert_true(isnan(m31r_pass_at_k(10, 3, 0)));
    assert_true(isnan(m31r_pass_at_k(10, 3, 11)));
    assert_true(isnan(m31r_pass_at_k(10, 11, 1)));
    assert_true(isnan(m31r_pass_at_k(0, 0, 1)));
    assert_true(m31r_pass_at_k(10, 10, 10) == 1.0 && m31r_pass_at_k(10, 0, 10) == 0.0);
}

static void test_measure__a_rate_forgets_what_is_older_than_its_window(void **state)
{
    (void)state;
    m31r_rate rate = M31R_RATE_INIT;
    assert_true(isnan(m31r_rate_add(&rate, 10, 0)));
    assert_true(m31r_rate_add(&rate, 90, 1) == 100.0);
    for (int i = 0; i < 1000; i++) {
        (void)m31r_rate_add(&rate, 1, 0.1);
    }
    double old = m31r_rate_add(&rate, 1, 0.1);
    assert_true(fabs(old - 10.0) < 1e-9);
    for (int i = 0; i < 130; i++) {
        old = m31r_rate_add(&rate, 2, 0.1); /* 13 s at twice the speed: all of the window */
    }
    assert_true(fabs(old - 20.0) < 1e-9);
    assert_true(m31r_rate_add(&rate, -5, 1) == old && m31r_rate_add(&rate, NAN, NAN) == old);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void test_obs_17__quantiles_are_within_one_percent_also_merged(void **state)
{
    (void)state;
    enum { N = 20000 };
    static double values[N];
    m31r_quantiles *a = m31r_quantiles_new();
    m31r_quantiles *b = m31r_quantiles_new();
    uint64_t seed = 42;
    for (int i = 0; i < N; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        double u = ((double)(seed >> 11) + 1) / 9007199254740994.0;
        values[i] = exp(10 * u) + (i % 100 == 0 ? 1e6 * u : 0); /* a long tail */
        assert_true(m31r_quantiles_add(i % 3 == 0 ? a : b, values[i]));
    }
    assert_false(m31r_quantiles_add(a, NAN));
    assert_false(m31r_quantiles_add(a, INFINITY));
    assert_true(m31r_quantiles_merge(a, b));
    assert_int_equal(m31r_quantiles_count(a), N);
    qsort(values, N, sizeof values[0], by_value);
    for (int i = 1; i <= 1000; i++) {
        double share = i / 1000.0;
        double exact = values[(int)ceil(share * N) - 1];
        double got = m31r_quantiles_get(a, share);
        if (fabs(got - exact) > M31R_QUANTILE_ERROR * exact * (1 + 1e-9)) {
            fail_msg("share %g: %g, exactly %g", share, got, exact);
        }
    }
    assert_true(isnan(m31r_quantiles_get(a, 1.1)));
    m31r_quantiles_free(b);
    b = m31r_quantiles_new();
    assert_true(isnan(m31r_quantiles_get(b, 0.5)));
    m31r_quantiles_free(a);
    m31r_quantiles_free(b);
    m31r_quantiles_free(NULL);
}

static void test_obs_15__coverage_and_fragmentation(void **state)
{
    (void)state;
    m31r_token_counts counts = {.lines = 2};
    m31r_token_counts_add(&counts, 4, 1, 4);
    m31r_token_counts_add(&counts, 6, 3, 6);
    m31r_token_counts_add(&counts, 10, 2, 5);
    m31r_token_measures m = m31r_token_counts_measure(&counts);
    assert_true(m.coverage == 0.75 && m.fragmentation == 2.0 && m.tokens_per_line == 3.0);
    assert_true(fabs(m.split_words - 2.0 / 3.0) < 1e-15 &&
                fabs(m.bytes_per_token - 20.0 / 6) < 1e-15);
    m31r_token_counts none = {0};
    assert_true(isnan(m31r_token_counts_measure(&none).coverage));
}

static void test_measure__memory_grows_by_what_is_touched(void **state)
{
    (void)state;
    enum { BYTES = 64 * 1024 * 1024 };
    m31r_memory before;
    m31r_memory after;
    assert_int_equal(m31r_memory_read(&before, false), M31R_OK);
    volatile char *block = malloc(BYTES);
    assert_non_null((void *)block);
    for (size_t i = 0; i < BYTES; i += 4096) {
        block[i] = 1;
    }
    assert_int_equal(m31r_memory_read(&after, true), M31R_OK);
    assert_true(after.rss_bytes >= before.rss_bytes + BYTES / 2);
    assert_true(after.peak_bytes >= after.rss_bytes);
    free((void *)block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_obs_16__pass_at_k_is_the_published_formula),
        cmocka_unit_test(test_obs_16__pass_at_k_is_stable_for_many_samples),
        cmocka_unit_test(test_measure__pass_at_k_of_nonsense_is_not_a_number),
        cmocka_unit_test(test_measure__a_rate_forgets_what_is_older_than_its_window),
        cmocka_unit_test(test_obs_17__quantiles_are_within_one_percent_also_merged),
        cmocka_unit_test(test_obs_15__coverage_and_fragmentation),
        cmocka_unit_test(test_measure__memory_grows_by_what_is_touched),
    };
    return cmocka_run_group_tests_name("measure", tests, NULL, NULL);
}
