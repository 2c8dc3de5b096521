/* metrics.json follows metrics.csv, whoever writes it, and is whole at every moment. */
#include "scratch.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>

#include "base/alloc.h"
#include "store/append_file.h"
#include "store/metrics_json.h"

static const uint8_t digest[32] = {2};

static m31ri_run_dir make_run(scratch *s)
{
    char root[128];
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    snprintf(root, sizeof root, "%s/experiments", s->path);
    assert_int_equal(m31ri_run_dir_create(root, 0, digest, &d, NULL), M31R_OK);
    return d;
}

static void add_point(const m31ri_run_dir *d, const char *file, const char *name, int step,
                      double x)
{
    m31ri_append_file *f = NULL;
    char line[128];
    int n =
        snprintf(line, sizeof line, "%s,%d,%.17g,2026-11-23T10:26:51.123456Z,0\n", name, step, x);
    m31r_err err = m31ri_append_open(d->fd, file, M31RI_APPEND_SHARED,
                                     "name,step,value,ts,segment\n", NULL, &f, NULL);
    if (err != M31R_OK || m31ri_append_write(f, line, (size_t)n) != 0) {
        abort();
    }
    m31ri_append_close(f);
}

static json_t *read_root(const m31ri_run_dir *d)
{
    json_t *root = json_loads(scratch_text(d->fd, "metrics.json"), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    return root;
}

/* A number of a metric; -1 when there is none. */
static double number_of(const m31ri_run_dir *d, const char *metric, const char *key)
{
    json_t *root = read_root(d);
    json_t *m = json_object_get(json_object_get(root, "metrics"), metric);
    json_t *value = json_object_get(m, key);
    double x = json_is_number(value) ? json_number_value(value) : -1;
    json_decref(root);
    return x;
}

static ino_t inode_of(const m31ri_run_dir *d)
{
    struct stat st;
    assert_int_equal(fstatat(d->fd, "metrics.json", &st, 0), 0);
    return st.st_ino;
}

static void test_metrics_json__counts_the_points_of_all_writers_and_ranks(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_metrics_json *m = NULL;
    assert_int_equal(m31ri_metrics_json_open(&d, NULL, &m, NULL), M31R_OK);
    json_t *root = read_root(&d);
    assert_int_equal(json_integer_value(json_object_get(root, "points")), 0);
    assert_string_equal(json_string_value(json_object_get(root, "run_id")), d.run_id);
    json_decref(root);
    add_point(&d, "metrics.csv", "loss", 1, 2.5);
    assert_int_equal(m31ri_metrics_json_update(m, false, NULL), M31R_OK);
    assert_true(number_of(&d, "loss", "last") == 2.5);
    pid_t child = fork();
    if (child == 0) {
        add_point(&d, "metrics.csv", "loss", 2, 1.5);
        add_point(&d, "metrics.rank0003.csv", "loss", 1, 3.5);
        add_point(&d, "metrics.rank0003.csv", "rank_only", 1, 7);
        _exit(0);
    }
    scratch_wait(child);
    assert_int_equal(m31ri_metrics_json_update(m, false, NULL), M31R_OK);
    assert_true(number_of(&d, "loss", "count") == 3);
    assert_true(number_of(&d, "loss", "last") == 1.5);
    assert_true(number_of(&d, "loss", "max") == 3.5);
    assert_true(number_of(&d, "rank_only", "last") == 7);
    m31ri_metrics_json_close(m);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_metrics_json__is_written_only_when_something_is_new(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_metrics_json *m = NULL;
    assert_int_equal(m31ri_metrics_json_open(&d, NULL, &m, NULL), M31R_OK);
    add_point(&d, "metrics.csv", "loss", 1, 2.5);
    assert_int_equal(m31ri_metrics_json_update(m, true, NULL), M31R_OK);
    char held[64];
    snprintf(held, sizeof held, "/proc/self/fd/%d/metrics.json", d.fd);
    int fd = open(held, O_RDONLY); /* keeps the inode from being used again */
    ino_t before = inode_of(&d);
    assert_int_equal(m31ri_metrics_json_update(m, true, NULL), M31R_OK);
    assert_true(inode_of(&d) == before);
    add_point(&d, "metrics.csv", "loss", 2, 2.5);
    assert_int_equal(m31ri_metrics_json_update(m, false, NULL), M31R_OK);
    assert_true(inode_of(&d) != before);
    close(fd);
    m31ri_metrics_json_close(m);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_metrics_json__a_torn_line_waits_and_a_bad_one_is_counted(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_metrics_json *m = NULL;
    assert_int_equal(m31ri_metrics_json_open(&d, NULL, &m, NULL), M31R_OK);
    add_point(&d, "metrics.csv", "loss", 1, 2.5);
    int fd = m31ri_open(d.fd, "metrics.csv", O_WRONLY | O_APPEND, 0);
    assert_int_equal(write(fd, "rubbish\nloss,2,1.", 17), 17);
    assert_int_equal(m31ri_metrics_json_update(m, false, NULL), M31R_OK);
    assert_true(number_of(&d, "loss", "count") == 1);
    assert_int_equal(write(fd, "5,2026-11-23T10:26:51.123456Z,0\n", 32), 32);
    close(fd);
    assert_int_equal(m31ri_metrics_json_update(m, false, NULL), M31R_OK);
    assert_true(number_of(&d, "loss", "last") == 1.5);
    json_t *root = read_root(&d);
    assert_int_equal(json_integer_value(json_object_get(root, "bad_lines")), 1);
    json_decref(root);
    m31ri_metrics_json_close(m);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_metrics_json__a_line_without_end_does_not_stop_it(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_metrics_json *m = NULL;
    size_t length = 3 * 1024 * 1024;
    char *text = malloc(length);
    memset(text, 'x', length);
    text[length - 1] = '\n';
    assert_int_equal(m31ri_create_file(d.fd, "metrics.csv", text, length, NULL), M31R_OK);
    free(text);
    add_point(&d, "metrics.csv", "loss", 1, 2.5);
    assert_int_equal(m31ri_metrics_json_open(&d, NULL, &m, NULL), M31R_OK);
    assert_true(number_of(&d, "loss", "last") == 2.5);
    m31ri_metrics_json_close(m);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

/* Text of metrics.json without the moment it was written. */
static char *text_without_time(const m31ri_run_dir *d)
{
    char *text = strdup(scratch_text(d->fd, "metrics.json"));
    char *line = strstr(text, "\"updated\"");
    assert_non_null(line);
    memset(line, '-', strcspn(line, "\n"));
    return text;
}

static void test_metrics_json__comes_out_the_same_when_computed_again(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_metrics_json *m = NULL;
    assert_int_equal(m31ri_metrics_json_open(&d, NULL, &m, NULL), M31R_OK);
    for (int i = 0; i < 900; i++) {
        const char *file = i % 3 == 0   ? "metrics.csv"
                           : i % 3 == 1 ? "metrics.rank0001.csv"
                                        : "metrics.rank0002.csv";
        add_point(&d, file, i % 2 ? "loss" : "lr", i / 6, sin(i) * 1e3);
        if (i % 97 == 0) {
            assert_int_equal(m31ri_metrics_json_update(m, false, NULL), M31R_OK);
        }
    }
    assert_int_equal(m31ri_metrics_json_update(m, true, NULL), M31R_OK);
    char *followed = text_without_time(&d);
    m31ri_metrics_json_close(m);
    assert_int_equal(m31ri_metrics_json_open(&d, NULL, &m, NULL), M31R_OK);
    char *again = text_without_time(&d);
    assert_string_equal(followed, again);
    m31ri_metrics_json_close(m);
    free(followed);
    free(again);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_metrics_json__a_cut_or_replaced_file_is_read_anew(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_metrics_json *m = NULL;
    for (int i = 0; i < 50; i++) {
        add_point(&d, "metrics.csv", "loss", i, i);
    }
    assert_int_equal(m31ri_metrics_json_open(&d, NULL, &m, NULL), M31R_OK);
    int fd = m31ri_open(d.fd, "metrics.csv", O_WRONLY | O_TRUNC, 0);
    close(fd);
    add_point(&d, "metrics.csv", "loss", 1, 77);
    assert_int_equal(m31ri_metrics_json_update(m, false, NULL), M31R_OK);
    assert_true(number_of(&d, "loss", "count") == 1);
    assert_int_equal(renameat(d.fd, "metrics.csv", d.fd, "aside"), 0);
    for (int i = 0; i < 60; i++) {
        add_point(&d, "metrics.csv", "other", i, i);
    }
    assert_int_equal(m31ri_metrics_json_update(m, false, NULL), M31R_OK);
    assert_true(number_of(&d, "loss", "count") == -1);
    assert_true(number_of(&d, "other", "count") == 60);
    m31ri_metrics_json_close(m);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

/* A reader that parses in a loop; its status says whether every text was whole. */
static void read_for_ever(const m31ri_run_dir *d, int ready)
{
    for (long n = 0;; n++) {
        m31ri_buf text = M31RI_BUF_INIT;
        if (m31ri_read_file(d->fd, "metrics.json", 1 << 24, &text, NULL) != M31R_OK) {
            _exit(1);
        }
        json_t *root = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
        if (json_object_get(root, "metrics") == NULL) {
            _exit(2);
        }
        json_decref(root);
        m31ri_buf_release(&text);
        if (n == 0 && write(ready, "r", 1) != 1) {
            _exit(3);
        }
    }
}

static void test_obs_19__metrics_json_is_valid_at_every_moment(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_metrics_json *m = NULL;
    assert_int_equal(m31ri_metrics_json_open(&d, NULL, &m, NULL), M31R_OK);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t reader = fork();
    if (reader == 0) {
        read_for_ever(&d, ready[1]);
    }
    char c;
    assert_int_equal(read(ready[0], &c, 1), 1);
    for (int i = 0; i < 400; i++) {
        char name[32];
        snprintf(name, sizeof name, "metric.%d", i);
        add_point(&d, "metrics.csv", name, i, i);
        assert_int_equal(m31ri_metrics_json_update(m, false, NULL), M31R_OK);
    }
    int status;
    assert_int_equal(waitpid(reader, &status, WNOHANG),
                     0); /* never saw a text that was not whole */
    kill(reader, SIGKILL);
    waitpid(reader, &status, 0);
    close(ready[0]);
    close(ready[1]);
    m31ri_metrics_json_close(m);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_metrics_json__every_failed_allocation_is_made_good_by_the_next_call(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    for (int i = 0; i < 700; i++) {
        add_point(&d, i % 2 ? "metrics.csv" : "metrics.rank0001.csv", i % 4 < 2 ? "a" : "b", i, i);
    }
    bool done = false;
    for (int n = 1; !done; n++) {
        assert_true(n < 300);
        m31ri_metrics_json *m = NULL;
        unlinkat(d.fd, "metrics.json", 0);
        m31ri_alloc_fail_at(n, 0);
        m31r_err err = m31ri_metrics_json_open(&d, NULL, &m, NULL);
        m31ri_alloc_fail_at(0, 0);
        done = err == M31R_OK;
        assert_true(done || err == M31R_E_NOMEM);
        m31ri_metrics_json_close(m);
        add_point(&d, "metrics.csv", "c", n, n);
        assert_int_equal(m31ri_metrics_json_open(&d, NULL, &m, NULL), M31R_OK);
        add_point(&d, "metrics.csv", "c", n, n);
        m31ri_alloc_fail_at(n, 0);
        err = m31ri_metrics_json_update(m, false, NULL);
        m31ri_alloc_fail_at(0, 0);
        done = done && err == M31R_OK;
        assert_int_equal(m31ri_metrics_json_update(m, false, NULL), M31R_OK);
        assert_true(number_of(&d, "c", "count") == 2 * n);
        assert_true(number_of(&d, "a", "count") == 350);
        m31ri_metrics_json_close(m);
    }
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics_json__counts_the_points_of_all_writers_and_ranks),
        cmocka_unit_test(test_metrics_json__is_written_only_when_something_is_new),
        cmocka_unit_test(test_metrics_json__a_torn_line_waits_and_a_bad_one_is_counted),
        cmocka_unit_test(test_metrics_json__a_line_without_end_does_not_stop_it),
        cmocka_unit_test(test_metrics_json__comes_out_the_same_when_computed_again),
        cmocka_unit_test(test_metrics_json__a_cut_or_replaced_file_is_read_anew),
        cmocka_unit_test(test_obs_19__metrics_json_is_valid_at_every_moment),
        cmocka_unit_test(test_metrics_json__every_failed_allocation_is_made_good_by_the_next_call),
    };
    return cmocka_run_group_tests_name("metrics_json", tests, NULL, NULL);
}
