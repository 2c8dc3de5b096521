/* When the observer says that a pattern has matched nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "observe/keeper.h"

static void test_hint__is_due_once_after_a_minute(void **state)
{
    (void)state;
    m31ri_hint h = {0};
    assert_false(m31ri_hint_is_due(&h, 0, 10 * M31RI_HINT_NS, false));
    assert_false(m31ri_hint_is_due(&h, 5, 5 + M31RI_HINT_NS, false));
    assert_true(m31ri_hint_is_due(&h, 5, 6 + M31RI_HINT_NS, false));
    assert_false(m31ri_hint_is_due(&h, 5, 7 + M31RI_HINT_NS, false));
    assert_false(m31ri_hint_is_due(&h, 5, 8 + M31RI_HINT_NS, true));
    assert_int_equal(M31RI_HINT_NS / 1000000000, 60);
}

static void test_hint__is_due_at_the_end_of_a_short_program(void **state)
{
    (void)state;
    m31ri_hint h = {0};
    assert_false(m31ri_hint_is_due(&h, 5, 6, false));
    assert_true(m31ri_hint_is_due(&h, 5, 7, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hint__is_due_once_after_a_minute),
        cmocka_unit_test(test_hint__is_due_at_the_end_of_a_short_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
