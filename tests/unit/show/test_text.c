/* Text for a terminal: what it must not get, how wide it is, how numbers read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "show/human.h"
#include "show/table.h"
#include "show/text.h"

static void escapes_to(const char *text, size_t length, size_t columns, const char *want)
{
    m31ri_buf out = M31RI_BUF_INIT;
    m31ri_text_escape(&out, text, length, columns);
    assert_string_equal(m31ri_buf_str(&out), want);
    m31ri_buf_release(&out);
}

static void test_text__escapes_what_a_terminal_could_act_on(void **state)
{
    (void)state;
    escapes_to("a\033[31mb", 7, 0, "a\\x1b[31mb");
    escapes_to("a\nb\tc\rd", 7, 0, "a\\nb\\tc\\rd");
    escapes_to("x\0y", 3, 0, "x\\x00y");
    escapes_to("\xc2\x9b"
               "31m",
               5, 0, "\\u{9b}31m");
    escapes_to("\xe2\x80\xae"
               "abc",
               6, 0, "\\u{202e}abc");
    escapes_to("\xff\xc3", 2, 0, "\\xff\\xc3");
    escapes_to("\xed\xa0\x80", 3, 0, "\\xed\\xa0\\x80");
    escapes_to("\xc0\xaf", 2, 0, "\\xc0\\xaf");
    escapes_to("na\xc3\xafve \xe6\x97\xa5", 10, 0, "na\xc3\xafve \xe6\x97\xa5");
}

static void test_text__cuts_at_columns_with_an_ellipsis(void **state)
{
    (void)state;
    escapes_to("abcdef", 6, 6, "abcdef");
    escapes_to("abcdefg", 7, 6, "abcde\xe2\x80\xa6");
    escapes_to("\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 9, 4, "\xe6\x97\xa5\xe2\x80\xa6");
}

static void test_text__counts_columns_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(m31ri_text_width("abc", 3), 3);
    assert_int_equal(m31ri_text_width("\xe6\x97\xa5\xe6\x9c\xac", 6), 4);
    assert_int_equal(m31ri_text_width("e\xcc\x81", 3), 1);
    assert_int_equal(m31ri_text_width("\xf0\x9f\xa6\x80", 4), 2);
    assert_int_equal(m31ri_text_width("\033", 1), 4);
}

static void test_human__numbers_sizes_and_durations(void **state)
{
    (void)state;
    char t[M31RI_HUMAN_BYTES];
    assert_string_equal(m31ri_human_count(1234567, t), "1,234,567");
    assert_string_equal(m31ri_human_count(-1000, t), "-1,000");
    assert_string_equal(m31ri_human_count(999, t), "999");
    assert_string_equal(m31ri_human_number(2.3141592, t), "2.314");
    assert_string_equal(m31ri_human_number(181204.4, t), "181,204");
    assert_string_equal(m31ri_human_number(1.5e-7, t), "1.5e-07");
    assert_string_equal(m31ri_human_number(NAN, t), "NaN");
    assert_string_equal(m31ri_human_number(-INFINITY, t), "-Infinity");
    assert_string_equal(m31ri_human_bytes(999, t), "999 B");
    assert_string_equal(m31ri_human_bytes(3650722202, t), "3.4 GiB");
    assert_string_equal(m31ri_human_duration(1500000000, t), "1.5 s");
    assert_string_equal(m31ri_human_duration(INT64_C(3480000000000), t), "58 min");
    assert_string_equal(m31ri_human_duration(INT64_C(79200000000000), t), "22 h");
    assert_string_equal(m31ri_human_duration(-1, t), "");
}

static void test_human__course_marks_what_is_not_finite(void **state)
{
    (void)state;
    const double values[] = {8, 4, NAN, 0};
    m31ri_buf out = M31RI_BUF_INIT;
    m31ri_human_course(&out, values, 4, 10);
    assert_string_equal(m31ri_buf_str(&out), "█▄·▁");
    m31ri_buf_release(&out);
}

static void test_table__aligns_by_columns_and_leaves_empty_ones_out(void **state)
{
    (void)state;
    static const m31ri_column columns[] = {{"NAME", false, 0}, {"GONE", false, 0}, {"N", true, 0}};
    char *text = NULL;
    size_t size = 0;
    m31r_screen s = {.out = open_memstream(&text, &size)};
    m31ri_table *t = m31ri_table_new(columns, 3);
    const char *cells[] = {"\xe6\x97\xa5\xe6\x9c\xac", "", "5", "a\nb", "", "1,000"};
    for (size_t i = 0; i < 6; i++) {
        m31ri_table_add(t, cells[i], M31RI_PLAIN);
    }
    m31ri_table_write(t, &s);
    m31ri_table_free(t);
    fclose(s.out);
    assert_string_equal(text, "NAME      N\n\xe6\x97\xa5\xe6\x9c\xac      5\na\\nb  1,000\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text__escapes_what_a_terminal_could_act_on),
        cmocka_unit_test(test_text__cuts_at_columns_with_an_ellipsis),
        cmocka_unit_test(test_text__counts_columns_not_bytes),
        cmocka_unit_test(test_human__numbers_sizes_and_durations),
        cmocka_unit_test(test_human__course_marks_what_is_not_finite),
        cmocka_unit_test(test_table__aligns_by_columns_and_leaves_empty_ones_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
