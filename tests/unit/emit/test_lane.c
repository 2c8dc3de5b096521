/* Lanes and points under what goes wrong: threads, a clock, a full disk, hands in the file, a
 * reader that stops. */
#include "scratch.h"

#include "format/segments.h"
#include "m31r/reader.h"
#include "m31r/scan.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static void *emit_some(void *log)
{
    for (int i = 0; i < 200; i++) {
        m31r_info(log, "from_thread", "i", i);
    }
    return NULL;
}

static void test_lane__shared_by_threads_loses_nothing_and_is_marked(void **state)
{
    (void)state;
    char dir[4096];
    pthread_t threads[4];
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "worker");
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, emit_some, log), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    m31r_info(log, "last");
    m31r_run_close(run);
    char *text = read_text(dir, "train.log");
    assert_int_equal(count_of(text, "\"from_thread\""), 800);
    assert_int_equal(count_of(text, "\"lane_shared_by_threads\""), 1);
    free(text);
    json_t *m = read_json(dir, "metadata.json");
    json_t *lane = json_array_get(json_object_get(m, "lanes"), 0);
    assert_true(json_is_false(json_object_get(lane, "ordered")));
    json_decref(m);
}

static void test_lane__of_its_own_keeps_its_own_order(void **state)
{
    (void)state;
    char dir[4096];
    m31r_error e;
    m31r_lane *lane = NULL, *again = NULL;
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    assert_int_equal(m31r_lane_open(run, "loader", &lane, &e), M31R_OK);
    assert_int_equal(m31r_lane_open(run, "loader", &again, &e), M31R_OK);
    assert_ptr_equal(lane, again);
    assert_int_equal(m31r_lane_open(run, "../x", &again, &e), M31R_E_ARG);
    assert_int_equal(m31r_lane_open(run, "Upper", &again, &e), M31R_E_ARG);
    m31r_info(m31r_lane_logger(lane, "loader"), "batch", "i", 1);
    m31r_run_close(run);
    char *text = read_text(dir, "train.loader.log");
    assert_int_equal(count_of(text, "\"batch\""), 1);
    free(text);
}

static void test_points__a_step_that_goes_back_starts_a_segment_with_one_warning(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    for (int i = 0; i < 5; i++) {
        m31r_step(run, i, "loss", 1.0, "lr", 0.1);
    }
    for (int i = 3; i < 6; i++) {
        m31r_step(run, i, "loss", 1.0, "lr", 0.1);
    }
    m31r_run_close(run);
    char *points = read_text(dir, "metrics.csv");
    char *text = read_text(dir, "train.log");
    assert_int_equal(count_of(points, ",0\n"), 10);
    assert_int_equal(count_of(points, ",1\n"), 6);
    assert_int_equal(count_of(text, "step_went_back"), 1);
    free(points);
    free(text);
}

static void test_points__bad_names_and_steps_are_counted(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    m31r_metric(run, "a\nb", 1.0, 1);
    m31r_metric(run, NULL, 1.0, 1);
    m31r_metric(run, "", 1.0, 1);
    m31r_metric(run, "good", 1.0, -5);
    m31r_metric(run, "with,comma", 1.0, 1);
    assert_int_equal(m31r_run_lost(run), 4);
    m31r_run_close(run);
    json_t *m = read_json(dir, "metadata.json");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(m, "lost"), "points")), 4);
    json_decref(m);
    char *points = read_text(dir, "metrics.csv");
    assert_non_null(strstr(points, "\"with,comma\",1,1.0,"));
    free(points);
}

static void test_privacy__sensitive_values_and_denied_keys_are_never_written(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    m31r_info(m31r_run_logger(run, "serve"), "request", "password", "canary-one", "who",
              m31r_sensitive("canary-two"), "prompt", "canary-three");
    m31r_run_close(run);
    char *text = read_text(dir, "train.log");
    assert_int_equal(count_of(text, "canary"), 0);
    assert_int_equal(count_of(text, "[redacted:"), 3);
    assert_non_null(strstr(text, "\"redacted\":3"));
    free(text);
}

static void limit_files(rlim_t size_bytes)
{
    const struct rlimit limit = {size_bytes, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
}

static int fill_the_disk(char *out_dir)
{
    static const char config[] = "config_version: 1\nobservability:\n  block_timeout_s: 0.2\n";
    dup2(open("/dev/null", O_WRONLY), 2);
    signal(SIGXFSZ, SIG_IGN);
    m31ri_replace_file(AT_FDCWD, "train.yaml", config, sizeof config - 1, false, NULL);
    m31r_run *run = open_run();
    tell_dir(out_dir, run);
    m31r_log *log = m31r_run_logger(run, "trainer");
    limit_files(20000);
    for (int i = 0; i < 1000; i++) {
        m31r_info(log, "filling", "i", i, "text", "0123456789012345678901234567890123456789");
    }
    m31r_run_flush(run, 5000);
    limit_files(RLIM_INFINITY);
    struct timespec wait = {1, 100 * 1000 * 1000};
    nanosleep(&wait, NULL);
    m31r_info(log, "works_again");
    bool lost = m31r_run_lost(run) > 0;
    return m31r_run_close(run) == M31R_E_IO && lost ? 0 : 1;
}

/* A child with a small file size limit stands for a disk that is full: short write, then EFBIG. It
 * is full for longer than the configured wait. */
static void test_lane__a_full_disk_is_counted_and_what_was_there_stays(void **state)
{
    (void)state;
    char dir[SCRATCH_PATH];
    assert_int_equal(in_child(fill_the_disk, dir), 0);
    char *text = read_text(dir, "train.log");
    size_t n_written = count_of(text, "\"filling\"");
    const char *lost = strstr(text, "\"records_lost\",\"count\":");
    assert_non_null(lost);
    assert_int_equal(n_written + strtoul(lost + strlen("\"records_lost\",\"count\":"), NULL, 10),
                     1000);
    assert_int_equal(count_of(text, "works_again"), 1);
    free(text);
}

static void test_a13__a_log_deleted_under_the_writer_is_said_and_goes_on(void **state)
{
    (void)state;
    char dir[4096], path[4200];
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "trainer");
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    snprintf(path, sizeof path, "%s/train.log", dir);
    m31r_info(log, "one");
    assert_int_equal(unlink(path), 0);
    struct timespec wait = {1, 100 * 1000 * 1000};
    nanosleep(&wait, NULL);
    m31r_info(log, "two");
    m31r_run_close(run);
    char *text = read_text(dir, "train.log");
    assert_int_equal(count_of(text, "log_file_deleted"), 1);
    assert_int_equal(count_of(text, "\"two\""), 1);
    free(text);
}

static int printed_to = -1;

static int print_much(char *out_dir)
{
    m31r_run *run = NULL;
    m31r_run_options o = whole_identity();
    m31r_error e;
    dup2(printed_to, 1);
    o.no_stdout = false;
    if (m31r_run_open(&run, &o, &e) != M31R_OK) {
        return 2;
    }
    tell_dir(out_dir, run);
    for (int i = 0; i < 2000; i++) {
        m31r_info(m31r_run_logger(run, "trainer"), "printed", "i", i);
    }
    return m31r_run_close(run) == M31R_OK ? 0 : 1;
}

/* The run prints to a pipe whose reader is gone, then to one that nobody reads: the program goes
 * on, the file is whole. */
static void stdout_case(bool has_reader)
{
    char dir[SCRATCH_PATH];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    printed_to = ends[1];
    if (!has_reader) {
        close(ends[0]);
    }
    assert_int_equal(in_child(print_much, dir), 0);
    char *text = read_text(dir, "train.log");
    assert_int_equal(count_of(text, "\"printed\""), 2000);
    free(text);
    close(ends[1]);
    if (has_reader) {
        close(ends[0]);
    }
}

static void test_a21__stdout_closed_does_not_kill(void **state)
{
    (void)state;
    stdout_case(false);
}

static void test_a22__stdout_full_does_not_block(void **state)
{
    (void)state;
    stdout_case(true);
}

/* Segments by size, compressed behind the writer's back, read as one lane; what the manifest lists
 * is what is there. */
static void test_obs_10__a_lane_is_rotated_by_size_and_read_as_one(void **state)
{
    (void)state;
    static const char config[] = "config_version: 1\nobservability:\n  rotate_mib: 1\n";
    char dir[4096];
    enum { RECORDS = 60000 };
    assert_int_equal(
        m31ri_replace_file(AT_FDCWD, "train.yaml", config, sizeof config - 1, false, NULL),
        M31R_OK);
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    for (int i = 0; i < RECORDS; i++) {
        m31r_info(m31r_run_logger(run, "trainer"), "rotated", "i", i);
    }
    assert_int_equal(m31r_run_close(run), M31R_OK);
    m31ri_segment_list segments = {0};
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    assert_int_equal(m31ri_segment_list_read(fd, "train.log", &segments, NULL), M31R_OK);
    assert_true(segments.n >= 2);
    for (size_t i = 0; i < segments.n; i++) {
        assert_int_equal(segments.segments[i].ordinal, i + 1);
        assert_true(segments.segments[i].has_compressed);
        assert_false(segments.segments[i].has_plain);
    }
    m31ri_segment_list_release(&segments);
    close(fd);
    m31r_error e = {0};
    m31r_reader *reader = NULL;
    m31r_scan *scan = NULL;
    m31r_record record;
    m31r_scan_options o = M31R_SCAN_OPTIONS_INIT;
    int next = 0;
    assert_int_equal(m31r_reader_open(&reader, NULL, dir, &e), M31R_OK);
    assert_int_equal(m31r_scan_open_run(&scan, reader, &o, &e), M31R_OK);
    while (m31r_scan_next(scan, &record, &e) == M31R_OK) {
        const char *number = memmem(record.line, record.length, "\"i\":", 4);
        if (number != NULL) {
            assert_int_equal(strtol(number + 4, NULL, 10), next++);
        }
    }
    assert_int_equal(next, RECORDS);
    m31r_scan_close(scan);
    m31r_reader_close(reader);
}

static int log_one_limited(char *out_dir)
{
    limit_files(10000000);
    m31r_run *run = open_run();
    tell_dir(out_dir, run);
    m31r_info(m31r_run_logger(run, "trainer"), "limited");
    return m31r_run_close(run) == M31R_OK ? 0 : 1;
}

/* A small `ulimit -f` must not kill the program when rings are made: it goes on without them. */
static void test_lane__a_limit_of_file_size_leaves_the_direct_way(void **state)
{
    (void)state;
    char dir[SCRATCH_PATH];
    assert_int_equal(in_child(log_one_limited, dir), 0);
    char *text = read_text(dir, "train.log");
    assert_int_equal(count_of(text, "\"limited\""), 1);
    assert_int_equal(count_of(text, "rings_unavailable"), 1);
    free(text);
}

/* `observability: file: false` keeps the file's first and last records and says so; the rest is
 * printed. */
static void test_obs_09__the_file_can_be_turned_off(void **state)
{
    (void)state;
    static const char config[] = "config_version: 1\nobservability:\n  file: false\n";
    char dir[4096];
    m31r_error e;
    m31r_run *run = NULL;
    m31r_run_options o = whole_identity();
    assert_int_equal(
        m31ri_replace_file(AT_FDCWD, "train.yaml", config, sizeof config - 1, false, NULL),
        M31R_OK);
    assert_int_equal(m31r_run_open(&run, &o, &e),
                     M31R_E_CONFIG); /* nowhere to go: stdout is off too */
    o.no_stdout = false;
    int saved = dup(1);
    int out = open("printed", O_RDWR | O_CREAT, 0600);
    dup2(out, 1);
    assert_int_equal(m31r_run_open(&run, &o, &e), M31R_OK);
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    m31r_info(m31r_run_logger(run, "trainer"), "only_printed");
    m31r_run_close(run);
    dup2(saved, 1);
    close(saved);
    close(out);
    char *text = read_text(dir, "train.log");
    char *printed = read_text(".", "printed");
    assert_int_equal(count_of(text, "only_printed"), 0);
    assert_int_equal(count_of(text, "file_sink_off"), 1);
    assert_int_equal(count_of(text, "\"run_end\""), 1);
    assert_int_equal(count_of(printed, "only_printed"), 1);
    free(text);
    free(printed);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        CASE(test_lane__shared_by_threads_loses_nothing_and_is_marked),
        CASE(test_lane__of_its_own_keeps_its_own_order),
        CASE(test_points__a_step_that_goes_back_starts_a_segment_with_one_warning),
        CASE(test_points__bad_names_and_steps_are_counted),
        CASE(test_privacy__sensitive_values_and_denied_keys_are_never_written),
        CASE(test_lane__a_full_disk_is_counted_and_what_was_there_stays),
        CASE(test_lane__a_limit_of_file_size_leaves_the_direct_way),
        CASE(test_obs_09__the_file_can_be_turned_off),
        CASE(test_obs_10__a_lane_is_rotated_by_size_and_read_as_one),
        CASE(test_a13__a_log_deleted_under_the_writer_is_said_and_goes_on),
        CASE(test_a21__stdout_closed_does_not_kill),
        CASE(test_a22__stdout_full_does_not_block),
    };
    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
