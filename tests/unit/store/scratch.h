/* scratch.h - an empty directory of a test's own, and what tests of the store do with it. */
#ifndef TEST_STORE_SCRATCH_H
#define TEST_STORE_SCRATCH_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/os_file.h"

typedef struct scratch {
    char path[64];
    int dir;
} scratch;

static inline scratch scratch_make(void)
{
    scratch s;
    snprintf(s.path, sizeof s.path, "/tmp/m31r-store-XXXXXX");
    assert_non_null(mkdtemp(s.path));
    s.dir = m31ri_open_dir(AT_FDCWD, s.path, false);
    assert_true(s.dir >= 3);
    return s;
}

static inline void scratch_remove(scratch *s)
{
    char command[128];
    close(s->dir);
    snprintf(command, sizeof command, "rm -rf -- %s", s->path);
    assert_int_equal(system(command), 0);
}

static inline void scratch_put(int dir, const char *name, const char *text)
{
    assert_int_equal(m31ri_create_file(dir, name, text, strlen(text), NULL), M31R_OK);
}

/* The content of a file, kept until the next call. */
static inline const char *scratch_text(int dir, const char *name)
{
    static m31ri_buf kept;
    m31ri_buf_clear(&kept);
    assert_int_equal(m31ri_read_file(dir, name, 64 * 1024 * 1024, &kept, NULL), M31R_OK);
    return m31ri_buf_str(&kept);
}

/* Waits for a child that must have ended with status 0. */
static inline void scratch_wait(pid_t child)
{
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#endif
