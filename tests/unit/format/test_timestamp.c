/* Timestamps: fixed width, leap years, every day of 1970 to 2261 against a day counter, RFC 3339
 * in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/timestamp.h"
#include "unit/format/case_files.h"

#define SECOND INT64_C(1000000000)

static const char *text_of(int64_t wall_ns)
{
    static char text[M31RI_TIMESTAMP_BYTES + 1];
    m31ri_timestamp_write(wall_ns, text);
    return text;
}

static int64_t read_or_fail(const char *text)
{
    int64_t wall_ns = -77;
    if (!m31ri_timestamp_read(text, strlen(text), &wall_ns)) {
        fail_msg("%s was refused", text);
    }
    return wall_ns;
}

static void test_obs_08__timestamps_have_one_fixed_form(void **state)
{
    (void)state;
    assert_string_equal(text_of(0), "1970-01-01T00:00:00.000000Z");
    assert_string_equal(text_of(INT64_C(1795429611123456789)), "2026-11-23T10:26:51.123456Z");
    assert_string_equal(text_of(INT64_C(2147483648) * SECOND), "2038-01-19T03:14:08.000000Z");
    assert_string_equal(text_of(INT64_C(951782400) * SECOND), "2000-02-29T00:00:00.000000Z");
    assert_string_equal(text_of(999), "1970-01-01T00:00:00.000000Z");
    assert_string_equal(text_of(SECOND - 1), "1970-01-01T00:00:00.999999Z");
}

static void test_timestamp__clamps_what_lies_outside(void **state)
{
    (void)state;
    assert_string_equal(text_of(-1), "1970-01-01T00:00:00.000000Z");
    assert_string_equal(text_of(INT64_MIN), "1970-01-01T00:00:00.000000Z");
    assert_string_equal(text_of(INT64_MAX), "2262-04-11T23:47:16.854775Z");
}

static void test_timestamp__knows_every_day(void **state)
{
    (void)state;
    static const int days_in[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = 0;
    for (int year = 1970; year < 2262; year++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 1; month <= 12; month++) {
            int n = days_in[month - 1] + (month == 2 && leap);
            for (int d = 1; d <= n; d++, day++) {
                char want[64];
                snprintf(want, sizeof want, "%04d-%02d-%02dT23:59:59.000001Z", year, month, d);
                int64_t wall_ns = (day * 86400 + 86399) * SECOND + 1000;
                assert_string_equal(text_of(wall_ns), want);
                assert_int_equal(read_or_fail(want), wall_ns);
            }
        }
    }
}

static void test_timestamp__compact_form_for_file_names(void **state)
{
    (void)state;
    char text[17];
    m31ri_timestamp_write_compact(INT64_C(1795429611123456789), text);
    assert_string_equal(text, "20261123T102651Z");
}

static void test_timestamp__reads_rfc_3339(void **state)
{
    (void)state;
    int64_t t = INT64_C(1795429611) * SECOND;
    assert_int_equal(read_or_fail("2026-11-23T10:26:51Z"), t);
    assert_int_equal(read_or_fail("2026-11-23t10:26:51z"), t);
    assert_int_equal(read_or_fail("2026-11-23 10:26:51+00:00"), t);
    assert_int_equal(read_or_fail("2026-11-23T16:11:51+05:45"), t);
    assert_int_equal(read_or_fail("2026-11-22T23:26:51-11:00"), t);
    assert_int_equal(read_or_fail("2026-11-23T10:26:51.5Z"), t + SECOND / 2);
    assert_int_equal(read_or_fail("2026-11-23T10:26:51.000000001Z"), t + 1);
    assert_int_equal(read_or_fail("2026-12-31T23:59:60Z"), read_or_fail("2027-01-01T00:00:00Z"));
    assert_int_equal(read_or_fail("1969-12-31T23:59:59Z"), -SECOND);
}

static void test_timestamp__refuses_what_is_no_time(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "t",
        "2026-11-23",
        "2026-11-23T10:26:51",
        "2026-13-23T10:26:51Z",
        "2026-00-23T10:26:51Z",
        "2026-02-29T10:26:51Z",
        "2100-02-29T00:00:00Z",
        "2026-11-31T10:26:51Z",
        "2026-11-00T10:26:51Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T10:60:51Z",
        "2026-11-23T10:26:61Z",
        "2026-11-23T10:26:51.Z",
        "2026-11-23T10:26:51.1234567890Z",
        "2026-11-23T10:26:51+0545",
        "2026-11-23T10:26:51+24:00",
        "2026-11-23T10:26:51Z ",
        " 2026-11-23T10:26:51Z",
        "2026-11-23_10:26:51Z",
        "+026-11-23T10:26:51Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "2026-11-23T10:26:5",
        "2026-11-23T10:26:51-",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t wall_ns = -77;
        assert_false(m31ri_timestamp_read(bad[i], strlen(bad[i]), &wall_ns));
        assert_int_equal(wall_ns, -77);
    }
}

static void test_timestamp__reads_what_it_writes(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 100000; i++) {
        int64_t wall_ns = (int64_t)(case_random(&seed) >> 1);
        if (wall_ns > INT64_MAX - 2 * SECOND) {
            continue;
        }
        assert_int_equal(read_or_fail(text_of(wall_ns)), wall_ns - wall_ns % 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_obs_08__timestamps_have_one_fixed_form),
        cmocka_unit_test(test_timestamp__clamps_what_lies_outside),
        cmocka_unit_test(test_timestamp__knows_every_day),
        cmocka_unit_test(test_timestamp__compact_form_for_file_names),
        cmocka_unit_test(test_timestamp__reads_rfc_3339),
        cmocka_unit_test(test_timestamp__refuses_what_is_no_time),
        cmocka_unit_test(test_timestamp__reads_what_it_writes),
    };
    return cmocka_run_group_tests_name("timestamp", tests, NULL, NULL);
}
