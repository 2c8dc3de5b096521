/* Changes of level: small cases worked by hand, the search against all partitions, hostile values.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "trend/partition.h"
#include "trend/robust.h"
#include "m31r/changes.h"

static uint64_t random_state = 7;

static double uniform(void)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return ((double)(random_state >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

#define LONG 100 /* values that every partition of is found by a plain table */

static m31r_changes *find(const double *values, size_t n, m31r_preset preset)
{
    m31r_changes *c = NULL;
    assert_int_equal(m31r_changes_find(&c, values, n, preset, NULL), M31R_OK);
    return c;
}

static size_t count(const double *values, size_t n, m31r_preset preset)
{
    m31r_changes *c = find(values, n, preset);
    size_t n_changes = m31r_changes_summary(c)->n_changes;
    m31r_changes_free(c);
    return n_changes;
}

static void assert_near(double got, double wanted, double within)
{
    if (!(fabs(got - wanted) <= within)) {
        fail_msg("%.17g is not %.17g within %g", got, wanted, within);
    }
}

static void test_robust__medians_and_students_t_are_those_of_the_tables(void **state)
{
    (void)state;
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, same[] = {2, 2, 2, 2};
    assert_near(m31ri_median(odd, 3), 3, 0);
    assert_near(m31ri_median(even, 4), 2.5, 0);
    assert_near(m31ri_median(same, 4), 2, 0);
    assert_true(isnan(m31ri_median(odd, 0)));
    double ten[] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
    assert_near(m31ri_quantile(ten, 10, 0.9), 9, 0);
    assert_near(m31ri_quantile(ten, 10, 0.99), 10, 0);
    assert_near(m31ri_quantile(ten, 10, 0), 1, 0);
    assert_near(m31ri_student_95(1), 12.7062047364, 1e-7);
    assert_near(m31ri_student_95(10), 2.2281388520, 1e-8);
    assert_near(m31ri_student_p(3.16927267, 10), 0.01, 1e-9);
    assert_near(m31ri_student_p(-1, 1), 0.5, 1e-12);
    assert_near(m31ri_student_p(0, 3), 1, 0);
    assert_near(m31ri_student_p(INFINITY, 3), 0, 0);
}

/* Six times -1, six times 1: no cut leaves n = 12 squares, one cut at 6 none. */
static void test_partition__a_step_worked_by_hand(void **state)
{
    (void)state;
    double y[12];
    m31ri_partition p;
    for (size_t i = 0; i < 12; i++) {
        y[i] = i < 6 ? -1 : 1;
    }
    assert_int_equal(m31ri_partition_find(y, 12, 15, 0.15, &p), M31R_OK);
    assert_int_equal(p.n_cuts, 1);
    assert_int_equal(p.cuts[0], 6);
    assert_false(p.is_line);
    assert_near(p.criterion, 12 * log(0.0225) + 7 * log(12), 1e-9);
    assert_int_equal(m31ri_partition_find(y, 12, 0, 0.15, &p), M31R_OK);
    assert_int_equal(p.n_cuts, 0);
}

static double squares(const double *y, size_t from, size_t to, bool is_line)
{
    double n = (double)(to - from), mean = 0, slope = 0, spread = 0, left = 0;
    for (size_t i = from; i < to; i++) {
        mean += y[i] / n;
    }
    for (size_t i = from; i < to; i++) {
        double t = (double)(i - from) - (n - 1) / 2;
        slope += t * y[i];
        spread += t * t;
    }
    slope = is_line ? slope / spread : 0;
    for (size_t i = from; i < to; i++) {
        double rest = y[i] - mean - slope * ((double)(i - from) - (n - 1) / 2);
        left += rest * rest;
    }
    return left;
}

/* The lowest sum of squares with k more cuts behind `from`: every way is tried. */
static double least(const double *y, size_t from, size_t n, size_t k, bool is_line)
{
    double lowest = k == 0 ? squares(y, from, n, is_line) : INFINITY;
    for (size_t at = from + 5; k > 0 && at + 5 * k <= n; at++) {
        double x = squares(y, from, at, is_line) + least(y, at, n, k - 1, is_line);
        lowest = x < lowest ? x : lowest;
    }
    return lowest;
}

static double criterion(double left, double n, double k, double parameters)
{
    return n * log(left / n + 0.01) + 7 * k * (parameters + 1) / 2 * log(n) +
           (parameters > 1 ? 4 * log(n) : 0);
}

static void test_partition__is_the_best_of_all(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        double y[31], lowest = INFINITY, left = 0;
        size_t n = 20 + (size_t)(uniform() * 12);
        for (size_t i = 0; i < n; i++) {
            y[i] =
                0.05 * normal() + (double)(i / 7 % 2) * (round % 3) + 0.1 * (double)i * (round % 2);
        }
        for (size_t k = 0; k <= n / 5 - 1 && k <= 4; k++) {
            lowest = fmin(lowest, criterion(least(y, 0, n, k, false), (double)n, (double)k, 1));
            lowest = fmin(lowest, criterion(least(y, 0, n, k, true), (double)n, (double)k, 2));
        }
        m31ri_partition p;
        assert_int_equal(m31ri_partition_find(y, n, 4, 0.1, &p), M31R_OK);
        assert_near(p.criterion, lowest, 1e-6);
        for (size_t i = 0, from = 0; i <= p.n_cuts; i++) {
            size_t to = i < p.n_cuts ? p.cuts[i] : n;
            assert_true(to >= from + 5);
            left += squares(y, from, to, p.is_line);
            from = to;
        }
        assert_near(criterion(left, (double)n, (double)p.n_cuts, p.is_line ? 2 : 1), lowest, 1e-6);
    }
}

/* The lowest criterion of up to `most` changes, by the whole table of D: nothing is left out. */
static double lowest_of_table(const double *y, size_t n, size_t most, bool is_line)
{
    static double d[LONG + 1][LONG + 1];
    double lowest = INFINITY;
    for (size_t k = 0; k <= most; k++) {
        for (size_t b = 0; b <= n; b++) {
            d[k][b] = INFINITY;
        }
    }
    for (size_t b = 5; b <= n; b++) {
        d[0][b] = squares(y, 0, b, is_line);
        for (size_t a = 5; a + 5 <= b; a++) {
            double cost = squares(y, a, b, is_line);
            for (size_t k = 1; k <= most; k++) {
                d[k][b] = fmin(d[k][b], d[k - 1][a] + cost);
            }
        }
    }
    for (size_t k = 0; k <= most && 5 * (k + 1) <= n; k++) {
        lowest = fmin(lowest, criterion(d[k][n], (double)n, (double)k, is_line ? 2 : 1));
    }
    return lowest;
}

/* Levels from none to more than are allowed, slopes, walks: what the bounds leave out may not be
 * what is best. */
static void test_partition__bounds_leave_out_nothing_that_wins(void **state)
{
    (void)state;
    for (size_t round = 0; round < 28; round++) {
        double y[LONG], walk = 0;
        size_t n = LONG - round, most = round % 2 == 0 ? 12 : 4, length = 5 + 4 * (round % 9);
        for (size_t i = 0; i < n; i++) {
            walk += normal();
            y[i] = 0.02 * (double)(round % 7) * normal() + (double)(i / length % 3) +
                   (round % 4 == 1 ? walk / 4 : 0) +
                   (round % 4 == 2 ? 0.2 * fabs((double)(i % 40) - 20) : 0);
        }
        m31ri_partition p;
        assert_int_equal(m31ri_partition_find(y, n, most, 0.1, &p), M31R_OK);
        double lowest = fmin(lowest_of_table(y, n, most, false), lowest_of_table(y, n, most, true));
        assert_near(p.criterion, lowest, 1e-6);
    }
}

/* Ten values around 100, ten around 110: medians 100 and 110, means of 100 and 110, deviation
 * sqrt(0.8): the pooled variance is 16 / 18, so t = 10 / sqrt(2 x 0.888 / 10) = 23.7. */
static void test_changes__a_step_worked_by_hand(void **state)
{
    (void)state;
    static const double around[10] = {-1, 1, 0, 1, -1, 1, -1, 0, -1, 1};
    double values[20];
    m31r_change x;
    for (size_t i = 0; i < 20; i++) {
        values[i] = (i < 10 ? 100 : 110) + around[i % 10];
    }
    m31r_changes *c = find(values, 20, M31R_PRESET_PERF);
    const m31r_changes_facts *f = m31r_changes_summary(c);
    assert_int_equal(f->n_changes, 1);
    assert_int_equal(m31r_changes_get(c, 0, &x), M31R_OK);
    assert_int_equal(m31r_changes_get(c, 1, &x), M31R_E_NOTFOUND);
    assert_int_equal(x.at, 10);
    assert_int_equal(x.n_before, 10);
    assert_int_equal(x.n_after, 10);
    assert_near(x.before, 100, 0);
    assert_near(x.after, 110, 0);
    assert_near(x.ratio, 1.1, 1e-12);
    assert_true(x.ratio_low > 1.08 && x.ratio_low < 1.1 && x.ratio_high > 1.1 &&
                x.ratio_high < 1.12);
    assert_true(x.p < 1e-10);
    assert_near(f->level, 110, 0);
    assert_near(f->noise, 1.4826, 1e-12);
    assert_int_equal(f->regime_at, 10);
    assert_int_equal(f->n_regime, 10);
    m31r_changes_free(c);
}

static void test_changes__nothing_constant_and_few_values_give_none(void **state)
{
    (void)state;
    double same[50];
    for (size_t i = 0; i < 50; i++) {
        same[i] = 0.1;
    }
    for (size_t n = 0; n < 50; n++) {
        m31r_changes *c = find(n == 0 ? NULL : same, n, M31R_PRESET_GENERIC);
        assert_int_equal(m31r_changes_summary(c)->n_changes, 0);
        assert_int_equal(m31r_changes_summary(c)->has_verdict, n >= M31R_CHANGES_LEAST);
        assert_int_equal(m31r_changes_summary(c)->n_suspects, 0);
        m31r_changes_free(c);
    }
    assert_int_equal(count(same, 50, M31R_PRESET_PERF), 0);
}

static void test_changes__what_is_missing_keeps_its_index(void **state)
{
    (void)state;
    double values[40];
    m31r_change x;
    for (size_t i = 0; i < 40; i++) {
        values[i] = (i < 22 ? 50 : 60) + (double)(i % 3);
    }
    values[0] = values[20] = values[21] = NAN;
    values[3] = INFINITY;
    values[39] = -INFINITY;
    m31r_changes *c = find(values, 40, M31R_PRESET_PERF);
    const m31r_changes_facts *f = m31r_changes_summary(c);
    assert_int_equal(f->n, 40);
    assert_int_equal(f->n_nan, 3);
    assert_int_equal(f->n_infinite, 2);
    assert_int_equal(f->n_changes, 1);
    assert_int_equal(m31r_changes_get(c, 0, &x), M31R_OK);
    assert_int_equal(x.at, 22);
    assert_int_equal(x.n_before + x.n_after, 35);
    m31r_changes_free(c);
}

static void test_changes__outliers_and_bursts_of_four_are_no_level(void **state)
{
    (void)state;
    double values[100];
    size_t n_found = 0;
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < 100; i++) {
            values[i] = 100 + 2 * normal();
        }
        size_t at = 5 + (size_t)(uniform() * 90);
        for (size_t i = at; i < at + 4 && i < 100; i++) {
            values[i] *= 1.25;
        }
        values[(at + 50) % 100] *= 2;
        n_found += count(values, 100, M31R_PRESET_PERF);
    }
    assert_in_range(n_found, 0, 1);
}

static void test_changes__ties_and_exact_values_change_where_they_change(void **state)
{
    (void)state;
    double values[60];
    m31r_change x;
    for (size_t i = 0; i < 60; i++) {
        values[i] = i < 25 ? 1000 : i < 55 ? 1010 : 1200; /* the last five are a level */
    }
    values[10] = 4000;
    m31r_changes *c = find(values, 60, M31R_PRESET_PERF);
    assert_int_equal(m31r_changes_summary(c)->n_changes, 2);
    assert_int_equal(m31r_changes_get(c, 0, &x), M31R_OK);
    assert_int_equal(x.at, 25);
    assert_int_equal(m31r_changes_get(c, 1, &x), M31R_OK);
    assert_int_equal(x.at, 55);
    m31r_changes_free(c);
    for (size_t i = 0; i < 60; i++) {
        values[i] = i < 30 ? 1000 : 1004; /* 0.4 %: too small to say */
    }
    assert_int_equal(count(values, 60, M31R_PRESET_PERF), 0);
    assert_int_equal(count(values, 60, M31R_PRESET_GENERIC), 1);
}

static void test_changes__a_line_is_a_trend(void **state)
{
    (void)state;
    double values[80];
    for (size_t i = 0; i < 80; i++) {
        values[i] = 200 + 0.5 * (double)i + normal();
    }
    m31r_changes *c = find(values, 80, M31R_PRESET_PERF);
    const m31r_changes_facts *f = m31r_changes_summary(c);
    assert_true(f->is_trend);
    assert_int_equal(f->n_changes, 0);
    assert_near(f->slope, 0.5, 0.02);
    assert_near(f->line_last - f->line_first, 39.5, 2);
    assert_true(f->p_slope < 1e-20);
    assert_int_equal(f->n_suspects, 0);
    m31r_changes_free(c);
}

/* Noise of which a value keeps 0.6 of the one before wanders by more than its own deviation. In
 * these six series the criterion of the partition alone takes a wander for a level. A step of three
 * deviations is one, in the same noise. */
static void test_changes__wanders_of_correlated_noise_are_no_level(void **state)
{
    static const long seeds[] = {33, 45, 156, 159, 168, 248};
    (void)state;
    for (size_t k = 0; k < sizeof seeds / sizeof *seeds; k++) {
        double values[250], wander = 0;
        srand48(seeds[k]);
        for (size_t i = 0; i < 250; i++) {
            double noise = -6;
            for (int draw = 0; draw < 12; draw++) {
                noise += drand48();
            }
            wander = 0.6 * wander + 1.6 * noise;
            values[i] = 100 + wander;
        }
        assert_int_equal(count(values, 250, M31R_PRESET_PERF), 0);
        for (size_t i = 120; i < 250; i++) {
            values[i] += 6;
        }
        assert_in_range(count(values, 250, M31R_PRESET_PERF), 1, 2);
    }
}

/* A step of 10 % on 2 % of noise: suspect at once, confirmed with its fourth run and not with its
 * second; three outliers at the end are none. */
static void test_changes__a_new_level_is_suspect_then_confirmed(void **state)
{
    (void)state;
    size_t n_suspect = 0, n_early = 0, n_fourth = 0, n_confirmed = 0, n_false = 0, n_burst = 0;
    for (int round = 0; round < 200; round++) {
        double values[65];
        for (size_t i = 0; i < 65; i++) {
            values[i] = (i < 60 ? 100 : 110) + 2 * normal();
        }
        n_false += count(values, 60, M31R_PRESET_PERF);
        m31r_changes *c = find(values, 61, M31R_PRESET_PERF);
        n_suspect += m31r_changes_summary(c)->n_suspects == 1;
        m31r_changes_free(c);
        n_early += count(values, 62, M31R_PRESET_PERF);
        n_fourth += count(values, 64, M31R_PRESET_PERF);
        n_confirmed += count(values, 65, M31R_PRESET_PERF);
        for (size_t i = 57; i < 60; i++) {
            values[i] *= 1.25;
        }
        n_burst += count(values, 60, M31R_PRESET_PERF);
    }
    assert_in_range(n_suspect, 150, 200);
    assert_in_range(n_fourth, 185, 200);
    assert_in_range(n_confirmed, 198, 200);
    assert_in_range(n_burst, 0, 4);
    assert_in_range(n_early, 0, 2);
    assert_int_equal(n_false, 0);
}

static void test_changes__only_the_newest_of_a_long_series_count(void **state)
{
    (void)state;
    static double values[5000];
    m31r_change x;
    for (size_t i = 0; i < 5000; i++) {
        values[i] = (i < 1000 ? 50 : i < 4000 ? 100 : 130) + normal();
    }
    m31r_changes *c = find(values, 5000, M31R_PRESET_GENERIC);
    assert_int_equal(m31r_changes_summary(c)->n_older, 3000);
    assert_int_equal(m31r_changes_summary(c)->n_changes, 1);
    assert_int_equal(m31r_changes_get(c, 0, &x), M31R_OK);
    assert_int_equal(x.at, 4000);
    m31r_changes_free(c);
}

/* Whatever the values are: indices ascend and are inside, all numbers of a change are in order, and
 * the same values in another unit of a power of two give the same indices. */
static void check_any(const double *values, size_t n)
{
    double scaled[300];
    for (size_t i = 0; i < n; i++) {
        scaled[i] = ldexp(values[i], -40);
    }
    for (int preset = 0; preset < 2; preset++) {
        m31r_changes *c = find(values, n, preset), *again = find(scaled, n, preset);
        m31r_change x, y;
        size_t last = 0;
        for (size_t i = 0; m31r_changes_get(c, i, &x) == M31R_OK; i++) {
            assert_true(x.at > last && x.at < n);
            assert_true(isfinite(values[x.at]) && isfinite(x.before) && isfinite(x.after));
            assert_true(x.p >= 0 && x.p <= 1);
            assert_true(isnan(x.ratio) || (x.ratio_low <= x.ratio && x.ratio <= x.ratio_high));
            assert_int_equal(m31r_changes_get(again, i, &y), M31R_OK);
            assert_int_equal(x.at, y.at);
            last = x.at;
        }
        m31r_changes_free(c);
        m31r_changes_free(again);
    }
}

static void test_changes__hostile_values_do_no_harm(void **state)
{
    (void)state;
    static const double odd[] = {0,      -0.0, 1,    -1,        1e308, -1e308,   1e-200,
                                 1e-308, 1e15, 1e16, 1.0000001, NAN,   INFINITY, -INFINITY};
    double values[300];
    for (int round = 0; round < 600; round++) {
        size_t n = (size_t)(uniform() * 299), n_kinds = 1 + (size_t)(uniform() * 14);
        for (size_t i = 0; i < n; i++) {
            values[i] = odd[(size_t)(uniform() * (double)n_kinds)];
            values[i] =
                round % 3 == 0 && fabs(values[i]) < 1e100 ? values[i] + normal() : values[i];
            values[i] = round % 3 == 1 && fabs(values[i]) < 1e-200 ? 0 : values[i];
        }
        check_any(values, n);
    }
}

static void test_values__are_read_a_line_each(void **state)
{
    (void)state;
    char path[] = "/tmp/test_changes.XXXXXX";
    static const char text[] = "1\n 2.5 \r\n\nnan\nNA\nnull\n-inf\n+Infinity\n1e-3";
    double *values = NULL;
    size_t n = 0;
    m31r_error e;
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    assert_int_equal(m31r_values_read(&values, &n, path, &e), M31R_OK);
    assert_int_equal(n, 9);
    assert_true(values[0] == 1 && values[1] == 2.5 && values[8] == 1e-3);
    assert_true(isnan(values[2]) && isnan(values[3]) && isnan(values[4]) && isnan(values[5]));
    assert_true(values[6] < 0 && isinf(values[6]) && values[7] > 0 && isinf(values[7]));
    m31r_values_free(values);
    assert_int_equal(write(fd, "\ntwo\n", 5), 5);
    assert_int_equal(m31r_values_read(&values, &n, path, &e), M31R_E_ARG);
    assert_int_equal(e.line, 10);
    assert_int_equal(m31r_values_read(&values, &n, "/no/such/file", &e), M31R_E_NOTFOUND);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_robust__medians_and_students_t_are_those_of_the_tables),
        cmocka_unit_test(test_partition__a_step_worked_by_hand),
        cmocka_unit_test(test_partition__is_the_best_of_all),
        cmocka_unit_test(test_partition__bounds_leave_out_nothing_that_wins),
        cmocka_unit_test(test_changes__a_step_worked_by_hand),
        cmocka_unit_test(test_changes__nothing_constant_and_few_values_give_none),
        cmocka_unit_test(test_changes__what_is_missing_keeps_its_index),
        cmocka_unit_test(test_changes__outliers_and_bursts_of_four_are_no_level),
        cmocka_unit_test(test_changes__ties_and_exact_values_change_where_they_change),
        cmocka_unit_test(test_changes__a_line_is_a_trend),
        cmocka_unit_test(test_changes__wanders_of_correlated_noise_are_no_level),
        cmocka_unit_test(test_changes__a_new_level_is_suspect_then_confirmed),
        cmocka_unit_test(test_changes__only_the_newest_of_a_long_series_count),
        cmocka_unit_test(test_changes__hostile_values_do_no_harm),
        cmocka_unit_test(test_values__are_read_a_line_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
