/* Attempts of a resumed run: what is superseded, where two of them part, and chains that are
 * broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "m31r/chain.h"

#define A "20261123T102651Z-00000001"
#define B "20261123T102651Z-00000002"
#define C "20261123T102651Z-00000003"

static char root[64];

static void put(const char *run, const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", root, run);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", root, run, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* `points`: "name,step,value" a line. */
static void make_run(const char *run, const char *resumes, const char *points)
{
    char text[4096];
    snprintf(text, sizeof text, "{\n  \"run_id\": \"%s\",\n  \"resumes\": %s%s%s\n}\n", run,
             resumes != NULL ? "{\"run\": \"" : "null", resumes != NULL ? resumes : "",
             resumes != NULL ? "\", \"step\": null, \"checkpoint_sha256\": null}" : "");
    put(run, "metadata.json", text);
    size_t n = (size_t)snprintf(text, sizeof text, "name,step,value,ts,segment\n");
    for (const char *p = points; *p != '\0';) {
        size_t length = strcspn(p, "\n");
        n += (size_t)snprintf(text + n, sizeof text - n, "%.*s,2026-11-23T10:26:51.000000Z,0\n",
                              (int)length, p);
        p += length + (p[length] == '\n');
    }
    put(run, "metrics.csv", text);
}

static int setup(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/m31r-chain-XXXXXX");
    assert_non_null(mkdtemp(root));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) == 0 ? 0 : -1;
}

static m31r_reader *reader;

static m31r_chain *open_chain(const char *run)
{
    m31r_chain *chain = NULL;
    m31r_error e = {0};
    assert_int_equal(m31r_reader_open(&reader, root, run, &e), M31R_OK);
    if (m31r_chain_open(&chain, reader, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    return chain;
}

static void close_chain(m31r_chain *chain)
{
    m31r_chain_close(chain);
    m31r_reader_close(reader);
}

static void test_chain__the_newest_attempt_wins_a_step(void **state)
{
    (void)state;
    m31r_attempt a;
    m31r_series *series = NULL;
    m31r_metric_facts m;
    m31r_error e;
    make_run(A, NULL,
             "loss,1,9\nloss,2,8\nloss,3,7\nloss,4,6\nloss,9,1\nval,4,5\nsystem.rss_mb,,3\n");
    make_run(B, A, "loss,3,7\nloss,4,6.5\nloss,5,4\nsystem.rss_mb,,4\n");
    m31r_chain *chain = open_chain(B);
    assert_int_equal(m31r_chain_count(chain), 2);
    assert_int_equal(m31r_chain_attempt(chain, 0, &a), M31R_OK);
    assert_string_equal(m31r_reader_facts(a.reader)->run_id, A);
    assert_true(a.first_step == 1 && a.last_step == 9);
    assert_int_equal(a.n_points, 7);
    assert_int_equal(a.n_superseded, 2); /* val at 4 and loss at 9 have no newer point */
    assert_int_equal(m31r_series_open_chain(&series, chain, &e), M31R_OK);
    assert_int_equal(m31r_series_find(series, "loss", &m), M31R_OK);
    assert_int_equal(m.n, 6);
    assert_true(m.last == 4 && m.last_step == 5 && m.first == 9 && m.best == 1);
    assert_int_equal(m31r_series_find(series, "system.rss_mb", &m), M31R_OK);
    assert_int_equal(m.n, 2);
    m31r_series_close(series);
    close_chain(chain);
}

static void test_chain__an_overlap_is_compared_point_by_point(void **state)
{
    (void)state;
    m31r_overlap o;
    make_run(
        A, NULL,
        "loss,1,9\nloss,2,NaN\nloss,3,7\nloss,4,6\nlr,3,1\nlr,4,1\ntokens_per_sec,3,5\nx,4,1\n");
    make_run(B, A, "loss,2,NaN\nloss,4,6\nlr,3,1\nlr,4,2\ntokens_per_sec,3,6\nloss,5,1\ny,4,1\n");
    m31r_chain *chain = open_chain(B);
    assert_int_equal(m31r_chain_overlap(chain, 0, &o), M31R_E_NOTFOUND);
    assert_int_equal(m31r_chain_overlap(chain, 1, &o), M31R_OK);
    assert_true(o.first_step == 2 && o.last_step == 4);
    assert_int_equal(o.n_same, 3);
    assert_int_equal(o.n_differ, 1);
    assert_int_equal(o.n_alone, 1); /* loss at 3; x and y are in one attempt only */
    assert_string_equal(o.name, "lr");
    assert_true(o.step == 4 && o.before.value == 1 && o.after.value == 2);
    assert_true(o.before.line == 7 && o.after.line == 5);
    assert_string_equal(o.after.file, "metrics.csv");
    close_chain(chain);
}

static void test_chain__says_where_it_ends(void **state)
{
    (void)state;
    make_run(B, A, "loss,3,7\n");
    m31r_chain *chain = open_chain(B);
    assert_int_equal(m31r_chain_count(chain), 1);
    assert_string_equal(m31r_chain_problem(chain), "run " A ", which it continues, is not found");
    close_chain(chain);
    make_run(A, C, "loss,1,7\n");
    make_run(C, B, "loss,2,7\n");
    chain = open_chain(B);
    assert_int_equal(m31r_chain_count(chain), 3);
    assert_non_null(strstr(m31r_chain_problem(chain), "circle"));
    close_chain(chain);
    make_run(A, "../../etc", "loss,1,7\n");
    chain = open_chain(A);
    assert_int_equal(m31r_chain_count(chain), 1);
    assert_non_null(strstr(m31r_chain_problem(chain), "not found"));
    close_chain(chain);
    make_run(C, NULL, "loss,2,7\n");
    chain = open_chain(C);
    assert_int_equal(m31r_chain_count(chain), 1);
    assert_string_equal(m31r_chain_problem(chain), "");
    close_chain(chain);
}

static void test_chain__survives_every_failed_allocation(void **state)
{
    (void)state;
    make_run(A, NULL, "loss,1,9\nloss,2,8\nloss,3,7\n");
    make_run(B, A, "loss,3,8\nloss,4,6.5\n");
    m31r_error e;
    assert_int_equal(m31r_reader_open(&reader, root, B, &e), M31R_OK);
    for (long n = 1; n < 200; n++) {
        m31r_chain *chain = NULL;
        m31r_series *series = NULL;
        m31ri_alloc_fail_at(n, n % 2);
        m31r_err err = m31r_chain_open(&chain, reader, &e);
        err = err == M31R_OK ? m31r_series_open_chain(&series, chain, &e) : err;
        m31ri_alloc_fail_at(0, 0);
        assert_true(err == M31R_OK || err == M31R_E_NOMEM);
        m31r_series_close(series);
        m31r_chain_close(chain);
    }
    m31r_reader_close(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_chain__the_newest_attempt_wins_a_step),
        TEST(test_chain__an_overlap_is_compared_point_by_point),
        TEST(test_chain__says_where_it_ends),
        TEST(test_chain__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
