/* A record of m31r_progress() as a bar; nothing else becomes one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "observe/progress_bar.h"

#define HEAD                                                                                       \
    "{\"ts\":\"2026-11-23T10:26:51.123456Z\",\"level\":\"INFO\",\"module\":\"progress\",\"msg\":"  \
    "\"progress\","

static void expect(const char *line, int columns, const char *bar)
{
    m31ri_buf out = M31RI_BUF_INIT;
    assert_true(m31ri_progress_bar(&out, line, strlen(line), columns));
    assert_string_equal(m31ri_buf_str(&out), bar);
    m31ri_buf_release(&out);
}

static void test_progress_bar__shows_share_counts_and_time_left(void **state)
{
    (void)state;
    expect(HEAD "\"done\":50,\"total\":100,\"elapsed_s\":3.0,\"left_s\":3.0}\n", 80,
           "[###############...............]  50%  50/100  3 s left");
    expect(HEAD "\"done\":1,\"total\":1000,\"elapsed_s\":1,\"left_s\":185.4}", 80,
           "[..............................]   0%  1/1000  3 min 05 s left");
    expect(HEAD "\"done\":7,\"total\":7,\"elapsed_s\":1,\"left_s\":0.0}", 80,
           "[##############################] 100%  7/7");
    expect(HEAD "\"done\":9,\"total\":7,\"elapsed_s\":1}", 80,
           "[##############################] 100%  9/7");
    expect(HEAD "\"done\":12,\"elapsed_s\":7620.0}", 80, "12 done  2 h 07 min");
}

static void test_progress_bar__is_narrower_than_the_terminal(void **state)
{
    (void)state;
    expect(HEAD "\"done\":50,\"total\":100}", 11, "[#########");
    expect(HEAD "\"done\":50,\"total\":100}", 0, "");
}

static void test_progress_bar__nothing_else_is_one(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "progress",
        HEAD "\"total\":3}",
        HEAD "\"done\":\"\\u001b[2J\",\"total\":3}",
        "{\"ts\":\"\",\"level\":\"INFO\",\"module\":\"x\",\"msg\":\"progress\",\"done\":1}",
        "{\"ts\":\"\",\"level\":\"INFO\",\"module\":\"progress\",\"msg\":\"x\",\"done\":1}",
        "{\"done\":1,\"total\":2}",
        HEAD "\"done\":1,\"done\":2}"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        m31ri_buf out = M31RI_BUF_INIT;
        assert_false(m31ri_progress_bar(&out, others[i], strlen(others[i]), 80));
        assert_int_equal(out.length, 0);
        m31ri_buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_progress_bar__shows_share_counts_and_time_left),
        cmocka_unit_test(test_progress_bar__is_narrower_than_the_terminal),
        cmocka_unit_test(test_progress_bar__nothing_else_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
