/* Tests of m31r/thin.h: peaks stay, order stays, and a naive model agrees. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "m31r/thin.h"

static void add(m31r_thin *t, const char *name, int64_t step, double value)
{
    m31r_point_view p = {
        .name = name, .name_length = strlen(name), .step = step, .value = value, .segment = 0};
    assert_int_equal(m31r_thin_add(t, &p, NULL), M31R_OK);
}

static m31r_thin *thin_of(size_t limit)
{
    m31r_thin *t = NULL;
    assert_int_equal(m31r_thin_new(&t, limit, NULL), M31R_OK);
    return t;
}

static void test_thin__few_points_are_kept_whole(void **state)
{
    (void)state;
    m31r_thin *t = thin_of(100);
    m31r_point_view p;
    for (int i = 0; i < 100; i++) {
        add(t, "a", i, sin(i));
    }
    add(t, "b,c", 7, 0.1);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(m31r_thin_next(t, &p), M31R_OK);
        assert_int_equal(p.step, i);
        assert_true(p.value == sin(i));
    }
    assert_int_equal(m31r_thin_next(t, &p), M31R_OK);
    assert_int_equal(p.length, strlen("\"b,c\",7,0.1,1970-01-01T00:00:00.000000Z,0"));
    assert_memory_equal(p.line, "\"b,c\",7,0.1,1970-01-01T00:00:00.000000Z,0", p.length);
    assert_int_equal(m31r_thin_next(t, &p), M31R_EOF);
    m31r_thin_free(t);
}

/* Whatever the number of points and the place of a peak or of a NaN: it is there, with the first
 * and the last point, in order, within the limit. */
static void test_thin__no_peak_is_lost(void **state)
{
    (void)state;
    static const int counts[] = {5, 99, 101, 200, 201, 399, 1000, 12345, 100000};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        for (int where = 0; where < 5; where++) {
            int n = counts[c], high = where * (n - 1) / 4, low = (where + 2) % 5 * (n - 1) / 4;
            int nan = n / 3;
            m31r_thin *t = thin_of(100);
            for (int i = 0; i < n; i++) {
                double noise = (double)(i * 7919 % 1000) / 1000;
                double value = i == high ? 50 : i == low ? -50 : noise;
                add(t, "a", i, i == nan && i != high && i != low ? NAN : value);
            }
            m31r_point_view p;
            int64_t last = -1;
            size_t n_given = 0, n_found = 0;
            while (m31r_thin_next(t, &p) == M31R_OK) {
                assert_true(p.step > last);
                assert_true(n_given > 0 || p.step == 0);
                last = p.step;
                n_given++;
                n_found += (p.step == high) + (p.step == low) + (p.step == nan);
            }
            assert_int_equal(last, n - 1);
            assert_int_equal(n_found, 3);
            assert_true(n_given <= 101 && (n < 100 || n_given >= 50));
            m31r_thin_free(t);
        }
    }
}

/* Every stretch keeps its ends: the kept points' range over any quarter is that of all points. */
static void test_thin__each_part_keeps_its_extremes(void **state)
{
    (void)state;
    enum { N = 65536 };
    double *values = malloc(N * sizeof *values);
    double low[4] = {9, 9, 9, 9}, high[4] = {-9, -9, -9, -9};
    m31r_thin *t = thin_of(1002); /* 500 stretches */
    uint64_t x = 1;
    for (int i = 0; i < N; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        values[i] = (double)(x >> 40) / (1 << 24) - 0.5;
        add(t, "a", i, values[i]);
    }
    m31r_point_view p;
    while (m31r_thin_next(t, &p) == M31R_OK) {
        int part = (int)(p.step * 4 / N);
        assert_true(p.value == values[p.step]);
        low[part] = p.value < low[part] ? p.value : low[part];
        high[part] = p.value > high[part] ? p.value : high[part];
    }
    for (int part = 0; part < 4; part++) {
        double true_low = 9, true_high = -9;
        for (int i = part * N / 4; i < (part + 1) * N / 4; i++) {
            true_low = values[i] < true_low ? values[i] : true_low;
            true_high = values[i] > true_high ? values[i] : true_high;
        }
        assert_true(low[part] == true_low && high[part] == true_high);
    }
    free(values);
    m31r_thin_free(t);
}

static void test_thin__refuses_a_limit_out_of_range(void **state)
{
    (void)state;
    m31r_thin *t = NULL;
    m31r_error e;
    assert_int_equal(m31r_thin_new(&t, 3, &e), M31R_E_ARG);
    assert_int_equal(m31r_thin_new(&t, M31R_THIN_MOST + 1, &e), M31R_E_ARG);
    assert_null(t);
    m31r_thin_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thin__few_points_are_kept_whole),
        cmocka_unit_test(test_thin__no_peak_is_lost),
        cmocka_unit_test(test_thin__each_part_keeps_its_extremes),
        cmocka_unit_test(test_thin__refuses_a_limit_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
