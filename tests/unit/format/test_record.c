/* Records: order and form, the limit, renamed keys, non-finite numbers, redaction, and reading the
 * head back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "format/json_text.h"
#include "format/record.h"
#include "unit/format/case_files.h"

#define AT INT64_C(1795429611123456789)
#define HEAD                                                                                       \
    "{\"ts\":\"2026-11-23T10:26:51.123456Z\",\"level\":\"INFO\",\"module\":\"trainer\",\"msg\":"

static m31r_value keys[12000], values[12000];
static m31ri_record_report report;
static m31ri_buf line;

static const char *write_with(const char *message, size_t length, size_t n,
                              const m31ri_redactor *redactor)
{
    m31ri_record_parts parts = {AT, M31R_INFO, "trainer", 7, message, length, keys, values, n};
    m31ri_buf_clear(&line);
    m31ri_record_write(&line, &parts, redactor, &report);
    assert_true(m31ri_buf_ok(&line));
    assert_true(line.length <= M31RI_RECORD_LIMIT);
    assert_ptr_equal(memchr(line.data, '\n', line.length), line.data + line.length - 1);
    size_t at = 0;
    m31ri_json_class c = m31ri_json_read_object(line.data, line.length - 1, NULL, NULL, &at);
    if (c != M31RI_JSON_OK) {
        fail_msg("%s at %zu", m31ri_json_class_name(c), at);
    }
    return line.data;
}

static const char *write_n(size_t n)
{
    return write_with("m", 1, n, NULL);
}

static void set(size_t i, const char *key, m31r_value value)
{
    keys[i] = m31r_of_string(key);
    values[i] = value;
}

static void test_obs_08__mandatory_fields_come_first_in_order(void **state)
{
    (void)state;
    set(0, "step", m31r_of_int(1024));
    set(1, "loss", m31r_of_double(1.23));
    assert_string_equal(write_with("step_complete", 13, 2, NULL),
                        HEAD "\"step_complete\",\"step\":1024,\"loss\":1.23}\n");
}

static void test_obs_08__context_keeps_call_order_and_types(void **state)
{
    (void)state;
    set(0, "z", m31r_of_bool(true));
    set(1, "y", m31r_of_bool(false));
    set(2, "x", m31r_of_string("a\"b\n"));
    set(3, "w", m31r_of_uint(UINT64_MAX));
    set(4, "v", m31r_of_int(INT64_MIN));
    set(5, "u", m31r_of_float(0.1f));
    set(6, "t", m31r_of_double(-0.0));
    set(7, "s", m31r_of_string(NULL));
    set(8, "r", m31r_text("n\0l", 3));
    set(9, "q", (m31r_value){99, 0, {0}});
    assert_string_equal(
        write_n(10),
        HEAD "\"m\",\"z\":true,\"y\":false,\"x\":\"a\\\"b\\n\",\"w\":18446744073709551615,"
             "\"v\":-9223372036854775808,\"u\":0.1,\"t\":-0.0,\"s\":null,"
             "\"r\":\"n\\u0000l\",\"q\":null}\n");
}

static void test_record__non_finite_numbers_are_kept_and_counted(void **state)
{
    (void)state;
    set(0, "a", m31r_of_double((double)NAN));
    set(1, "b", m31r_of_double(HUGE_VAL));
    set(2, "c", m31r_of_float(-HUGE_VALF));
    assert_string_equal(
        write_n(3),
        HEAD "\"m\",\"a\":\"NaN\",\"b\":\"Infinity\",\"c\":\"-Infinity\",\"nonfinite\":3}\n");
    assert_int_equal(report.n_nonfinite, 3);
}

static void test_record__reserved_empty_and_doubled_keys_are_renamed(void **state)
{
    (void)state;
    static const char *const names[] = {"ts", "level", "module", "msg", "",
                                        "a",  "a",     "a",      "cut", "ctx_ts"};
    for (size_t i = 0; i < 10; i++) {
        set(i, names[i], m31r_of_int((int64_t)i));
    }
    assert_string_equal(
        write_n(10),
        HEAD "\"m\",\"ctx_ts\":0,\"ctx_level\":1,\"ctx_module\":2,\"ctx_msg\":3,\"ctx_\":4,"
             "\"a\":5,\"ctx_a\":6,\"ctx2_a\":7,\"ctx_cut\":8,\"ctx_ctx_ts\":9,\"renamed\":9}\n");
    assert_int_equal(report.n_renamed, 9);
}

static void test_record__keys_are_compared_as_they_are_written(void **state)
{
    (void)state;
    set(0, "\xb5", m31r_of_int(1));
    set(1, "\xbf", m31r_of_int(2));
    set(2, "\xef\xbf\xbd", m31r_of_int(3));
    keys[3] = m31r_of_int(5);
    values[3] = m31r_of_int(4);
    assert_string_equal(write_n(4), HEAD "\"m\",\"\xef\xbf\xbd\":1,\"ctx_\xef\xbf\xbd\":2,"
                                         "\"ctx2_\xef\xbf\xbd\":3,\"ctx_\":4,\"renamed\":3}\n");
}

static void test_record__long_keys_are_cut_with_a_marker(void **state)
{
    (void)state;
    char key[300];
    memset(key, 'k', sizeof key);
    keys[0] = m31r_text(key, 256);
    keys[1] = m31r_text(key, 257);
    keys[2] = m31r_text(key, 300);
    values[0] = values[1] = values[2] = m31r_of_int(1);
    const char *text = write_n(3);
    assert_int_equal(report.n_renamed, 2);
    assert_non_null(strstr(text, "kkk\":1"));
    assert_non_null(strstr(text, "kkk...\":1,\"ctx_kkk"));
}

static void test_record__doubled_keys_are_found_among_thousands(void **state)
{
    (void)state;
    static char names[3000][8];
    for (size_t i = 0; i < 3000; i++) {
        snprintf(names[i], sizeof names[i], "k%zu", i % 2500);
        set(i, names[i], m31r_of_int(1));
    }
    (void)write_n(3000);
    assert_int_equal(report.n_renamed, 500);
    assert_int_equal(report.n_dropped, 0);
}

static void test_record__one_key_a_thousand_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < 1024; i++) {
        set(i, i % 2 == 0 ? "" : "a", m31r_of_int(1));
    }
    const char *text = write_n(1024);
    assert_int_equal(report.n_renamed, 1023);
    assert_int_equal(report.n_dropped, 0);
    assert_non_null(strstr(text, "\"ctx25_\":1,\"ctx8_a\":1,\"ctx27_\":1,\"ctx28_a\":1,"));
}

static void test_record__a_long_value_is_cut_and_leaves_room_for_the_rest(void **state)
{
    (void)state;
    char *text = malloc(1000000);
    memset(text, 'x', 1000000);
    keys[0] = m31r_of_string("text");
    values[0] = m31r_text(text, 1000000);
    set(1, "step", m31r_of_int(7));
    set(2, "why", m31r_of_string("still here"));
    const char *out = write_n(3);
    assert_int_equal(report.n_cut, 1);
    assert_int_equal(report.n_dropped, 0);
    assert_true(line.length > M31RI_RECORD_LIMIT - 512);
    assert_non_null(strstr(out, "x\",\"step\":7,\"why\":\"still here\",\"cut\":1}\n"));
    (void)write_with(text, 1000000, 0, NULL);
    assert_int_equal(report.n_cut, 1);
    free(text);
}

static void test_record__a_value_is_cut_between_characters(void **state)
{
    (void)state;
    m31ri_buf text = M31RI_BUF_INIT;
    for (int i = 0; i < 40000; i++) {
        m31ri_buf_add_str(&text, i % 3 == 0 ? "\xe2\x82\xac" : i % 3 == 1 ? "\x01" : "\xff");
    }
    for (int shift = 0; shift < 12; shift++) {
        m31ri_buf_add_char(&text, 'x');
        set(0, "a", m31r_text(text.data + text.length - 40000 - (size_t)shift, 40000));
        (void)write_n(1);
        assert_int_equal(report.n_cut, 1);
    }
    m31ri_buf_release(&text);
}

static void test_record__fields_that_find_no_room_are_counted(void **state)
{
    (void)state;
    static char names[12000][8];
    for (size_t i = 0; i < 12000; i++) {
        snprintf(names[i], sizeof names[i], "k%zu", i);
        set(i, names[i], m31r_of_double(i % 2 == 0 ? (double)NAN : 0.5));
    }
    const char *out = write_n(12000);
    char want[64];
    snprintf(want, sizeof want, ",\"nonfinite\":%u,\"fields_dropped\":%u}\n", report.n_nonfinite,
             report.n_dropped);
    assert_true(report.n_dropped > 6000 && report.n_dropped < 12000);
    assert_non_null(strstr(out, want));
}

/* The longest trailer fits into what is set aside for it: the line never passes its limit, whatever
 * fills it. */
static void test_record__no_length_of_value_passes_the_limit(void **state)
{
    (void)state;
    char *text = malloc(70000);
    memset(text, 'y', 70000);
    set(1, "nan", m31r_of_double((double)NAN));
    set(2, "ts", m31r_of_sensitive());
    for (size_t n = 65000; n < 65700; n++) {
        keys[0] = m31r_of_string("text");
        values[0] = m31r_text(text, n);
        (void)write_n(3);
        assert_int_equal(report.n_nonfinite, 1);
        assert_int_equal(report.n_redacted, 1);
    }
    free(text);
}

static void test_obs_18__sensitive_values_leave_only_a_marker(void **state)
{
    (void)state;
    set(0, "user", m31r_of_sensitive());
    assert_string_equal(write_n(1),
                        HEAD "\"m\",\"user\":\"[redacted:sensitive]\",\"redacted\":1}\n");
}

static size_t n_asked;

static const char *redact_secrets(void *context, const char *key, size_t key_length,
                                  const char *value, size_t length, size_t *out_length)
{
    (void)context;
    n_asked++;
    bool by_key = key_length == 8 && memcmp(key, "password", 8) == 0;
    bool by_value = length >= 6 && memcmp(value, "secret", 6) == 0;
    *out_length = 15;
    return by_key || by_value ? "[redacted:test]" : NULL;
}

static void test_obs_18__the_rules_see_every_string_and_the_message(void **state)
{
    (void)state;
    const m31ri_redactor redactor = {redact_secrets, NULL};
    set(0, "password", m31r_of_string("hunter2"));
    set(1, "a", m31r_of_string("secret1"));
    set(2, "b", m31r_of_string("plain"));
    set(3, "c", m31r_of_int(5));
    n_asked = 0;
    const char *out = write_with("secret0", 7, 4, &redactor);
    assert_string_equal(out,
                        HEAD "\"[redacted:test]\",\"password\":\"[redacted:test]\","
                             "\"a\":\"[redacted:test]\",\"b\":\"plain\",\"c\":5,\"redacted\":3}\n");
    assert_int_equal(n_asked, 6); /* four strings, and the names that could hold one */
    set(0, "secret99", m31r_of_int(5));
    assert_string_equal(write_with("m", 1, 1, &redactor),
                        HEAD "\"m\",\"[redacted:test]\":5,\"redacted\":1}\n");
}

/* With rules a value loses the whole token at the cut, so that no part of one is left that they
 * could not see. */
static void test_obs_18__a_cut_never_goes_through_a_token(void **state)
{
    (void)state;
    const m31ri_redactor redactor = {redact_secrets, NULL};
    m31ri_buf text = M31RI_BUF_INIT;
    for (int i = 0; i < 20000; i++) {
        m31ri_buf_add_str(&text, "token_0123456789 ");
    }
    set(0, "a", m31r_text(text.data, text.length));
    const char *out = write_with("m", 1, 1, &redactor);
    assert_int_equal(report.n_cut, 1);
    const char *end = strstr(out, "\",\"cut\"");
    assert_non_null(end);
    assert_int_equal(end[-1], ' ');
    m31ri_buf_release(&text);
}

static void test_obs_12__the_same_parts_give_the_same_bytes(void **state)
{
    (void)state;
    set(0, "a", m31r_of_double(0.1));
    set(1, "a", m31r_of_string("\xff"));
    m31ri_buf first = M31RI_BUF_INIT;
    m31ri_buf_add_str(&first, write_n(2));
    assert_string_equal(write_n(2), m31ri_buf_str(&first));
    m31ri_buf_release(&first);
}

static void test_record__appends_behind_what_is_there(void **state)
{
    (void)state;
    m31ri_buf b = M31RI_BUF_INIT;
    m31ri_buf_add_str(&b, "before\n");
    m31ri_record_parts parts = {AT, M31R_ERROR, "x", 1, NULL, 0, NULL, NULL, 0};
    m31ri_record_write(&b, &parts, NULL, NULL);
    assert_string_equal(m31ri_buf_str(&b),
                        "before\n{\"ts\":\"2026-11-23T10:26:51.123456Z\",\"level\":\"ERROR\","
                        "\"module\":\"x\",\"msg\":\"\"}\n");
    m31ri_buf_release(&b);
}

static void test_record__a_failed_allocation_is_remembered(void **state)
{
    (void)state;
    set(0, "a", m31r_of_string("b"));
    set(1, "a", m31r_of_string("c"));
    for (long n = 1; n <= 3; n++) {
        m31ri_buf b = M31RI_BUF_INIT;
        m31ri_record_parts parts = {AT, M31R_INFO, "trainer", 7, "m", 1, keys, values, 2};
        m31ri_alloc_fail_at(n, 1);
        m31ri_record_write(&b, &parts, NULL, NULL);
        m31ri_alloc_fail_at(0, 0);
        assert_true(n > 1 || !m31ri_buf_ok(&b));
        m31ri_buf_release(&b);
    }
}

static bool body_is(const m31ri_json_member *m, const char *want)
{
    return m->value != NULL && m->value_length == strlen(want) &&
           memcmp(m->value, want, m->value_length) == 0;
}

static m31ri_json_class read_str(const char *text, m31ri_record_head *head)
{
    return m31ri_record_read(text, strlen(text), head);
}

static void test_record__head_is_read_back(void **state)
{
    (void)state;
    m31ri_record_head head;
    set(0, "step", m31r_of_int(12));
    (void)write_n(1);
    assert_int_equal(m31ri_record_read(line.data, line.length - 1, &head), M31RI_JSON_OK);
    assert_int_equal(head.wall_ns, AT - AT % 1000);
    assert_int_equal(head.level, M31R_INFO);
    assert_true(body_is(&head.module, "trainer") && body_is(&head.message, "m"));
    assert_true(head.has_step && head.step == 12);
}

static void test_record__head_of_foreign_lines(void **state)
{
    (void)state;
    m31ri_record_head head;
    assert_int_equal(read_str("{\"level\":\"warn\",\"ts\":\"2026-11-23T10:26:51+01:00\"}\r", &head),
                     M31RI_JSON_OK);
    assert_int_equal(head.level, M31R_WARNING);
    assert_true(head.wall_ns == (AT / 1000000000 - 3600) * 1000000000);
    assert_null(head.module.value);
    assert_int_equal(
        read_str("{\"ts\":\"t\",\"level\":\"TRACE\",\"module\":5,\"m\\u0073g\":\"x\",\"step\":1.5}",
                 &head),
        M31RI_JSON_OK);
    assert_true(head.wall_ns == INT64_MIN);
    assert_int_equal(head.level, 0);
    assert_null(head.module.value);
    assert_true(body_is(&head.message, "x"));
    assert_false(head.has_step);
    head.level = M31R_ERROR;
    assert_int_equal(read_str("{\"level\":\"INFO\",\"level\":\"DEBUG\"}", &head),
                     M31RI_JSON_DUP_KEY);
    assert_int_equal(head.level, M31R_ERROR); /* untouched on failure */
}

static int release_line(void **state)
{
    (void)state;
    m31ri_buf_release(&line);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_obs_08__mandatory_fields_come_first_in_order),
        cmocka_unit_test(test_obs_08__context_keeps_call_order_and_types),
        cmocka_unit_test(test_record__non_finite_numbers_are_kept_and_counted),
        cmocka_unit_test(test_record__reserved_empty_and_doubled_keys_are_renamed),
        cmocka_unit_test(test_record__keys_are_compared_as_they_are_written),
        cmocka_unit_test(test_record__long_keys_are_cut_with_a_marker),
        cmocka_unit_test(test_record__doubled_keys_are_found_among_thousands),
        cmocka_unit_test(test_record__one_key_a_thousand_times),
        cmocka_unit_test(test_record__a_long_value_is_cut_and_leaves_room_for_the_rest),
        cmocka_unit_test(test_record__a_value_is_cut_between_characters),
        cmocka_unit_test(test_record__fields_that_find_no_room_are_counted),
        cmocka_unit_test(test_record__no_length_of_value_passes_the_limit),
        cmocka_unit_test(test_obs_18__sensitive_values_leave_only_a_marker),
        cmocka_unit_test(test_obs_18__the_rules_see_every_string_and_the_message),
        cmocka_unit_test(test_obs_18__a_cut_never_goes_through_a_token),
        cmocka_unit_test(test_obs_12__the_same_parts_give_the_same_bytes),
        cmocka_unit_test(test_record__appends_behind_what_is_there),
        cmocka_unit_test(test_record__a_failed_allocation_is_remembered),
        cmocka_unit_test(test_record__head_is_read_back),
        cmocka_unit_test(test_record__head_of_foreign_lines),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, release_line);
}
