/* Append files: only regular files under their own name, torn tails taken off, outside changes seen
 * and mended. */
#include "scratch.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "store/append_file.h"

static m31ri_append_file *open_file(scratch *s, m31ri_append_mode mode, m31ri_buf *torn)
{
    m31ri_append_file *f = NULL;
    m31r_error e;
    assert_int_equal(m31ri_append_open(s->dir, "train.log", mode, NULL, torn, &f, &e), M31R_OK);
    return f;
}

static void assert_refused(scratch *s, int sys_errno)
{
    m31ri_append_file *f = NULL;
    m31r_error e;
    for (int mode = M31RI_APPEND_EXCLUSIVE; mode <= M31RI_APPEND_SHARED; mode++) {
        m31r_err err =
            m31ri_append_open(s->dir, "train.log", (m31ri_append_mode)mode, "h\n", NULL, &f, &e);
        assert_int_equal(err, M31R_E_IO);
        assert_int_equal(e.sys_errno, sys_errno);
        assert_null(f);
    }
}

static void test_append_file__a02_symlink_at_the_name_is_refused(void **state)
{
    (void)state;
    scratch s = scratch_make();
    scratch_put(s.dir, "victim", "safe");
    assert_int_equal(symlinkat("victim", s.dir, "train.log"), 0);
    assert_refused(&s, ELOOP);
    assert_string_equal(scratch_text(s.dir, "victim"), "safe");
    scratch_remove(&s);
}

static void test_append_file__a03_dangling_symlink_is_refused(void **state)
{
    (void)state;
    scratch s = scratch_make();
    assert_int_equal(symlinkat("nowhere", s.dir, "train.log"), 0);
    assert_refused(&s, ELOOP);
    assert_int_equal(faccessat(s.dir, "nowhere", F_OK, 0), -1);
    scratch_remove(&s);
}

static void test_append_file__fifo_and_directory_are_refused_at_once(void **state)
{
    (void)state;
    scratch s = scratch_make();
    assert_int_equal(mkfifoat(s.dir, "train.log", 0600), 0);
    assert_refused(&s, EINVAL);
    assert_int_equal(unlinkat(s.dir, "train.log", 0), 0);
    assert_int_equal(mkdirat(s.dir, "train.log", 0700), 0);
    assert_refused(&s, EISDIR);
    scratch_remove(&s);
}

static void test_append_file__header_stands_once_and_only_in_an_empty_file(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_append_file *f = NULL;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            m31ri_append_open(s.dir, "m.csv", M31RI_APPEND_SHARED, "head\n", NULL, &f, NULL),
            M31R_OK);
        assert_int_equal(m31ri_append_write(f, "line\n", 5), 0);
        m31ri_append_close(f);
    }
    assert_string_equal(scratch_text(s.dir, "m.csv"), "head\nline\nline\nline\n");
    scratch_remove(&s);
}

static void test_append_file__torn_tail_is_taken_off_and_handed_over(void **state)
{
    (void)state;
    for (int mode = M31RI_APPEND_EXCLUSIVE; mode <= M31RI_APPEND_SHARED; mode++) {
        scratch s = scratch_make();
        m31ri_buf torn = M31RI_BUF_INIT;
        scratch_put(s.dir, "train.log", "one\ntwo\n{\"ts\":\"20");
        m31ri_append_file *f = open_file(&s, (m31ri_append_mode)mode, &torn);
        assert_string_equal(m31ri_buf_str(&torn), "{\"ts\":\"20");
        assert_int_equal(m31ri_append_size(f), 8);
        assert_int_equal(m31ri_append_write(f, "three\n", 6), 0);
        assert_string_equal(scratch_text(s.dir, "train.log"), "one\ntwo\nthree\n");
        assert_int_equal(m31ri_append_check(f), M31RI_APPEND_FINE);
        m31ri_append_close(f);
        m31ri_buf_release(&torn);
        scratch_remove(&s);
    }
}

static void test_append_file__file_of_one_torn_line_becomes_empty(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_buf torn = M31RI_BUF_INIT;
    m31ri_buf long_line = M31RI_BUF_INIT;
    for (int i = 0; i < 10000; i++) {
        m31ri_buf_add_str(&long_line, "0123456789");
    }
    scratch_put(s.dir, "train.log", long_line.data);
    m31ri_append_file *f = open_file(&s, M31RI_APPEND_EXCLUSIVE, &torn);
    assert_int_equal(torn.length, 100000);
    assert_memory_equal(torn.data, long_line.data, 100000);
    assert_int_equal(m31ri_append_size(f), 0);
    m31ri_append_close(f);
    m31ri_buf_release(&torn);
    m31ri_buf_release(&long_line);
    scratch_remove(&s);
}

static void test_append_file__tail_too_long_to_be_torn_gets_its_newline(void **state)
{
    (void)state;
    scratch s = scratch_make();
    size_t length = M31RI_APPEND_TORN_LIMIT + 5000;
    char *text = malloc(length + 1);
    memset(text, 'x', length);
    text[length] = '\0';
    scratch_put(s.dir, "train.log", text);
    m31ri_append_file *f = open_file(&s, M31RI_APPEND_EXCLUSIVE, NULL);
    assert_int_equal(m31ri_append_size(f), length + 1);
    assert_int_equal(m31ri_append_write(f, "a\n", 2), 0);
    assert_string_equal(scratch_text(s.dir, "train.log") + length, "\na\n");
    m31ri_append_close(f);
    free(text);
    scratch_remove(&s);
}

/* A tail that appears while the file is open: another writer died. */
static void test_append_file__torn_by_another_writer_is_kept_for_the_asker(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_append_file *f = open_file(&s, M31RI_APPEND_SHARED, NULL);
    int fd = m31ri_open(s.dir, "train.log", O_WRONLY | O_APPEND, 0);
    assert_int_equal(write(fd, "whole\nhal", 9), 9);
    close(fd);
    assert_int_equal(m31ri_append_write(f, "next\n", 5), 0);
    assert_string_equal(scratch_text(s.dir, "train.log"), "whole\nnext\n");
    m31ri_buf torn = M31RI_BUF_INIT;
    assert_true(m31ri_append_take_torn(f, &torn));
    assert_string_equal(m31ri_buf_str(&torn), "hal\n");
    assert_false(m31ri_append_take_torn(f, &torn));
    m31ri_buf_release(&torn);
    m31ri_append_close(f);
    scratch_remove(&s);
}

static void test_append_file__a26_second_exclusive_writer_is_refused(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_append_file *f = open_file(&s, M31RI_APPEND_EXCLUSIVE, NULL);
    m31ri_append_file *second = NULL;
    m31r_error e;
    assert_int_equal(
        m31ri_append_open(s.dir, "train.log", M31RI_APPEND_EXCLUSIVE, NULL, NULL, &second, &e),
        M31R_E_BUSY);
    assert_string_equal(e.message, "another process writes train.log");
    m31ri_append_close(f);
    f = open_file(&s, M31RI_APPEND_EXCLUSIVE, NULL);
    m31ri_append_close(f);
    scratch_remove(&s);
}

static void test_append_file__a13_deleted_under_the_writer_is_made_again(void **state)
{
    (void)state;
    for (int mode = M31RI_APPEND_EXCLUSIVE; mode <= M31RI_APPEND_SHARED; mode++) {
        scratch s = scratch_make();
        m31ri_append_file *f = open_file(&s, (m31ri_append_mode)mode, NULL);
        assert_int_equal(m31ri_append_write(f, "one\n", 4), 0);
        assert_int_equal(unlinkat(s.dir, "train.log", 0), 0);
        assert_int_equal(m31ri_append_write(f, "two\n", 4), 0);
        assert_string_equal(scratch_text(s.dir, "train.log"), "two\n");
        assert_int_equal(m31ri_append_check(f), M31RI_APPEND_DELETED);
        assert_int_equal(m31ri_append_check(f), M31RI_APPEND_FINE);
        assert_int_equal(unlinkat(s.dir, "train.log", 0), 0);
        assert_int_equal(m31ri_append_check(f), M31RI_APPEND_DELETED);
        assert_string_equal(scratch_text(s.dir, "train.log"), "");
        m31ri_append_close(f);
        scratch_remove(&s);
    }
}

static void test_append_file__a13_write_fails_when_it_cannot_be_made_again(void **state)
{
    (void)state;
    scratch s = scratch_make();
    assert_int_equal(mkdirat(s.dir, "run", 0777), 0);
    int dir = m31ri_open_dir(s.dir, "run", false);
    m31ri_append_file *f = NULL;
    assert_int_equal(m31ri_append_open(dir, "a.log", M31RI_APPEND_EXCLUSIVE, NULL, NULL, &f, NULL),
                     M31R_OK);
    assert_int_equal(unlinkat(dir, "a.log", 0), 0);
    assert_int_equal(unlinkat(s.dir, "run", AT_REMOVEDIR), 0);
    assert_int_equal(m31ri_append_write(f, "x\n", 2), ENOENT);
    assert_int_equal(m31ri_append_check(f), M31RI_APPEND_DELETED);
    assert_int_equal(m31ri_append_check(f), M31RI_APPEND_DELETED);
    m31ri_append_close(f);
    close(dir);
    scratch_remove(&s);
}

static void test_append_file__a14_truncated_under_the_writer_goes_on_at_a_line_end(void **state)
{
    (void)state;
    for (int mode = M31RI_APPEND_EXCLUSIVE; mode <= M31RI_APPEND_SHARED; mode++) {
        scratch s = scratch_make();
        m31ri_append_file *f = open_file(&s, (m31ri_append_mode)mode, NULL);
        assert_int_equal(m31ri_append_write(f, "one\ntwo\n", 8), 0);
        char path[128];
        snprintf(path, sizeof path, "%s/train.log", s.path);
        assert_int_equal(truncate(path, 6), 0);
        assert_int_equal(m31ri_append_write(f, "three\n", 6), 0);
        assert_string_equal(scratch_text(s.dir, "train.log"), "one\nthree\n");
        assert_int_equal(m31ri_append_check(f), M31RI_APPEND_TRUNCATED);
        assert_int_equal(m31ri_append_check(f), M31RI_APPEND_FINE);
        assert_int_equal(truncate(path, 0), 0);
        assert_int_equal(m31ri_append_check(f), M31RI_APPEND_TRUNCATED);
        assert_int_equal(m31ri_append_size(f), 0);
        m31ri_append_close(f);
        scratch_remove(&s);
    }
}

static void test_append_file__a15_replaced_file_is_told_and_writing_goes_on(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_append_file *f = open_file(&s, M31RI_APPEND_EXCLUSIVE, NULL);
    assert_int_equal(renameat(s.dir, "train.log", s.dir, "train.log.1"), 0);
    scratch_put(s.dir, "train.log", "foreign\n");
    assert_int_equal(m31ri_append_check(f), M31RI_APPEND_REPLACED);
    assert_int_equal(m31ri_append_write(f, "mine\n", 5), 0);
    assert_string_equal(scratch_text(s.dir, "train.log"), "foreign\n");
    assert_string_equal(scratch_text(s.dir, "train.log.1"), "mine\n");
    m31ri_append_close(f);
    scratch_remove(&s);
}

/* An editor that saves: a new file renamed over ours, which has no link any more. */
static void test_append_file__renamed_over_goes_on_in_the_file_of_the_name(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_append_file *f = open_file(&s, M31RI_APPEND_EXCLUSIVE, NULL);
    scratch_put(s.dir, "new", "edited\nhalf");
    assert_int_equal(renameat(s.dir, "new", s.dir, "train.log"), 0);
    assert_int_equal(m31ri_append_write(f, "mine\n", 5), 0);
    assert_string_equal(scratch_text(s.dir, "train.log"), "edited\nmine\n");
    assert_int_equal(m31ri_append_check(f), M31RI_APPEND_DELETED);
    m31ri_append_close(f);
    scratch_remove(&s);
}

static void test_append_file__a20_log_descriptor_is_never_a_standard_one(void **state)
{
    (void)state;
    scratch s = scratch_make();
    pid_t child = fork();
    if (child == 0) {
        close(0);
        close(1);
        close(2);
        m31ri_append_file *f = NULL;
        m31r_err err =
            m31ri_append_open(s.dir, "train.log", M31RI_APPEND_SHARED, "h\n", NULL, &f, NULL);
        bool stray = write(1, "stray", 5) == 5 || write(2, "stray", 5) == 5;
        _exit(err == M31R_OK && !stray ? 0 : 1);
    }
    scratch_wait(child);
    assert_string_equal(scratch_text(s.dir, "train.log"), "h\n");
    scratch_remove(&s);
}

static void test_append_file__a27_no_free_descriptor_is_reported(void **state)
{
    (void)state;
    scratch s = scratch_make();
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {(rlim_t)s.dir + 1, (rlim_t)s.dir + 1};
        setrlimit(RLIMIT_NOFILE, &limit);
        m31ri_append_file *f = NULL;
        m31r_error e;
        m31r_err err = m31ri_append_open(s.dir, "a", M31RI_APPEND_SHARED, NULL, NULL, &f, &e);
        _exit(err == M31R_E_IO && e.sys_errno == EMFILE && f == NULL ? 0 : 1);
    }
    scratch_wait(child);
    scratch_remove(&s);
}

static void test_append_file__a28_name_too_long_is_reported(void **state)
{
    (void)state;
    scratch s = scratch_make();
    char name[400];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    m31ri_append_file *f = NULL;
    m31r_error e;
    assert_int_equal(m31ri_append_open(s.dir, name, M31RI_APPEND_SHARED, NULL, NULL, &f, &e),
                     M31R_E_IO);
    assert_int_equal(e.sys_errno, ENAMETOOLONG);
    scratch_remove(&s);
}

static void test_append_file__every_failed_allocation_is_reported_and_loses_nothing(void **state)
{
    (void)state;
    bool done = false;
    for (int n = 1; !done; n++) {
        assert_true(n < 50);
        scratch s = scratch_make();
        m31ri_buf torn = M31RI_BUF_INIT;
        m31ri_append_file *f = NULL;
        scratch_put(s.dir, "train.log", "one\ntorn");
        m31ri_alloc_fail_at(n, 0);
        m31r_err err =
            m31ri_append_open(s.dir, "train.log", M31RI_APPEND_EXCLUSIVE, NULL, &torn, &f, NULL);
        m31ri_alloc_fail_at(0, 0);
        done = err == M31R_OK;
        if (!done) {
            assert_int_equal(err, M31R_E_NOMEM);
            assert_string_equal(scratch_text(s.dir, "train.log"), "one\ntorn");
        }
        m31ri_append_close(f);
        m31ri_buf_release(&torn);
        scratch_remove(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_file__a02_symlink_at_the_name_is_refused),
        cmocka_unit_test(test_append_file__a03_dangling_symlink_is_refused),
        cmocka_unit_test(test_append_file__fifo_and_directory_are_refused_at_once),
        cmocka_unit_test(test_append_file__header_stands_once_and_only_in_an_empty_file),
        cmocka_unit_test(test_append_file__torn_tail_is_taken_off_and_handed_over),
        cmocka_unit_test(test_append_file__file_of_one_torn_line_becomes_empty),
        cmocka_unit_test(test_append_file__tail_too_long_to_be_torn_gets_its_newline),
        cmocka_unit_test(test_append_file__torn_by_another_writer_is_kept_for_the_asker),
        cmocka_unit_test(test_append_file__a26_second_exclusive_writer_is_refused),
        cmocka_unit_test(test_append_file__a13_deleted_under_the_writer_is_made_again),
        cmocka_unit_test(test_append_file__a13_write_fails_when_it_cannot_be_made_again),
        cmocka_unit_test(test_append_file__a14_truncated_under_the_writer_goes_on_at_a_line_end),
        cmocka_unit_test(test_append_file__a15_replaced_file_is_told_and_writing_goes_on),
        cmocka_unit_test(test_append_file__renamed_over_goes_on_in_the_file_of_the_name),
        cmocka_unit_test(test_append_file__a20_log_descriptor_is_never_a_standard_one),
        cmocka_unit_test(test_append_file__a27_no_free_descriptor_is_reported),
        cmocka_unit_test(test_append_file__a28_name_too_long_is_reported),
        cmocka_unit_test(test_append_file__every_failed_allocation_is_reported_and_loses_nothing),
    };
    return cmocka_run_group_tests_name("append_file", tests, NULL, NULL);
}
