/* Records read back: classes of bad lines, merging, filters, the tail, following. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "base/os_process.h"
#include "m31r/scan.h"
#include "unit/read/scratch_run.h"

#define BAD M31R_SOURCE_DIR "/tests/data/bad_inputs/"

static m31r_scan_counts count_file(const char *path, bool takes_last)
{
    static char first_bad[256];
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_scan *scan = NULL;
    m31r_record record;
    m31r_error e = {0};
    options.takes_last_line = takes_last;
    if (m31r_scan_open_file(&scan, path, &options, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    while (m31r_scan_next(scan, &record, &e) == M31R_OK) {
        assert_true(record.length > 0);
    }
    m31r_scan_counts counts = m31r_scan_count(scan);
    snprintf(first_bad, sizeof first_bad, "%s", counts.first_bad_file);
    counts.first_bad_file = first_bad;
    m31r_scan_close(scan);
    return counts;
}

static void test_scan__counts_each_class_as_the_case_collection_does(void **state)
{
    (void)state;
    char line[4096];
    char path[1024];
    int n_files = 0;
    FILE *expect = fopen(BAD "reader_expect.jsonl", "r");
    assert_non_null(expect);
    while (fgets(line, sizeof line, expect) != NULL) {
        json_t *want = json_loads(line, 0, NULL);
        const char *tail = json_string_value(json_object_get(want, "tail_without_newline"));
        const json_t *classes = json_object_get(want, "classes");
        uint64_t total = 0;
        const char *file = json_string_value(json_object_get(want, "file"));
        snprintf(path, sizeof path, BAD "reader/%s", file);
        if (access(path, R_OK) != 0) { /* the largest are not kept in the tree */
            snprintf(path, sizeof path, M31R_SHARED_DIR "/data/bad_inputs/reader/%s", file);
        }
        if (access(path, R_OK) != 0) {
            json_decref(want);
            continue;
        }
        m31r_scan_counts counts = count_file(path, false);
        for (int c = 0; c < M31R_LINE_CLASSES; c++) {
            const char *name = m31r_line_class_name((m31r_line_class)c);
            json_int_t n = json_integer_value(json_object_get(classes, name));
            if ((uint64_t)n != counts.lines[c]) {
                fail_msg("%s: %s %llu, want %lld", path, name, (unsigned long long)counts.lines[c],
                         (long long)n);
            }
            total += counts.lines[c];
        }
        assert_int_equal(total, json_integer_value(json_object_get(want, "complete_lines")));
        assert_int_equal(counts.n_torn, tail[0] != '\0');
        json_decref(want);
        n_files++;
    }
    fclose(expect);
    assert_true(n_files >= 40);
}

static void test_scan__says_where_the_first_bad_line_is(void **state)
{
    (void)state;
    m31r_scan_counts counts = count_file(BAD "reader/05_torn_then_append.log", false);
    assert_int_equal(counts.n_skipped, 1);
    assert_int_equal(counts.first_bad_class, M31R_LINE_NOT_JSON);
    assert_non_null(strstr(counts.first_bad_file, "05_torn_then_append.log"));
    assert_true(counts.first_bad_line > 0);
}

static void test_scan__skips_a_line_beyond_the_limit_in_bounded_memory(void **state)
{
    (void)state;
    in_run("(echo '{\"a\":1}'; head -c 40000000 /dev/zero | tr '\\0' x; echo; echo '{\"a\":2}') > "
           "long");
    char path[256];
    snprintf(path, sizeof path, "%s/" FIXTURE "/long", scratch_root);
    m31r_scan_counts counts = count_file(path, false);
    assert_int_equal(counts.lines[M31R_LINE_OK], 2);
    assert_int_equal(counts.lines[M31R_LINE_TOO_LONG], 1);
    assert_int_equal(counts.first_bad_line, 2);
}

static void test_scan__takes_the_last_line_of_a_foreign_file(void **state)
{
    (void)state;
    char path[256];
    in_run("printf '{\"a\":1}\\n{\"a\":2}' > foreign");
    snprintf(path, sizeof path, "%s/" FIXTURE "/foreign", scratch_root);
    assert_int_equal(count_file(path, true).lines[M31R_LINE_OK], 2);
    assert_int_equal(count_file(path, false).lines[M31R_LINE_OK], 1);
    assert_int_equal(count_file(path, false).n_torn, 1);
}

/* The messages and lanes of a scan of the run, "lane:msg " each. */
static void tell(const m31r_scan_options *options, char *out, size_t size)
{
    m31r_reader *reader = open_scratch();
    m31r_scan *scan = NULL;
    m31r_record r;
    m31r_error e = {0};
    size_t n = 0;
    out[0] = '\0';
    assert_int_equal(m31r_scan_open_run(&scan, reader, options, &e), M31R_OK);
    while (m31r_scan_next(scan, &r, &e) == M31R_OK) {
        n += (size_t)snprintf(out + n, size - n, "%s:%.*s ", r.lane, (int)r.message_length,
                              r.message);
    }
    m31r_scan_close(scan);
    m31r_reader_close(reader);
}

static void write_lane(const char *file, const char *records)
{
    char command[1024];
    snprintf(command, sizeof command, "printf '%s' > %s", records, file);
    in_run(command);
}

#define R(second, msg)                                                                             \
    "{\"ts\":\"2026-11-23T10:26:" second                                                           \
    ".000000Z\",\"level\":\"INFO\",\"module\":\"m\",\"msg\":\"" msg "\"}\\n"

static void test_scan__merges_lanes_by_time_and_keeps_each_lane_in_order(void **state)
{
    (void)state;
    char told[512];
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    /* The main lane's clock goes back: b stays behind a. */
    write_lane("train.log", R("10", "a") R("05", "b") R("30", "c"));
    write_lane("train.worker.log", R("07", "x") R("10", "y") R("20", "z"));
    tell(&options, told, sizeof told);
    assert_string_equal(told, "worker:x :a :b worker:y worker:z :c ");
    options.tail = 2;
    tell(&options, told, sizeof told);
    assert_string_equal(told, "worker:z :c ");
    options.tail = 0;
    options.lane = "worker";
    tell(&options, told, sizeof told);
    assert_string_equal(told, "worker:x worker:y worker:z ");
}

static void test_scan__filters_by_level_module_and_step(void **state)
{
    (void)state;
    char told[512];
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    options.filter.min_level = M31R_WARNING;
    tell(&options, told, sizeof told);
    assert_non_null(strstr(told, "worker:slow_read"));
    assert_non_null(strstr(told, ":open_failed"));
    assert_null(strstr(told, "step_complete"));
    options.filter = (m31r_filter){.has_steps = true, .first_step = 2, .last_step = 3};
    tell(&options, told, sizeof told);
    assert_string_equal(told, ":step_complete :step_complete ");
    options.filter = (m31r_filter){.module = "loader", .min_level = M31R_WARNING};
    tell(&options, told, sizeof told);
    assert_string_equal(told, "worker:slow_read ");
}

static void test_scan__refuses_a_lane_that_is_not_there(void **state)
{
    (void)state;
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_reader *reader = open_scratch();
    m31r_scan *scan = NULL;
    m31r_error e = {0};
    options.lane = "nobody";
    assert_int_equal(m31r_scan_open_run(&scan, reader, &options, &e), M31R_E_NOTFOUND);
    assert_null(scan);
    m31r_reader_close(reader);
}

static void test_scan__follows_new_bytes_and_new_lanes_until_the_run_ends(void **state)
{
    (void)state;
    m31ri_process self = m31ri_process_self();
    char command[512];
    snprintf(command, sizeof command,
             "cp metadata.json ended && sed -i 's/\"end\": \"[^\"]*\"/\"end\": null/' "
             "metadata.json && mkdir .live "
             "&& printf '{\"pid\":%lld,\"start_ticks\":%llu,\"boot_id\":\"%s\",\"host\":\"%s\"}' > "
             ".live/owner",
             (long long)self.pid, (unsigned long long)self.start_ticks, self.boot_id, self.host);
    in_run(command);
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_reader *reader = open_scratch();
    m31r_scan *scan = NULL;
    m31r_record r;
    m31r_error e = {0};
    options.is_following = true;
    options.tail = 1;
    assert_int_equal(m31r_scan_open_run(&scan, reader, &options, &e), M31R_OK);
    assert_int_equal(m31r_scan_next(scan, &r, &e), M31R_OK);
    assert_int_equal(m31r_scan_next(scan, &r, &e), M31R_EOF);
    write_lane("train.shell.log", R("59", "fresh"));
    assert_int_equal(m31r_scan_wait(scan, 1000, &e), M31R_OK);
    assert_int_equal(m31r_scan_next(scan, &r, &e), M31R_OK);
    assert_string_equal(r.lane, "shell");
    assert_int_equal(m31r_scan_next(scan, &r, &e), M31R_EOF);
    /* Half a line is nothing yet. */
    in_run("printf '{\"ts\":1,' >> train.log");
    assert_int_equal(m31r_scan_next(scan, &r, &e), M31R_EOF);
    in_run("printf '\"x\":2}\\n' >> train.log");
    assert_int_equal(m31r_scan_wait(scan, 1000, &e), M31R_OK);
    assert_int_equal(m31r_scan_next(scan, &r, &e), M31R_OK);
    assert_memory_equal(r.line, "{\"ts\":1,\"x\":2}", r.length);
    assert_int_equal(m31r_scan_next(scan, &r, &e), M31R_EOF);
    in_run("mv ended metadata.json && rm -r .live");
    assert_int_equal(m31r_scan_wait(scan, 1000, &e), M31R_EOF);
    m31r_scan_close(scan);
    m31r_reader_close(reader);
}

#define WITH_RUN(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)

static void test_scan__around_refuses_what_it_cannot_do(void **state)
{
    (void)state;
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_scan *scan = NULL;
    m31r_error e;
    options.around.n = 1;
    options.tail = 1;
    assert_int_equal(m31r_scan_open_file(&scan, BAD "reader/00_good.log", &options, &e),
                     M31R_E_ARG);
    options.tail = 0;
    options.around.n = -1;
    assert_int_equal(m31r_scan_open_file(&scan, BAD "reader/00_good.log", &options, &e),
                     M31R_E_ARG);
}

static void test_scan__around_a_line_gives_both_sides(void **state)
{
    (void)state;
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_scan *scan = NULL;
    m31r_record record;
    m31r_error e;
    options.around.n = 2;
    options.around.line = 5;
    assert_int_equal(m31r_scan_open_file(&scan, BAD "reader/00_good.log", &options, &e), M31R_OK);
    for (uint64_t line = 3; line <= 7; line++) {
        assert_int_equal(m31r_scan_next(scan, &record, &e), M31R_OK);
        assert_int_equal(record.line_number, line);
    }
    assert_int_equal(m31r_scan_next(scan, &record, &e), M31R_EOF);
    assert_int_equal(m31r_scan_next(scan, &record, &e), M31R_EOF);
    m31r_scan_close(scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan__counts_each_class_as_the_case_collection_does),
        cmocka_unit_test(test_scan__says_where_the_first_bad_line_is),
        cmocka_unit_test(test_scan__around_refuses_what_it_cannot_do),
        cmocka_unit_test(test_scan__around_a_line_gives_both_sides),
        WITH_RUN(test_scan__skips_a_line_beyond_the_limit_in_bounded_memory),
        WITH_RUN(test_scan__takes_the_last_line_of_a_foreign_file),
        WITH_RUN(test_scan__merges_lanes_by_time_and_keeps_each_lane_in_order),
        WITH_RUN(test_scan__filters_by_level_module_and_step),
        WITH_RUN(test_scan__refuses_a_lane_that_is_not_there),
        WITH_RUN(test_scan__follows_new_bytes_and_new_lanes_until_the_run_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
