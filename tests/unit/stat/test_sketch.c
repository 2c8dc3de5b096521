/* Tests of stat/sketch.c: which bucket a value falls into does not depend on how it is found. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stat/sketch.h"

static const double log_gamma = 0.020000666706669435;

static void falls_where_the_formula_says(double x)
{
    m31ri_sketch s = M31RI_SKETCH_INIT;
    assert_true(m31ri_sketch_add(&s, x));
    double expected = exp((int32_t)ceil(log(x) / log_gamma) * log_gamma) * 0.99;
    double got = m31ri_sketch_quantile(&s, 0.5);
    if (got != expected) {
        fail_msg("%.17g is counted at %.17g, not %.17g", x, got, expected);
    }
    assert_true(fabs(got - x) <= 0.0100001 * x);
    m31ri_sketch_release(&s);
}

static void test_sketch__every_bucket_as_by_the_formula(void **state)
{
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        uint64_t positive = bits >> 1;
        double x;
        memcpy(&x, &positive, sizeof x);
        if (isnormal(x) && x < 1e300) {
            falls_where_the_formula_says(x);
        }
    }
}

static void test_sketch__ends_of_buckets_as_by_the_formula(void **state)
{
    (void)state;
    for (int bucket = -3000; bucket < 3000; bucket++) {
        double end = exp(bucket * log_gamma);
        falls_where_the_formula_says(nextafter(end, 0));
        falls_where_the_formula_says(end);
        falls_where_the_formula_says(nextafter(end, HUGE_VAL));
        falls_where_the_formula_says(ldexp(1, bucket % 1000));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sketch__every_bucket_as_by_the_formula),
        cmocka_unit_test(test_sketch__ends_of_buckets_as_by_the_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
