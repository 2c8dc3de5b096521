/* The way from rings to files when the system refuses: each call that it makes (write, fdatasync,
 * fsync, open, rename, ftruncate, fallocate, mmap) fails in turn, with each errno or in part, once
 * and for ever, while a program emits and its files are rotated. The program never crashes, never
 * waits longer than is configured (and a second), and what is in the files and what is counted is
 * what was submitted. M31R_SOAK=1 tries each at more places.
 */
#include "../unit/emit/scratch.h"
#include "failing_calls.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "m31r/reader.h"
#include "m31r/recover.h"
#include "m31r/scan.h"

#define RECORDS 2600 /* of 500 bytes: more than a MiB, so that there is a rotation */
#define BLOCK_NS (200 * 1000 * 1000LL)
#define BOUND_NS (1000 * 1000 * 1000LL)

/* ------------------------------------------------------------------ what a program sees */

typedef struct shared {
    char dir[4096];
    int64_t submitted; /* records and points */
    int64_t counted;   /* as lost, by the program */
    int64_t longest_ns, flush_ns, close_ns;
    long failed;
    bool is_done;
} shared;

static m31r_run *open_small(void)
{
    static const char config[] = "config_version: 1\nobservability:\n  block_timeout_s: 0.2\n"
                                 "  rotate_mib: 1\n  sync_interval_s: 0\n";
    m31r_run *run = NULL;
    m31r_error e = {0};
    m31r_run_options o = whole_identity();
    o.config = "small.yaml";
    (void)m31ri_create_file(AT_FDCWD, "small.yaml", config, sizeof config - 1, NULL);
    if (m31r_run_open(&run, &o, &e) != M31R_OK && !plan.from_start) {
        fail_msg("%s", e.message);
    }
    return run;
}

static void emit_all(m31r_run *run, shared *s)
{
    char blob[401];
    memset(blob, 'x', sizeof blob);
    m31r_log *log = m31r_run_logger(run, "faulty");
    for (int64_t i = 0; i < RECORDS; i++) {
        int64_t since = m31ri_mono_ns();
        if (i % 10 == 0) {
            m31r_step(run, i, "number", i);
        } else if (i % 100 == 55) {
            m31r_error(log, "emitted", "number", i);
        } else {
            m31r_info(log, "emitted", "number", i, "blob", m31r_text(blob, 400));
        }
        s->submitted += i % 10 == 0 ? 2 : 1;
        int64_t took = m31ri_mono_ns() - since;
        s->longest_ns = took > s->longest_ns ? took : s->longest_ns;
        if (i == RECORDS / 2) { /* so that faults meet several batches */
            struct timespec pause = {0, 15 * 1000 * 1000};
            nanosleep(&pause, NULL);
        }
    }
}

static void be_the_program(shared *s)
{
    atomic_store(&plan.is_armed, plan.from_start);
    m31r_run *run = open_small();
    snprintf(s->dir, sizeof s->dir, "%s", m31r_run_dir(run));
    atomic_store(&plan.is_armed, true);
    emit_all(run, s); /* on no run: calls that do nothing */
    int64_t since = m31ri_mono_ns();
    (void)m31r_run_flush(run, 5000);
    s->flush_ns = m31ri_mono_ns() - since;
    s->counted = (int64_t)m31r_run_lost(run);
    since = m31ri_mono_ns();
    (void)m31r_run_close(run);
    s->close_ns = m31ri_mono_ns() - since;
    atomic_store(&plan.is_armed, false);
    s->failed = atomic_load(&plan.failed);
    s->is_done = true;
}

/* Every number at most once and in order; returns how many records of ours the lane has. */
static int64_t count_records(const char *dir, const char *what)
{
    m31r_error e = {0};
    m31r_reader *reader = NULL;
    m31r_scan *scan = NULL;
    m31r_record r;
    m31r_scan_options o = M31R_SCAN_OPTIONS_INIT;
    int64_t n = 0, last = -1;
    assert_int_equal(m31r_reader_open(&reader, NULL, dir, &e), M31R_OK);
    assert_int_equal(m31r_scan_open_run(&scan, reader, &o, &e), M31R_OK);
    while (m31r_scan_next(scan, &r, &e) == M31R_OK) {
        const char *number = memmem(r.line, r.length, "\"number\":", 9);
        if (number == NULL) {
            continue;
        }
        int64_t i = strtoll(number + 9, NULL, 10);
        if (i <= last) {
            fail_msg("%s: record %lld behind %lld", what, (long long)i, (long long)last);
        }
        last = i;
        n++;
    }
    assert_int_equal(m31r_scan_count(scan).n_skipped, 0);
    m31r_scan_close(scan);
    m31r_reader_close(reader);
    return n;
}

static int64_t count_points(const char *dir)
{
    char path[4500];
    m31ri_buf text = M31RI_BUF_INIT;
    snprintf(path, sizeof path, "%s/metrics.csv", dir);
    int64_t n = 0;
    if (m31ri_read_file(AT_FDCWD, path, 1 << 28, &text, NULL) == M31R_OK) {
        n = (int64_t)count_of(m31ri_buf_str(&text), "number,");
    }
    m31ri_buf_release(&text);
    return n;
}

/* What could not be ended is ended now that nothing fails any more. */
static void finish_run(const char *dir)
{
    m31r_error e = {0};
    m31r_recovery *r = calloc(1, sizeof *r);
    assert_non_null(r);
    if (m31r_recover(NULL, dir, false, r, &e) != M31R_OK) {
        fail_msg("recover: %s", e.message);
    }
    free(r);
}

static void try_one(shared *s, const char *what)
{
    memset(s, 0, sizeof *s);
    pid_t pid = fork();
    if (pid == 0) {
        be_the_program(s);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!s->is_done) {
        fail_msg("%s: the program did not live through it: status %x", what, status);
    }
    if (s->dir[0] == '\0') {
        return; /* it was refused, with an error, and the program went on */
    }
    assert_true(s->failed > 0 || plan.first > 1);
    finish_run(s->dir);
    int64_t n_records = count_records(s->dir, what), n_points = count_points(s->dir);
    if (n_records + n_points + s->counted != s->submitted) {
        fail_msg("%s: %lld records and %lld points written, %lld counted, %lld submitted", what,
                 (long long)n_records, (long long)n_points, (long long)s->counted,
                 (long long)s->submitted);
    }
    /* An outage of the lane and one of the points may each be waited for once. */
    int64_t most = 2 * BLOCK_NS + BOUND_NS;
    if (s->longest_ns > most || s->flush_ns > most) {
        fail_msg("%s: a call waited %lld ms, the flush %lld ms", what,
                 (long long)(s->longest_ns / 1000000), (long long)(s->flush_ns / 1000000));
    }
}

static void try_errors(int call, const int *errors, size_t n_errors)
{
    bool is_soak = getenv("M31R_SOAK") != NULL;
    const long firsts[] = {1, 2, 3, 5, 9};
    shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s != MAP_FAILED);
    for (size_t k = 0; k < n_errors; k++) {
        for (int is_short = 0; is_short <= (call == CALL_WRITE); is_short++) {
            for (size_t i = 0; i < (is_soak ? 5 : 2); i++) {
                for (int for_ever = 0; for_ever <= 1; for_ever++) {
                    char what[128];
                    if (!is_soak && for_ever != (int)i) {
                        continue; /* the first once, the second and all after it for ever */
                    }
                    plan.call = call;
                    plan.from_start = call == CALL_MAP || call == CALL_ALLOCATE;
                    plan.error = errors[k];
                    plan.is_short = is_short;
                    plan.first = firsts[i];
                    plan.n = for_ever ? 1000000 : 1;
                    snprintf(what, sizeof what, "%s number %ld, %s%s, %s", call_names[call],
                             firsts[i], is_short ? "half and then " : "", strerror(errors[k]),
                             for_ever ? "for ever" : "once");
                    try_one(s, what);
                }
            }
        }
    }
    munmap(s, sizeof *s);
}

static const int disk_errors[] = {ENOSPC, EIO};
static const int more_errors[] = {ENOSPC, EIO, EDQUOT, EROFS, EACCES, EMFILE, ENOMEM};

static size_t n_of(size_t quick)
{
    return getenv("M31R_SOAK") != NULL ? sizeof more_errors / sizeof *more_errors : quick;
}

static const int *errors_of(void)
{
    return getenv("M31R_SOAK") != NULL ? more_errors : disk_errors;
}

static void test_drain_faults__write(void **state)
{
    (void)state;
    try_errors(CALL_WRITE, errors_of(), n_of(1));
}

static void test_drain_faults__sync(void **state)
{
    (void)state;
    try_errors(CALL_SYNC, errors_of() + 1, n_of(2) - 1);
}

static void test_drain_faults__open(void **state)
{
    (void)state;
    try_errors(CALL_OPEN, errors_of(), n_of(1));
}

static void test_drain_faults__rename(void **state)
{
    (void)state;
    try_errors(CALL_RENAME, errors_of(), n_of(1));
}

static void test_drain_faults__truncate(void **state)
{
    (void)state;
    try_errors(CALL_TRUNCATE, errors_of() + 1, n_of(2) - 1);
}

static void test_drain_faults__allocate(void **state)
{
    (void)state;
    try_errors(CALL_ALLOCATE, errors_of(), n_of(1));
}

static void test_drain_faults__map(void **state)
{
    (void)state;
    try_errors(CALL_MAP, errors_of(), n_of(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_drain_faults__write, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_drain_faults__sync, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_drain_faults__open, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_drain_faults__rename, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_drain_faults__truncate, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_drain_faults__allocate, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_drain_faults__map, scratch_enter, scratch_leave),
    };
    (void)setenv("TMPDIR", "/dev/shm",
                 0); /* the calls' own answers are what counts: no slow disk */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
