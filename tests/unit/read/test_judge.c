/* Known shapes are walked, with every way that this machine has; what they cannot hold goes to the
 * exact parser. That both say the same is shown by tests/fuzz/fuzz_judge.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "read/judge.h"

static const char *const walks[] = {"avx512", "avx2", "sse2", "neon", "plain"};
static char text[4096];

static m31ri_verdict judge(m31ri_judge *j, const char *line)
{
    m31r_record place = {.file = "f", .lane = "", .line_number = 1};
    size_t length = strlen(line);
    memcpy(text, line, length);
    memset(text + length, '\n', M31RI_READ_BEYOND);
    return m31ri_judge_line(j, text, length, &place);
}

/* Calls `check` for each way, with a judge of that filter. */
static void with_each(const m31r_filter *filter, void (*check)(m31ri_judge *j))
{
    unsigned n = 0;
    for (size_t i = 0; i < sizeof walks / sizeof *walks; i++) {
        m31ri_judge j;
        m31ri_judge_wants wants = {.filter = filter, .needs_head = true};
        const m31ri_walk *walk = m31ri_walk_named(walks[i]);
        if (walk == NULL) {
            continue;
        }
        assert_true(m31ri_judge_init(&j, &wants));
        j.walk = walk;
        check(&j);
        m31ri_judge_release(&j);
        n++;
    }
    assert_true(n >= 1);
}

static void check_shape(m31ri_judge *j)
{
    assert_int_equal(judge(j, "{\"ts\":\"2026-11-23T10:26:51.123456Z\",\"level\":\"INFO\","
                              "\"module\":\"m\",\"msg\":\"a\",\"step\":1,\"x\":\"y\",\"b\":true}"),
                     M31RI_KEEP);
    assert_false(j->is_found);
    assert_int_equal(judge(j, "{\"ts\":\"2026-11-24T11:00:00.000000Z\",\"level\":\"INFO\","
                              "\"module\":\"m\",\"msg\":\"a\",\"step\":20000000000,\"x\":"
                              "\"a longer text, longer than any register of any machine is, with "
                              "\\u00e9, \\\" and \xc3\xa9 in it\",\"b\":true}"),
                     M31RI_KEEP);
    assert_true(j->is_found);
    m31r_record r = {0};
    m31ri_judge_record(j, text, strlen(text), &r);
    assert_int_equal(r.level, M31R_INFO);
    assert_int_equal(r.step, 20000000000);
    assert_int_equal(r.wall_ns, 1795518000000000000);
    assert_memory_equal(r.module, "m", 1);
}

static void test_judge__a_line_of_a_known_shape_is_walked(void **state)
{
    (void)state;
    m31r_filter all = {0};
    with_each(&all, check_shape);
}

static void check_foreign(m31ri_judge *j)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(judge(j, "{ \"msg\" : \"a\" , \"level\": \"warn\", \"loss\": -1.5e-7 }\r"),
                         M31RI_KEEP);
        assert_int_equal(j->is_found, i == 1);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(judge(j, "{\"level\":\"ERROR\",\"nested\":{\"a\":1}}"), M31RI_KEEP);
        assert_false(j->is_found);
    }
}

static void test_judge__a_foreign_shape_is_learned_and_a_nested_one_is_parsed(void **state)
{
    (void)state;
    m31r_filter warnings = {.min_level = M31R_WARNING};
    with_each(&warnings, check_foreign);
}

static void check_faults(m31ri_judge *j)
{
    static const char *const faults[] = {
        "{\"level\":\"INFO\",\"n\":01}",   "{\"level\":\"INFO\",\"n\":1.}",
        "{\"level\":\"INFO\",\"n\":1e}",   "{\"level\":\"INFO\",\"n\":1} x",
        "{\"level\":\"INFO\",\"n\":1",     "{\"level\":\"IN\tFO\",\"n\":1}",
        "{\"level\":\"I\\qO\",\"n\":1}",   "{\"level\":\"I\xff\",\"n\":1}",
        "{\"level\":\"\\ud800\",\"n\":1}", "{\"level\":\"INFO\",\"n\":1,\"n\":1}",
        "{\"level\":\"INFO\",\"n\":--1}",  "{\"level\":\"INFO\",\"n\":}",
    };
    j->is_strict = true;
    assert_int_equal(judge(j, "{\"level\":\"INFO\",\"n\":1}"), M31RI_KEEP);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        assert_int_equal(judge(j, faults[i]), M31RI_BAD);
    }
}

static void test_judge__a_fault_in_a_known_shape_is_seen(void **state)
{
    (void)state;
    m31r_filter all = {0};
    with_each(&all, check_faults);
}

static void check_free_text(m31ri_judge *j)
{
    char line[256];
    unsigned n_found = 0;
    for (int i = 0; i < 3000; i++) {
        snprintf(line, sizeof line, "{\"level\":\"INFO\",\"msg\":\"epoch %d of 9\",\"loss\":%d.5}",
                 i, i);
        assert_int_equal(judge(j, line), M31RI_KEEP);
        n_found += j->is_found;
    }
    assert_true(n_found > 2900);
    for (int i = 0; i < 20000; i++) {
        snprintf(line, sizeof line, "{\"key_%d\":\"INFO\",\"other_%d\":%d}", i, 7 * i, i);
        assert_int_equal(judge(j, line), M31RI_KEEP);
    }
}

static void test_judge__free_text_does_not_fill_the_tree_and_a_full_tree_is_forgotten(void **state)
{
    (void)state;
    m31r_filter all = {0};
    with_each(&all, check_free_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge__a_line_of_a_known_shape_is_walked),
        cmocka_unit_test(test_judge__a_foreign_shape_is_learned_and_a_nested_one_is_parsed),
        cmocka_unit_test(test_judge__a_fault_in_a_known_shape_is_seen),
        cmocka_unit_test(test_judge__free_text_does_not_fill_the_tree_and_a_full_tree_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
