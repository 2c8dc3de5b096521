/* Records counted by their fields: which group a record is in, order, limits, what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "m31r/groups.h"
#include "m31r/scan.h"

static m31r_groups *opened(const char *const *by, size_t n_by, const char *field)
{
    m31r_groups *g = NULL;
    m31r_groups_options options = M31R_GROUPS_OPTIONS_INIT;
    options.by = by;
    options.n_by = n_by;
    options.field = field;
    assert_int_equal(m31r_groups_open(&g, &options, NULL), M31R_OK);
    return g;
}

static m31r_err add(m31r_groups *g, const char *line)
{
    m31r_record record = {.line = line, .length = strlen(line)};
    return m31r_groups_add(g, &record, NULL);
}

static void assert_value(const m31r_group *group, size_t i, const char *want)
{
    assert_int_equal(group->lengths[i], strlen(want));
    assert_memory_equal(group->values[i], want, strlen(want));
}

static void test_groups__come_largest_first_then_by_their_bytes(void **state)
{
    (void)state;
    static const char *const by[] = {"a", "b"};
    m31r_group group;
    m31r_groups *g = opened(by, 2, NULL);
    assert_int_equal(add(g, "{\"a\":\"y\"}"), M31R_OK);
    assert_int_equal(add(g, "{\"a\":\"x,\\\"1\",\"b\":{\"k\":[1,2]}}"), M31R_OK);
    assert_int_equal(add(g, "{\"b\":true}"), M31R_OK);
    assert_int_equal(add(g, "{\"b\":true,\"a\":null}"), M31R_OK);
    assert_int_equal(m31r_groups_count(g), 3);
    assert_int_equal(m31r_groups_records(g), 4);
    assert_int_equal(m31r_groups_get(g, 0, &group), M31R_OK);
    assert_int_equal(group.n, 2);
    assert_value(&group, 0, "null");
    assert_value(&group, 1, "true");
    assert_int_equal(m31r_groups_get(g, 1, &group), M31R_OK);
    assert_value(&group, 0, "\"x,\\\"1\"");
    assert_value(&group, 1, "{\"k\":[1,2]}");
    assert_int_equal(m31r_groups_get(g, 2, &group), M31R_OK);
    assert_value(&group, 0, "\"y\"");
    assert_int_equal(m31r_groups_get(g, 3, &group), M31R_E_NOTFOUND);
    m31r_groups_close(g);
}

static void test_groups__sum_up_what_is_a_number(void **state)
{
    (void)state;
    m31r_group group;
    m31r_groups *g = opened(NULL, 0, "ms");
    assert_int_equal(add(g, "{\"ms\":1}"), M31R_OK);
    assert_int_equal(add(g, "{\"ms\":4.5}"), M31R_OK);
    assert_int_equal(add(g, "{\"ms\":\"Infinity\"}"), M31R_OK);
    assert_int_equal(add(g, "{\"ms\":\"7\"}"), M31R_OK);
    assert_int_equal(add(g, "{\"ms\":null}"), M31R_OK);
    assert_int_equal(add(g, "{}"), M31R_OK);
    assert_int_equal(m31r_groups_without(g), 3);
    assert_int_equal(m31r_groups_get(g, 0, &group), M31R_OK);
    assert_int_equal(group.n, 3);
    assert_int_equal(group.n_nonfinite, 1);
    assert_true(group.min == 1 && group.max == 4.5 && group.mean == 2.75);
    assert_true(group.quantiles_are_exact);
    m31r_groups_close(g);
}

static void test_groups__say_when_quantiles_are_no_longer_exact(void **state)
{
    (void)state;
    char line[32];
    m31r_group group;
    m31r_groups *g = NULL;
    m31r_groups_options options = M31R_GROUPS_OPTIONS_INIT;
    options.field = "ms";
    options.exact_values = 5000;
    assert_int_equal(m31r_groups_open(&g, &options, NULL), M31R_OK);
    for (int i = 1; i <= 10000; i++) {
        snprintf(line, sizeof line, "{\"ms\":%d}", i);
        assert_int_equal(add(g, line), M31R_OK);
    }
    assert_int_equal(m31r_groups_get(g, 0, &group), M31R_OK);
    assert_false(group.quantiles_are_exact);
    assert_true(group.mean == 5000.5);
    assert_true(fabs(group.p99 - 9900) <= 9900 * M31R_GROUPS_SKETCH_ERROR);
    m31r_groups_close(g);
}

static void test_groups__have_exact_quantiles_of_many_values(void **state)
{
    (void)state;
    static const int orders[] = {1, 7919, 19999, 0};
    for (size_t k = 0; k < 4; k++) {
        char line[32];
        m31r_group group;
        m31r_groups *g = opened(NULL, 0, "ms");
        for (int i = 0; i < 20000; i++) {
            snprintf(line, sizeof line, "{\"ms\":%d}", orders[k] > 0 ? i * orders[k] % 20000 : 3);
            assert_int_equal(add(g, line), M31R_OK);
        }
        assert_int_equal(m31r_groups_get(g, 0, &group), M31R_OK);
        assert_true(group.quantiles_are_exact);
        assert_true(group.p50 == (orders[k] > 0 ? 9999 : 3));
        assert_true(group.p90 == (orders[k] > 0 ? 17999 : 3));
        assert_true(group.p99 == (orders[k] > 0 ? 19799 : 3));
        m31r_groups_close(g);
    }
}

static void test_groups__cut_a_long_value(void **state)
{
    (void)state;
    static const char *const by[] = {"m"};
    char line[1000];
    m31r_group group;
    m31r_groups *g = opened(by, 1, NULL);
    memset(line, 'x', sizeof line);
    memcpy(line, "{\"m\":\"", 6);
    memcpy(line + 900, "\"}", 3);
    assert_int_equal(add(g, line), M31R_OK);
    assert_int_equal(m31r_groups_get(g, 0, &group), M31R_OK);
    assert_int_equal(group.lengths[0], M31R_GROUPS_VALUE_BYTES + 5);
    m31r_groups_close(g);
}

static void test_groups__end_at_their_limit(void **state)
{
    (void)state;
    static const char *const by[] = {"i"};
    char line[32];
    m31r_groups *g = opened(by, 1, NULL);
    for (int i = 0; i <= M31R_GROUPS_LIMIT; i++) {
        snprintf(line, sizeof line, "{\"i\":%d}", i);
        assert_int_equal(add(g, line), i < M31R_GROUPS_LIMIT ? M31R_OK : M31R_E_LIMIT);
    }
    m31r_groups_close(g);
}

/* What a scan of the text counts, and what it leaves out. */
static m31r_scan_counts count_all(const char *path, bool is_strict, uint64_t *n)
{
    m31r_groups *g = opened(NULL, 0, NULL);
    m31r_scan *scan = NULL;
    m31r_error e;
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    options.is_strict = is_strict;
    assert_int_equal(m31r_scan_open_file(&scan, path, &options, &e), M31R_OK);
    assert_int_equal(m31r_groups_add_scan(g, scan, &e), M31R_EOF);
    m31r_scan_counts counts = m31r_scan_count(scan);
    counts.first_bad_file = counts.first_bad_why = "";
    *n = m31r_groups_records(g);
    m31r_scan_close(scan);
    m31r_groups_close(g);
    return counts;
}

/* Lines that end up in one, raw text, binary zeros and the like are seen when lines are only
 * counted, wherever in the file they are. */
static void test_groups__counting_alone_sees_what_is_no_record(void **state)
{
    (void)state;
    static const char *const odd[] = {"{\"ts\":\"2026-11-20T00:0{\"ts\":\"x\"}",
                                      "Traceback:",
                                      "",
                                      "{\"msg\":\"a\x01\"}",
                                      "{\"msg\":\"\\q\"}",
                                      "{\"msg\":\"\\n\"}",
                                      "{\"msg\":\"\xc3\xa9{}\"}",
                                      "{\"a\":{}}",
                                      "{\"msg\":\"torn\"",
                                      "{\"msg\":\"\xff\"}"};
    char path[] = "/tmp/m31r-groups-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    assert_non_null(f);
    for (unsigned i = 0; i < 40000; i++) {
        bool is_odd = i % 997 == 5;
        fprintf(f, is_odd ? "%s\n" : "{\"msg\":\"request\",\"step\":%s%u}\n",
                is_odd ? odd[i / 997 % 10] : "", i);
    }
    assert_int_equal(fclose(f), 0);
    uint64_t n, n_strict;
    m31r_scan_counts counts = count_all(path, false, &n), strict = count_all(path, true, &n_strict);
    assert_memory_equal(&counts, &strict, sizeof counts);
    assert_int_equal(n, n_strict);
    assert_int_equal(n, counts.n_kept);
    assert_in_range(counts.n_skipped, 20, 40);
    assert_int_equal(counts.first_bad_line, 6);
    unlink(path);
}

/* Groups of a file by `by`, of the numbers `field`; all groups in `sums`: n, and min and max. */
static uint64_t sum_up(const char *path, bool is_strict, const char *by, const char *field,
                       double sums[3])
{
    m31r_scan *scan = NULL;
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_groups *g = opened(&by, 1, field);
    options.is_strict = is_strict;
    options.n_threads = 1;
    assert_int_equal(m31r_scan_open_file(&scan, path, &options, NULL), M31R_OK);
    assert_int_equal(m31r_groups_add_scan(g, scan, NULL), M31R_EOF);
    uint64_t n = m31r_groups_records(g), without = m31r_groups_without(g);
    memset(sums, 0, 3 * sizeof *sums);
    for (size_t i = 0; i < m31r_groups_count(g); i++) {
        m31r_group group;
        assert_int_equal(m31r_groups_get(g, i, &group), M31R_OK);
        sums[0] += (double)group.n;
        sums[1] += field != NULL ? group.min : 0;
        sums[2] += field != NULL ? group.max : 0;
    }
    m31r_scan_close(scan);
    m31r_groups_close(g);
    return 1000000 * n + without;
}

/* Fields before and behind those asked for, missing, escaped, in other orders; the name of
 * a field as a text; many shapes, so that they are forgotten on the way. */
static void write_shapes(FILE *f)
{
    static const char *const odd[] = {"{\"m\":\"\\u0061\",\"ms\":7}",
                                      "{\"\\u006ds\":5,\"m\":\"b\"}",
                                      "{\"m\":\"c\",\"x\":\"ms\"}",
                                      "{\"m\":\"c\",\"x\":{\"ms\":9}}",
                                      "no record",
                                      "{\"m\":\"torn\",\"ms\":1"};
    for (unsigned i = 0; i < 6000; i++) {
        unsigned kind = i % 5;
        if (i % 37 == 5) {
            fprintf(f, "%s\n", odd[i / 37 % 6]);
        } else if (kind < 2) {
            fprintf(f, "{\"level\":\"%s\",\"m\":\"%c\",\"ms\":%u.5,\"z\":\"%u\"}\n",
                    kind == 0 ? "INFO" : "WARN", 'a' + i / 7 % 3, i % 900, i);
        } else if (kind == 2) {
            fprintf(f, "{\"ms\":%u,\"z\":true,\"m\":\"%u\"}\n", i % 400, i % 11);
        } else {
            fprintf(f, "{\"k%u\":1,\"m\":%s,\"z\":2}\n", i / 10 % 300, kind == 3 ? "null" : "1.0");
        }
    }
}

static void test_groups__of_the_beginning_of_lines_are_those_of_whole_lines(void **state)
{
    (void)state;
    char path[] = "/tmp/m31r-groups-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    assert_non_null(f);
    write_shapes(f);
    assert_int_equal(fclose(f), 0);
    static const char *const by[] = {"m", "level", "z"}, *const fields[] = {NULL, "ms", "k7"};
    for (size_t i = 0; i < 9; i++) {
        double sums[3], strict[3];
        uint64_t n = sum_up(path, false, by[i % 3], fields[i / 3], sums);
        assert_int_equal(n, sum_up(path, true, by[i % 3], fields[i / 3], strict));
        assert_memory_equal(sums, strict, sizeof sums);
    }
    unlink(path);
}

/* What design 005 says of faults that keep to the form of a record. */
static void test_groups__see_no_fault_behind_the_fields_unless_strict(void **state)
{
    (void)state;
    char path[] = "/tmp/m31r-groups-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    assert_non_null(f);
    for (unsigned i = 0; i < 100; i++) {
        fprintf(f, "{\"m\":\"a\",\"z\":%s}\n", i == 50 ? "1 2" : "12");
    }
    fputs("{\"m\" \"a\",\"z\":1}\n", f); /* before them it is */
    assert_int_equal(fclose(f), 0);
    double sums[3];
    assert_int_equal(sum_up(path, false, "m", NULL, sums), 100 * 1000000);
    assert_int_equal(sum_up(path, true, "m", NULL, sums), 99 * 1000000);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups__come_largest_first_then_by_their_bytes),
        cmocka_unit_test(test_groups__counting_alone_sees_what_is_no_record),
        cmocka_unit_test(test_groups__of_the_beginning_of_lines_are_those_of_whole_lines),
        cmocka_unit_test(test_groups__see_no_fault_behind_the_fields_unless_strict),
        cmocka_unit_test(test_groups__sum_up_what_is_a_number),
        cmocka_unit_test(test_groups__say_when_quantiles_are_no_longer_exact),
        cmocka_unit_test(test_groups__have_exact_quantiles_of_many_values),
        cmocka_unit_test(test_groups__cut_a_long_value),
        cmocka_unit_test(test_groups__end_at_their_limit),
    };
    return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}
