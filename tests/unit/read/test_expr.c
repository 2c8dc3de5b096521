/* The expression language: the tables of tests/cases, the examples of the manual, the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/alloc.h"
#include "m31r/expr.h"
#include "m31r/scan.h"
#include "m31r/series.h"
#include "unit/read/scratch_run.h"

#define CASES M31R_SOURCE_DIR "/tests/cases/"
#define LINE_BYTES 1024

/* One case: up to three lines, blank lines between, # comments. */
typedef struct test_case {
    FILE *file;
    int line;
    char lines[3][LINE_BYTES];
} test_case;

static bool next_case(test_case *t, int n)
{
    char text[LINE_BYTES];
    int have = 0;
    while (have < n && fgets(text, sizeof text, t->file) != NULL) {
        t->line++;
        text[strcspn(text, "\n")] = '\0';
        if (text[0] != '\0' && text[0] != '#') {
            memcpy(t->lines[have++], text, sizeof text);
        }
    }
    assert_true(have == 0 || have == n);
    return have == n;
}

static m31r_expr *compiled(const char *text, m31r_expr_subject subject)
{
    m31r_expr *x = NULL;
    m31r_error e = {0};
    if (m31r_expr_compile(&x, text, subject, &e) != M31R_OK) {
        fail_msg("%s: %s\n%s", text, e.message, e.hint);
    }
    return x;
}

/* A record as a scan gives it. */
static bool holds_line(m31r_expr *x, const char *line)
{
    char path[] = "/tmp/m31r-expr-XXXXXX";
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_scan *scan = NULL;
    m31r_record record;
    FILE *file = fdopen(mkstemp(path), "w");
    assert_non_null(file);
    fprintf(file, "%s\n", line);
    fclose(file);
    options.filter.expr = x;
    assert_int_equal(m31r_scan_open_file(&scan, path, &options, NULL), M31R_OK);
    m31r_err err = m31r_scan_next(scan, &record, NULL);
    assert_int_equal(m31r_scan_count(scan).n_skipped, 0);
    m31r_scan_close(scan);
    remove(path);
    return err == M31R_OK;
}

static void test_expr__records_of_the_table(void **state)
{
    (void)state;
    test_case t = {.file = fopen(CASES "expr_records.test", "r")};
    assert_non_null(t.file);
    while (next_case(&t, 3)) {
        m31r_expr *x = compiled(t.lines[0], M31R_EXPR_RECORD);
        if (holds_line(x, t.lines[1]) != (strcmp(t.lines[2], "true") == 0)) {
            fail_msg("expr_records.test:%d: %s: not %s", t.line, t.lines[0], t.lines[2]);
        }
        m31r_expr_free(x);
    }
    fclose(t.file);
}

static void test_expr__faults_of_the_table(void **state)
{
    (void)state;
    test_case t = {.file = fopen(CASES "expr_errors.test", "r")};
    assert_non_null(t.file);
    while (next_case(&t, 3)) {
        m31r_expr *x = NULL;
        m31r_error e = {0};
        char place[32];
        assert_int_equal(m31r_expr_compile(&x, t.lines[0], M31R_EXPR_RECORD, &e), M31R_E_ARG);
        assert_null(x);
        snprintf(place, sizeof place, "%u:%u", (unsigned)e.line, (unsigned)e.column);
        if (strcmp(place, t.lines[1]) != 0 || strstr(e.message, t.lines[2]) == NULL) {
            fail_msg("expr_errors.test:%d: %s %s", t.line, place, e.message);
        }
        assert_non_null(strchr(e.hint, '^'));
    }
    fclose(t.file);
}

static void test_expr__runs_of_the_table(void **state)
{
    (void)state;
    m31r_reader *reader = open_scratch();
    test_case t = {.file = fopen(CASES "expr_runs.test", "r")};
    assert_non_null(t.file);
    while (next_case(&t, 2)) {
        m31r_expr *x = compiled(t.lines[0], M31R_EXPR_RUN);
        if (m31r_expr_holds_run(x, reader) != (strcmp(t.lines[1], "true") == 0)) {
            fail_msg("expr_runs.test:%d: %s: not %s", t.line, t.lines[0], t.lines[1]);
        }
        m31r_expr_free(x);
    }
    fclose(t.file);
    m31r_reader_close(reader);
}

/* Fences `expr record`, `expr point`, `expr run` of the manual: a line is an expression. */
static void test_expr__examples_of_the_manual_compile(void **state)
{
    (void)state;
    static const char *const fences[] = {"```expr record", "```expr point", "```expr run"};
    char line[LINE_BYTES];
    int subject = -1;
    int n = 0;
    FILE *file = fopen(M31R_SOURCE_DIR "/docs/expressions.md", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "```", 3) == 0) {
            subject = -1;
            for (int i = 0; i < 3; i++) {
                subject = strcmp(line, fences[i]) == 0 ? i : subject;
            }
        } else if (subject >= 0) {
            m31r_expr_free(compiled(line, (m31r_expr_subject)subject));
            n++;
        }
    }
    fclose(file);
    assert_true(n > 20);
}

static void test_expr__a_closed_subject_knows_its_fields(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"stat==\"failed\"", "did you mean state?"},
                                           {"state==\"faild\"", "did you mean \"failed\"?"},
                                           {"metrics.loss<2", "metrics.loss.last"},
                                           {"loss<2", "config.KEY"}};
    for (size_t i = 0; i < 4; i++) {
        m31r_expr *x = NULL;
        m31r_error e = {0};
        assert_int_equal(m31r_expr_compile(&x, cases[i][0], M31R_EXPR_RUN, &e), M31R_E_ARG);
        if (strstr(e.hint, cases[i][1]) == NULL) {
            fail_msg("%s: %s", cases[i][0], e.hint);
        }
    }
}

static void test_expr__points_are_asked_by_name_and_value(void **state)
{
    (void)state;
    m31r_expr *x = compiled("name==\"loss\" and value>3 and step in 1..5", M31R_EXPR_POINT);
    m31r_point_view p = {.name = "loss,", .name_length = 4, .step = 5, .value = 3.5};
    assert_true(m31r_expr_holds_point(x, &p));
    p.value = 2;
    assert_false(m31r_expr_holds_point(x, &p));
    p.value = 4;
    p.step = M31R_NO_STEP;
    assert_false(m31r_expr_holds_point(x, &p));
    m31r_expr_free(x);
}

static void test_expr__tells_what_was_met(void **state)
{
    (void)state;
    m31r_expr_field f;
    m31r_expr *x = compiled("los>3 or step>1", M31R_EXPR_RECORD);
    assert_false(holds_line(x, "{\"loss\":4,\"step\":\"x\"}"));
    assert_int_equal(m31r_expr_fields(x), 2);
    assert_int_equal(m31r_expr_field_get(x, 0, &f), M31R_OK);
    assert_string_equal(f.name, "los");
    assert_string_equal(f.nearest, "loss");
    assert_int_equal(f.n_met, 0);
    assert_int_equal(m31r_expr_field_get(x, 1, &f), M31R_OK);
    assert_int_equal(f.n_met, 1);
    assert_int_equal(f.n_other, 1);
    assert_int_equal(m31r_expr_field_get(x, 2, &f), M31R_E_NOTFOUND);
    assert_int_equal(m31r_expr_asked(x), 1);
    m31r_expr_free(x);
}

static void test_expr__a_pattern_that_explodes_is_given_up(void **state)
{
    (void)state;
    m31r_expr_field f;
    m31r_expr *x = compiled("msg~\"(a+)+$\"", M31R_EXPR_RECORD);
    assert_false(holds_line(x, "{\"msg\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}"));
    assert_int_equal(m31r_expr_field_get(x, 0, &f), M31R_OK);
    assert_int_equal(f.n_too_hard, 1);
    m31r_expr_free(x);
}

static void repeat(char *out, const char *part, int n)
{
    out[0] = '\0';
    for (int i = 0; i < n; i++) {
        out += sprintf(out, "%s", part);
    }
}

static void test_expr__limits_end_in_an_error(void **state)
{
    (void)state;
    static char text[2 * M31R_EXPR_BYTES];
    m31r_expr *x = NULL;
    m31r_error e;
    repeat(text, "(", 5000);
    assert_int_equal(m31r_expr_compile(&x, text, M31R_EXPR_RECORD, &e), M31R_E_LIMIT);
    repeat(text, "not ", 100);
    assert_int_equal(m31r_expr_compile(&x, text, M31R_EXPR_RECORD, &e), M31R_E_LIMIT);
    repeat(text, "a==1 or ", 600);
    assert_int_equal(m31r_expr_compile(&x, text, M31R_EXPR_RECORD, &e), M31R_E_LIMIT);
    repeat(text, "a", M31R_EXPR_BYTES + 1);
    assert_int_equal(m31r_expr_compile(&x, text, M31R_EXPR_RECORD, &e), M31R_E_LIMIT);
    char *end = text;
    for (int i = 0; i < M31R_EXPR_FIELDS + 1; i++) {
        end += sprintf(end, "%sf%d==1", i > 0 ? " or " : "", i);
    }
    assert_int_equal(m31r_expr_compile(&x, text, M31R_EXPR_RECORD, &e), M31R_E_LIMIT);
    repeat(text, "a==1 and ", 100);
    strcat(text, "a==1");
    m31r_expr_free(compiled(text, M31R_EXPR_RECORD));
}

static void test_expr__memory_that_is_out_is_an_error(void **state)
{
    (void)state;
    for (long n = 1;; n++) {
        m31r_expr *x = NULL;
        m31r_error e = {0};
        m31ri_alloc_fail_at(n, 1);
        m31r_err err = m31r_expr_compile(&x, "a==1 and b~\"x\"", M31R_EXPR_RECORD, &e);
        m31ri_alloc_fail_at(0, 0);
        if (err == M31R_OK) {
            m31r_expr_free(x);
            break;
        }
        assert_int_equal(err, M31R_E_NOMEM);
        assert_true(n < 20);
    }
}

static void test_expr__reads_times_as_people_type_them(void **state)
{
    (void)state;
    int64_t now, ago, minute;
    m31r_error e;
    assert_int_equal(m31r_time_read("now", &now, &e), M31R_OK);
    assert_int_equal(m31r_time_read("2h", &ago, &e), M31R_OK);
    assert_true(now - ago > 7190000000000 && now - ago < 7210000000000);
    assert_int_equal(m31r_time_read("2026-11-23T10:26", &minute, &e), M31R_OK);
    assert_int_equal(minute, 1795429560000000000);
    assert_int_equal(m31r_time_read("2026-11-23T10:26Z", &ago, &e), M31R_OK);
    assert_true(ago == minute);
    assert_int_equal(m31r_time_read("soon", &now, &e), M31R_E_ARG);
    assert_int_equal(m31r_time_read("", &now, &e), M31R_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expr__records_of_the_table),
        cmocka_unit_test(test_expr__faults_of_the_table),
        cmocka_unit_test_setup_teardown(test_expr__runs_of_the_table, scratch_make, scratch_remove),
        cmocka_unit_test(test_expr__examples_of_the_manual_compile),
        cmocka_unit_test(test_expr__a_closed_subject_knows_its_fields),
        cmocka_unit_test(test_expr__points_are_asked_by_name_and_value),
        cmocka_unit_test(test_expr__tells_what_was_met),
        cmocka_unit_test(test_expr__a_pattern_that_explodes_is_given_up),
        cmocka_unit_test(test_expr__limits_end_in_an_error),
        cmocka_unit_test(test_expr__memory_that_is_out_is_an_error),
        cmocka_unit_test(test_expr__reads_times_as_people_type_them),
    };
    return cmocka_run_group_tests_name("expr", tests, NULL, NULL);
}
