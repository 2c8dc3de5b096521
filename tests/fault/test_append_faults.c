/* Append files under faults: full disks, limits, errors, kill -9. A line that was acknowledged is
 * there, once and whole; one that was refused is not; nothing is glued. */
#include "../unit/store/scratch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "store/append_file.h"

#define LOG "train.log"

static m31ri_append_file *open_log(int dir, m31ri_append_mode mode, m31ri_buf *torn)
{
    m31ri_append_file *f = NULL;
    m31r_error e;
    m31r_err err = m31ri_append_open(dir, LOG, mode, NULL, torn, &f, &e);
    if (err != M31R_OK) {
        print_error("%s\n", e.message);
    }
    assert_int_equal(err, M31R_OK);
    return f;
}

/* Appends lines until one is refused; the file must hold exactly what was acknowledged. */
static int fill(int dir, m31ri_append_file *f, int *n_lines)
{
    char line[1001];
    memset(line, 'x', sizeof line);
    line[1000] = '\n';
    for (;;) {
        snprintf(line, 9, "%08d", *n_lines);
        line[8] = ' ';
        int err = m31ri_append_write(f, line, sizeof line);
        struct stat st;
        assert_int_equal(fstatat(dir, LOG, &st, 0), 0);
        if (err != 0) {
            assert_int_equal(st.st_size, *n_lines * 1001);
            assert_int_equal(m31ri_append_size(f), *n_lines * 1001);
            return err;
        }
        ++*n_lines;
        assert_int_equal(st.st_size, *n_lines * 1001);
        assert_true(*n_lines < 100000);
    }
}

static void test_append_faults__full_disk_takes_whole_lines_and_goes_on_when_there_is_room(
    void **state)
{
    (void)state;
    for (int mode = M31RI_APPEND_EXCLUSIVE; mode <= M31RI_APPEND_SHARED; mode++) {
        scratch s = scratch_make();
        if (mount("none", s.path, "tmpfs", 0, "size=64k") != 0) {
            scratch_remove(&s);
            skip();
        }
        int dir = m31ri_open_dir(AT_FDCWD, s.path, false);
        scratch_put(dir, "ballast", "0123456789");
        m31ri_append_file *f = open_log(dir, (m31ri_append_mode)mode, NULL);
        int n_lines = 0;
        assert_int_equal(fill(dir, f, &n_lines), ENOSPC);
        assert_int_equal(fill(dir, f, &n_lines), ENOSPC); /* and again: still whole */
        assert_true(n_lines > 50);
        unlinkat(dir, "ballast", 0);
        int before = n_lines;
        assert_int_equal(fill(dir, f, &n_lines), ENOSPC);
        assert_true(n_lines > before);
        assert_int_equal(m31ri_append_check(f), M31RI_APPEND_FINE);
        m31ri_append_close(f);
        close(dir);
        assert_int_equal(umount(s.path), 0);
        scratch_remove(&s);
    }
}

static void test_append_faults__file_size_limit_is_an_error_of_the_write_only(void **state)
{
    (void)state;
    scratch s = scratch_make();
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {10500, 10500};
        setrlimit(RLIMIT_FSIZE, &limit);
        m31ri_append_file *f = open_log(s.dir, M31RI_APPEND_EXCLUSIVE, NULL);
        int n_lines = 0;
        _exit(fill(s.dir, f, &n_lines) == EFBIG && n_lines == 10 ? 0 : 1);
    }
    scratch_wait(child);
    scratch_remove(&s);
}

/* The hook's plan: pass `whole` calls on, then take `part` bytes and fail, then fail `more` times.
 */
static struct {
    int whole, part, more, sys_errno;
} plan;

static ssize_t planned_write(int fd, const void *bytes, size_t length)
{
    if (plan.whole > 0) {
        plan.whole--;
        return write(fd, bytes, length);
    }
    if (plan.part > 0) {
        size_t n = (size_t)plan.part < length ? (size_t)plan.part : length;
        plan.part = 0;
        return write(fd, bytes, n);
    }
    if (plan.more > 0) {
        plan.more--;
        errno = plan.sys_errno;
        return -1;
    }
    return write(fd, bytes, length);
}

static void test_append_faults__a18_failed_write_leaves_no_byte_and_the_next_is_whole(void **state)
{
    (void)state;
    const m31ri_append_hooks hooks = {.write = planned_write};
    const int codes[] = {EIO, ENOSPC, EDQUOT, EROFS};
    for (int k = 0; k < 16; k++) {
        scratch s = scratch_make();
        m31ri_append_mode mode = k % 2 ? M31RI_APPEND_SHARED : M31RI_APPEND_EXCLUSIVE;
        m31ri_append_set_hooks(&hooks);
        plan.whole = 1;
        plan.part = k / 2 % 2 ? 9 : 0;
        plan.more = 2;
        plan.sys_errno = codes[k / 4];
        m31ri_append_file *f = open_log(s.dir, mode, NULL);
        assert_int_equal(m31ri_append_write(f, "one\n", 4), 0);
        assert_int_equal(m31ri_append_write(f, "two\nthree\nfour\n", 15), codes[k / 4]);
        assert_string_equal(scratch_text(s.dir, LOG), "one\n");
        assert_int_equal(m31ri_append_write(f, "five\n", 5), codes[k / 4]);
        assert_int_equal(m31ri_append_write(f, "six\n", 4), 0);
        assert_string_equal(scratch_text(s.dir, LOG), "one\nsix\n");
        m31ri_append_set_hooks(NULL);
        m31ri_append_close(f);
        scratch_remove(&s);
    }
}

/* Interrupted and short writes are no errors. */
static ssize_t crumbling_write(int fd, const void *bytes, size_t length)
{
    static int n;
    if (++n % 2) {
        errno = EINTR;
        return -1;
    }
    return write(fd, bytes, length < 3 ? length : 3);
}

static void test_append_faults__short_and_interrupted_writes_are_finished(void **state)
{
    (void)state;
    const m31ri_append_hooks hooks = {.write = crumbling_write};
    scratch s = scratch_make();
    m31ri_append_set_hooks(&hooks);
    m31ri_append_file *f = open_log(s.dir, M31RI_APPEND_SHARED, NULL);
    assert_int_equal(m31ri_append_write(f, "a line of some length\n", 22), 0);
    m31ri_append_set_hooks(NULL);
    assert_string_equal(scratch_text(s.dir, LOG), "a line of some length\n");
    m31ri_append_close(f);
    scratch_remove(&s);
}

static int n_syncs;

static int failing_sync(int fd)
{
    (void)fd;
    errno = EIO;
    return ++n_syncs == 2 ? -1 : 0;
}

static void test_append_faults__a18_failed_sync_stays_failed(void **state)
{
    (void)state;
    const m31ri_append_hooks hooks = {.sync = failing_sync};
    scratch s = scratch_make();
    m31ri_append_file *f = open_log(s.dir, M31RI_APPEND_EXCLUSIVE, NULL);
    m31ri_append_set_hooks(&hooks);
    assert_int_equal(m31ri_append_sync(f), 0);
    assert_int_equal(m31ri_append_sync(f), EIO);
    assert_int_equal(m31ri_append_sync(f), EIO);
    m31ri_append_set_hooks(NULL);
    assert_int_equal(m31ri_append_sync(f), EIO); /* the kernel would say fine now */
    assert_int_equal(n_syncs, 2);
    assert_int_equal(m31ri_append_write(f, "x\n", 2), 0);
    m31ri_append_close(f);
    scratch_remove(&s);
}

static void test_append_faults__torn_tail_is_kept_when_memory_is_out(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_append_file *f = open_log(s.dir, M31RI_APPEND_SHARED, NULL);
    int fd = m31ri_open(s.dir, LOG, O_WRONLY | O_APPEND, 0);
    assert_int_equal(write(fd, "torn", 4), 4);
    close(fd);
    m31ri_alloc_fail_at(1, 0);
    assert_int_equal(m31ri_append_write(f, "one\n", 4), ENOMEM);
    m31ri_alloc_fail_at(0, 0);
    assert_string_equal(scratch_text(s.dir, LOG), "torn");
    assert_int_equal(m31ri_append_write(f, "one\n", 4), 0);
    assert_string_equal(scratch_text(s.dir, LOG), "one\n");
    m31ri_append_close(f);
    scratch_remove(&s);
}

static void test_append_faults__a_stopped_lock_holder_blocks_no_one_for_ever(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_append_file *f = open_log(s.dir, M31RI_APPEND_SHARED, NULL);
    int fd = m31ri_open(s.dir, LOG, O_RDWR, 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    int64_t start = m31ri_mono_ns();
    assert_int_equal(m31ri_append_write(f, "x\n", 2), EBUSY);
    int64_t waited_ms = (m31ri_mono_ns() - start) / 1000000;
    assert_true(waited_ms >= 4900 && waited_ms < 30000);
    close(fd);
    assert_int_equal(m31ri_append_write(f, "y\n", 2), 0);
    assert_string_equal(scratch_text(s.dir, LOG), "y\n");
    m31ri_append_close(f);
    scratch_remove(&s);
}

/* A line says who wrote it and how it ends: "<writer> <n> <dots> end\n", of a length that crosses
 * pages. */
static size_t make_line(char *line, unsigned writer, unsigned n)
{
    size_t dots = (writer * 7919u + n * 104729u) % 6000;
    int head = snprintf(line, 64, "%u %u ", writer, n);
    memset(line + head, '.', dots);
    memcpy(line + head + dots, " end\n", 5);
    return (size_t)head + dots + 5;
}

typedef struct ack {
    unsigned writer, n;
} ack;

static long *n_torn; /* shared by all: tails that were found and taken off */

static void write_for_ever(int dir, m31ri_append_mode mode, unsigned writer, int acks)
{
    static char line[8192];
    m31ri_append_file *f = NULL;
    m31ri_buf torn = M31RI_BUF_INIT;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (m31ri_append_open(dir, LOG, mode, NULL, &torn, &f, NULL) != M31R_OK) {
        _exit(1);
    }
    *n_torn += torn.length != 0;
    for (unsigned n = 0;; n++) {
        ack a = {writer, n};
        size_t length = make_line(line, writer, n);
        int err = m31ri_append_write(f, line, length);
        *n_torn += m31ri_append_take_torn(f, &torn);
        if (err != 0 || write(acks, &a, sizeof a) != sizeof a) {
            _exit(1);
        }
    }
}

#define WRITERS 256
#define LINES 60000

static unsigned char seen[WRITERS][LINES]; /* times the line stands in the file */
static unsigned char acked[WRITERS][LINES];

static void drain(int fd, long *n_acked)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ack a[512];
    while (poll(&p, 1, 0) == 1) {
        ssize_t n = read(fd, a, sizeof a);
        if (n <= 0) {
            return;
        }
        for (size_t i = 0; i < (size_t)n / sizeof a[0]; i++) {
            assert_true(a[i].writer < WRITERS && a[i].n < LINES);
            acked[a[i].writer][a[i].n] = 1;
            ++*n_acked;
        }
    }
}

/* Reads the file; every line must be one that make_line gives. Number of lines. */
static long check_lines(int dir)
{
    static char expected[8192];
    m31ri_buf text = M31RI_BUF_INIT;
    long n_lines = 0;
    assert_int_equal(m31ri_read_file(dir, LOG, SIZE_MAX / 4, &text, NULL), M31R_OK);
    for (size_t at = 0; at < text.length;) {
        char *newline = memchr(text.data + at, '\n', text.length - at);
        char *after;
        assert_non_null(newline);
        unsigned long writer = strtoul(text.data + at, &after, 10);
        unsigned long n = strtoul(after, NULL, 10);
        assert_true(writer < WRITERS && n < LINES);
        size_t length = make_line(expected, (unsigned)writer, (unsigned)n);
        assert_int_equal(length, newline + 1 - (text.data + at));
        assert_memory_equal(text.data + at, expected, length);
        seen[writer][n]++;
        at += length;
        n_lines++;
    }
    m31ri_buf_release(&text);
    return n_lines;
}

static void kill_writers(m31ri_append_mode mode, int n_processes, int n_kills)
{
    scratch s = scratch_make();
    int acks[2];
    long n_acked = 0;
    pid_t children[8];
    unsigned next_writer = 0;
    memset(seen, 0, sizeof seen);
    memset(acked, 0, sizeof acked);
    n_torn = mmap(NULL, sizeof *n_torn, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(n_torn != MAP_FAILED);
    assert_int_equal(pipe(acks), 0);
    for (int i = 0; i < n_processes; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            write_for_ever(s.dir, mode, next_writer, acks[1]);
        }
        next_writer++;
    }
    srand(1);
    for (int k = 0; k < n_kills; k++) {
        int victim = rand() % n_processes;
        for (int waited = 0; waited < 4; waited++) {
            usleep((useconds_t)(rand() % 700));
            drain(acks[0], &n_acked);
        }
        int status;
        assert_int_equal(waitpid(children[victim], &status, WNOHANG), 0); /* no writer gave up */
        kill(children[victim], SIGKILL);
        waitpid(children[victim], &status, 0);
        if (k + n_processes < n_kills) {
            children[victim] = fork();
            if (children[victim] == 0) {
                write_for_ever(s.dir, mode, next_writer, acks[1]);
            }
            next_writer++;
        } else {
            children[victim] = children[--n_processes];
        }
    }
    drain(acks[0], &n_acked);
    m31ri_buf torn = M31RI_BUF_INIT;
    m31ri_append_close(open_log(s.dir, mode, &torn));
    long n_lines = check_lines(s.dir);
    for (unsigned w = 0; w < WRITERS; w++) {
        for (unsigned n = 0; n < LINES; n++) {
            assert_true(seen[w][n] <= 1);
            assert_true(seen[w][n] == 1 || !acked[w][n]);
        }
    }
    print_message("%d kills: %ld lines acknowledged, %ld in the file, %ld torn tails taken off\n",
                  n_kills, n_acked, n_lines, *n_torn + (torn.length != 0));
    assert_true(n_acked > 100);
    munmap(n_torn, sizeof *n_torn);
    m31ri_buf_release(&torn);
    close(acks[0]);
    close(acks[1]);
    scratch_remove(&s);
}

static void test_append_faults__a24_eight_shared_writers_killed_at_random_lose_nothing(void **state)
{
    (void)state;
    kill_writers(M31RI_APPEND_SHARED, 8, 150);
}

static void test_append_faults__a24_exclusive_writer_killed_and_started_again_loses_nothing(
    void **state)
{
    (void)state;
    kill_writers(M31RI_APPEND_EXCLUSIVE, 1, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_append_faults__full_disk_takes_whole_lines_and_goes_on_when_there_is_room),
        cmocka_unit_test(test_append_faults__file_size_limit_is_an_error_of_the_write_only),
        cmocka_unit_test(test_append_faults__a18_failed_write_leaves_no_byte_and_the_next_is_whole),
        cmocka_unit_test(test_append_faults__short_and_interrupted_writes_are_finished),
        cmocka_unit_test(test_append_faults__a18_failed_sync_stays_failed),
        cmocka_unit_test(test_append_faults__torn_tail_is_kept_when_memory_is_out),
        cmocka_unit_test(test_append_faults__a_stopped_lock_holder_blocks_no_one_for_ever),
        cmocka_unit_test(
            test_append_faults__a24_eight_shared_writers_killed_at_random_lose_nothing),
        cmocka_unit_test(
            test_append_faults__a24_exclusive_writer_killed_and_started_again_loses_nothing),
    };
    return cmocka_run_group_tests_name("append_faults", tests, NULL, NULL);
}
