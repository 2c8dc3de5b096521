/* Run finder: ids, names, @, paths; what is ambiguous or unsafe is refused; allocation failures do
 * no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "format/run_find.h"

static char scratch[64];

static void make_run(const char *id, const char *name, const char *timestamp)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", scratch, id);
    assert_int_equal(mkdir(path, 0777), 0);
    if (name == NULL) {
        return;
    }
    snprintf(path, sizeof path, "%s/%s/metadata.json", scratch, id);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "{\"format_version\":1,\"name\":\"%s\",\"timestamp\":\"%s\"}\n", name, timestamp);
    fclose(f);
}

static int setup(void **state)
{
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/m31r-find-XXXXXX");
    assert_non_null(mkdtemp(scratch));
    make_run("20261123T102651Z-9f3c0a1b", "rust-60m b", "2026-11-23T10:26:51.900000Z");
    make_run("20261123T102651Z-9f3c0a1b-2", "", "2026-11-23T10:26:51.950000Z");
    make_run("20261123T102651Z-9f3c0a1b-10", "", "2026-11-23T10:26:51.960000Z");
    make_run("20261123T102651Z-ffff0000", "", "2026-11-23T10:26:51.100000Z");
    make_run("20261122T000000Z-00aabbcc", "try-lr3e3", "2026-11-22T00:00:00.000000Z");
    make_run("20261121T000000Z-00aabbdd", NULL, NULL); /* being made: no metadata.json yet */
    make_run("imported", "old one", "2020-01-01T00:00:00.000000Z");
    make_run("not-a-run", NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    return system(command) == 0 ? 0 : -1;
}

static void assert_finds(const char *text, const char *id)
{
    char expected[300];
    char *path = NULL;
    m31r_error e = {0};
    snprintf(expected, sizeof expected, "%s/%s", scratch, id);
    m31r_err err = m31ri_run_find(scratch, text, &path, &e);
    if (err != M31R_OK) {
        fail_msg("%s: %s", text, e.message);
    }
    assert_string_equal(path, expected);
    m31ri_free(path);
}

static void test_run_find__lists_oldest_first_and_only_runs(void **state)
{
    (void)state;
    static const char *const order[] = {"imported",
                                        "20261121T000000Z-00aabbdd",
                                        "20261122T000000Z-00aabbcc",
                                        "20261123T102651Z-ffff0000",
                                        "20261123T102651Z-9f3c0a1b",
                                        "20261123T102651Z-9f3c0a1b-2",
                                        "20261123T102651Z-9f3c0a1b-10"};
    m31ri_run_list l;
    assert_int_equal(m31ri_run_list_read(scratch, &l, NULL), M31R_OK);
    assert_int_equal(l.n, 7);
    for (size_t i = 0; i < l.n; i++) {
        assert_string_equal(l.runs[i].run_id, order[i]);
    }
    m31ri_run_list_release(&l);
}

static void test_run_find__takes_id_name_part_and_at(void **state)
{
    (void)state;
    assert_finds("@", "20261123T102651Z-9f3c0a1b-10");
    assert_finds("@-1", "20261123T102651Z-9f3c0a1b-2");
    assert_finds("@-6", "imported");
    assert_finds("20261123T102651Z-9f3c0a1b", "20261123T102651Z-9f3c0a1b");
    assert_finds("ffff", "20261123T102651Z-ffff0000");
    assert_finds("rust-60m b", "20261123T102651Z-9f3c0a1b");
    assert_finds("lr3e3", "20261122T000000Z-00aabbcc");
    assert_finds("20261121", "20261121T000000Z-00aabbdd");
}

static void test_run_find__lists_candidates_when_ambiguous(void **state)
{
    (void)state;
    char *path = NULL;
    m31r_error e;
    assert_int_equal(m31ri_run_find(scratch, "9f3c", &path, &e), M31R_E_ARG);
    assert_null(path);
    assert_string_equal(e.message, "\"9f3c\" means 3 runs");
    assert_non_null(strstr(e.hint, "20261123T102651Z-9f3c0a1b (rust-60m b)"));
    assert_non_null(strstr(e.hint, "20261123T102651Z-9f3c0a1b-10"));
}

static void test_run_find__refuses_what_is_unsafe_or_not_there(void **state)
{
    (void)state;
    static const char *const unsafe[] = {"../x", "/etc", "..", ".", "a/../b", "//", ""};
    char *path = NULL;
    m31r_error e;
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++) {
        assert_int_equal(m31ri_run_find(scratch, unsafe[i], &path, &e), M31R_E_ARG);
    }
    static const char *const absent[] = {"zzz", "@-7", "@-99999999999999999", "@x", "\x1b[2J"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_int_equal(m31ri_run_find(scratch, absent[i], &path, &e), M31R_E_NOTFOUND);
        assert_null(strchr(e.message, 0x1b));
    }
    assert_int_equal(m31ri_run_find("/nonexistent/root", "@", &path, &e), M31R_E_NOTFOUND);
    assert_null(path);
}

static void test_run_find__takes_a_path(void **state)
{
    (void)state;
    char text[300];
    char *path = NULL;
    snprintf(text, sizeof text, "%s/imported//", scratch);
    assert_int_equal(m31ri_run_find("/nonexistent/root", text, &path, NULL), M31R_OK);
    text[strlen(text) - 2] = '\0';
    assert_string_equal(path, text);
    m31ri_free(path);
}

static void test_run_find__survives_every_failed_allocation(void **state)
{
    (void)state;
    for (long n = 1; n < 400; n++) {
        char *path = NULL;
        m31r_error e;
        m31ri_alloc_fail_at(n, 0);
        m31r_err err = m31ri_run_find(scratch, "lr3e3", &path, &e);
        m31ri_alloc_fail_at(0, 0);
        assert_true(err == M31R_OK || err == M31R_E_NOMEM || err == M31R_E_NOTFOUND);
        m31ri_free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_run_find__lists_oldest_first_and_only_runs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_run_find__takes_id_name_part_and_at, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_find__lists_candidates_when_ambiguous, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_run_find__refuses_what_is_unsafe_or_not_there, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_run_find__takes_a_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run_find__survives_every_failed_allocation, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
