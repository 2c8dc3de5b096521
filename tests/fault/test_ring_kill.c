/* Rings under kill -9: of the program at any instant, and of whoever finishes what it left. What a
 * call returned from is in the files once, whole and in order; nothing is doubled, nothing glued.
 * M31R_SOAK=1 runs 1,200 rounds, M31R_SOAK=20 320. */
#include "../unit/emit/scratch.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "m31r/reader.h"
#include "m31r/scan.h"
#include "m31r/series.h"

#define MOST_PROCESSES 8

typedef struct shared {
    char dir[4096];
    atomic_int is_open;
    atomic_int_fast64_t acknowledged[MOST_PROCESSES]; /* calls that have returned */
} shared;

static int rounds(int quick)
{
    const char *soak = getenv("M31R_SOAK");
    int times = soak != NULL ? atoi(soak) : 0;
    return times > 1 ? quick * times : times == 1 ? quick * 75 : quick;
}

static uint64_t random_state = 42;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % n;
}

static void pause_us(uint32_t us)
{
    nanosleep(&(struct timespec){us / 1000000, (long)(us % 1000000) * 1000}, NULL);
}

/* Emits until it is killed: call number i is acknowledged when it has returned. */
static void emit_for_ever(shared *s, int which, bool is_paced)
{
    m31r_error e = {0};
    m31r_run *run = NULL;
    m31r_run_options o = whole_identity();
    if (m31r_run_open(&run, &o, &e) != M31R_OK) {
        _exit(1);
    }
    if (which == 0) {
        snprintf(s->dir, sizeof s->dir, "%s", m31r_run_dir(run));
        atomic_store(&s->is_open, 1);
    }
    m31r_log *log = m31r_run_logger(run, "trainer");
    for (int64_t i = 0;; i++) {
        switch (i % 3) {
        case 0:
            m31r_info(log, "acknowledged", "i", i, "x", 0.1 * (double)i);
            break;
        case 1:
            m31r_warning(log, "acknowledged", "i", i, "text", "some text \n to be escaped");
            break;
        default:
            m31r_step(run, i, "i", i, "loss", 1.0 / (double)(i + 1));
            break;
        }
        atomic_store(&s->acknowledged[which], i + 1);
        if (is_paced) {
            pause_us(50);
        }
    }
}

/* Every line of the file is a record, and they are numbered 0, 1, 2...; returns how many. */
static int64_t check_lane(char *text, const char *file)
{
    int64_t n = 0;
    for (char *line = text, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        assert_memory_equal(line, "{\"ts\":\"", 7);
        assert_int_equal(end[-1], '}');
        *end = '\0';
        assert_null(strstr(line + 1, "{\"ts\""));
        const char *number = strstr(line, "\"i\":");
        if (number == NULL) {
            assert_null(strstr(line, "torn_tail"));
            continue;
        }
        if (strtoll(number + 4, NULL, 10) != n) {
            fail_msg("%s: record %lld is not number %lld", file, strtoll(number + 4, NULL, 10),
                     (long long)n);
        }
        n++;
    }
    return n;
}

/* The points of `i` of all processes: each step as often as there are processes that emitted it. */
static void check_points(const char *dir, const int64_t *n_records, int n)
{
    char *text = read_text(dir, "metrics.csv");
    int64_t expected = 0, found = 0;
    for (int k = 0; k < n; k++) {
        expected += n_records[k] / 3; /* numbers 2, 5, 8... are steps */
    }
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_non_null(strchr(line, '\n'));
        found += strncmp(line, "loss,", 5) == 0;
    }
    free(text);
    assert_int_equal(found, expected);
}

/* The lane as a reader shows it, its segments and what nobody has finished yet. */
static void read_lane(const char *dir, const char *file, m31ri_buf *out)
{
    m31r_error e = {0};
    m31r_reader *reader = NULL;
    m31r_scan *scan = NULL;
    m31r_record record;
    m31r_scan_options o = M31R_SCAN_OPTIONS_INIT;
    o.lane = file;
    if (m31r_reader_open(&reader, NULL, dir, &e) != M31R_OK ||
        m31r_scan_open_run(&scan, reader, &o, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    while (m31r_scan_next(scan, &record, &e) == M31R_OK) {
        m31ri_buf_add(out, record.line, record.length);
        m31ri_buf_add_char(out, '\n');
    }
    m31r_scan_close(scan);
    m31r_reader_close(reader);
}

/* Points that a reader finds. */
static int64_t count_unfinished_points(const char *dir)
{
    m31r_error e = {0};
    m31r_reader *reader = NULL;
    m31r_points *points = NULL;
    m31r_point_view point;
    int64_t n = 0;
    assert_int_equal(m31r_reader_open(&reader, NULL, dir, &e), M31R_OK);
    assert_int_equal(m31r_points_open(&points, reader, &e), M31R_OK);
    while (m31r_points_next(points, &point, &e) == M31R_OK) {
        n += point.name_length == 4 && memcmp(point.name, "loss", 4) == 0;
    }
    m31r_points_close(points);
    m31r_reader_close(reader);
    return n;
}

static pid_t start(shared *s, int which, bool is_paced)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        emit_for_ever(s, which, is_paced);
    }
    for (int i = 0; which == 0 && i < 5000 && atomic_load(&s->is_open) == 0; i++) {
        pause_us(1000);
    }
    if (which == 0) {
        assert_int_equal(atomic_load(&s->is_open), 1);
        setenv("M31R_RUN_DIR", s->dir, 1);
    }
    return child;
}

/* Settles, now and then in a process that is killed on the way. */
static void settle_under_fire(const char *dir)
{
    for (int tries = 0; tries < 3; tries++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            settle_rings(dir);
            _exit(0);
        }
        pause_us(random_below(3000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    settle_rings(dir);
}

static void kill_round(int n, bool is_paced)
{
    shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t children[MOST_PROCESSES];
    int64_t n_records[MOST_PROCESSES];
    char file[64] = "train.log";
    unsetenv("M31R_RUN_DIR");
    for (int k = 0; k < n; k++) {
        children[k] = start(s, k, is_paced);
        /* the lanes' names go by who comes first: wait until it is known who that was */
        for (int i = 0; i < 5000 && atomic_load(&s->acknowledged[k]) == 0; i++) {
            pause_us(1000);
        }
    }
    pause_us(random_below(is_paced ? 60000 : 15000));
    for (int k = 0; k < n; k++) {
        kill(children[k], SIGKILL);
    }
    for (int k = 0; k < n; k++) {
        waitpid(children[k], NULL, 0);
    }
    m31ri_buf seen = M31RI_BUF_INIT, finished = M31RI_BUF_INIT;
    read_lane(s->dir, "train.log", &seen);
    int64_t n_points = count_unfinished_points(s->dir);
    settle_under_fire(s->dir);
    read_lane(s->dir, "train.log", &finished);
    assert_string_equal(m31ri_buf_str(&seen), m31ri_buf_str(&finished));
    m31ri_buf_release(&seen);
    assert_int_equal(n_points, count_unfinished_points(s->dir));
    for (int k = 0; k < n; k++) {
        if (k > 0) {
            snprintf(file, sizeof file, "train.p%d.log", k + 1);
        }
        int64_t acknowledged = atomic_load(&s->acknowledged[k]);
        m31ri_buf_clear(&finished);
        read_lane(s->dir, file, &finished);
        n_records[k] = check_lane(finished.data, file);
        assert_true(n_records[k] == acknowledged || n_records[k] == acknowledged + 1);
    }
    m31ri_buf_release(&finished);
    check_points(s->dir, n_records, n);
    munmap(s, sizeof *s);
}

static void test_ring_kill__flat_out_nothing_acknowledged_is_lost_or_doubled(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(6); i++) {
        kill_round(1, false);
    }
}

static void test_ring_kill__paced_nothing_acknowledged_is_lost_or_doubled(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(4); i++) {
        kill_round(1, true);
    }
}

static void test_ring_kill__of_eight_processes_with_one_points_file(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(2); i++) {
        kill_round((int)random_below(MOST_PROCESSES - 1) + 2, i % 2 == 0);
    }
}

/* A lane that is rotated every 1 MiB, and compressed, while it is killed. */
static void test_ring_kill__in_the_middle_of_rotation(void **state)
{
    (void)state;
    static const char config[] = "config_version: 1\nobservability:\n  rotate_mib: 1\n";
    assert_int_equal(
        m31ri_replace_file(AT_FDCWD, "train.yaml", config, sizeof config - 1, false, NULL),
        M31R_OK);
    for (int i = 0; i < rounds(4); i++) {
        kill_round(1 + i % 2, false);
    }
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        CASE(test_ring_kill__flat_out_nothing_acknowledged_is_lost_or_doubled),
        CASE(test_ring_kill__paced_nothing_acknowledged_is_lost_or_doubled),
        CASE(test_ring_kill__of_eight_processes_with_one_points_file),
        CASE(test_ring_kill__in_the_middle_of_rotation),
    };
    return cmocka_run_group_tests_name("ring_kill", tests, NULL, NULL);
}
