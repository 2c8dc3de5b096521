/* Metric patterns, printed numbers, proposals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "m31r/metric.h"
#include "observe/pattern_int.h"

static void test_number__reads_what_programs_print(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"1.5", 1.5},
                 {"+.5", 0.5},
                 {"-1e-3", -1e-3},
                 {"1.", 1},
                 {"1,234.5", 1234.5},
                 {"007", 7},
                 {"0", 0},
                 {"00.50", 0.5},
                 {"12%", 12},
                 {"-0", 0},
                 {"1_000", 1000},
                 {"inf", INFINITY},
                 {"-Infinity", -INFINITY},
                 {"2.E3", 2000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double x = 99;
        assert_true(m31ri_printed_number_read(cases[i].text, strlen(cases[i].text), &x));
        assert_true(x == cases[i].value);
    }
    double x;
    assert_true(m31ri_printed_number_read("NaN", 3, &x) && isnan(x));
    static const char *const bad[] = {"", "-", "e", "1e", "abc", "1.2.3", "."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(m31ri_printed_number_read(bad[i], strlen(bad[i]), &x));
    }
}

static void test_match__shares_the_step_of_the_line(void **state)
{
    (void)state;
    const char *specs[] = {"lr=lr (\\S+)", "loss=step (?<step>\\d+) loss (?<value>\\S+)",
                           "step=step (?<step>\\d+)"};
    m31r_patterns *p = NULL;
    m31r_pattern_count counts[3] = {0};
    m31r_pattern_point found[M31R_PATTERN_LIMIT];
    assert_int_equal(m31r_patterns_new(specs, 3, &p, NULL), M31R_OK);
    const char *line = "step 12 loss 2.5 lr 1e-4";
    assert_int_equal(m31r_patterns_match(p, line, strlen(line), counts, found), 2);
    assert_int_equal(found[0].step, 12);
    assert_string_equal(found[0].name, "lr");
    assert_true(found[0].value == 1e-4 && found[1].value == 2.5);
    assert_int_equal(counts[2].n_matched, 1);
    assert_int_equal(m31r_patterns_match(p, "lr x", 4, counts, found), 0);
    assert_int_equal(m31r_patterns_match(p, "lr 1", 4, counts, found), 1);
    assert_true(found[0].step == M31R_NO_STEP);
    assert_int_equal(counts[0].n_not_number, 1);
    m31r_patterns_free(p);
}

static void test_new__says_where_a_pattern_is_wrong(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "loss", "=x(1)", "loss=", "loss=a(b", "loss=no group", "loss=[z-a](.)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        m31r_patterns *p = NULL;
        m31r_error e;
        assert_int_equal(m31r_patterns_new(&bad[i], 1, &p, &e), M31R_E_CONFIG);
        assert_null(p);
        assert_int_not_equal(strlen(e.hint), 0);
    }
    m31r_error e;
    m31r_patterns *p = NULL;
    const char *spec = "loss=a(b";
    m31r_patterns_new(&spec, 1, &p, &e);
    assert_non_null(strstr(e.hint, "^ here"));
    assert_int_equal(e.column, 9);
}

static void test_match__bounds_a_pattern_that_explodes(void **state)
{
    (void)state;
    const char *spec = "x=^(?:(?:a+)+)+$(b)";
    m31r_patterns *p = NULL;
    m31r_pattern_count count = {0};
    m31r_pattern_point found[M31R_PATTERN_LIMIT];
    char line[4000];
    memset(line, 'a', sizeof line);
    line[sizeof line - 1] = '!';
    assert_int_equal(m31r_patterns_new(&spec, 1, &p, NULL), M31R_OK);
    assert_int_equal(m31r_patterns_match(p, line, sizeof line, &count, found), 0);
    m31r_patterns_free(p);
}

static void propose(const char *name, const char *line, const char *wanted)
{
    m31ri_buf out = M31RI_BUF_INIT;
    bool found = m31ri_pattern_propose(name, line, strlen(line), &out);
    assert_int_equal(found, wanted != NULL);
    if (wanted != NULL) {
        assert_string_equal(m31ri_buf_str(&out), wanted);
    }
    m31ri_buf_release(&out);
}

static void test_propose__gives_a_pattern_that_works(void **state)
{
    (void)state;
#define NUMBER "([-+]?[0-9][0-9.,eE+-]*|[-+]?(?:nan|inf))"
    propose("loss", "step 1 Loss:  2.5", "loss=Loss:\\s+" NUMBER);
    propose("train/loss", "iter 3: loss=[0.5]", "train/loss=loss=\\[" NUMBER);
    propose("loss", "loss nan", "loss=loss\\s+" NUMBER);
    propose("loss", "gloss 3", NULL);
    propose("loss", "loss is falling 3", NULL);
    propose("val.acc", "acc 3 loss 4", "val.acc=acc\\s+" NUMBER);
#undef NUMBER
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number__reads_what_programs_print),
        cmocka_unit_test(test_match__shares_the_step_of_the_line),
        cmocka_unit_test(test_new__says_where_a_pattern_is_wrong),
        cmocka_unit_test(test_match__bounds_a_pattern_that_explodes),
        cmocka_unit_test(test_propose__gives_a_pattern_that_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
