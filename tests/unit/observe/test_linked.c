/* What a program links, by its loader: beside what this very process has loaded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/os_loaded.h"
#include "observe/linked.h"

typedef struct both {
    m31ri_buf program, libraries;
} both;

static bool look(const char *name, both *b)
{
    *b = (both){M31RI_BUF_INIT, M31RI_BUF_INIT};
    return m31ri_linked_libraries(name, &b->program, &b->libraries);
}

static void release(both *b)
{
    m31ri_buf_release(&b->program);
    m31ri_buf_release(&b->libraries);
}

static bool has(const both *b, const char *path)
{
    for (const char *at = m31ri_buf_str(&b->libraries); *at != '\0'; at += strlen(at) + 1) {
        char *real = realpath(at, NULL);
        bool is_it = real != NULL && strcmp(real, path) == 0;
        free(real);
        if (is_it) {
            return true;
        }
    }
    return false;
}

static void must_be_linked(void *context, const char *path)
{
    char self[4096];
    assert_true(m31ri_loaded_program(getpid(), self, sizeof self));
    if (strcmp(path, self) != 0) {
        assert_true(has(context, path));
    }
}

static void test_linked__is_what_is_loaded_at_the_start(void **state)
{
    (void)state;
    both b;
    char self[4096];
    assert_true(m31ri_loaded_program(getpid(), self, sizeof self));
    assert_true(look(self, &b));
    assert_true(m31ri_loaded_each(getpid(), must_be_linked, &b));
    release(&b);
}

static void write_script(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, 0700), 0);
}

static void test_linked__of_a_script_its_interpreters(void **state)
{
    (void)state;
    static const char *const lines[] = {"#!/bin/sh\n", "#!/usr/bin/env sh\n", "#! /bin/sh -e\n",
                                        "#!/usr/bin/env -S A=b sh -e\n"};
    char path[] = "/tmp/m31r-linked-XXXXXX";
    close(mkstemp(path));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        both b;
        write_script(path, lines[i]);
        assert_true(look(path, &b));
        assert_string_equal(strrchr(m31ri_buf_str(&b.program), '/'), "/sh");
        assert_non_null(strstr(m31ri_buf_str(&b.libraries), "libc."));
        release(&b);
    }
    unlink(path);
}

static void test_linked__nothing_of_what_is_no_program(void **state)
{
    (void)state;
    char path[] = "/tmp/m31r-linked-XXXXXX";
    char itself[64];
    close(mkstemp(path));
    snprintf(itself, sizeof itself, "#!%s\n", path);
    const char *const texts[] = {"", "#!\n", "#!/usr/bin/env\n", "no program", itself};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        both b;
        write_script(path, texts[i]);
        assert_false(look(path, &b));
        release(&b);
    }
    unlink(path);
    both b;
    assert_false(look("there-is-no-such-program", &b));
    release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linked__is_what_is_loaded_at_the_start),
        cmocka_unit_test(test_linked__of_a_script_its_interpreters),
        cmocka_unit_test(test_linked__nothing_of_what_is_no_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
