/* Runs side by side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "m31r/compare.h"
#include "unit/read/scratch_run.h"

static m31r_reader *readers[2];
static m31r_comparison *comparison;

static void open_both(void)
{
    m31r_error e = {0};
    assert_int_equal(m31r_reader_open(&readers[0], FIXTURE_ROOT, "@", &e), M31R_OK);
    readers[1] = open_scratch();
    const m31r_reader *const both[2] = {readers[0], readers[1]};
    assert_int_equal(m31r_comparison_open(&comparison, both, 2, &e), M31R_OK);
}

static void close_both(void)
{
    m31r_comparison_close(comparison);
    m31r_reader_close(readers[0]);
    m31r_reader_close(readers[1]);
}

static m31r_compare_row find(const char *group, const char *key)
{
    m31r_compare_row row;
    for (size_t i = 0; m31r_comparison_row(comparison, i, &row) == M31R_OK; i++) {
        if (strcmp(row.group, group) == 0 && strcmp(row.key, key) == 0) {
            return row;
        }
    }
    fail_msg("no row %s %s", group, key);
    return row;
}

static void test_compare__a_copy_differs_in_nothing(void **state)
{
    (void)state;
    m31r_compare_row row;
    open_both();
    for (size_t i = 0; m31r_comparison_row(comparison, i, &row) == M31R_OK; i++) {
        assert_false(row.differs);
    }
    assert_string_equal(find("run", "seed").cells[1].text, "42");
    close_both();
}

static void test_compare__metrics_have_deltas(void **state)
{
    (void)state;
    in_run("sed -i 's/^loss,5,2.25,/loss,5,4.5,/; /^lr,/d' metrics.csv");
    open_both();
    m31r_compare_row row = find("metric", "loss.last");
    assert_true(row.differs && !row.is_measured);
    assert_true(row.cells[1].delta == 2.25 && row.cells[1].relative == 1.0);
    assert_true(isnan(row.cells[0].delta));
    assert_false(find("metric", "loss.best").differs);
    row = find("metric", "lr.last");
    assert_true(row.differs && row.cells[1].text == NULL && isnan(row.cells[1].delta));
    assert_true(find("metric", "tokens_per_sec.last").is_measured);
    close_both();
}

static void test_compare__needs_two_runs(void **state)
{
    (void)state;
    m31r_error e = {0};
    m31r_reader *reader = open_scratch();
    const m31r_reader *const one[1] = {reader};
    assert_int_equal(m31r_comparison_open(&comparison, one, 1, &e), M31R_E_ARG);
    m31r_reader_close(reader);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_compare__a_copy_differs_in_nothing),
        CASE(test_compare__metrics_have_deltas),
        CASE(test_compare__needs_two_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
