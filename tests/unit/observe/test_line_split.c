/* Lines, bars, parts: whatever way the bytes are cut into reads, the lines are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "observe/line_split.h"

/* Splits `text` given in pieces of `step` bytes; lines joined by '|', bars marked '*n', parts '#n',
 * no newline '!'. */
static void split(const char *text, size_t length, size_t step, int64_t now_ns, m31ri_buf *out)
{
    m31ri_split_state s = {0};
    m31ri_line line;
    size_t done = 0;
    for (size_t have = step < length ? step : length;;
         have += have + step < length ? step : length - have) {
        bool at_end = have == length;
        while (m31ri_split_next(&s, text + done, have - done, now_ns, at_end, &line)) {
            done += line.used;
            m31ri_buf_add(out, line.text, line.length);
            if (line.is_bar) {
                m31ri_buf_add_format(out, "*%d", (int)line.n_overwritten);
            }
            if (line.part > 0) {
                m31ri_buf_add_format(out, "#%u/%u", line.part, line.n_parts);
            }
            m31ri_buf_add_str(out, line.is_unterminated ? "!" : "|");
        }
        done += line.used;
        if (at_end) {
            break;
        }
    }
    assert_int_equal(done, length);
}

static void expect(const char *text, const char *wanted)
{
    for (size_t step = 1; step < 8; step++) {
        m31ri_buf out = M31RI_BUF_INIT;
        split(text, strlen(text), step, 5, &out);
        assert_string_equal(m31ri_buf_str(&out), wanted);
        m31ri_buf_release(&out);
    }
}

static void test_split__ends_lines_at_lf_and_crlf(void **state)
{
    (void)state;
    expect("", "");
    expect("a\nbc\n\nd\n", "a|bc||d|");
    expect("a\r\nb\r\r\n", "a|b|");
    expect("a", "a!");
    expect("\n", "|");
}

static void test_split__keeps_first_and_last_state_of_a_bar(void **state)
{
    (void)state;
    expect("1%\r2%\r3%\rdone\n", "1%*0|done*2|");
    expect("\r1%\r2%\r3%", "1%*0|3%*1!");
    expect("1%\r2%\r", "1%*0|2%*0!");
}

static void test_split__cuts_long_lines_at_spaces(void **state)
{
    (void)state;
    static char text[150001];
    m31ri_buf out = M31RI_BUF_INIT;
    memset(text, 'x', 150000);
    for (size_t i = 0; i < 150000; i += 100) {
        text[i] = ' ';
    }
    text[149999] = '\n';
    split(text, 150000, 4096, 5, &out);
    const char *first = strstr(m31ri_buf_str(&out), "#1/0|");
    assert_non_null(first);
    assert_int_equal(first[-1], ' ');
    assert_non_null(strstr(m31ri_buf_str(&out), "#3/3|"));
    m31ri_buf_release(&out);
}

static void test_split__parts_of_noise_fit_a_record(void **state)
{
    (void)state;
    static char text[40000];
    m31ri_split_state s = {0};
    m31ri_line line;
    memset(text, 1, sizeof text); /* each byte becomes \u0001 */
    assert_true(m31ri_split_next(&s, text, sizeof text, 5, false, &line));
    assert_int_equal(line.length, M31RI_SPLIT_PART_BYTES / 6);
    assert_int_equal(line.part, 1);
}

static void test_split__never_cuts_a_character(void **state)
{
    (void)state;
    static char text[90000];
    m31ri_split_state s = {0};
    m31ri_line line;
    for (size_t i = 0; i < sizeof text; i += 3) {
        memcpy(text + i, "\xe2\x82\xac", 3);
    }
    assert_true(m31ri_split_next(&s, text, sizeof text, 5, false, &line));
    assert_int_equal(line.length % 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split__ends_lines_at_lf_and_crlf),
        cmocka_unit_test(test_split__keeps_first_and_last_state_of_a_bar),
        cmocka_unit_test(test_split__cuts_long_lines_at_spaces),
        cmocka_unit_test(test_split__parts_of_noise_fit_a_record),
        cmocka_unit_test(test_split__never_cuts_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
