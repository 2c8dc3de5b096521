/* Names that become paths: the run ids of bad_inputs, lanes, stages, modules, and the files they
 * give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/names.h"
#include "unit/format/case_files.h"

static void check_run_id(const json_t *line)
{
    const json_t *id = json_object_get(line, "id");
    bool accept = strcmp(json_string_value(json_object_get(line, "expect")), "accept") == 0;
    if (m31ri_run_id_is_safe(json_string_value(id), json_string_length(id)) != accept) {
        fail_msg("run id \"%s\" should be judged %d", json_string_value(id), accept);
    }
}

static void test_names__run_ids_of_the_collection(void **state)
{
    (void)state;
    int n = case_lines(CASES_COMMITTED "/run_ids.jsonl", check_run_id);
    assert_true(n >= 51);
    n = case_lines(CASES_SHARED "/run_ids.jsonl", check_run_id);
    assert_true(n == -1 || n >= 51);
}

static bool is_safe(const char *id)
{
    return m31ri_run_id_is_safe(id, strlen(id));
}

static void test_names__run_ids_of_our_own(void **state)
{
    (void)state;
    static const char *const good[] = {"20261123T102651Z-9f3c00aa",
                                       "20261123T102651Z-9f3c00aa-2",
                                       "a",
                                       "0",
                                       "a.b_c-D",
                                       "console",
                                       "com",
                                       "comx",
                                       "nul1",
                                       "a.con"};
    static const char *const bad[] = {"-a",
                                      "_a",
                                      ".",
                                      "..",
                                      "a/",
                                      "/a",
                                      "con",
                                      "Con.x",
                                      "lpt9.a.b",
                                      "COM0",
                                      "metrics.csv",
                                      "Metadata.JSON",
                                      "manifest.json",
                                      ".live"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(is_safe(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(is_safe(bad[i]));
    }
    char text[130];
    memset(text, 'a', sizeof text);
    assert_true(m31ri_run_id_is_safe(text, 128));
    assert_false(m31ri_run_id_is_safe(text, 129));
}

static void test_obs_22__run_id_is_time_and_identity(void **state)
{
    (void)state;
    uint8_t digest[32] = {0x0a, 0xff, 0x00, 0x42, 0x99};
    char id[M31RI_RUN_ID_BYTES];
    m31ri_run_id_write(INT64_C(1795429611123456789), digest, 1, id);
    assert_string_equal(id, "20261123T102651Z-0aff0042");
    m31ri_run_id_write(INT64_C(1795429611123456789), digest, 2, id);
    assert_string_equal(id, "20261123T102651Z-0aff0042-2");
    m31ri_run_id_write(INT64_MAX, digest, 4294967295u, id);
    assert_string_equal(id, "22620411T234716Z-0aff0042-4294967295");
    assert_true(is_safe(id));
}

static void test_names__lanes_and_stages(void **state)
{
    (void)state;
    static const char *const good[] = {
        "train", "a",    "0",     "data-prep_2", "observer", "stdout",
        "shell", "rank", "rankx", "rank3b",      "_x",       "12345678901234567890123456789012"};
    static const char *const bad[] = {"",
                                      "-a",
                                      "Train",
                                      "a.b",
                                      "a/b",
                                      "metrics",
                                      "metadata",
                                      "manifest",
                                      "checkpoints",
                                      "notes",
                                      "rank3",
                                      "rank0003",
                                      "nul",
                                      "com1",
                                      "a b",
                                      "123456789012345678901234567890123",
                                      "\xc3\xa9"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(m31ri_lane_name_is_valid(good[i], strlen(good[i])));
        assert_true(m31ri_stage_name_is_valid(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(m31ri_lane_name_is_valid(bad[i], strlen(bad[i])));
        assert_false(m31ri_stage_name_is_valid(bad[i], strlen(bad[i])));
    }
    assert_false(m31ri_lane_name_is_valid("a\0b", 3));
}

static void test_names__modules(void **state)
{
    (void)state;
    assert_true(m31ri_module_name_is_valid("trainer", 7));
    assert_true(m31ri_module_name_is_valid("A.b-c_9", 7));
    assert_false(m31ri_module_name_is_valid("", 0));
    assert_false(m31ri_module_name_is_valid("a b", 3));
    assert_false(m31ri_module_name_is_valid("a\n", 2));
    char text[65];
    memset(text, 'm', sizeof text);
    assert_true(m31ri_module_name_is_valid(text, 64));
    assert_false(m31ri_module_name_is_valid(text, 65));
}

static void test_obs_22__lane_files_have_the_required_names(void **state)
{
    (void)state;
    char file[128];
    m31ri_lane_file_write("train", "", 0, file, sizeof file);
    assert_string_equal(file, "train.log");
    m31ri_lane_file_write("train", "loader", 0, file, sizeof file);
    assert_string_equal(file, "train.loader.log");
    m31ri_lane_file_write("train", "", 3, file, sizeof file);
    assert_string_equal(file, "train.rank0003.log");
    m31ri_lane_file_write("eval", "stdout", 12345, file, sizeof file);
    assert_string_equal(file, "eval.stdout.rank12345.log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names__run_ids_of_the_collection),
        cmocka_unit_test(test_names__run_ids_of_our_own),
        cmocka_unit_test(test_obs_22__run_id_is_time_and_identity),
        cmocka_unit_test(test_names__lanes_and_stages),
        cmocka_unit_test(test_names__modules),
        cmocka_unit_test(test_obs_22__lane_files_have_the_required_names),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
