/* m31r recover when the system refuses: of a run whose program was killed with records in its ring,
 * each call that recovery makes fails in turn, with each errno or in part, once and for ever. It
 * never crashes, says so or goes on, and a second recovery, which nothing disturbs, leaves every
 * record and point once and one end. M31R_SOAK=1 tries every place and errno.
 */
#include "../unit/emit/scratch.h"
#include "failing_calls.h"

#include <signal.h>
#include <sys/wait.h>

#include "m31r/reader.h"
#include "m31r/recover.h"
#include "m31r/scan.h"

#define RECORDS 300
#define MOST_PLACES 400

typedef struct shared {
    char dir[4096];
    long failed;
    m31r_err err;
    bool is_done;
} shared;

static shared *s;

/* A program that kills itself at once, with most of what it said still in its ring. */
static void leave_run(void)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        m31r_run *run = open_run();
        snprintf(s->dir, sizeof s->dir, "%s", m31r_run_dir(run));
        m31r_log *log = m31r_run_logger(run, "killed");
        for (int64_t i = 0; i < RECORDS; i++) {
            if (i % 10 == 0) {
                m31r_step(run, i, "number", i);
            } else {
                m31r_info(log, "emitted", "number", i, "text", "some text");
            }
        }
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static m31r_err recover(void)
{
    m31r_recovery *r = calloc(1, sizeof *r);
    m31r_err err = r != NULL ? m31r_recover(NULL, s->dir, false, r, NULL) : M31R_E_NOMEM;
    free(r);
    return err;
}

/* In a process of its own, which has to live through it. */
static void recover_under_fault(const char *what)
{
    s->is_done = false;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        atomic_store(&plan.seen, 0);
        atomic_store(&plan.failed, 0);
        atomic_store(&plan.is_armed, true);
        s->err = recover();
        atomic_store(&plan.is_armed, false);
        s->failed = atomic_load(&plan.failed);
        s->is_done = true;
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!s->is_done) {
        fail_msg("%s: recovery did not live through it: status %x", what, status);
    }
}

static void expect_once(const char *what)
{
    m31r_error e = {0};
    m31r_reader *reader = NULL;
    m31r_scan *scan = NULL;
    m31r_record r;
    m31r_scan_options o = M31R_SCAN_OPTIONS_INIT;
    int64_t next = 0;
    int n_ends = 0;
    assert_int_equal(m31r_reader_open(&reader, NULL, s->dir, &e), M31R_OK);
    assert_int_equal(m31r_scan_open_run(&scan, reader, &o, &e), M31R_OK);
    while (m31r_scan_next(scan, &r, &e) == M31R_OK) {
        const char *number = memmem(r.line, r.length, "\"number\":", 9);
        n_ends += memmem(r.line, r.length, "\"run_end\"", 9) != NULL;
        if (number != NULL && strtoll(number + 9, NULL, 10) != next++) {
            fail_msg("%s: %.*s is not number %lld", what, (int)r.length, r.line,
                     (long long)next - 1);
        }
    }
    if (next != RECORDS || n_ends != 1 || m31r_scan_count(scan).n_skipped != 0) {
        fail_msg("%s: %lld records, %d ends", what, (long long)next, n_ends);
    }
    m31r_scan_close(scan);
    m31r_reader_close(reader);
    char *points = read_text(s->dir, "metrics.csv");
    assert_int_equal(count_of(points, "\nnumber,"), RECORDS / 10);
    free(points);
}

/* How often the call was refused; 0: recovery does not make so many. */
static long try_one(int call, int error, bool is_short, long first, bool for_ever)
{
    char what[128];
    leave_run();
    plan.call = call;
    plan.error = error;
    plan.is_short = is_short;
    plan.first = first;
    plan.n = for_ever ? 1000000 : 1;
    snprintf(what, sizeof what, "%s number %ld, %s%s, %s", call_names[call], first,
             is_short ? "half and then " : "", strerror(error), for_ever ? "for ever" : "once");
    recover_under_fault(what);
    if (recover() != M31R_OK) {
        fail_msg("%s: the second recovery failed", what);
    }
    expect_once(what);
    return s->failed;
}

static void try_places(int call, long quick_step)
{
    static const int errors[] = {EIO, ENOSPC, EDQUOT, EROFS, EACCES, EMFILE, ENOMEM};
    bool is_soak = getenv("M31R_SOAK") != NULL;
    s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s != MAP_FAILED);
    for (size_t k = 0; k < (is_soak ? sizeof errors / sizeof *errors : 1); k++) {
        for (long first = 1; first < MOST_PLACES; first += is_soak ? 1 : quick_step) {
            bool is_short = (call == CALL_WRITE || call == CALL_PWRITE) && first % 2 == 0;
            if (try_one(call, errors[k], is_short, first, !is_soak && first % 3 == 0) == 0) {
                break; /* there are no more */
            }
        }
        if (is_soak) {
            (void)try_one(call, errors[k], false, 1, true);
        }
    }
    munmap(s, sizeof *s);
}

/* How many places are left out between two in the ordinary suite is the second number. */
static void test_recover_faults__write(void **state)
{
    (void)state;
    try_places(CALL_WRITE, 5);
}

static void test_recover_faults__pwrite(void **state)
{
    (void)state;
    try_places(CALL_PWRITE, 3);
}

static void test_recover_faults__sync(void **state)
{
    (void)state;
    try_places(CALL_SYNC, 4);
}

static void test_recover_faults__open(void **state)
{
    (void)state;
    try_places(CALL_OPEN, 23);
}

static void test_recover_faults__rename(void **state)
{
    (void)state;
    try_places(CALL_RENAME, 3);
}

static void test_recover_faults__truncate(void **state)
{
    (void)state;
    try_places(CALL_TRUNCATE, 2);
}

static void test_recover_faults__allocate(void **state)
{
    (void)state;
    try_places(CALL_ALLOCATE, 2);
}

static void test_recover_faults__map(void **state)
{
    (void)state;
    try_places(CALL_MAP, 3);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        CASE(test_recover_faults__write),    CASE(test_recover_faults__pwrite),
        CASE(test_recover_faults__sync),     CASE(test_recover_faults__open),
        CASE(test_recover_faults__rename),   CASE(test_recover_faults__truncate),
        CASE(test_recover_faults__allocate), CASE(test_recover_faults__map),
    };
    (void)setenv("TMPDIR", "/dev/shm",
                 0); /* the calls' own answers are what counts: no slow disk */
    return cmocka_run_group_tests_name("recover_faults", tests, NULL, NULL);
}
