/* Two runs: equal, or where they part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "analyse/measured.h"
#include "m31r/diff.h"
#include "unit/read/scratch_run.h"

static m31r_reader *fixture, *changed;

static m31r_diff *open_diff(const m31r_diff_options *wanted)
{
    m31r_diff_options options = M31R_DIFF_OPTIONS_INIT;
    m31r_diff *diff = NULL;
    m31r_error e = {0};
    assert_int_equal(m31r_reader_open(&fixture, FIXTURE_ROOT, "@", &e), M31R_OK);
    changed = open_scratch();
    assert_int_equal(
        m31r_diff_open(&diff, fixture, changed, wanted != NULL ? wanted : &options, &e), M31R_OK);
    return diff;
}

static void close_diff(m31r_diff *diff)
{
    m31r_diff_close(diff);
    m31r_reader_close(fixture);
    m31r_reader_close(changed);
}

static void test_obs_12__a_run_equals_its_copy(void **state)
{
    (void)state;
    const char *why = NULL;
    m31r_divergence v;
    m31r_diff *diff = open_diff(NULL);
    assert_int_equal(m31r_diff_result(diff, &why), M31R_DIFF_EQUAL);
    assert_string_equal(why, "");
    assert_null(m31r_diff_first(diff));
    assert_null(m31r_diff_identity(diff, 0));
    assert_int_equal(m31r_diff_part_at(diff, 0)->n_same, 9);
    assert_int_equal(m31r_diff_divergence(diff, 0, &v), M31R_E_NOTFOUND);
    close_diff(diff);
}

static void test_diff__names_record_lane_and_field(void **state)
{
    (void)state;
    in_run("sed -i '3s/\"msg\":\"[^\"]*\"/\"msg\":\"other\"/' train.worker.log");
    m31r_diff *diff = open_diff(NULL);
    const m31r_diff_part *part = m31r_diff_first(diff);
    assert_int_equal(m31r_diff_result(diff, NULL), M31R_DIFF_DIFFERS);
    assert_string_equal(part->name, "train.worker.log");
    assert_string_equal(part->first.field, "msg");
    assert_int_equal(part->first.line_a, 3);
    assert_int_equal(part->first.line_b, 3);
    assert_string_equal(part->first.b, "other");
    assert_false(part->is_aligned);
    assert_int_equal(part->first.context[0].side, '=');
    assert_int_equal(part->first.context[0].line, 1);
    close_diff(diff);
}

static void test_diff__the_earliest_lane_comes_first(void **state)
{
    (void)state;
    in_run("sed -i '$s/finished/failed/' train.log");
    in_run("sed -i '1s/\"msg\":\"[^\"]*\"/\"msg\":\"other\"/' train.worker.log");
    m31r_diff *diff = open_diff(NULL);
    assert_string_equal(m31r_diff_first(diff)->name, "train.worker.log");
    close_diff(diff);
}

static void test_diff__a_missing_or_added_field_is_absent_on_one_side(void **state)
{
    (void)state;
    in_run("sed -i '7s/,\"errno\":2}/}/' train.log");
    m31r_diff *diff = open_diff(NULL);
    const m31r_diff_part *part = m31r_diff_first(diff);
    assert_string_equal(part->first.field, "errno");
    assert_string_equal(part->first.a, "2");
    assert_null(part->first.b);
    close_diff(diff);
}

static void test_diff__a_missing_lane_differs_and_a_captured_one_does_not(void **state)
{
    (void)state;
    in_run("cp train.worker.log train.stderr.log");
    m31r_diff *diff = open_diff(NULL);
    assert_int_equal(m31r_diff_result(diff, NULL), M31R_DIFF_EQUAL);
    close_diff(diff);
    in_run("rm -f train.worker.log");
    diff = open_diff(NULL);
    const m31r_diff_part *part = m31r_diff_first(diff);
    assert_string_equal(part->name, "train.worker.log");
    assert_string_equal(part->first.field, "");
    assert_int_equal(part->first.line_b, 0);
    assert_int_equal(part->n_b, 0);
    close_diff(diff);
}

static void test_diff__points_part_by_step(void **state)
{
    (void)state;
    m31r_divergence v;
    in_run("sed -i 's/^loss,4,2.125,/loss,4,4.25,/; s/^loss,5,2.25,/loss,5,NaN,/' metrics.csv");
    m31r_diff *diff = open_diff(NULL);
    const m31r_diff_part *part = m31r_diff_first(diff);
    assert_true(part->is_points);
    assert_string_equal(part->first.field, "loss");
    assert_int_equal(part->first.step, 4);
    assert_int_equal(m31r_diff_divergence(diff, 0, &v), M31R_OK);
    assert_string_equal(v.name, "loss");
    assert_int_equal(v.first_step, 4);
    assert_true(isinf(v.max_relative) && v.max_step == 5);
    assert_int_equal(v.n_differ, 2);
    close_diff(diff);
}

static void test_diff__refuses_a_tolerance_that_is_none(void **state)
{
    (void)state;
    m31r_diff_options options = M31R_DIFF_OPTIONS_INIT;
    m31r_diff *diff = NULL;
    m31r_error e = {0};
    m31r_reader *reader = open_scratch();
    options.rtol = NAN;
    assert_int_equal(m31r_diff_open(&diff, reader, reader, &options, &e), M31R_E_ARG);
    m31r_reader_close(reader);
}

static void test_measured__knows_times_rates_and_memory(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "ts",      "tokens_per_sec", "tokens/s",     "latency_p99",    "memory_mb",  "rss",
        "step_ms", "duration_s",     "eval.wait_ms", "system.threads", "peak_rss_mb"};
    static const char *const no[] = {"loss", "step", "grad_norm", "tokens", "s", "bytes", "seed"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        assert_true(m31ri_is_measured(yes[i], strlen(yes[i])));
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        assert_false(m31ri_is_measured(no[i], strlen(no[i])));
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_obs_12__a_run_equals_its_copy),
        CASE(test_diff__names_record_lane_and_field),
        CASE(test_diff__the_earliest_lane_comes_first),
        CASE(test_diff__a_missing_or_added_field_is_absent_on_one_side),
        CASE(test_diff__a_missing_lane_differs_and_a_captured_one_does_not),
        CASE(test_diff__points_part_by_step),
        CASE(test_diff__refuses_a_tolerance_that_is_none),
        CASE(test_measured__knows_times_rates_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
