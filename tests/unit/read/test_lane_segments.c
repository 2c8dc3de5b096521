/* A lane that was rotated and compressed reads as if it never had been. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/os_file.h"
#include "format/seekable.h"
#include "format/segments.h"
#include "m31r/scan.h"
#include "store/segment.h"
#include "unit/read/scratch_run.h"

#define N_LINES 16000
#define WALL_NS 1795429611000000000LL

static int dir;

static int make_run(void **state)
{
    char path[256];
    scratch_make(state);
    snprintf(path, sizeof path, "%s/" FIXTURE, scratch_root);
    in_run("rm -f *.log");
    dir = m31ri_open_dir(AT_FDCWD, path, false);
    return dir < 0;
}

static int remove_run(void **state)
{
    close(dir);
    return scratch_remove(state);
}

static void add_line(m31ri_buf *text, int i)
{
    const char *level = i % 9000 == 8000 ? "ERROR" : i % 100 == 7 ? "WARNING" : "INFO";
    if (i % 13000 == 12999) {
        m31ri_buf_add_str(text, "{\"broken\":\n");
        return;
    }
    m31ri_buf_add_format(text,
                         "{\"ts\":\"2026-11-23T10:%02d:%02d.%06dZ\",\"level\":\"%s\",\"module\":"
                         "\"%s\",\"msg\":\"step\",\"step\":%d,\"loss\":%d.5,\"text\":\"%0*d\"}\n",
                         i / 6000, i / 100 % 60, i % 100, level, i < 4000 ? "data" : "trainer", i,
                         i % 11, i % 80 + 1, i);
}

/* Writes lines [from, to) into `name`. */
static void put_lines(const char *name, int from, int to)
{
    m31ri_buf text = M31RI_BUF_INIT;
    for (int i = from; i < to; i++) {
        add_line(&text, i);
    }
    unlinkat(dir, name, 0);
    assert_int_equal(m31ri_create_file(dir, name, m31ri_buf_str(&text), text.length, NULL), 0);
    m31ri_buf_release(&text);
}

static void put_segment(uint32_t ordinal, int from, int to, bool is_packed)
{
    char name[M31RI_SEGMENT_NAME_BYTES];
    m31ri_segment_name_write("train.log", ordinal, WALL_NS, name);
    put_lines(name, from, to);
    if (is_packed) {
        assert_int_equal(m31ri_segment_compress(dir, name, NULL, NULL), M31R_OK);
    }
}

/* All that a scan says: each record with its place, then the counts. */
static void tell(const m31r_scan_options *options, m31ri_buf *out)
{
    m31r_reader *reader = open_scratch();
    m31r_scan *scan = NULL;
    m31r_record r;
    m31r_error e;
    assert_int_equal(m31r_scan_open_run(&scan, reader, options, &e), M31R_OK);
    m31r_err err;
    while ((err = m31r_scan_next(scan, &r, &e)) == M31R_OK) {
        m31ri_buf_add_format(out, "%s %s %llu ", r.lane, r.file, (unsigned long long)r.line_number);
        m31ri_buf_add(out, r.line, r.length);
        m31ri_buf_add_char(out, '\n');
    }
    assert_int_equal(err, M31R_EOF);
    m31r_scan_counts c = m31r_scan_count(scan);
    for (int i = 0; i < M31R_LINE_CLASSES; i++) {
        m31ri_buf_add_format(out, "%llu ", (unsigned long long)c.lines[i]);
    }
    m31ri_buf_add_format(out, "skipped %llu torn %llu kept %llu first %s:%llu %s",
                         (unsigned long long)c.n_skipped, (unsigned long long)c.n_torn,
                         (unsigned long long)c.n_kept, c.first_bad_file,
                         (unsigned long long)c.first_bad_line, c.first_bad_why);
    m31r_scan_close(scan);
    m31r_reader_close(reader);
}

#define N_ASKED 8

/* Answers to filters of each kind. */
static void ask_all(m31ri_buf out[N_ASKED])
{
    for (int i = 0; i < N_ASKED; i++) {
        m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
        m31r_filter *f = &options.filter;
        m31r_error e;
        if (i == 1) {
            f->min_level = M31R_ERROR;
        } else if (i == 2) {
            f->module = "data";
        } else if (i == 3) {
            f->has_steps = true;
            f->first_step = 10000;
            f->last_step = 10020;
        } else if (i == 4) {
            assert_int_equal(m31r_time_read("2026-11-23T10:02:20Z", &f->since_ns, &e), M31R_OK);
            assert_int_equal(m31r_time_read("2026-11-23T10:02:22Z", &f->until_ns, &e), M31R_OK);
        } else if (i == 5) {
            options.tail = 5;
        } else if (i == 6) {
            options.around = (m31r_around){.n = 2, .line = 9000};
        } else if (i == 7) {
            f->module = "nobody";
        }
        out[i] = (m31ri_buf)M31RI_BUF_INIT;
        tell(&options, &out[i]);
    }
}

static void release_all(m31ri_buf out[N_ASKED])
{
    for (int i = 0; i < N_ASKED; i++) {
        m31ri_buf_release(&out[i]);
    }
}

static void assert_answers(m31ri_buf want[N_ASKED])
{
    m31ri_buf got[N_ASKED];
    ask_all(got);
    for (int i = 0; i < N_ASKED; i++) {
        assert_int_equal(got[i].length, want[i].length);
        assert_memory_equal(got[i].data, want[i].data, want[i].length);
    }
    release_all(got);
}

static void test_obs_10__segments_read_as_one_file(void **state)
{
    (void)state;
    m31ri_buf want[N_ASKED];
    put_lines("train.log", 0, N_LINES);
    ask_all(want);
    /* Plain ones; some compressed; all, with nothing left to write to; one with its twin. */
    put_segment(1, 0, 4000, false);
    put_segment(2, 4000, 4001, false);
    put_segment(7, 4001, 13000, false);
    put_lines("train.log", 13000, N_LINES);
    assert_answers(want);
    put_segment(1, 0, 4000, true);
    put_segment(7, 4001, 13000, true);
    assert_answers(want);
    put_segment(1, 0, 4000, false);
    assert_answers(want);
    put_segment(8, 13000, N_LINES, true);
    assert_int_equal(unlinkat(dir, "train.log", 0), 0);
    assert_answers(want);
    release_all(want);
}

static void test_segments__the_lane_is_one(void **state)
{
    (void)state;
    in_run("rm -f *.log*");
    put_segment(1, 0, 100, true);
    put_segment(2, 100, 200, false);
    m31r_reader *reader = open_scratch();
    assert_int_equal(m31r_reader_lanes(reader), 1);
    const m31r_lane_facts *lane = m31r_reader_lane(reader, 0);
    assert_string_equal(lane->file, "train.log");
    assert_string_equal(lane->name, "");
    assert_int_equal(lane->segments, 2);
    assert_true(lane->bytes > 0);
    m31r_reader_close(reader);
}

static void test_segments__a_lane_of_many(void **state)
{
    (void)state;
    m31ri_buf want[N_ASKED];
    in_run("rm -f *.log*");
    put_lines("train.log", 0, 8000);
    ask_all(want);
    for (int i = 0; i < 160; i++) {
        put_segment((uint32_t)i + 1, i * 50, i * 50 + 50, i % 4 == 0);
    }
    put_lines("train.log", 8000, 8000);
    assert_answers(want);
    release_all(want);
}

static void flip(const char *name, off_t at)
{
    char byte;
    int fd = m31ri_open(dir, name, O_RDWR, 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* A damaged frame costs its own lines, which are counted; and it is not read where its index says
 * that there is nothing to find. */
static void test_obs_10__a_damaged_frame_is_told_and_passed_over(void **state)
{
    (void)state;
    char name[M31RI_SEGMENT_NAME_BYTES + 4];
    m31ri_seekable s;
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_reader *reader;
    m31r_scan *scan;
    m31r_record r;
    in_run("rm -f *.log*");
    put_segment(1, 13000, 25000, true);
    m31ri_segment_name_write("train.log", 1, WALL_NS, name);
    strcat(name, ".zst");
    int fd = m31ri_open(dir, name, O_RDONLY, 0);
    assert_int_equal(m31ri_seekable_init(&s, fd, NULL), M31R_OK);
    assert_true(s.list.n >= 2);
    uint64_t n_first = s.zones.zones[0].n_lines;
    flip(name, s.list.frames[0].bytes / 2);
    m31ri_seekable_release(&s);
    close(fd);
    for (int pass = 0; pass < 2; pass++) {
        uint64_t n = 0;
        options.filter.min_level = pass == 0 ? 0 : M31R_ERROR;
        reader = open_scratch();
        assert_int_equal(m31r_scan_open_run(&scan, reader, &options, NULL), M31R_OK);
        while (m31r_scan_next(scan, &r, NULL) == M31R_OK) {
            assert_int_equal(r.line_number, r.step - 13000 + 1);
            n++;
        }
        m31r_scan_counts c = m31r_scan_count(scan);
        assert_int_equal(c.lines[M31R_LINE_UNREADABLE], n_first);
        assert_int_equal(c.n_skipped, n_first);
        assert_int_equal(c.first_bad_line, 1);
        assert_non_null(strstr(c.first_bad_why, name));
        assert_int_equal(n, pass == 0 ? 12000 - n_first : 0);
        m31r_scan_close(scan);
        m31r_reader_close(reader);
        assert_true(n_first > 4000); /* so step 17000, the only ERROR, is in it */
    }
    options.filter.min_level = M31R_CRITICAL;
    reader = open_scratch();
    assert_int_equal(m31r_scan_open_run(&scan, reader, &options, NULL), M31R_OK);
    assert_int_equal(m31r_scan_next(scan, &r, NULL), M31R_EOF);
    assert_int_equal(m31r_scan_count(scan).n_skipped, 0);
    m31r_scan_close(scan);
    m31r_reader_close(reader);
}

/* Every file cut anywhere: what is before the cut is read, and the cut is told. */
static void test_segments__a_cut_file_is_read_to_the_cut(void **state)
{
    (void)state;
    char path[512];
    char name[M31RI_SEGMENT_NAME_BYTES];
    in_run("rm -f *.log*");
    put_segment(1, 0, 12000, true);
    m31ri_segment_name_write("train.log", 1, WALL_NS, name);
    snprintf(path, sizeof path, "%s/" FIXTURE "/%s.zst", scratch_root, name);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    for (off_t length = st.st_size - 1; length > 0; length -= st.st_size / 23) {
        assert_int_equal(truncate(path, length), 0);
        m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
        m31r_scan *scan = NULL;
        m31r_record r;
        uint64_t n = 0;
        assert_int_equal(m31r_scan_open_file(&scan, path, &options, NULL), M31R_OK);
        m31r_err err;
        while ((err = m31r_scan_next(scan, &r, NULL)) == M31R_OK) {
            assert_int_equal(r.step, n++);
        }
        assert_int_equal(err, M31R_EOF);
        m31r_scan_counts c = m31r_scan_count(scan);
        assert_true(c.lines[M31R_LINE_UNREADABLE] == 1 || n == 12000);
        m31r_scan_close(scan);
    }
}

/* What zstd itself writes, in one frame without a table. */
static void test_segments__a_foreign_zstd_file_is_read(void **state)
{
    (void)state;
    char path[512];
    in_run("rm -f *.log*");
    put_lines("foreign.jsonl", 0, 12000);
    in_run("zstd -q foreign.jsonl -o foreign.jsonl.zst && mv foreign.jsonl.zst other");
    snprintf(path, sizeof path, "%s/" FIXTURE "/other", scratch_root);
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_scan *scan = NULL;
    m31r_record r;
    int64_t n = 0;
    assert_int_equal(m31r_scan_open_file(&scan, path, &options, NULL), M31R_OK);
    while (m31r_scan_next(scan, &r, NULL) == M31R_OK) {
        assert_int_equal(r.step, n++);
    }
    assert_int_equal(n, 12000);
    assert_int_equal(m31r_scan_count(scan).n_skipped, 0);
    m31r_scan_close(scan);
}

/* The writer of a lane: rotates every 100 records, and compresses at once every second segment. */
static void write_and_rotate(int n)
{
    char name[M31RI_SEGMENT_NAME_BYTES];
    m31ri_buf line = M31RI_BUF_INIT;
    int fd = -1;
    for (int i = 0; i < n; i++) {
        if (i % 100 == 0) {
            if (fd >= 0) {
                close(fd);
                m31ri_segment_name_write("train.log", (uint32_t)(i / 100), m31ri_wall_ns(), name);
                if (renameat(dir, "train.log", dir, name) != 0) {
                    _exit(2);
                }
            }
            fd = m31ri_open(dir, "train.log", O_WRONLY | O_CREAT | O_APPEND, 0666);
            if (i % 200 == 0 && i > 0 && m31ri_segment_compress(dir, name, NULL, NULL) != M31R_OK) {
                _exit(3);
            }
        }
        m31ri_buf_clear(&line);
        m31ri_buf_add_format(&line, "{\"step\":%d}\n", i);
        if (m31ri_write_all(fd, line.data, line.length, NULL) != 0) {
            _exit(4);
        }
    }
    _exit(0);
}

static void test_obs_10__following_goes_across_rotations(void **state)
{
    (void)state;
    const int n = 20000;
    int status;
    in_run("rm -f *.log*");
    put_lines("train.log", 0, 0);
    m31r_reader *reader = open_scratch();
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_scan *scan = NULL;
    m31r_record r;
    m31r_error e;
    options.is_following = true;
    assert_int_equal(m31r_scan_open_run(&scan, reader, &options, &e), M31R_OK);
    pid_t child = fork();
    if (child == 0) {
        write_and_rotate(n);
    }
    int64_t until_ns = m31ri_mono_ns() + 60 * INT64_C(1000000000);
    for (int i = 0; i < n && m31ri_mono_ns() < until_ns;) {
        m31r_err err = m31r_scan_next(scan, &r, &e);
        if (err == M31R_OK) {
            assert_int_equal(r.step, i);
            assert_int_equal(r.line_number, i + 1);
            i++;
        } else {
            assert_int_equal(err, M31R_EOF);
            (void)m31r_scan_wait(scan, 20, &e);
        }
        if (i == n) {
            assert_int_equal(m31r_scan_next(scan, &r, &e), M31R_EOF);
        }
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(m31r_scan_count(scan).n_kept, n);
    m31r_scan_close(scan);
    m31r_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_obs_10__segments_read_as_one_file),
        cmocka_unit_test(test_segments__the_lane_is_one),
        cmocka_unit_test(test_segments__a_lane_of_many),
        cmocka_unit_test(test_obs_10__a_damaged_frame_is_told_and_passed_over),
        cmocka_unit_test(test_segments__a_cut_file_is_read_to_the_cut),
        cmocka_unit_test(test_segments__a_foreign_zstd_file_is_read),
        cmocka_unit_test(test_obs_10__following_goes_across_rotations),
    };
    return cmocka_run_group_tests(tests, make_run, remove_run);
}
