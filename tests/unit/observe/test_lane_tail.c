/* The observer's view of the lanes: each line once, across rotations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_file.h"
#include "format/segments.h"
#include "observe/lane_tail.h"
#include "store/segment.h"

static char folder[64];
static int dir;

static int make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/m31r-tail-XXXXXX");
    assert_non_null(mkdtemp(folder));
    dir = m31ri_open_dir(AT_FDCWD, folder, false);
    return dir < 0;
}

static int clean(void **state)
{
    char command[128];
    (void)state;
    close(dir);
    snprintf(command, sizeof command, "rm -rf -- %s", folder);
    return system(command);
}

static void write_line(const char *file, int i)
{
    char line[64];
    int fd = m31ri_open(dir, file, O_WRONLY | O_CREAT | O_APPEND, 0666);
    int n = snprintf(line, sizeof line, "{\"step\":%d}\n", i);
    assert_int_equal(write(fd, line, (size_t)n), n);
    close(fd);
}

typedef struct seen {
    int times[2000];
} seen;

static void count(void *context, const char *line, size_t length)
{
    seen *s = context;
    int i = (int)strtol(line + 8, NULL, 10);
    assert_true(length > 9 && i >= 0 && i < 2000);
    s->times[i]++;
}

static void rotate(uint32_t ordinal, bool is_packed)
{
    char name[M31RI_SEGMENT_NAME_BYTES];
    m31ri_segment_name_write("train.log", ordinal, 1795429611000000000, name);
    assert_int_equal(renameat(dir, "train.log", dir, name), 0);
    if (is_packed) {
        assert_int_equal(m31ri_segment_compress(dir, name, NULL, NULL), M31R_OK);
    }
}

static void test_lane_tail__shows_each_line_once_across_rotations(void **state)
{
    (void)state;
    static const char *const without[] = {"train.stdout.log"};
    static seen s;
    m31ri_lane_tail *tail = m31ri_lane_tail_new(dir, without, 1, 0);
    for (int i = 0; i < 1200; i++) {
        write_line("train.log", i);
        write_line("train.stdout.log", 1999);
        if (i % 7 == 3) {
            (void)m31ri_lane_tail_read(tail, count, &s);
        }
        if (i % 10 == 9) { /* every third time compressed: what was open is read to its end */
            rotate((uint32_t)i / 10 + 1, i % 30 == 29);
        }
    }
    (void)m31ri_lane_tail_read(tail, count, &s);
    (void)m31ri_lane_tail_read(tail, count, &s);
    for (int i = 0; i < 1200; i++) {
        if (s.times[i] != 1) {
            fail_msg("line %d came %d times", i, s.times[i]);
        }
    }
    assert_int_equal(s.times[1999], 0);
    m31ri_lane_tail_free(tail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lane_tail__shows_each_line_once_across_rotations),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
