/* Tallies of pieces put together: the same as one tally of all, with lines counted from the file's
 * beginning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "verify/record_tally.h"

static void test_record_tally__the_first_fault_is_the_first_of_the_file(void **state)
{
    (void)state;
    static m31ri_record_tally total, pieces[3];
    m31r_record at_7 = {.file = "a.log", .line_number = 7};
    m31r_record at_9 = {.file = "a.log", .line_number = 9};
    memset(&total, 0, sizeof total);
    memset(pieces, 0, sizeof pieces);
    m31ri_tally_note(&pieces[1].leak, &at_7, "first");
    m31ri_tally_note(&pieces[1].leak, &at_9, "second");
    m31ri_tally_note(&pieces[2].leak, &at_7, "third");
    pieces[2].n_records = 5;
    for (size_t i = 0; i < 3; i++) {
        m31ri_tally_add(&total, &pieces[i], 100 * i);
    }
    assert_int_equal(total.leak.n, 3);
    assert_int_equal(total.leak.line, 107);
    assert_string_equal(total.leak.why, "first");
    assert_int_equal(total.n_records, 5);
    assert_int_equal(total.shape.n, 0);
}

static void add_late(m31ri_stage_tally *total, m31ri_late_rule rule)
{
    static m31ri_stage_tally piece;
    memset(&piece, 0, sizeof piece);
    piece.late[0] = rule;
    piece.sums[1][2] = 0.5;
    m31ri_stage_tally_add(total, &piece, 0);
}

static void test_record_tally__the_newest_record_states_what_holds_for_the_run(void **state)
{
    (void)state;
    static const m31ri_stage_rule rule = {.text = "a = count(b)"};
    static const char a[] = "a.log", b[] = "b.log";
    static m31ri_stage_tally total;
    memset(&total, 0, sizeof total);
    add_late(&total, (m31ri_late_rule){&rule, "m", a, 1, 50, 1});
    add_late(&total, (m31ri_late_rule){&rule, "m", a, 2, 40, 2}); /* its lane's own order counts */
    assert_int_equal(total.late[0].line, 2);
    add_late(&total, (m31ri_late_rule){&rule, "m", b, 3, 30, 3}); /* older, of another lane */
    assert_int_equal(total.late[0].line, 2);
    add_late(&total, (m31ri_late_rule){0}); /* no record of it */
    assert_int_equal(total.late[0].line, 2);
    add_late(&total, (m31ri_late_rule){&rule, "m", b, 4, 60, 4});
    assert_int_equal(total.late[0].line, 4);
    assert_true(total.sums[1][2] == 2.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_tally__the_first_fault_is_the_first_of_the_file),
        cmocka_unit_test(test_record_tally__the_newest_record_states_what_holds_for_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
