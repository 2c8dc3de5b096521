/* Why a run ended: each statement with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "m31r/explain.h"
#include "unit/read/scratch_run.h"

static m31r_reader *reader;
static m31r_explanation *explanation;

static void open_explanation(void)
{
    m31r_error e = {0};
    reader = open_scratch();
    assert_int_equal(m31r_explanation_open(&explanation, reader, &e), M31R_OK);
}

static void close_explanation(void)
{
    m31r_explanation_close(explanation);
    m31r_reader_close(reader);
}

/* The first statement of a topic; text NULL when there is none. */
static m31r_statement find(const char *topic)
{
    m31r_statement s;
    for (size_t i = 0; m31r_explanation_statement(explanation, i, &s) == M31R_OK; i++) {
        if (strcmp(s.topic, topic) == 0) {
            return s;
        }
    }
    return (m31r_statement){0};
}

static void test_explain__every_statement_has_a_file(void **state)
{
    (void)state;
    m31r_statement s;
    m31r_explain_record r;
    open_explanation();
    for (size_t i = 0; m31r_explanation_statement(explanation, i, &s) == M31R_OK; i++) {
        assert_true(s.file[0] != '\0' && s.text[0] != '\0');
    }
    assert_string_equal(find("nonfinite").file, "metrics.csv");
    assert_int_equal(find("nonfinite").line, 10);
    assert_null(find("spike").text);
    assert_null(find("resume").text);
    assert_int_equal(m31r_explanation_record(explanation, 7, &r), M31R_OK);
    assert_non_null(strstr(r.text, "run_end"));
    assert_int_equal(m31r_explanation_record(explanation, 8, &r), M31R_E_NOTFOUND);
    close_explanation();
}

static void test_explain__a_crash_without_end_is_unknown(void **state)
{
    (void)state;
    in_run("sed -i 's/\"state\": \"finished\"/\"state\": null/; s/\"end\": .*/\"end\": null,/' "
           "metadata.json && sed -i '$d' train.log");
    open_explanation();
    assert_null(find("cause").text);
    assert_non_null(strstr(find("unknown").text, "the cause"));
    assert_string_equal(find("ended").file, "metadata.json");
    close_explanation();
}

static void test_explain__says_how_to_resume(void **state)
{
    (void)state;
    in_run("sed -i 's/\"state\": \"finished\"/\"state\": \"failed\"/; s/\"train.yaml\"$/\"a b\"/' "
           "metadata.json");
    open_explanation();
    assert_non_null(strstr(find("resume").text, "m31r run --resume " FIXTURE " -- ./train"));
    assert_non_null(strstr(find("resume").text, "'a b'"));
    assert_non_null(strstr(find("checkpoint").text, "step_5.pt (there"));
    close_explanation();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_explain__every_statement_has_a_file),
        CASE(test_explain__a_crash_without_end_is_unknown),
        CASE(test_explain__says_how_to_resume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
