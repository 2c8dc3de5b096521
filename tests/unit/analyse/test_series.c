/* Metrics of a run, their course, and the rows of a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "analyse/trace.h"
#include "m31r/runs.h"
#include "m31r/series.h"
#include "unit/read/scratch_run.h"

static void test_series__summarises_the_points(void **state)
{
    (void)state;
    m31r_reader *reader = open_scratch();
    m31r_series *series = NULL;
    m31r_metric_facts m;
    m31r_error e = {0};
    assert_int_equal(m31r_series_open(&series, reader, &e), M31R_OK);
    assert_int_equal(m31r_series_count(series), 4);
    assert_int_equal(m31r_series_last_step(series), 5);
    assert_int_equal(m31r_series_bad_lines(series), 0);
    assert_int_equal(m31r_series_find(series, "loss", &m), M31R_OK);
    assert_int_equal(m.n, 5);
    assert_int_equal(m.n_nonfinite, 1);
    assert_string_equal(m.unit, "nats");
    assert_int_equal(m.better, M31R_BETTER_LOWER);
    assert_true(m.best == 2.125 && m.best_step == 4 && m.last == 2.25 && m.last_step == 5);
    assert_int_equal(m.n_trace, 5);
    assert_true(isnan(m.trace[2]) && m.trace[0] == 4.5);
    assert_int_equal(m31r_series_find(series, "lr", &m), M31R_OK);
    assert_int_equal(m.better, M31R_BETTER_UNKNOWN);
    assert_true(isnan(m.best));
    assert_int_equal(m31r_series_find(series, "none", &m), M31R_E_NOTFOUND);
    m31r_series_close(series);
    m31r_reader_close(reader);
}

static void test_series__counts_lines_that_are_no_points(void **state)
{
    (void)state;
    m31r_reader *reader = NULL;
    m31r_series *series = NULL;
    m31r_error e = {0};
    in_run(
        "printf 'nonsense\\nloss,6,2.0,2026-11-23T10:26:51.123456Z,0\\nloss,7,1.9' >> metrics.csv");
    in_run("printf 'name,step,value,ts,segment\\ngpu,9,2.0,2026-11-23T10:26:51.123456Z,0\\n' > "
           "metrics.rank0001.csv");
    reader = open_scratch();
    assert_int_equal(m31r_series_open(&series, reader, &e), M31R_OK);
    assert_int_equal(m31r_series_bad_lines(series), 1);
    assert_int_equal(m31r_series_last_step(series), 9);
    assert_int_equal(m31r_series_count(series), 5);
    m31r_series_close(series);
    m31r_reader_close(reader);
}

static void test_series__last_among_ranks_is_that_of_the_highest_step(void **state)
{
    (void)state;
    m31r_reader *reader = NULL;
    m31r_series *series = NULL;
    m31r_error e = {0};
    m31r_metric_facts m;
    in_run("printf 'name,step,value,ts,segment\nloss,2,7.0,2026-11-23T10:26:51.123456Z,0\n"
           "lr,,3.0,2026-11-23T10:26:51.123456Z,0\n' > metrics.rank0001.csv");
    in_run("printf 'lr,,1.0,2026-11-23T10:26:51.123456Z,0\n"
           "new,,1.0,2026-11-23T10:26:51.123456Z,0\n' >> metrics.csv");
    in_run("printf 'new,,2.0,2026-11-23T10:26:51.123456Z,0\n' >> metrics.rank0001.csv");
    reader = open_scratch();
    assert_int_equal(m31r_series_open(&series, reader, &e), M31R_OK);
    assert_int_equal(m31r_series_find(series, "loss", &m), M31R_OK);
    assert_true(m.n == 6 && m.last_step == 5 && m.last == 2.25);
    assert_int_equal(m31r_series_find(series, "new", &m), M31R_OK);
    assert_true(m.n == 2 && m.last == 1.0); /* none has a step: the first file's stays */
    m31r_series_close(series);
    m31r_reader_close(reader);
}

static void test_trace__keeps_the_shape_in_bounded_memory(void **state)
{
    (void)state;
    static m31ri_trace trace;
    static double out[M31R_TRACE_LIMIT];
    for (int i = 0; i < 100000; i++) {
        m31ri_trace_add(&trace, i % 1000 == 0 ? NAN : i);
    }
    size_t n = m31ri_trace_read(&trace, out);
    assert_true(n > M31R_TRACE_LIMIT / 2 && n <= M31R_TRACE_LIMIT);
    for (size_t i = 1; i < n; i++) {
        assert_true(out[i] > out[i - 1]);
    }
    assert_true(out[0] < 1000 && out[n - 1] > 99000);
}

static void check_row(void)
{
    m31r_runs *runs = NULL;
    m31r_run_row row;
    m31r_error e = {0};
    assert_int_equal(m31r_runs_open(&runs, scratch_root, &e), M31R_OK);
    assert_int_equal(m31r_runs_count(runs), 1);
    assert_int_equal(m31r_runs_get(runs, 0, &row, &e), M31R_OK);
    assert_string_equal(row.facts->run_id, FIXTURE);
    assert_int_equal(row.last_step, 5);
    assert_string_equal(row.metric, "loss");
    assert_true(row.metric_last == 2.25 && row.metric_best == 2.125);
    assert_int_equal(row.metric_best_step, 4);
    assert_true(row.tokens_per_sec == 18004.0);
    assert_int_equal(m31r_runs_get(runs, 1, &row, &e), M31R_E_NOTFOUND);
    m31r_runs_close(runs);
}

static void test_runs__row_is_the_same_from_summary_and_from_points(void **state)
{
    (void)state;
    in_run("touch metrics.json");
    check_row();
    in_run("sed -i 's/\"last\":2.25/\"last\":9/' metrics.json && touch -d 2020-01-01 metrics.json");
    check_row();
    in_run("rm metrics.json");
    check_row();
}

#define WITH_RUN(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RUN(test_series__summarises_the_points),
        WITH_RUN(test_series__counts_lines_that_are_no_points),
        WITH_RUN(test_series__last_among_ranks_is_that_of_the_highest_step),
        cmocka_unit_test(test_trace__keeps_the_shape_in_bounded_memory),
        WITH_RUN(test_runs__row_is_the_same_from_summary_and_from_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
