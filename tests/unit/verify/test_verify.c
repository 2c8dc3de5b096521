/* A verification: the five criteria, and what breaks each of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/os_process.h"
#include "m31r/verify.h"
#include "unit/read/scratch_run.h"

static m31r_verdict verdict_of(bool is_complete)
{
    m31r_reader *reader = open_scratch();
    m31r_verification *v = NULL;
    m31r_error e = {0};
    assert_int_equal(
        m31r_verify(&v, reader, &(m31r_verify_options){.is_complete = is_complete}, &e), M31R_OK);
    m31r_verdict verdict = m31r_verification_verdict(v);
    m31r_verification_free(v);
    m31r_reader_close(reader);
    return verdict;
}

/* The answer of the criterion, and whether a check of `id` says no. */
static m31r_answer criterion(size_t i, const char *id, bool *says_no)
{
    m31r_reader *reader = open_scratch();
    m31r_verification *v = NULL;
    m31r_error e = {0};
    assert_int_equal(m31r_verify(&v, reader, NULL, &e), M31R_OK);
    m31r_answer answer = m31r_verification_criterion(v, i)->answer;
    *says_no = false;
    for (size_t k = 0; k < m31r_verification_checks(v); k++) {
        const m31r_check *c = m31r_verification_check(v, k);
        *says_no |= strcmp(c->id, id) == 0 && c->answer == M31R_NO;
        assert_true(c->why[0] != '\0');
    }
    m31r_verification_free(v);
    m31r_reader_close(reader);
    return answer;
}

static void test_obs_29__five_criteria_hold_for_a_whole_run(void **state)
{
    (void)state;
    bool says_no;
    for (size_t i = 0; i < M31R_CRITERIA; i++) {
        assert_int_equal(criterion(i, "OBS-29", &says_no), M31R_YES);
    }
    assert_int_equal(verdict_of(false), M31R_VERDICT_VERIFIED);
    assert_int_equal(verdict_of(true), M31R_VERDICT_VERIFIED);
}

static void test_obs_22__a_missing_file_is_incomplete(void **state)
{
    (void)state;
    bool says_no;
    in_run("rm -r checkpoints manifest.json");
    (void)criterion(0, "OBS-22", &says_no);
    assert_true(says_no);
    assert_int_equal(verdict_of(false), M31R_VERDICT_INCOMPLETE);
}

static void test_obs_21__a_missing_field_is_incomplete(void **state)
{
    (void)state;
    bool says_no;
    in_run("rm manifest.json && sed -i 's/\"dataset_version\": .*/\"dataset_version\": null,/' "
           "metadata.json");
    assert_int_equal(criterion(2, "OBS-21", &says_no), M31R_NO);
    assert_true(says_no);
    assert_int_equal(verdict_of(false), M31R_VERDICT_INCOMPLETE);
}

static void test_obs_23__a_value_without_source_is_anonymous(void **state)
{
    (void)state;
    bool says_no;
    in_run(
        "rm manifest.json && sed -i '0,/\"seed\": \"declared\"/s//\"seed\": null/' metadata.json");
    assert_int_equal(criterion(2, "OBS-23", &says_no), M31R_NO);
    assert_true(says_no);
}

static void test_obs_04__a_changed_byte_is_found(void **state)
{
    (void)state;
    in_run("printf x | dd of=checkpoints/step_5.pt bs=1 conv=notrunc status=none");
    assert_int_equal(verdict_of(false), M31R_VERDICT_CHANGED);
}

static void test_obs_04__complete_demands_the_manifest(void **state)
{
    (void)state;
    in_run("rm manifest.json");
    assert_int_equal(verdict_of(false), M31R_VERDICT_PREFIX);
    assert_int_equal(verdict_of(true), M31R_VERDICT_INCOMPLETE);
}

static void test_obs_06__a_line_that_is_no_json_is_unreadable(void **state)
{
    (void)state;
    bool says_no;
    in_run("rm manifest.json && echo 'print(debug)' >> train.log");
    assert_int_equal(criterion(0, "OBS-06", &says_no), M31R_NO);
    assert_true(says_no);
    assert_int_equal(verdict_of(false), M31R_VERDICT_UNREADABLE);
}

static void test_obs_08__fields_out_of_order_are_found(void **state)
{
    (void)state;
    bool says_no;
    in_run("rm manifest.json && echo "
           "'{\"level\":\"INFO\",\"ts\":\"2026-11-23T10:26:51.123456Z\",\"module\":\"m\","
           "\"msg\":\"x\"}' >> train.log");
    (void)criterion(0, "OBS-08", &says_no);
    assert_true(says_no);
    assert_int_equal(verdict_of(false), M31R_VERDICT_INCOMPLETE);
}

static void test_obs_18__a_secret_in_a_record_is_a_leak(void **state)
{
    (void)state;
    bool says_no;
    in_run("rm manifest.json && echo "
           "'{\"ts\":\"2026-11-23T10:26:51.123456Z\",\"level\":\"INFO\",\"module\":\"m\","
           "\"msg\":\"login\",\"password\":\"hunter2hunter2\"}' >> train.log");
    assert_int_equal(criterion(4, "OBS-18", &says_no), M31R_NO);
    assert_true(says_no);
    assert_int_equal(verdict_of(false), M31R_VERDICT_INCOMPLETE);
}

static void test_obs_25__an_error_without_context_is_named(void **state)
{
    (void)state;
    bool says_no;
    in_run("rm manifest.json && echo "
           "'{\"ts\":\"2026-11-23T10:26:51.123456Z\",\"level\":\"ERROR\",\"module\":\"m\","
           "\"msg\":\"failed\"}' >> train.log");
    assert_int_equal(criterion(1, "OBS-25", &says_no), M31R_NO);
    assert_true(says_no);
}

static void test_obs_19__metrics_json_that_disagrees_is_changed(void **state)
{
    (void)state;
    bool says_no;
    in_run("rm manifest.json && sed -i 's/\"count\":5/\"count\":6/' metrics.json");
    assert_int_equal(criterion(3, "OBS-19", &says_no), M31R_NO);
    assert_true(says_no);
    assert_int_equal(verdict_of(false), M31R_VERDICT_CHANGED);
}

static void test_obs_20__a_missing_mandatory_metric_is_named(void **state)
{
    (void)state;
    bool says_no;
    in_run("rm manifest.json && sed -i /tokens_per_sec/d metrics.csv metrics.json");
    (void)criterion(3, "OBS-20", &says_no);
    assert_true(says_no);
}

static void test_obs_29__a_crashed_run_with_a_torn_tail_is_a_prefix(void **state)
{
    (void)state;
    m31ri_process dead = m31ri_process_self();
    char command[512];
    dead.start_ticks++;
    snprintf(command, sizeof command,
             "rm manifest.json && sed -i 's/\"end\": \"[^\"]*\"/\"end\": null/' metadata.json && "
             "mkdir .live && "
             "printf '{\"pid\":%lld,\"start_ticks\":%llu,\"boot_id\":\"%s\",\"host\":\"%s\"}' > "
             ".live/owner && "
             "printf '{\"ts\":\"20' >> train.log",
             (long long)dead.pid, (unsigned long long)dead.start_ticks, dead.boot_id, dead.host);
    in_run(command);
    assert_int_equal(verdict_of(false), M31R_VERDICT_PREFIX);
    assert_int_equal(verdict_of(true), M31R_VERDICT_INCOMPLETE);
}

#define WITH_RUN(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RUN(test_obs_29__five_criteria_hold_for_a_whole_run),
        WITH_RUN(test_obs_22__a_missing_file_is_incomplete),
        WITH_RUN(test_obs_21__a_missing_field_is_incomplete),
        WITH_RUN(test_obs_23__a_value_without_source_is_anonymous),
        WITH_RUN(test_obs_04__a_changed_byte_is_found),
        WITH_RUN(test_obs_04__complete_demands_the_manifest),
        WITH_RUN(test_obs_06__a_line_that_is_no_json_is_unreadable),
        WITH_RUN(test_obs_08__fields_out_of_order_are_found),
        WITH_RUN(test_obs_18__a_secret_in_a_record_is_a_leak),
        WITH_RUN(test_obs_25__an_error_without_context_is_named),
        WITH_RUN(test_obs_19__metrics_json_that_disagrees_is_changed),
        WITH_RUN(test_obs_20__a_missing_mandatory_metric_is_named),
        WITH_RUN(test_obs_29__a_crashed_run_with_a_torn_tail_is_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
