/* The short way of a record (m31r/hot.h): opened by the first, closed for whatever has to be
 * decided, and the same bytes in the file. */
#include "scratch.h"

#include <pthread.h>

#include "emit/state.h"

static uint64_t n_puts(void)
{
    return m31r_hot_1->sequence;
}

static void emit_number(m31r_log *log, int number)
{
    m31r_info(log, "counted", "number", number);
}

static int64_t count_in(const char *dir, const char *file, const char *part)
{
    char *text = read_text(dir, file);
    int64_t n = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part)) {
        n++;
    }
    free(text);
    return n;
}

static void end(m31r_run *run, char dir[4096])
{
    snprintf(dir, 4096, "%s", m31r_run_dir(run));
    assert_int_equal(m31r_run_close(run), M31R_OK);
}

/* The same values twice, first the long way and then the short one. */
static void emit_all(m31r_log *log, const char *text, const char *none)
{
    m31r_info(log, "all", "i", -3, "u", (size_t)7, "d", 0.1, "f", 0.1f, "b", (bool)1, "s", text,
              "n", none, "t", "");
}

static void test_short_way__writes_what_the_long_way_writes(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "trainer");
    emit_all(log, "h\303\251 \"q\"\n", NULL);
    emit_all(log, "h\303\251 \"q\"\n", NULL);
    emit_all(log, NULL, "nine bytes");
    end(run, dir);
    assert_int_equal(count_in(dir, "train.log",
                              "\"msg\":\"all\",\"i\":-3,\"u\":7,\"d\":0.1,\"f\":0.1,\"b\":true,"
                              "\"s\":\"h\303\251 \\\"q\\\"\\n\",\"n\":null,\"t\":\"\"}\n"),
                     2);
    assert_int_equal(count_in(dir, "train.log", "\"s\":null,\"n\":\"nine bytes\",\"t\":\"\"}\n"),
                     1);
}

/* A record without values, by the short way or not at all. */
static bool put(m31r_log *log, m31r_site *site)
{
    bool is_begun = m31r_hot_begin(m31r_hot_1, log, site, M31R_HOT_HEAD, 0) != NULL;
    if (is_begun) {
        m31r_hot_end(m31r_hot_1, M31R_HOT_HEAD);
    }
    return is_begun;
}

static void test_short_way__is_taken_from_the_second_record_on(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "trainer");
    emit_number(log, 0);
    if (m31r_hot_1->pass == 0) {
        end(run, dir);
        skip(); /* a processor without a counter that can be trusted */
    }
    static m31r_site site = {M31R_INFO, 0, "direct", NULL, "", 0, 0, M31R_NO_PASS};
    assert_false(put(log, &site)); /* a site that nobody knows */
    m31r_log_emit(log, &site, NULL);
    uint64_t before = n_puts();
    assert_true(put(log, &site));
    assert_int_equal(n_puts(), before + 1);
    m31r_log *other = m31r_run_logger(run, "loader");
    assert_false(put(other, &site)); /* a logger that nobody opened */
    m31r_log_emit(other, &site, NULL);
    assert_true(put(other, &site));
    end(run, dir);
    assert_int_equal(count_in(dir, "train.log", "\"module\":\"trainer\",\"msg\":\"direct\""), 2);
    assert_int_equal(count_in(dir, "train.log", "\"module\":\"loader\",\"msg\":\"direct\""), 2);
}

static void test_short_way__two_runs_in_turns_from_one_call_site(void **state)
{
    (void)state;
    char first[4096], second[4096], third[4096];
    m31r_run *a = open_run(), *b = open_run();
    m31r_log *la = m31r_run_logger(a, "trainer"), *lb = m31r_run_logger(b, "trainer");
    for (int i = 0; i < 50; i++) {
        emit_number(la, i);
        emit_number(i % 3 != 0 ? lb : la, i);
    }
    end(a, first);
    emit_number(lb, 50); /* the thread's cell was that of the run that is gone, or of this one */
    end(b, second);
    m31r_run *c = open_run();
    emit_number(m31r_run_logger(c, "trainer"), 51);
    emit_number(m31r_run_logger(c, "trainer"), 52);
    end(c, third);
    assert_int_equal(count_in(first, "train.log", "\"counted\""), 67);
    assert_int_equal(count_in(second, "train.log", "\"counted\""), 34);
    assert_int_equal(count_in(third, "train.log", "\"counted\""), 2);
}

static void test_short_way__is_shut_in_a_forked_child(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "trainer");
    emit_number(log, 0);
    emit_number(log, 1);
    pid_t child = fork();
    if (child == 0) {
        if (m31r_hot_1->pass != 0 || m31r_hot_1->limit != NULL) {
            _exit(1);
        }
        emit_number(log, 2);
        emit_number(log, 3);
        _exit(m31r_run_close(run) == M31R_OK ? 0 : 2);
    }
    emit_number(log, 4);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    emit_number(log, 5);
    end(run, dir);
    assert_int_equal(count_in(dir, "train.log", "\"counted\""), 4);
    assert_int_equal(
        count_in(dir, "train.log", "\"number\":2") + count_in(dir, "train.log", "\"number\":3"), 0);
}

static void test_short_way__a_denied_key_and_a_value_of_no_fixed_type_stay_outside(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "trainer");
    for (int i = 0; i < 3; i++) {
        m31r_info(log, "login", "password", "hunter2-and-more", "n", i);
        m31r_info(log, "text", "v", i == 1 ? m31r_of_int(i) : m31r_text("abc", 2));
    }
    end(run, dir);
    assert_int_equal(count_in(dir, "train.log", "hunter2"), 0);
    assert_int_equal(count_in(dir, "train.log", "\"msg\":\"login\",\"password\":\"[redacted:"), 3);
    assert_int_equal(count_in(dir, "train.log", "\"v\":\"ab\""), 2);
    assert_int_equal(count_in(dir, "train.log", "\"v\":1"), 1);
}

static void *emit_some(void *log)
{
    for (int i = 0; i < 100; i++) {
        emit_number(log, i);
    }
    return NULL;
}

static void test_short_way__a_second_thread_of_a_lane_is_still_said_once(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "trainer");
    emit_some(log);
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, emit_some, log), 0);
        emit_some(log);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    end(run, dir);
    assert_int_equal(count_in(dir, "train.log", "\"counted\""), 700);
    assert_int_equal(count_in(dir, "train.log", "\"lane_shared_by_threads\""), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_short_way__writes_what_the_long_way_writes,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_short_way__is_taken_from_the_second_record_on,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_short_way__two_runs_in_turns_from_one_call_site,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_short_way__is_shut_in_a_forked_child, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(
            test_short_way__a_denied_key_and_a_value_of_no_fixed_type_stay_outside, scratch_enter,
            scratch_leave),
        cmocka_unit_test_setup_teardown(
            test_short_way__a_second_thread_of_a_lane_is_still_said_once, scratch_enter,
            scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
