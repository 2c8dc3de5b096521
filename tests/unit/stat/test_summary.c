/* The summary against exact figures: several distributions, specials, merging, speed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "stat/sketch.h"
#include "stat/summary.h"

#define NO_STEP INT64_MIN

static uint64_t random_state = 42;

/* Uniform in (0, 1). */
static double uniform(void)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return ((double)(random_state >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static void add(m31ri_summary *s, const char *name, double value, int64_t step, uint32_t segment)
{
    m31ri_point p = {.name = name,
                     .name_length = strlen(name),
                     .step = step,
                     .value = value,
                     .segment = segment};
    assert_true(m31ri_summary_add(s, &p));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double nearest_rank(const double *sorted, size_t n, double q)
{
    return sorted[(size_t)ceil(q * (double)n) - 1];
}

static double draw(int kind)
{
    switch (kind) {
    case 0:
        return uniform();
    case 1:
        return normal();
    case 2:
        return exp(5 * normal());
    case 3:
        return floor(uniform() * 7) - 3; /* many zeros and ties */
    case 4:
        return -exp(normal());
    case 5:
        return (uniform() < 0.5 ? -1 : 1) * pow(uniform(), -2); /* heavy tails, both signs */
    default:
        return 1e300 * normal();
    }
}

static void assert_close(double got, double exact, double relative)
{
    if (fabs(got - exact) > relative * fabs(exact)) {
        fail_msg("%.17g is not within %g of %.17g", got, relative, exact);
    }
}

static void test_summary__quantiles_are_within_one_percent_and_moments_exact(void **state)
{
    (void)state;
    enum { N = 20000 };
    static double values[N];
    for (int kind = 0; kind < 7; kind++) {
        m31ri_summary *s = m31ri_summary_new();
        long double sum = 0;
        for (int i = 0; i < N; i++) {
            values[i] = draw(kind);
            sum += values[i];
            add(s, "x", values[i], i, 0);
        }
        long double mean = sum / N;
        long double squares = 0;
        for (int i = 0; i < N; i++) {
            squares += (values[i] - mean) * (values[i] - mean);
        }
        qsort(values, N, sizeof *values, by_value);
        m31ri_metric_summary m;
        m31ri_summary_get(s, 0, &m);
        assert_false(m.quantiles_are_exact);
        assert_close(m.p50, nearest_rank(values, N, 0.5), 0.0100001);
        assert_close(m.p90, nearest_rank(values, N, 0.9), 0.0100001);
        assert_close(m.p99, nearest_rank(values, N, 0.99), 0.0100001);
        assert_true(m.min == values[0] && m.max == values[N - 1]);
        assert_true(fabs(m.mean - (double)mean) <= 1e-12 * (double)sqrtl(squares / N));
        assert_close(m.std, (double)sqrtl(squares / (N - 1)), 1e-12);
        m31ri_summary_free(s);
    }
}

static void test_summary__quantiles_are_exact_up_to_256_points(void **state)
{
    (void)state;
    double values[257];
    for (size_t n = 1; n <= 257; n++) {
        m31ri_summary *s = m31ri_summary_new();
        for (size_t i = 0; i < n; i++) {
            values[i] = normal();
            add(s, "x", values[i], (int64_t)i, 0);
        }
        qsort(values, n, sizeof *values, by_value);
        m31ri_metric_summary m;
        m31ri_summary_get(s, 0, &m);
        assert_int_equal(m.quantiles_are_exact, n <= 256);
        if (n <= 256) {
            assert_true(m.p50 == nearest_rank(values, n, 0.5));
            assert_true(m.p90 == nearest_rank(values, n, 0.9));
            assert_true(m.p99 == nearest_rank(values, n, 0.99));
        } else {
            assert_close(m.p90, nearest_rank(values, n, 0.9), 0.0100001);
        }
        m31ri_summary_free(s);
    }
}

static void test_summary__nonfinite_values_are_counted_and_left_out(void **state)
{
    (void)state;
    m31ri_summary *s = m31ri_summary_new();
    add(s, "loss", 2, 1, 0);
    add(s, "loss", INFINITY, 2, 0);
    add(s, "loss", 4, 3, 0);
    add(s, "loss", -INFINITY, 4, 0);
    add(s, "loss", NAN, 5, 0);
    add(s, "bad", NAN, NO_STEP, 0);
    m31ri_metric_summary m;
    m31ri_summary_get(s, 0, &m);
    assert_int_equal(m.count, 5);
    assert_int_equal(m.n_nonfinite, 3);
    assert_true(m.mean == 3 && m.min == 2 && m.max == 4 && m.min_step == 1 && m.max_step == 3);
    assert_true(isnan(m.last) && m.last_step == 5 && m.first == 2);
    m31ri_summary_get(s, 1, &m);
    assert_true(isnan(m.mean) && isnan(m.min) && isnan(m.p50) && m.min_step == NO_STEP);
    m31ri_summary_free(s);
}

static void test_summary__extreme_values_neither_overflow_nor_vanish(void **state)
{
    (void)state;
    m31ri_summary *s = m31ri_summary_new();
    for (int i = 0; i < 300; i++) {
        add(s, "big", i % 2 ? 1.7e308 : -1.7e308, i, 0);
        add(s, "small", i % 2 ? 5e-324 : -5e-324, i, 0);
        add(s, "zero", i % 2 ? 0.0 : -0.0, i, 0);
    }
    m31ri_metric_summary m;
    m31ri_summary_get(s, 0, &m);
    assert_true(fabs(m.mean) < 1e290 && isfinite(m.std));
    assert_close(m.p99, 1.7e308, 0.01);
    assert_close(m.p50, -1.7e308, 0.01);
    m31ri_summary_get(s, 1, &m);
    assert_true(m.p99 <= 5e-324 && m.p50 >= -5e-324);
    m31ri_summary_get(s, 2, &m);
    assert_true(m.p50 == 0 && m.std == 0 && m.mean == 0);
    m31ri_summary_free(s);
}

static void test_summary__steps_segments_and_superseded_points(void **state)
{
    (void)state;
    m31ri_summary *s = m31ri_summary_new();
    for (int i = 0; i <= 10; i++) {
        add(s, "loss", 10 - i, i, 0);
    }
    for (int i = 6; i <= 15; i++) { /* back to 6: 6..10 are given again */
        add(s, "loss", 20 - i, i, 1);
    }
    add(s, "load", 3.5, NO_STEP, 0);
    m31ri_metric_summary m;
    m31ri_summary_get(s, 0, &m);
    assert_int_equal(m.segments, 2);
    assert_int_equal(m.n_superseded, 5);
    assert_true(m.min == 0 && m.min_step == 10 && m.first_step == 0 && m.last_step == 15);
    m31ri_summary_get(s, 1, &m);
    assert_int_equal(m.segments, 1);
    assert_true(m.first_step == NO_STEP && m.last == 3.5 && isnan(m.std));
    assert_string_equal(m.name, "load");
    m31ri_summary_free(s);
}

static void test_summary__lines_are_read_up_to_the_last_newline_and_bad_ones_counted(void **state)
{
    (void)state;
    const char text[] = "name,step,value,ts,segment\n"
                        "loss,1,2.5,2026-11-23T10:26:51.123456Z,0\n"
                        "not a point\n"
                        "\"a,b\",,NaN,2026-11-23T10:26:51.123456Z,0\n"
                        "name,step,value,ts,segment\n"
                        "loss,2,1.5,2026-11-2";
    m31ri_summary *s = m31ri_summary_new();
    size_t used = m31ri_summary_add_lines(s, text, sizeof text - 1);
    assert_int_equal(used, sizeof text - 1 - strlen("loss,2,1.5,2026-11-2"));
    assert_int_equal(m31ri_summary_bad_lines(s), 1);
    assert_int_equal(m31ri_summary_count(s), 2);
    assert_int_equal(m31ri_summary_points(s), 2);
    assert_int_equal(m31ri_summary_find(s, "a,b"), 1);
    assert_true(m31ri_summary_find(s, "a") == SIZE_MAX);
    m31ri_summary_free(s);
}

static void test_summary__json_holds_the_mandatory_block_and_no_bare_nan(void **state)
{
    (void)state;
    m31ri_summary *s = m31ri_summary_new();
    m31ri_buf out = M31RI_BUF_INIT;
    m31ri_summary_write_json(s, "r", "t", &out);
    json_t *root = json_loads(m31ri_buf_str(&out), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_true(json_is_null(json_object_get(json_object_get(root, "mandatory"), "loss")));
    json_decref(root);
    m31ri_buf_clear(&out);
    add(s, "train_loss", 1.25, 7, 0);
    add(s, "quo\"te\n", NAN, NO_STEP, 0);
    add(s, "tokens/s", 180000, 7, 0);
    add(s, "system.rss_mb", 512.5, NO_STEP, 0);
    m31ri_summary_write_json(s, "r", "t", &out);
    root = json_loads(m31ri_buf_str(&out), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    json_t *mandatory = json_object_get(root, "mandatory");
    assert_true(json_real_value(json_object_get(mandatory, "loss")) == 1.25);
    assert_true(json_number_value(json_object_get(mandatory, "tokens_per_sec")) == 180000);
    assert_true(json_number_value(json_object_get(mandatory, "memory")) == 512.5);
    assert_true(json_is_null(json_object_get(mandatory, "latency")));
    json_t *odd = json_object_get(json_object_get(root, "metrics"), "quo\"te\n");
    assert_string_equal(json_string_value(json_object_get(odd, "last")), "NaN");
    assert_true(json_is_null(json_object_get(odd, "mean")));
    assert_int_equal(json_integer_value(json_object_get(root, "points")), 4);
    json_decref(root);
    m31ri_buf_release(&out);
    m31ri_summary_free(s);
}

static void test_summary__merge_equals_one_pass(void **state)
{
    (void)state;
    const size_t sizes[][2] = {{0, 5},    {5, 0},    {100, 156}, {100, 157},
                               {400, 30}, {30, 400}, {900, 900}};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        m31ri_summary *parts[2] = {m31ri_summary_new(), m31ri_summary_new()};
        m31ri_summary *one = m31ri_summary_new();
        for (size_t part = 0; part < 2; part++) {
            for (size_t i = 0; i < sizes[k][part]; i++) {
                double x = i % 50 == 7 ? NAN : normal();
                add(parts[part], "x", x, (int64_t)(part * 1000 + i), 0);
                add(one, "x", x, (int64_t)(part * 1000 + i), 0);
            }
        }
        add(parts[1], "only", 1, 1, 0);
        assert_true(m31ri_summary_merge(parts[0], parts[1]));
        assert_int_equal(m31ri_summary_count(parts[0]), 2);
        m31ri_metric_summary a;
        m31ri_metric_summary b;
        m31ri_summary_get(parts[0], m31ri_summary_find(parts[0], "x") == 0 ? 0 : 0, &a);
        m31ri_summary_get(one, 0, &b);
        assert_true(a.count == b.count && a.n_nonfinite == b.n_nonfinite);
        assert_true(a.min == b.min && a.max == b.max && a.min_step == b.min_step);
        assert_true(a.p50 == b.p50 && a.p90 == b.p90 && a.p99 == b.p99);
        assert_true(a.quantiles_are_exact == b.quantiles_are_exact);
        assert_true(a.first_step == b.first_step && a.last_step == b.last_step);
        assert_true(fabs(a.mean - b.mean) < 1e-14);
        assert_close(a.std, b.std, 1e-13);
        m31ri_summary_free(parts[0]);
        m31ri_summary_free(parts[1]);
        m31ri_summary_free(one);
    }
}

static void test_summary__ten_thousand_names_are_found_again(void **state)
{
    (void)state;
    m31ri_summary *s = m31ri_summary_new();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 10000; i++) {
            char name[32];
            snprintf(name, sizeof name, "layer.%d.grad", i);
            add(s, name, i, round, 0);
        }
    }
    assert_int_equal(m31ri_summary_count(s), 10000);
    m31ri_metric_summary m;
    m31ri_summary_get(s, 7777, &m);
    assert_string_equal(m.name, "layer.7777.grad");
    assert_int_equal(m.count, 3);
    m31ri_summary_free(s);
}

static void test_summary__million_points_take_well_under_a_second(void **state)
{
    (void)state;
    static const char *const names[] = {"loss", "lr", "grad_norm", "tokens_per_sec"};
    m31ri_summary *s = m31ri_summary_new();
    int64_t start = m31ri_mono_ns();
    for (int i = 0; i < 1000000; i++) {
        m31ri_point p = {.name = names[i & 3],
                         .name_length = strlen(names[i & 3]),
                         .step = i,
                         .value = 1 + (i * 2654435761u % 100000) * 1e-3};
        m31ri_summary_add(s, &p);
    }
    double seconds = (double)(m31ri_mono_ns() - start) * 1e-9;
    print_message("a million points: %.3f s\n", seconds);
    /* generous: sanitizers and a shared machine; an emulator has no limit */
    assert_true(seconds < 5 || getenv("M31R_TEST_SLOW") != NULL);
    m31ri_summary_free(s);
}

static void test_summary__every_failed_allocation_loses_no_counted_point(void **state)
{
    (void)state;
    bool done = false;
    for (int n = 1; !done; n++) {
        assert_true(n < 100);
        m31ri_summary *s = m31ri_summary_new();
        uint64_t added = 0;
        m31ri_alloc_fail_at(n, 0);
        for (int i = 0; i < 600; i++) {
            const char *name = i % 2 ? "a" : "b";
            m31ri_point p = {.name = name, .name_length = 1, .step = i, .value = i - 300.0};
            added += m31ri_summary_add(s, &p);
        }
        m31ri_alloc_fail_at(0, 0);
        done = added == 600;
        assert_int_equal(m31ri_summary_points(s), added);
        m31ri_summary *into = m31ri_summary_new();
        m31ri_alloc_fail_at(n, 0);
        bool merged = m31ri_summary_merge(into, s);
        m31ri_alloc_fail_at(0, 0);
        done = done && merged;
        m31ri_summary_free(into);
        m31ri_summary_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary__quantiles_are_within_one_percent_and_moments_exact),
        cmocka_unit_test(test_summary__quantiles_are_exact_up_to_256_points),
        cmocka_unit_test(test_summary__nonfinite_values_are_counted_and_left_out),
        cmocka_unit_test(test_summary__extreme_values_neither_overflow_nor_vanish),
        cmocka_unit_test(test_summary__steps_segments_and_superseded_points),
        cmocka_unit_test(test_summary__lines_are_read_up_to_the_last_newline_and_bad_ones_counted),
        cmocka_unit_test(test_summary__json_holds_the_mandatory_block_and_no_bare_nan),
        cmocka_unit_test(test_summary__merge_equals_one_pass),
        cmocka_unit_test(test_summary__ten_thousand_names_are_found_again),
        cmocka_unit_test(test_summary__million_points_take_well_under_a_second),
        cmocka_unit_test(test_summary__every_failed_allocation_loses_no_counted_point),
    };
    return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
