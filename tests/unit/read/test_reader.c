/* A run opened for reading: what it says, and the state that is derived. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/os_process.h"
#include "m31r/reader.h"
#include "unit/read/scratch_run.h"

static void test_reader__reads_a_run_of_format_1(void **state)
{
    (void)state;
    m31r_reader *reader = open_scratch();
    const m31r_facts *f = m31r_reader_facts(reader);
    assert_string_equal(f->run_id, FIXTURE);
    assert_string_equal(f->name, "fixture");
    assert_string_equal(f->stage, "train");
    assert_int_equal(f->state, M31R_STATE_FINISHED);
    assert_string_equal(f->problem, "");
    assert_string_equal(f->seed.value, "42");
    assert_string_equal(f->dataset.value, "rust-src@2026.10");
    assert_string_equal(f->tokenizer.value, "bpe16k@3");
    assert_string_equal(f->config.value, "train.yaml");
    assert_string_equal(f->commit.value, "7be1f02c9a51d7e3f0b6a4c8d2e19f5b3a7c6d40");
    assert_string_equal(f->command, "./train --config train.yaml");
    assert_true(f->has_manifest);
    assert_false(f->has_live);
    assert_true(f->end_ns > f->start_ns);
    assert_int_equal(m31r_reader_lanes(reader), 2);
    assert_string_equal(m31r_reader_lane(reader, 0)->file, "train.log");
    assert_string_equal(m31r_reader_lane(reader, 0)->name, "");
    assert_string_equal(m31r_reader_lane(reader, 1)->name, "worker");
    assert_null(m31r_reader_lane(reader, 2));
    m31r_artifact_facts a;
    assert_int_equal(m31r_reader_artifact(reader, 0, &a), M31R_OK);
    assert_string_equal(a.path, "checkpoints/step_5.pt");
    assert_int_equal(a.step, 5);
    assert_int_equal(m31r_reader_artifact(reader, 9, &a), M31R_E_NOTFOUND);
    m31r_reader_close(reader);
}

/* Takes the end out of metadata.json and says who writes the run. */
static void make_live(const m31ri_process *p, const char *stored)
{
    char command[1024];
    snprintf(
        command, sizeof command,
        "sed -i -e 's/\"end\": \"[^\"]*\"/\"end\": null/' -e 's/\"state\": \"finished\"/\"state\": "
        "%s/' metadata.json && mkdir .live && printf '{\"pid\":%lld,\"start_ticks\":%llu,"
        "\"boot_id\":\"%s\",\"host\":\"%s\"}\\n' > .live/owner",
        stored, (long long)p->pid, (unsigned long long)p->start_ticks, p->boot_id, p->host);
    in_run(command);
}

static m31r_state state_now(void)
{
    m31r_reader *reader = open_scratch();
    m31r_state s = m31r_reader_facts(reader)->state;
    assert_true(m31r_reader_facts(reader)->state_why[0] != '\0');
    m31r_reader_close(reader);
    return s;
}

static void test_reader__a_living_writer_means_running(void **state)
{
    (void)state;
    m31ri_process self = m31ri_process_self();
    make_live(&self, "null");
    assert_int_equal(state_now(), M31R_STATE_RUNNING);
}

static void test_reader__a_stored_running_is_not_believed(void **state)
{
    (void)state;
    m31ri_process dead = m31ri_process_self();
    dead.start_ticks++;
    make_live(&dead, "\"running\"");
    assert_int_equal(state_now(), M31R_STATE_CRASHED);
}

static void test_reader__another_boot_proves_the_writer_dead(void **state)
{
    (void)state;
    m31ri_process old = m31ri_process_self();
    old.boot_id[0] = old.boot_id[0] == '0' ? '1' : '0';
    make_live(&old, "null");
    assert_int_equal(state_now(), M31R_STATE_CRASHED);
}

static void test_reader__another_host_is_unknown(void **state)
{
    (void)state;
    m31ri_process far = m31ri_process_self();
    snprintf(far.host, sizeof far.host, "elsewhere");
    far.boot_id[0] = far.boot_id[0] == '0' ? '1' : '0';
    make_live(&far, "null");
    assert_int_equal(state_now(), M31R_STATE_UNKNOWN);
}

static void test_obs_07__critical_makes_a_dead_run_failed(void **state)
{
    (void)state;
    m31ri_process dead = m31ri_process_self();
    dead.start_ticks++;
    make_live(&dead, "null");
    in_run("echo '{\"kind\":\"critical\",\"msg\":\"out_of_disk\"}' > .live/notices");
    assert_int_equal(state_now(), M31R_STATE_FAILED);
}

static void test_reader__opens_a_run_without_metadata(void **state)
{
    (void)state;
    in_run("rm metadata.json && mkdir .live");
    m31r_reader *reader = open_scratch();
    const m31r_facts *f = m31r_reader_facts(reader);
    assert_string_equal(f->problem, "metadata.json is missing");
    assert_string_equal(f->run_id, FIXTURE);
    assert_true(f->start_ns != M31R_UNKNOWN);
    assert_int_equal(f->state, M31R_STATE_UNKNOWN);
    m31r_reader_close(reader);
}

static void test_reader__says_where_metadata_is_damaged(void **state)
{
    (void)state;
    in_run("head -c 700 metadata.json > m && mv m metadata.json");
    m31r_reader *reader = open_scratch();
    assert_non_null(strstr(m31r_reader_facts(reader)->problem, "metadata.json: line "));
    m31r_reader_close(reader);
}

static void test_reader__takes_any_value_in_metadata(void **state)
{
    (void)state;
    in_run("printf '{\"run_id\":7,\"seed\":[],\"sources\":3,\"lanes\":{},\"artifacts\":[1,null],"
           "\"command\":{\"argv\":[null,{}]},\"end\":true}' > metadata.json");
    m31r_reader *reader = open_scratch();
    m31r_artifact_facts a;
    assert_string_equal(m31r_reader_facts(reader)->seed.value, "");
    assert_string_equal(m31r_reader_facts(reader)->run_id, FIXTURE);
    assert_int_equal(m31r_reader_artifact(reader, 0, &a), M31R_OK);
    m31r_reader_close(reader);
}

static void test_reader__writes_nothing_into_a_run(void **state)
{
    (void)state;
    in_run("find . -printf '%p %s %T@ %C@\\n' | sort > /tmp/m31r-before.$PPID");
    m31r_reader_close(open_scratch());
    in_run("find . -printf '%p %s %T@ %C@\\n' | sort | cmp - /tmp/m31r-before.$PPID && "
           "rm /tmp/m31r-before.$PPID");
}

#define WITH_RUN(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RUN(test_reader__reads_a_run_of_format_1),
        WITH_RUN(test_reader__a_living_writer_means_running),
        WITH_RUN(test_reader__a_stored_running_is_not_believed),
        WITH_RUN(test_reader__another_boot_proves_the_writer_dead),
        WITH_RUN(test_reader__another_host_is_unknown),
        WITH_RUN(test_obs_07__critical_makes_a_dead_run_failed),
        WITH_RUN(test_reader__opens_a_run_without_metadata),
        WITH_RUN(test_reader__says_where_metadata_is_damaged),
        WITH_RUN(test_reader__takes_any_value_in_metadata),
        WITH_RUN(test_reader__writes_nothing_into_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
