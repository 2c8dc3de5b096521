/* Base: buffers remember failure, errors are cut and keep errno, replacement is atomic, liveness is
 * proved. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/os_process.h"
#include "base/sha256.h"

static void test_buf__remembers_a_failed_allocation(void **state)
{
    (void)state;
    m31ri_buf b = M31RI_BUF_INIT;
    m31ri_buf_add_str(&b, "abc");
    m31ri_alloc_fail_at(1, 0);
    for (int i = 0; i < 200; i++) {
        m31ri_buf_add_str(&b, "0123456789");
    }
    m31ri_alloc_fail_at(0, 0);
    assert_false(m31ri_buf_ok(&b));
    m31ri_buf_clear(&b);
    m31ri_buf_add_format(&b, "%d-%s", 7, "x");
    assert_true(m31ri_buf_ok(&b));
    assert_string_equal(m31ri_buf_str(&b), "7-x");
    m31ri_buf_release(&b);
}

static void test_fail__cuts_a_long_message_and_keeps_errno(void **state)
{
    (void)state;
    m31r_error e;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    errno = EIO;
    assert_int_equal(m31ri_fail(&e, M31R_E_LIMIT, "%s", text), M31R_E_LIMIT);
    assert_int_equal(errno, EIO);
    assert_int_equal(strlen(e.message), M31R_ERROR_MESSAGE_BYTES - 1);
    assert_int_equal(m31ri_fail_sys(&e, ENOENT, "a/b", "opening %s", "a/b"), M31R_E_NOTFOUND);
    assert_string_equal(e.message, "opening a/b: No such file or directory");
    assert_string_equal(e.path, "a/b");
}

static int make_scratch(char path[64])
{
    strcpy(path, "/tmp/m31r-test-XXXXXX");
    assert_non_null(mkdtemp(path));
    int dir = m31ri_open_dir(AT_FDCWD, path, false);
    assert_true(dir >= 3);
    return dir;
}

static void test_replace__never_follows_a_planted_link(void **state)
{
    (void)state;
    char path[64];
    int dir = make_scratch(path);
    assert_int_equal(m31ri_create_file(dir, "victim", "safe", 4, NULL), M31R_OK);
    assert_int_equal(symlinkat("victim", dir, "data.json"), 0);
    assert_int_equal(symlinkat("victim", dir, "data.json.tmp"), 0);
    assert_int_equal(m31ri_replace_file(dir, "data.json", "new", 3, true, NULL), M31R_OK);
    m31ri_buf b = M31RI_BUF_INIT;
    assert_int_equal(m31ri_read_file(dir, "victim", 100, &b, NULL), M31R_OK);
    assert_string_equal(m31ri_buf_str(&b), "safe");
    m31ri_buf_clear(&b);
    assert_int_equal(m31ri_read_file(dir, "data.json", 100, &b, NULL), M31R_OK);
    assert_string_equal(m31ri_buf_str(&b), "new");
    m31ri_buf_release(&b);
    unlinkat(dir, "victim", 0);
    unlinkat(dir, "data.json", 0);
    rmdir(path);
    close(dir);
}

static void test_open__never_gives_a_standard_descriptor(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        close(0);
        int fd = m31ri_open(AT_FDCWD, "/dev/null", O_RDONLY, 0);
        _exit(fd >= 3 ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_liveness__is_proved_for_self_and_for_a_dead_child(void **state)
{
    (void)state;
    m31ri_process self = m31ri_process_self();
    assert_int_equal(m31ri_process_liveness(&self), M31RI_ALIVE);
    self.start_ticks += 1;
    assert_int_equal(m31ri_process_liveness(&self), M31RI_DEAD);
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    waitpid(child, NULL, 0);
    m31ri_process gone = m31ri_process_self();
    gone.pid = child;
    assert_int_equal(m31ri_process_liveness(&gone), M31RI_DEAD);
    strcpy(gone.host, "elsewhere");
    assert_int_equal(m31ri_process_liveness(&gone), M31RI_UNKNOWN);
}

static void test_sha256__matches_the_published_vector(void **state)
{
    (void)state;
    uint8_t digest[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    m31ri_sha256_of("abc", 3, digest);
    m31ri_sha256_hex(digest, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf__remembers_a_failed_allocation),
        cmocka_unit_test(test_fail__cuts_a_long_message_and_keeps_errno),
        cmocka_unit_test(test_replace__never_follows_a_planted_link),
        cmocka_unit_test(test_open__never_gives_a_standard_descriptor),
        cmocka_unit_test(test_liveness__is_proved_for_self_and_for_a_dead_child),
        cmocka_unit_test(test_sha256__matches_the_published_vector),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
