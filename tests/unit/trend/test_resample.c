/* Warm-up, block length and resampling: small cases worked by hand, and coverage of the interval.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trend/resample.h"

static uint64_t random_state = 11;

static double uniform(void)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return ((double)(random_state >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static double work[4000];

/* Twenty points at 200, then 180 at 100 and 101 in turn: the cut is where they settle. */
static void test_resample__a_warm_up_is_found_and_nothing_is_none(void **state)
{
    (void)state;
    double points[200];
    for (size_t i = 0; i < 200; i++) {
        points[i] = (i < 20 ? 200 : 100) + (double)(i % 2);
    }
    assert_int_equal(m31ri_warm_up(points, 200, work), 20);
    for (size_t i = 0; i < 20; i++) {
        points[i] = 100 + (double)(i % 2);
    }
    assert_int_equal(m31ri_warm_up(points, 200, work), 0);
    points[150] = 9000; /* a hiccup */
    assert_int_equal(m31ri_warm_up(points, 200, work), 0);
    for (size_t i = 0; i < 200; i++) {
        points[i] = 1000 - (double)i; /* never settles */
    }
    assert_int_equal(m31ri_warm_up(points, 200, work), 0);
    assert_int_equal(m31ri_warm_up(points, 19, work), 0);
}

static void test_resample__blocks_are_as_long_as_the_correlation(void **state)
{
    (void)state;
    static double points[2000];
    for (size_t i = 0; i < 2000; i++) {
        points[i] = 100 + normal();
    }
    assert_in_range(m31ri_block_length(points, 2000, work), 13, 16); /* 13 is the cube root */
    double level = 0;
    for (size_t i = 0; i < 2000; i++) {
        level = i % 50 == 0 ? 5 * normal() : level; /* fifty alike */
        points[i] = 100 + level + 0.1 * normal();
    }
    assert_in_range(m31ri_block_length(points, 2000, work), 60, 500);
    for (size_t i = 0; i < 2000; i++) {
        points[i] = 7;
    }
    assert_in_range(m31ri_block_length(points, 2000, work), 1, 20);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of correlated points with median 0 the interval of their median holds 0 about 95 times of 100. */
static void test_resample__the_interval_holds_the_median(void **state)
{
    (void)state;
    static double medians[M31RI_RESAMPLES], again[M31RI_RESAMPLES], p99s[M31RI_RESAMPLES];
    size_t n_held = 0;
    for (int round = 0; round < 100; round++) {
        double points[400], last = normal();
        for (size_t i = 0; i < 400; i++) {
            last = 0.7 * last + sqrt(1 - 0.49) * normal();
            points[i] = last;
        }
        size_t block = m31ri_block_length(points, 400, work);
        m31ri_resample(points, 400, block, 1, work, medians, p99s);
        m31ri_resample(points, 400, block, 1, work, again, p99s);
        assert_memory_equal(medians, again, sizeof medians);
        qsort(medians, M31RI_RESAMPLES, sizeof *medians, by_value);
        n_held += medians[24] <= 0 && medians[974] >= 0;
    }
    assert_in_range(n_held, 85, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resample__a_warm_up_is_found_and_nothing_is_none),
        cmocka_unit_test(test_resample__blocks_are_as_long_as_the_correlation),
        cmocka_unit_test(test_resample__the_interval_holds_the_median),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
