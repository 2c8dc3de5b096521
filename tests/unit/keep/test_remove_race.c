/* Removing a tree while another thread exchanges what is in it for links that lead outside: nothing
 * outside is ever touched. M31R_SOAK: 10,000 rounds. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/os_remove.h"

#define ROUNDS 300
#define ROUNDS_SOAK 10000

static char scratch[64];
static atomic_bool is_over;

static void make_file(int dir, const char *path)
{
    int fd = openat(dir, path, O_CREAT | O_WRONLY, 0666);
    assert_true(fd >= 0);
    close(fd);
}

static int setup(void **state)
{
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/m31r-race-XXXXXX");
    assert_non_null(mkdtemp(scratch));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return m31ri_remove_tree(AT_FDCWD, scratch, NULL) == M31R_OK ? 0 : -1;
}

/* Exchanges inside/a/b for a link to outside, over and over. */
static void *exchange(void *context)
{
    int dir = *(int *)context;
    int n = 0;
    while (!atomic_load(&is_over)) {
        char aside[32];
        snprintf(aside, sizeof aside, "aside%d", n++);
        (void)renameat2(dir, "link", dir, aside, 0); /* a directory that was exchanged for it */
        (void)symlinkat("../../outside", dir, "link");
        if (renameat2(dir, "link", dir, "inside/a/b", RENAME_EXCHANGE) == 0) {
            (void)renameat2(dir, "link", dir, "inside/a/b", RENAME_EXCHANGE);
        }
        if (renameat2(dir, "link", dir, "inside/a", RENAME_EXCHANGE) == 0) {
            (void)renameat2(dir, "link", dir, "inside/a", RENAME_EXCHANGE);
        }
    }
    return NULL;
}

static void test_remove_tree__10000_rounds_against_links_touch_nothing_outside(void **state)
{
    (void)state;
    pthread_t thread;
    struct stat st;
    int rounds = getenv("M31R_SOAK") != NULL ? ROUNDS_SOAK : ROUNDS;
    int dir = open(scratch, O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    mkdirat(dir, "outside", 0777);
    mkdirat(dir, "outside/deep", 0777);
    make_file(dir, "outside/keep");
    make_file(dir, "outside/deep/keep");
    assert_int_equal(pthread_create(&thread, NULL, exchange, &dir), 0);
    int n_whole = 0;
    for (int i = 0; i < rounds; i++) {
        mkdirat(dir, "inside", 0777);
        mkdirat(dir, "inside/a", 0777);
        mkdirat(dir, "inside/a/b", 0777);
        for (int k = 0; k < 8; k++) {
            char name[32];
            snprintf(name, sizeof name, "inside/a/b/f%d", k);
            int fd = openat(dir, name, O_CREAT | O_WRONLY | O_NOFOLLOW, 0666);
            if (fd >= 0) {
                close(fd);
            }
        }
        n_whole += m31ri_remove_tree(dir, "inside", NULL) == M31R_OK;
        assert_int_equal(fstatat(dir, "outside/keep", &st, 0), 0);
        assert_int_equal(fstatat(dir, "outside/deep/keep", &st, 0), 0);
    }
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    close(dir);
    assert_true(n_whole > 0); /* the others met what was being exchanged, and said so */
}

static void test_remove_tree__removes_links_themselves_and_what_may_not_be_written(void **state)
{
    (void)state;
    struct stat st;
    int dir = open(scratch, O_RDONLY | O_DIRECTORY);
    mkdirat(dir, "outside", 0777);
    make_file(dir, "outside/keep");
    mkdirat(dir, "t", 0777);
    mkdirat(dir, "t/locked", 0777);
    make_file(dir, "t/locked/f");
    assert_int_equal(symlinkat("../outside", dir, "t/link"), 0);
    assert_int_equal(fchmodat(dir, "t/locked", 0500, 0), 0);
    assert_int_equal(m31ri_remove_tree(dir, "t", NULL), M31R_OK);
    assert_int_not_equal(fstatat(dir, "t", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(fstatat(dir, "outside/keep", &st, 0), 0);
    assert_int_equal(symlinkat("outside", dir, "l"), 0);
    assert_int_equal(m31ri_remove_tree(dir, "l", NULL), M31R_OK);
    assert_int_equal(fstatat(dir, "outside/keep", &st, 0), 0);
    assert_int_equal(m31ri_remove_tree(dir, "none", NULL), M31R_E_NOTFOUND);
    close(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_remove_tree__10000_rounds_against_links_touch_nothing_outside, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_remove_tree__removes_links_themselves_and_what_may_not_be_written, setup,
            teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
