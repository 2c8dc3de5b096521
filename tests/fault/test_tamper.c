/* Hands on a sealed run: each single deletion, duplication, swap, edit, truncation and splice of a
 * record is found and located, each flipped bit in any file is found; and no false alarm on runs
 * that were killed. M31R_SOAK=1 takes every record, 10,000 flips and 1,000 killed runs. */
#include "../unit/emit/scratch.h"

#include <dirent.h>
#include <signal.h>
#include <time.h>

#include "m31r/reader.h"
#include "m31r/recover.h"
#include "m31r/verify.h"

#define N_RECORDS 1000
#define MOST_FILES 32

typedef struct kept_file {
    char name[64];
    m31ri_buf bytes;
} kept_file;

static char dir_a[SCRATCH_PATH];
static kept_file files[MOST_FILES];
static size_t n_files;
static uint64_t random_state = 7;

static bool is_long(void)
{
    return getenv("M31R_SOAK") != NULL;
}

static uint64_t below(uint64_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % n;
}

static void write_run(char *out_dir)
{
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "trainer");
    snprintf(out_dir, SCRATCH_PATH, "%s", m31r_run_dir(run));
    for (int64_t i = 0; i < N_RECORDS; i++) {
        m31r_info(log, "line", "i", i, "text", "long enough that a thousand make several blocks",
                  "x", 0.37 * (double)i);
        m31r_metric(run, "loss", 1.0 / (double)(i + 1), i);
    }
    int fd = m31ri_open_dir(AT_FDCWD, out_dir, true);
    assert_int_equal(m31ri_create_file(fd, "model.bin", "some bytes of a model", 21, NULL),
                     M31R_OK);
    close(fd);
    assert_int_equal(m31r_run_close(run), M31R_OK);
}

static void put(const char *name, const void *bytes, size_t length)
{
    char path[SCRATCH_PATH + 80];
    snprintf(path, sizeof path, "%s/%s", dir_a, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

static void keep_files(void)
{
    int fd = m31ri_open_dir(AT_FDCWD, dir_a, true);
    DIR *d = opendir(dir_a);
    for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
        if (entry->d_type == DT_REG) {
            kept_file *k = &files[n_files++];
            snprintf(k->name, sizeof k->name, "%.63s", entry->d_name);
            assert_int_equal(m31ri_read_file(fd, k->name, 1 << 24, &k->bytes, NULL), M31R_OK);
            assert_int_equal(fchmodat(fd, k->name, 0644, 0), 0);
        }
    }
    closedir(d);
    close(fd);
}

static const kept_file *file_named(const char *name)
{
    for (size_t i = 0; i < n_files; i++) {
        if (strcmp(files[i].name, name) == 0) {
            return &files[i];
        }
    }
    fail_msg("no %s", name);
    return NULL;
}

static m31r_verdict verdict_of(const char *dir, bool is_complete)
{
    m31r_reader *r = NULL;
    m31r_verification *v = NULL;
    m31r_error e = {0};
    assert_int_equal(m31r_reader_open(&r, NULL, dir, &e), M31R_OK);
    m31r_verify_options o = {.is_complete = is_complete, .seal_only = true};
    assert_int_equal(m31r_verify(&v, r, &o, &e), M31R_OK);
    m31r_verdict verdict = m31r_verification_verdict(v);
    for (size_t i = 0; verdict > M31R_VERDICT_PREFIX && i < m31r_verification_checks(v); i++) {
        const m31r_check *c = m31r_verification_check(v, i);
        if (c->answer == M31R_NO) {
            print_message("%s: %s: %s\n", dir, c->what, c->why);
        }
    }
    m31r_verification_free(v);
    m31r_reader_close(r);
    return verdict;
}

/* True when some check says no about `file`; its line in `*line`. The run does not verify. */
static bool is_found(const char *file, uint64_t *line)
{
    m31r_reader *r = NULL;
    m31r_verification *v = NULL;
    m31r_error e = {0};
    bool is_named = false;
    *line = 0;
    assert_int_equal(m31r_reader_open(&r, NULL, dir_a, &e), M31R_OK);
    m31r_verify_options o = {.seal_only = true};
    assert_int_equal(m31r_verify(&v, r, &o, &e), M31R_OK);
    for (size_t i = 0; i < m31r_verification_checks(v) && !is_named; i++) {
        const m31r_check *c = m31r_verification_check(v, i);
        is_named = c->answer == M31R_NO && strcmp(c->path, file) == 0;
        *line = is_named ? c->line : 0;
    }
    bool is_bad = m31r_verification_verdict(v) > M31R_VERDICT_PREFIX;
    m31r_verification_free(v);
    m31r_reader_close(r);
    return is_bad && is_named;
}

static int make_runs(void **state)
{
    char dir_b[SCRATCH_PATH];
    scratch_enter(state);
    write_run(dir_b);
    write_run(dir_a);
    keep_files();
    files[n_files].bytes = (m31ri_buf)M31RI_BUF_INIT;
    snprintf(files[n_files].name, sizeof files[0].name, "other run");
    int fd = m31ri_open_dir(AT_FDCWD, dir_b, true);
    assert_int_equal(m31ri_read_file(fd, "train.log", 1 << 24, &files[n_files].bytes, NULL),
                     M31R_OK);
    close(fd);
    assert_int_equal(verdict_of(dir_a, true), M31R_VERDICT_VERIFIED);
    return 0;
}

static int leave_runs(void **state)
{
    for (size_t i = 0; i <= n_files; i++) {
        m31ri_buf_release(&files[i].bytes);
    }
    return scratch_leave(state);
}

/* ---- what can be done to a line ---------------------------------------------------------------
 */

typedef struct span {
    const char *at;
    size_t length;
} span;

/* Line `i`, its newline included. */
static span line_of(const m31ri_buf *text, size_t i)
{
    const char *at = text->data;
    for (; i > 0; i--) {
        at = strchr(at, '\n') + 1;
    }
    return (span){at, (size_t)(strchr(at, '\n') + 1 - at)};
}

static const char *const deeds[] = {"deletion", "duplication", "swap",
                                    "edit",     "truncation",  "splice"};

/* The log with one deed done at line `i` (from 0); the line that differs first, from 1. */
static uint64_t tamper(int deed, size_t i, m31ri_buf *out)
{
    const m31ri_buf *log = &file_named("train.log")->bytes;
    span line = line_of(log, i), next = line_of(log, i + 1);
    span foreign = line_of(&files[n_files].bytes, i);
    const char *end = log->data + log->length;
    m31ri_buf_clear(out);
    m31ri_buf_add(out, log->data, (size_t)(line.at - log->data));
    switch (deed) {
    case 0:
        break;
    case 1:
        m31ri_buf_add(out, line.at, line.length);
        m31ri_buf_add(out, line.at, line.length);
        break;
    case 2:
        m31ri_buf_add(out, next.at, next.length);
        m31ri_buf_add(out, line.at, line.length);
        m31ri_buf_add(out, next.at + next.length, (size_t)(end - next.at) - next.length);
        return i + 1;
    case 3:
        m31ri_buf_add(out, line.at, line.length);
        out->data[out->length - 1 - below(line.length - 1) - 1] ^= 1;
        break;
    case 4:
        m31ri_buf_add(out, line.at, below(line.length));
        return i + 1;
    default:
        m31ri_buf_add(out, foreign.at, foreign.length);
        break;
    }
    m31ri_buf_add(out, line.at + line.length, (size_t)(end - line.at) - line.length);
    return deed == 1 ? i + 2 : i + 1;
}

static void test_obs_04__each_single_change_of_a_record_is_found_and_located(void **state)
{
    (void)state;
    m31ri_buf text = M31RI_BUF_INIT;
    const m31ri_buf *log = &file_named("train.log")->bytes;
    size_t step = is_long() ? 1 : 97;
    for (int deed = 0; deed < 6; deed++) {
        size_t n = 0, n_exact = 0;
        for (size_t i = 0; i < N_RECORDS; i += step, n++) {
            uint64_t line, expected = tamper(deed, i, &text);
            put("train.log", text.data, text.length);
            assert_true(is_found("train.log", &line));
            /* One of 4,096 lines has the check of another: then the next that differs is named. */
            assert_true(line > 0 && line <= expected + 2);
            /* Of two equal lines either may be the one that came. */
            n_exact += line == expected || (deed == 1 && line + 1 == expected);
        }
        print_message("%s: %zu found, %zu to the line\n", deeds[deed], n, n_exact);
        assert_true(n_exact * 100 >= n * 99);
    }
    put("train.log", log->data, log->length);
    assert_int_equal(verdict_of(dir_a, true), M31R_VERDICT_VERIFIED);
    m31ri_buf_release(&text);
}

static void test_obs_04__each_flipped_bit_in_any_file_is_found(void **state)
{
    (void)state;
    uint64_t total = 0;
    for (size_t i = 0; i < n_files; i++) {
        total += files[i].bytes.length;
    }
    for (int n = is_long() ? 10000 : 100; n > 0; n--) {
        /* Every second one in a file by its size, the others in each file alike. */
        uint64_t at = below(total), line;
        size_t i = n % 2 == 0 ? below(n_files) : 0;
        while (n % 2 != 0 && at >= files[i].bytes.length) {
            at -= files[i++].bytes.length;
        }
        kept_file *k = &files[i];
        at = k->bytes.length > 0 ? at % k->bytes.length : 0;
        if (k->bytes.length == 0) {
            continue;
        }
        char bit = (char)(1 << below(8));
        k->bytes.data[at] ^= bit;
        put(k->name, k->bytes.data, k->bytes.length);
        if (!is_found(k->name, &line)) {
            fail_msg("%s: bit %d of byte %llu is not found", k->name, bit, (unsigned long long)at);
        }
        k->bytes.data[at] ^= bit;
        put(k->name, k->bytes.data, k->bytes.length);
    }
    assert_int_equal(verdict_of(dir_a, true), M31R_VERDICT_VERIFIED);
}

static void test_obs_04__a_log_that_was_added_or_taken_away_is_found(void **state)
{
    (void)state;
    uint64_t line;
    char path[SCRATCH_PATH + 80];
    put("train.000001.20261123T102651Z.log", "{}\n", 3);
    assert_true(is_found("train.000001.20261123T102651Z.log", &line));
    snprintf(path, sizeof path, "%s/train.000001.20261123T102651Z.log", dir_a);
    assert_int_equal(unlink(path), 0);
    for (size_t i = 0; i < n_files; i++) {
        snprintf(path, sizeof path, "%s/%.78s", dir_a, files[i].name);
        assert_int_equal(unlink(path), 0);
        assert_true(verdict_of(dir_a, false) > M31R_VERDICT_PREFIX);
        put(files[i].name, files[i].bytes.data, files[i].bytes.length);
    }
    assert_int_equal(verdict_of(dir_a, true), M31R_VERDICT_VERIFIED);
}

/* ---- killed runs -------------------------------------------------------------------------------
 */

static void emit_for_ever(char *told)
{
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "trainer");
    snprintf(told, SCRATCH_PATH, "%s", m31r_run_dir(run));
    for (int64_t i = 0;; i++) {
        m31r_info(log, "line", "i", i, "text", "long enough that some thousands make many blocks");
        m31r_metric(run, "loss", 1.0 / (double)(i + 1), i);
        if (i % 20 == 0) {
            nanosleep(&(struct timespec){0, 1000 * 1000}, NULL);
        }
    }
}

#define AT_ONCE 4

static void remove_run(const char *dir)
{
    char command[SCRATCH_PATH + 80];
    snprintf(command, sizeof command, "chmod -R u+w %s && rm -rf %s", dir, dir);
    assert_int_equal(system(command), 0);
}

static void test_obs_04__killed_runs_are_no_false_alarm(void **state)
{
    (void)state;
    char *told = mmap(NULL, AT_ONCE * SCRATCH_PATH, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(told, MAP_FAILED);
    for (int round = is_long() ? 250 : 1; round > 0; round--) {
        pid_t children[AT_ONCE];
        memset(told, 0, AT_ONCE * SCRATCH_PATH);
        for (int i = 0; i < AT_ONCE; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                emit_for_ever(told + i * SCRATCH_PATH);
            }
        }
        for (int i = 0; i < AT_ONCE; i++) {
            nanosleep(&(struct timespec){i == 0, (long)below(400000000)}, NULL);
            kill(children[i], SIGKILL);
            assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
        }
        for (int i = 0; i < AT_ONCE; i++) {
            const char *dir = told + i * SCRATCH_PATH;
            m31r_recovery recovery;
            m31r_error e = {0};
            if (dir[0] != '\0') {
                assert_int_equal(verdict_of(dir, false), M31R_VERDICT_PREFIX);
                assert_int_equal(m31r_recover(NULL, dir, false, &recovery, &e), M31R_OK);
                assert_int_equal(verdict_of(dir, true), M31R_VERDICT_VERIFIED);
                remove_run(dir);
            }
        }
    }
    munmap(told, AT_ONCE * SCRATCH_PATH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_obs_04__each_single_change_of_a_record_is_found_and_located),
        cmocka_unit_test(test_obs_04__each_flipped_bit_in_any_file_is_found),
        cmocka_unit_test(test_obs_04__a_log_that_was_added_or_taken_away_is_found),
        cmocka_unit_test(test_obs_04__killed_runs_are_no_false_alarm),
    };
    return cmocka_run_group_tests_name("tamper", tests, make_runs, leave_runs);
}
