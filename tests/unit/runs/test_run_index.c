/* The index of runs: with it, without it, with a damaged one - the same answers. */
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runs/run_index.h"
#include "base/buf.h"
#include "base/os_file.h"
#include "m31r/runs.h"
#include "unit/read/scratch_run.h"

#define N_RUNS 13
#define NOWHERE "/proc/nowhere" /* no directory can be made there */

static char cache[128], database[160];

/* Runs of every kind: states, resumed ones, without end, without points, with damage. */
static int make_runs(void **state)
{
    scratch_make(state);
    snprintf(cache, sizeof cache, "%s-cache", scratch_root);
    snprintf(database, sizeof database, "%s/m31r/runs.sqlite", cache);
    char command[2048];
    snprintf(command, sizeof command,
             "cd %s && for i in $(seq 10 %d); do r=20261122T1000${i}Z-0a0b0c0d; cp -r " FIXTURE
             " $r; sed -i \"s/" FIXTURE "/$r/; s/\\\"fixture\\\"/\\\"run $i\\\"/\" "
             "$r/metadata.json; done && cd 20261122T100011Z-0a0b0c0d && "
             "sed -i 's/\"finished\"/\"failed\"/' metadata.json && cd ../20261122T100012Z-0a0b0c0d "
             "&& rm metrics.json && printf 'loss,9,nan,2026-11-22T10:00:12.000000Z,0\\n' >> "
             "metrics.csv && cd ../20261122T100013Z-0a0b0c0d && printf '{' > metadata.json && cd "
             "../20261122T100014Z-0a0b0c0d && rm metrics.csv metrics.json && cd "
             "../20261122T100015Z-0a0b0c0d && sed -i 's/\"end\": \"[^\"]*\"/\"end\": null/' "
             "metadata.json && cd ../20261122T100016Z-0a0b0c0d && sed -i 's/\"resumes\": "
             "null/\"resumes\": {\"run\": \"20261122T100011Z-0a0b0c0d\"}/' metadata.json && rm "
             "config_snapshot.yaml",
             scratch_root, 9 + N_RUNS);
    assert_int_equal(system(command), 0);
    struct timespec pause = {2, 200000000}; /* what changed just now is not remembered */
    nanosleep(&pause, NULL);
    return setenv("XDG_CACHE_HOME", cache, 1);
}

static int remove_runs(void **state)
{
    shell("rm -rf %s%s", cache, "");
    return scratch_remove(state);
}

static void add_value(m31ri_buf *out, m31r_runs *runs, size_t i, const char *field)
{
    m31r_run_value v;
    assert_int_equal(m31r_runs_value(runs, i, field, &v, NULL), M31R_OK);
    m31ri_buf_add_format(out, " %s=%c:%s:%lld:%.17g", field, v.type, v.text, (long long)v.i, v.d);
}

static void add_row(m31ri_buf *out, m31r_runs *runs, size_t i)
{
    static const char *const fields[] = {"id",
                                         "name",
                                         "stage",
                                         "state",
                                         "cause",
                                         "step",
                                         "best",
                                         "tokens_per_sec",
                                         "ts",
                                         "end",
                                         "seed",
                                         "dataset",
                                         "commit",
                                         "path",
                                         "attempt",
                                         "resumes",
                                         "duration_s",
                                         "lost",
                                         "config.train.lr",
                                         "config.nothing",
                                         "host",
                                         "metrics.loss",
                                         "metrics.loss.max",
                                         "metrics.loss.count",
                                         "metrics.x.last"};
    m31r_run_row row;
    assert_int_equal(m31r_runs_get(runs, i, &row, NULL), M31R_OK);
    m31ri_buf_add_format(out, "%s %s %s %s %lld %s %g %g %g|", row.facts->run_id, row.facts->path,
                         row.facts->state_why, row.facts->problem, (long long)row.last_step,
                         row.metric, row.metric_last, row.metric_best, row.tokens_per_sec);
    for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
        add_value(out, runs, i, fields[k]);
    }
    m31ri_buf_add_char(out, '\n');
}

/* All that can be asked: every row, then filters, then orders. */
static m31ri_buf tell(void)
{
    static const char *const filters[] = {"metrics.loss.last<3 and state==\"finished\"",
                                          "config.train.lr>=1e-4", "step>4", "name~\"run 2\"",
                                          "not metrics.loss.count>3"};
    static const char *const orders[] = {"name", "-metrics.loss", "best", "config.train.seed"};
    m31ri_buf out = M31RI_BUF_INIT;
    m31r_runs *runs = NULL;
    m31r_error e;
    if (m31r_runs_open(&runs, scratch_root, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    for (size_t i = 0; i < m31r_runs_count(runs); i++) {
        add_row(&out, runs, i);
    }
    for (size_t k = 0; k < sizeof filters / sizeof *filters; k++) {
        m31r_expr *expr = NULL;
        assert_int_equal(m31r_expr_compile(&expr, filters[k], M31R_EXPR_RUN, &e), M31R_OK);
        assert_int_equal(m31r_runs_set_filter(runs, expr, &e), M31R_OK);
        m31ri_buf_add_format(&out, "%s:", filters[k]);
        for (size_t i = 0; i < m31r_runs_count(runs); i++) {
            add_value(&out, runs, i, "id");
        }
        m31r_expr_free(expr);
    }
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
        bool is_descending = orders[k][0] == '-';
        assert_int_equal(m31r_runs_sort(runs, orders[k] + is_descending, is_descending, &e), 0);
        for (size_t i = 0; i < m31r_runs_count(runs); i++) {
            add_value(&out, runs, i, "id");
        }
    }
    m31r_runs_close(runs);
    return out;
}

/* The answers without a cache. */
static m31ri_buf tell_without(void)
{
    setenv("XDG_CACHE_HOME", NOWHERE, 1);
    m31ri_buf out = tell();
    setenv("XDG_CACHE_HOME", cache, 1);
    return out;
}

static void assert_same(m31ri_buf *want)
{
    m31ri_buf got = tell();
    assert_string_equal(m31ri_buf_str(&got), m31ri_buf_str(want));
    m31ri_buf_release(&got);
}

static void assert_as_without(void)
{
    m31ri_buf want = tell_without();
    assert_same(&want);
    assert_same(&want);
    m31ri_buf_release(&want);
}

static bool is_known(const char *run_id, m31ri_piece piece)
{
    const char *bytes;
    size_t length;
    const char *note;
    int fd = m31ri_open_dir(AT_FDCWD, scratch_root, true);
    m31ri_run_index *x = m31ri_run_index_open(scratch_root, fd, false, &note);
    bool found = m31ri_run_index_get(x, run_id, piece, &bytes, &length);
    m31ri_run_index_free(x);
    close(fd);
    return found;
}

static void test_run_index__answers_are_the_same_with_and_without(void **state)
{
    (void)state;
    shell("rm -rf %s%s", cache, "");
    m31ri_buf want = tell_without();
    assert_false(access(database, F_OK) == 0);
    assert_same(&want); /* makes it */
    for (int piece = 0; piece < M31RI_PIECES; piece++) {
        assert_true(is_known("20261122T100010Z-0a0b0c0d", (m31ri_piece)piece));
        assert_true(is_known("20261122T100015Z-0a0b0c0d", (m31ri_piece)piece));
    }
    assert_same(&want); /* uses it */
    m31ri_buf_release(&want);
}

/* Each change of a run's files is seen at once, also when size and modification time stay. */
static void test_run_index__a_change_is_seen(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "sed -i 's/run 20/ran 20/' metadata.json",
        "printf 'loss,7,0.5,2026-11-22T10:00:20.000000Z,0\\n' >> metrics.csv",
        "sed -i 's/lr: 0.001/lr: 0.002/' config_snapshot.yaml",
        "touch -r metrics.csv t && sed -i 's/^loss,4,[0-9]/loss,4,7/' metrics.csv && "
        "touch -r t metrics.csv && rm t",
        "cp metrics.csv metrics.rank0001.csv",
        "rm metrics.json",
        "rm config_snapshot.yaml",
        "mkdir .live",
    };
    char command[512];
    assert_as_without();
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        snprintf(command, sizeof command, "cd %s/20261122T100020Z-0a0b0c0d && %s", scratch_root,
                 changes[i]);
        assert_int_equal(system(command), 0);
        assert_false(is_known("20261122T100020Z-0a0b0c0d", M31RI_PIECE_FACTS));
        assert_as_without();
    }
}

static void test_run_index__runs_come_and_go(void **state)
{
    (void)state;
    assert_as_without();
    shell("cp -r %s/" FIXTURE " %s/20261124T000000Z-00000001", scratch_root, scratch_root);
    assert_as_without();
    shell("rm -r %s/20261122T100021Z-0a0b0c0d%s", scratch_root, "");
    assert_as_without();
    assert_false(is_known("20261122T100021Z-0a0b0c0d", M31RI_PIECE_FACTS));
}

static void write_at(off_t at, const void *bytes, size_t length)
{
    int fd = m31ri_open(AT_FDCWD, database, O_RDWR, 0);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, length, at), (ssize_t)length);
    close(fd);
}

static void test_run_index__a_damaged_one_changes_nothing(void **state)
{
    (void)state;
    struct stat st;
    m31ri_buf want = tell_without();
    assert_same(&want);
    assert_int_equal(stat(database, &st), 0);
    for (int round = 0; round < 12; round++) {
        off_t at = round < 4 ? round * 8 : (off_t)(round * 7919LL * 131 % st.st_size);
        write_at(at, "\xff\x00\x5a\xa5\xff\xff\x01\x80", 8);
        assert_same(&want);
    }
    assert_int_equal(truncate(database, st.st_size / 3), 0);
    assert_same(&want);
    shell("printf 'no database at all' > %s%s", database, "");
    assert_same(&want);
    assert_true(is_known("20261122T100010Z-0a0b0c0d", M31RI_PIECE_FACTS)); /* made anew */
    shell("rm -rf %s && mkdir -p %s", database, database);
    assert_same(&want);
    shell("rm -rf %s%s", cache, "");
    m31ri_buf_release(&want);
}

/* Readers and writers at once, one of them killed again and again. */
static void test_run_index__many_processes_share_it(void **state)
{
    (void)state;
    shell("rm -rf %s%s", cache, "");
    m31ri_buf want = tell_without();
    pid_t children[6];
    for (int c = 0; c < 6; c++) {
        children[c] = fork();
        if (children[c] == 0) {
            for (int i = 0; i < 4; i++) {
                m31ri_buf got = tell();
                if (strcmp(m31ri_buf_str(&got), m31ri_buf_str(&want)) != 0) {
                    _exit(1);
                }
                m31ri_buf_release(&got);
                if (c == 0) {
                    unlink(database);
                }
            }
            _exit(0);
        }
    }
    for (int c = 0; c < 6; c++) {
        int status;
        assert_int_equal(waitpid(children[c], &status, 0), children[c]);
        assert_int_equal(status, 0);
    }
    assert_same(&want);
    m31ri_buf_release(&want);
}

static void test_run_index__a_field_that_no_run_has_is_an_error(void **state)
{
    (void)state;
    m31r_runs *runs = NULL;
    m31r_run_value v;
    m31r_error e;
    assert_int_equal(m31r_runs_open(&runs, scratch_root, &e), M31R_OK);
    assert_int_equal(m31r_runs_value(runs, 0, "colour", &v, &e), M31R_E_ARG);
    assert_non_null(strstr(e.message, "colour"));
    assert_int_equal(m31r_runs_sort(runs, "colour", false, &e), M31R_E_ARG);
    m31r_runs_close(runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_index__answers_are_the_same_with_and_without),
        cmocka_unit_test(test_run_index__a_change_is_seen),
        cmocka_unit_test(test_run_index__runs_come_and_go),
        cmocka_unit_test(test_run_index__a_damaged_one_changes_nothing),
        cmocka_unit_test(test_run_index__many_processes_share_it),
        cmocka_unit_test(test_run_index__a_field_that_no_run_has_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_runs, remove_runs);
}
