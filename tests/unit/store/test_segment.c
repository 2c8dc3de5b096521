/* Rotated segments: their names, compressing them, and the cap; zstd's own program is the oracle.
 */
#include "scratch.h"

#include <signal.h>
#include <sys/file.h>
#include <time.h>

#include "format/seekable.h"
#include "format/segments.h"
#include "m31r/log.h"
#include "store/segment.h"

#define SEGMENT "train.000001.20261123T102651Z.log"

static void add_record(m31ri_buf *text, unsigned i, const char *level, const char *module)
{
    m31ri_buf_add_format(text,
                         "{\"ts\":\"2026-11-23T10:%02u:%02u.%06uZ\",\"level\":\"%s\",\"module\":"
                         "\"%s\",\"msg\":\"step_complete\",\"step\":%u,\"loss\":%u.%03u}\n",
                         i / 6000 % 60, i / 100 % 60, i % 100, level, module, i, i % 7,
                         i * 7919 % 1000);
}

/* About 3.6 MB of records; the one ERROR is in the middle when asked for. */
static m31ri_buf make_text(unsigned n, bool has_error)
{
    m31ri_buf text = M31RI_BUF_INIT;
    for (unsigned i = 0; i < n; i++) {
        bool is_error = has_error && i == n / 2;
        add_record(&text, i, is_error ? "ERROR" : "INFO", i % 3 == 0 ? "data" : "trainer");
    }
    return text;
}

static void put(int dir, const char *name, const m31ri_buf *text)
{
    assert_int_equal(m31ri_create_file(dir, name, m31ri_buf_str(text), text->length, NULL),
                     M31R_OK);
}

static bool is_there(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What `zstd -dc` makes of a file. */
static void unpack_by_zstd(const scratch *s, const char *name, m31ri_buf *out)
{
    char command[512];
    snprintf(command, sizeof command, "zstd -q -dc -- %s/%s.zst", s->path, name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(m31ri_read_fd(fileno(pipe), 1 << 30, out, NULL), M31R_OK);
    assert_int_equal(pclose(pipe), 0);
}

static void assert_same(const m31ri_buf *a, const m31ri_buf *b)
{
    assert_int_equal(a->length, b->length);
    assert_memory_equal(m31ri_buf_str(a), m31ri_buf_str(b), a->length);
}

static void assert_zst_holds(const scratch *s, const char *name, const m31ri_buf *text)
{
    m31ri_buf unpacked = M31RI_BUF_INIT;
    unpack_by_zstd(s, name, &unpacked);
    assert_same(&unpacked, text);
    m31ri_buf_release(&unpacked);
}

static void test_segments__names_go_both_ways(void **state)
{
    (void)state;
    char name[M31RI_SEGMENT_NAME_BYTES];
    m31ri_segment_name parts;
    m31ri_segment_name_write("train.loader.rank0003.log", 12, 1795429611000000000, name);
    assert_string_equal(name, "train.loader.rank0003.000012.20261123T102651Z.log");
    assert_true(m31ri_segment_name_read(name, &parts));
    assert_int_equal(parts.ordinal, 12);
    assert_int_equal(parts.lane_length, strlen("train.loader.rank0003"));
    assert_false(parts.is_compressed);
    assert_true(m31ri_segment_name_read(SEGMENT ".zst", &parts));
    assert_true(parts.is_compressed);
    static const char *const none[] = {"train.log",
                                       "train.log.zst",
                                       "train.1.20261123T102651Z.log",
                                       "train.000001.20261123t102651z.log",
                                       "train.000001.log",
                                       ".000001.20261123T102651Z.log",
                                       "000001.20261123T102651Z.log",
                                       "train.000000.20261123T102651Z.log",
                                       "train.9999999999.20261123T102651Z.log",
                                       SEGMENT ".zst.tmp",
                                       ""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_false(m31ri_segment_name_read(none[i], &parts));
    }
}

static void test_segments__a_lane_has_its_own_in_order_and_once(void **state)
{
    (void)state;
    scratch s = scratch_make();
    static const char *const names[] = {
        "train.000010.20261123T102651Z.log",        "train.000009.20261123T102651Z.log.zst",
        "train.000010.20261123T102651Z.log.zst",    "train.loader.000001.20261123T102651Z.log",
        "train.1000000.20261123T102651Z.log",       "train.log",
        "train.000011.20261123T102651Z.log.zst.tmp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        scratch_put(s.dir, names[i], "x\n");
    }
    m31ri_segment_list l;
    uint32_t next;
    assert_int_equal(m31ri_segment_list_read(s.dir, "train.log", &l, NULL), M31R_OK);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.segments[0].ordinal, 9);
    assert_true(l.segments[0].has_compressed && !l.segments[0].has_plain);
    assert_int_equal(l.segments[1].ordinal, 10);
    assert_true(l.segments[1].has_compressed && l.segments[1].has_plain);
    assert_string_equal(l.segments[1].file, names[0]);
    assert_int_equal(l.segments[2].ordinal, 1000000);
    m31ri_segment_list_release(&l);
    assert_int_equal(m31ri_segment_next_ordinal(s.dir, "train.log", &next, NULL), M31R_OK);
    assert_int_equal(next, 1000001);
    assert_int_equal(m31ri_segment_next_ordinal(s.dir, "eval.log", &next, NULL), M31R_OK);
    assert_int_equal(next, 1);
    scratch_remove(&s);
}

static void test_obs_10__a_compressed_segment_holds_the_same_bytes(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_buf text = make_text(30000, true);
    m31ri_segment_report report = {0};
    put(s.dir, SEGMENT, &text);
    assert_int_equal(m31ri_segment_compress(s.dir, SEGMENT, &report, NULL), M31R_OK);
    assert_false(is_there(s.dir, SEGMENT));
    assert_false(is_there(s.dir, SEGMENT ".zst.tmp"));
    assert_zst_holds(&s, SEGMENT, &text);
    assert_int_equal(report.plain_bytes, text.length);
    assert_true(report.n_frames >= 3);
    assert_true(report.bytes < text.length / 5);
    /* Again: nothing to do. */
    assert_int_equal(m31ri_segment_compress(s.dir, SEGMENT, NULL, NULL), M31R_OK);
    assert_int_equal(m31ri_segment_compress(s.dir, "train.000002.20261123T102651Z.log", NULL, NULL),
                     M31R_E_NOTFOUND);
    assert_int_equal(m31ri_segment_compress(s.dir, "train.log", NULL, NULL), M31R_E_ARG);
    m31ri_buf_release(&text);
    scratch_remove(&s);
}

/* The index against the lines themselves, frame by frame. */
static void test_segment__each_frame_is_lines_and_its_zone_says_which(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_buf text = make_text(30000, true);
    m31ri_buf plain = M31RI_BUF_INIT;
    m31ri_seekable seekable;
    put(s.dir, SEGMENT, &text);
    assert_int_equal(m31ri_segment_compress(s.dir, SEGMENT, NULL, NULL), M31R_OK);
    int fd = m31ri_open(s.dir, SEGMENT ".zst", O_RDONLY, 0);
    assert_int_equal(m31ri_seekable_init(&seekable, fd, NULL), M31R_OK);
    assert_true(seekable.has_zones);
    assert_int_equal(seekable.zones.plain_bytes, text.length);
    assert_int_equal(seekable.zones.n_modules, 2);
    uint64_t at = 0;
    int64_t step = 0;
    unsigned n_errors = 0;
    for (size_t i = 0; i < seekable.list.n; i++) {
        const m31ri_zone *zone = &seekable.zones.zones[i];
        assert_int_equal(m31ri_seekable_read(&seekable, i, &plain, NULL), M31R_OK);
        assert_memory_equal(plain.data, text.data + at, plain.length);
        assert_true(plain.data[plain.length - 1] == '\n');
        at += plain.length;
        uint64_t n_lines = 0;
        for (size_t k = 0; k < plain.length; k++) {
            n_lines += plain.data[k] == '\n';
        }
        bool has_error = strstr(m31ri_buf_str(&plain), "\"level\":\"ERROR\"") != NULL;
        n_errors += has_error;
        assert_true(zone->is_whole);
        assert_int_equal(zone->n_lines, n_lines);
        assert_int_equal(zone->min_step, step);
        step += (int64_t)n_lines;
        assert_int_equal(zone->max_step, step - 1);
        assert_true(zone->min_ns < zone->max_ns);
        assert_int_equal(zone->levels, 1u << 2 | (has_error ? 1u << 4 : 0));
        assert_int_equal(zone->modules, 3);
    }
    assert_int_equal(at, text.length);
    assert_int_equal(n_errors, 1);
    m31ri_seekable_release(&seekable);
    close(fd);
    m31ri_buf_release(&plain);
    m31ri_buf_release(&text);
    scratch_remove(&s);
}

/* Compresses `text` and gives the opened file. */
static int packed(const scratch *s, const m31ri_buf *text, m31ri_seekable *out)
{
    put(s->dir, SEGMENT, text);
    assert_int_equal(m31ri_segment_compress(s->dir, SEGMENT, NULL, NULL), M31R_OK);
    assert_zst_holds(s, SEGMENT, text);
    int fd = m31ri_open(s->dir, SEGMENT ".zst", O_RDONLY, 0);
    assert_int_equal(m31ri_seekable_init(out, fd, NULL), M31R_OK);
    return fd;
}

static void test_segment__odd_contents_are_kept_and_never_called_whole(void **state)
{
    (void)state;
    m31ri_buf texts[4] = {M31RI_BUF_INIT, M31RI_BUF_INIT, M31RI_BUF_INIT, M31RI_BUF_INIT};
    m31ri_seekable seekable;
    m31ri_buf_add_str(&texts[1], "{\"torn\":");
    for (int i = 0; i < 5000000; i++) {
        m31ri_buf_add_char(&texts[2], (char)('a' + i % 23)); /* a line longer than four frames */
    }
    m31ri_buf_add_str(&texts[2], "\nnext\n");
    add_record(&texts[3], 1, "INFO", "x");
    m31ri_buf_add_str(&texts[3], "{\"level\":\"INFO\"}\n");
    for (size_t i = 0; i < 4; i++) {
        scratch s = scratch_make();
        int fd = packed(&s, &texts[i], &seekable);
        assert_true(seekable.has_zones);
        for (size_t k = 0; k < seekable.list.n; k++) {
            assert_false(seekable.zones.zones[k].is_whole);
        }
        m31ri_seekable_release(&seekable);
        close(fd);
        scratch_remove(&s);
        m31ri_buf_release(&texts[i]);
    }
}

static void test_segment__more_modules_than_the_index_names(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_seekable seekable;
    for (unsigned i = 0; i < 100; i++) {
        char module[16];
        snprintf(module, sizeof module, "m%u", i);
        add_record(&text, i, "INFO", module);
    }
    int fd = packed(&s, &text, &seekable);
    assert_true(seekable.has_zones && seekable.zones.has_more_modules);
    m31ri_seekable_release(&seekable);
    close(fd);
    m31ri_buf_release(&text);
    scratch_remove(&s);
}

static void flip(int dir, const char *name, off_t at)
{
    char byte;
    int fd = m31ri_open(dir, name, O_RDWR, 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void test_segment__corrupt_bytes_are_found(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_buf text = make_text(30000, false);
    m31ri_buf plain = M31RI_BUF_INIT;
    m31ri_seekable seekable;
    m31r_error e;
    int fd = packed(&s, &text, &seekable);
    off_t in_second = (off_t)(seekable.list.frames[1].offset + seekable.list.frames[1].bytes / 2);
    size_t n = seekable.list.n;
    off_t index_at =
        (off_t)(seekable.list.frames[n - 1].offset + seekable.list.frames[n - 1].bytes);
    m31ri_seekable_release(&seekable);
    flip(s.dir, SEGMENT ".zst", in_second);
    assert_int_equal(m31ri_seekable_init(&seekable, fd, NULL), M31R_OK);
    assert_int_equal(m31ri_seekable_read(&seekable, 0, &plain, NULL), M31R_OK);
    assert_int_equal(m31ri_seekable_read(&seekable, 1, &plain, &e), M31R_E_CORRUPT);
    assert_int_equal(e.offset, seekable.list.frames[1].offset);
    assert_int_equal(m31ri_seekable_read(&seekable, 2, &plain, NULL), M31R_OK);
    m31ri_seekable_release(&seekable);
    flip(s.dir, SEGMENT ".zst", in_second);
    flip(s.dir, SEGMENT ".zst", index_at + 200);
    assert_int_equal(m31ri_seekable_init(&seekable, fd, NULL), M31R_OK);
    assert_false(seekable.has_zones); /* an index that was changed is not used */
    m31ri_seekable_release(&seekable);
    close(fd);
    m31ri_buf_release(&plain);
    m31ri_buf_release(&text);
    scratch_remove(&s);
}

/* Every length: never accepted as whole, never a crash. */
static void test_segment__a_cut_file_has_no_table(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_buf text = make_text(300, false);
    m31ri_seekable seekable;
    int fd = packed(&s, &text, &seekable);
    m31ri_seekable_release(&seekable);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    fd = m31ri_open(s.dir, SEGMENT ".zst", O_RDWR, 0);
    for (off_t length = st.st_size - 1; length >= 0; length--) {
        assert_int_equal(ftruncate(fd, length), 0);
        assert_int_equal(m31ri_seekable_init(&seekable, fd, NULL), M31R_E_CORRUPT);
    }
    close(fd);
    m31ri_buf_release(&text);
    scratch_remove(&s);
}

/* Changes of the table's bytes: read or refused, never beyond the file. */
static void test_segment__a_changed_table_is_harmless(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_buf text = make_text(3000, false);
    m31ri_buf plain = M31RI_BUF_INIT;
    m31ri_seekable seekable;
    int fd = packed(&s, &text, &seekable);
    m31ri_seekable_release(&seekable);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    for (off_t at = st.st_size - 33; at < st.st_size; at++) {
        flip(s.dir, SEGMENT ".zst", at);
        if (m31ri_seekable_init(&seekable, fd, NULL) == M31R_OK) {
            for (size_t i = 0; i < seekable.list.n; i++) {
                (void)m31ri_seekable_read(&seekable, i, &plain, NULL);
            }
            m31ri_seekable_release(&seekable);
        }
        flip(s.dir, SEGMENT ".zst", at);
    }
    close(fd);
    m31ri_buf_release(&plain);
    m31ri_buf_release(&text);
    scratch_remove(&s);
}

/* The compressor killed at a random instant: at least one whole file, and the next try ends it. */
static void test_obs_10__a_kill_at_any_instant_loses_nothing(void **state)
{
    (void)state;
    m31ri_buf text = make_text(6000, false);
    unsigned n_states[3] = {0};
    for (unsigned round = 0; round < 40; round++) {
        scratch s = scratch_make();
        put(s.dir, SEGMENT, &text);
        pid_t child = fork();
        if (child == 0) {
            (void)m31ri_segment_compress(s.dir, SEGMENT, NULL, NULL);
            _exit(0);
        }
        struct timespec pause = {0, (long)(round * 7919 % 40) * 1000000};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        bool has_plain = is_there(s.dir, SEGMENT);
        bool has_packed = is_there(s.dir, SEGMENT ".zst");
        assert_true(has_plain || has_packed);
        n_states[has_plain + 2 * has_packed - 1]++;
        if (has_plain) {
            assert_string_equal(scratch_text(s.dir, SEGMENT), m31ri_buf_str(&text));
        }
        if (has_packed) {
            assert_zst_holds(&s, SEGMENT, &text);
        }
        assert_int_equal(m31ri_segment_compress(s.dir, SEGMENT, NULL, NULL), M31R_OK);
        assert_false(is_there(s.dir, SEGMENT));
        assert_false(is_there(s.dir, SEGMENT ".zst.tmp"));
        assert_zst_holds(&s, SEGMENT, &text);
        scratch_remove(&s);
    }
    assert_true(n_states[0] > 0); /* the kills did come in between */
    m31ri_buf_release(&text);
}

static void test_segment__both_files_are_finished_by_the_next_try(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_buf text = make_text(1000, false);
    m31ri_buf other = make_text(500, false);
    put(s.dir, SEGMENT, &text);
    assert_int_equal(m31ri_segment_compress(s.dir, SEGMENT, NULL, NULL), M31R_OK);
    put(s.dir, SEGMENT, &text); /* killed before the plain one was removed */
    scratch_put(s.dir, SEGMENT ".zst.tmp", "left");
    assert_int_equal(m31ri_segment_compress(s.dir, SEGMENT, NULL, NULL), M31R_OK);
    assert_false(is_there(s.dir, SEGMENT));
    put(s.dir, SEGMENT, &other); /* a .zst of other bytes never wins over the plain one */
    assert_int_equal(m31ri_segment_compress(s.dir, SEGMENT, NULL, NULL), M31R_OK);
    assert_zst_holds(&s, SEGMENT, &other);
    m31ri_buf_release(&text);
    m31ri_buf_release(&other);
    scratch_remove(&s);
}

static void test_segment__one_that_is_still_written_to_stays(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_buf text = make_text(10, false);
    put(s.dir, SEGMENT, &text);
    int fd = m31ri_open(s.dir, SEGMENT, O_RDWR, 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(m31ri_segment_compress(s.dir, SEGMENT, NULL, NULL), M31R_E_BUSY);
    assert_true(is_there(s.dir, SEGMENT) && !is_there(s.dir, SEGMENT ".zst"));
    close(fd);
    m31ri_buf_release(&text);
    scratch_remove(&s);
}

static void make_segment(int dir, unsigned ordinal, bool is_packed, bool has_error)
{
    char name[M31RI_SEGMENT_NAME_BYTES];
    m31ri_buf text = make_text(2000, has_error);
    m31ri_segment_name_write("shell.log", ordinal, (1795429611 + ordinal) * 1000000000LL, name);
    put(dir, name, &text);
    if (is_packed) {
        assert_int_equal(m31ri_segment_compress(dir, name, NULL, NULL), M31R_OK);
    }
    m31ri_buf_release(&text);
}

static void test_obs_10__the_cap_keeps_errors_and_counts_what_it_deletes(void **state)
{
    (void)state;
    for (int is_packed = 0; is_packed < 2; is_packed++) {
        scratch s = scratch_make();
        m31ri_cap_report r;
        for (unsigned i = 1; i <= 6; i++) {
            make_segment(s.dir, i, is_packed, i == 2);
        }
        scratch_put(s.dir, "shell.log", "{}\n");
        assert_int_equal(m31ri_segments_cap(s.dir, 1u << 30, &r, NULL), M31R_OK);
        assert_int_equal(r.n_deleted, 0);
        uint64_t all = r.bytes_after;
        assert_int_equal(m31ri_segments_cap(s.dir, all - 1, &r, NULL), M31R_OK);
        assert_int_equal(r.n_deleted, 1); /* the oldest */
        assert_int_equal(r.bytes_after + r.bytes_deleted, all);
        assert_int_equal(m31ri_segments_cap(s.dir, 0, &r, NULL), M31R_OK);
        assert_int_equal(r.n_deleted, 3);
        assert_int_equal(r.n_kept, 1);
        m31ri_segment_list l;
        assert_int_equal(m31ri_segment_list_read(s.dir, "shell.log", &l, NULL), M31R_OK);
        assert_int_equal(l.n, 2);
        assert_int_equal(l.segments[0].ordinal, 2); /* holds the ERROR */
        assert_int_equal(l.segments[1].ordinal, 6); /* the newest */
        assert_true(is_there(s.dir, "shell.log"));
        m31ri_segment_list_release(&l);
        scratch_remove(&s);
    }
}

static void test_segment__the_cap_keeps_what_cannot_be_read(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_cap_report r;
    scratch_put(s.dir, "a.000001.20261123T102651Z.log.zst", "no zstd");
    scratch_put(s.dir, "a.000002.20261123T102651Z.log", "{}\n");
    assert_int_equal(m31ri_segments_cap(s.dir, 0, &r, NULL), M31R_OK);
    assert_int_equal(r.n_deleted, 0);
    assert_int_equal(r.n_kept, 1);
    scratch_remove(&s);
}

/* What several processes append to under its lock: nothing is lost, and the directory stays small.
 */
static void test_obs_10__logs_are_rotated_compressed_and_capped(void **state)
{
    (void)state;
    scratch s = scratch_make();
    const m31ri_logs_limits limits = {.rotate_bytes = 100000, .cap_bytes = 60000};
    m31ri_cap_report r;
    m31ri_segment_list l;
    uint64_t n_deleted = 0;
    for (int i = 0; i < 30; i++) {
        m31ri_buf text = make_text(1000, i == 3);
        put(s.dir, "shell.log", &text);
        assert_int_equal(m31ri_logs_keep_small(s.dir, "shell.log", &limits, &r, NULL), M31R_OK);
        assert_false(is_there(s.dir, "shell.log"));
        n_deleted += r.n_deleted;
        m31ri_buf_release(&text);
    }
    assert_int_equal(m31ri_segment_list_read(s.dir, "shell.log", &l, NULL), M31R_OK);
    assert_int_equal(l.n + n_deleted, 30);
    assert_true(n_deleted > 10);
    assert_int_equal(l.segments[0].ordinal, 4); /* holds the ERROR */
    assert_int_equal(l.segments[l.n - 1].ordinal, 30);
    assert_true(l.segments[l.n - 1].has_plain); /* a late writer may have it open */
    for (size_t i = 0; i + 1 < l.n; i++) {
        assert_true(l.segments[i].has_compressed && !l.segments[i].has_plain);
    }
    m31ri_segment_list_release(&l);
    /* Small, held by another, ended inside a line: left as it is. */
    scratch_put(s.dir, "a.log", "{}\n");
    assert_int_equal(m31ri_logs_keep_small(s.dir, "a.log", &limits, &r, NULL), M31R_OK);
    assert_true(is_there(s.dir, "a.log"));
    m31ri_buf text = make_text(1000, false);
    put(s.dir, "b.log", &text);
    int fd = m31ri_open(s.dir, "b.log", O_RDWR | O_APPEND, 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(m31ri_logs_keep_small(s.dir, "b.log", &limits, &r, NULL), M31R_OK);
    assert_true(is_there(s.dir, "b.log"));
    assert_int_equal(write(fd, "{", 1), 1);
    close(fd);
    assert_int_equal(m31ri_logs_keep_small(s.dir, "b.log", &limits, &r, NULL), M31R_OK);
    assert_true(is_there(s.dir, "b.log"));
    m31ri_buf_release(&text);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments__names_go_both_ways),
        cmocka_unit_test(test_segments__a_lane_has_its_own_in_order_and_once),
        cmocka_unit_test(test_obs_10__a_compressed_segment_holds_the_same_bytes),
        cmocka_unit_test(test_segment__each_frame_is_lines_and_its_zone_says_which),
        cmocka_unit_test(test_segment__odd_contents_are_kept_and_never_called_whole),
        cmocka_unit_test(test_segment__more_modules_than_the_index_names),
        cmocka_unit_test(test_segment__corrupt_bytes_are_found),
        cmocka_unit_test(test_segment__a_cut_file_has_no_table),
        cmocka_unit_test(test_segment__a_changed_table_is_harmless),
        cmocka_unit_test(test_obs_10__a_kill_at_any_instant_loses_nothing),
        cmocka_unit_test(test_segment__both_files_are_finished_by_the_next_try),
        cmocka_unit_test(test_segment__one_that_is_still_written_to_stays),
        cmocka_unit_test(test_obs_10__the_cap_keeps_errors_and_counts_what_it_deletes),
        cmocka_unit_test(test_segment__the_cap_keeps_what_cannot_be_read),
        cmocka_unit_test(test_obs_10__logs_are_rotated_compressed_and_capped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
