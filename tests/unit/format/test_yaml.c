/* YAML: what a config may be, what it must not be, and that every refusal says where and what to
 * do. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/os_file.h"
#include "format/yaml.h"

static m31ri_yaml *read_ok(const char *text)
{
    m31ri_yaml *y = NULL;
    m31r_error e = {0};
    if (m31ri_yaml_read(text, strlen(text), "test.yaml", &y, &e) != M31R_OK) {
        fail_msg("refused: %s (%u:%u) of\n%s", e.message, e.line, e.column, text);
    }
    return y;
}

static m31r_error read_bad(const char *text, size_t length)
{
    m31ri_yaml *y = NULL;
    m31r_error e = {0};
    m31r_err err = m31ri_yaml_read(text, length, "test.yaml", &y, &e);
    if (err != M31R_E_CONFIG) {
        fail_msg("code %d for\n%.200s", err, text);
    }
    assert_null(y);
    assert_int_equal(e.code, M31R_E_CONFIG);
    assert_string_equal(e.path, "test.yaml");
    assert_true(e.line >= 1 && e.column >= 1);
    assert_true(e.message[0] != '\0' && e.hint[0] != '\0');
    assert_null(strchr(e.message, '\n'));
    return e;
}

static void assert_refused(const char *text, const char *part)
{
    m31r_error e = read_bad(text, strlen(text));
    if (strstr(e.message, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", e.message, part);
    }
}

static void test_yaml__keeps_order_positions_and_spans(void **state)
{
    (void)state;
    const char *text =
        "b: 1\na:\n  - 'it''s'\n  - \"q\"  # note\ntext: |\n  one\n  two\nlast: x y\nempty:\n";
    m31ri_yaml *y = read_ok(text);
    const m31ri_yaml_node *root = m31ri_yaml_root(y);
    assert_int_equal(root->n_children, 5);
    assert_string_equal(root->first->key, "b");
    const m31ri_yaml_node *n = m31ri_yaml_find(root, "a.0");
    assert_string_equal(n->text, "it's");
    assert_int_equal(n->line, 3);
    assert_int_equal(n->column, 5);
    assert_memory_equal(text + n->start, "'it''s'", n->end - n->start);
    n = m31ri_yaml_find(root, "a.1");
    assert_memory_equal(text + n->start, "\"q\"", n->end - n->start);
    n = m31ri_yaml_get(root, "text");
    assert_string_equal(n->text, "one\ntwo\n");
    assert_int_equal(text[n->start], '|');
    assert_int_equal(n->key_line, 5);
    n = m31ri_yaml_get(root, "last");
    assert_memory_equal(text + n->start, "x y", n->end - n->start);
    assert_int_equal(m31ri_yaml_get(root, "empty")->type, M31RI_YAML_NULL);
    assert_null(m31ri_yaml_find(root, "a.2"));
    assert_null(m31ri_yaml_find(root, "a.x"));
    assert_null(m31ri_yaml_get(NULL, "a"));
    m31ri_yaml_free(y);
}

static void test_yaml__types_follow_the_core_schema(void **state)
{
    (void)state;
    m31ri_yaml *y =
        read_ok("no: NO\nyes: yes\nv: 1.20\nt: 12:30:45\no: 010\nn: ~\noct: 0o17\nhex: 0x1F\n"
                "bin: 0b11\nf: 3e-4\ndot: .5\ni: -9223372036854775808\nu: 18446744073709551615\n"
                "inf: -.inf\nnan: .NaN\nb: True\nq: '1'\nplus: +7\ndate: 2026-11-23\nz: 0e-999\n");
    const m31ri_yaml_node *r = m31ri_yaml_root(y);
    assert_int_equal(m31ri_yaml_get(r, "no")->type, M31RI_YAML_STRING);
    assert_int_equal(m31ri_yaml_get(r, "yes")->type, M31RI_YAML_STRING);
    assert_true(m31ri_yaml_get(r, "v")->f == 1.2);
    assert_string_equal(m31ri_yaml_get(r, "v")->text, "1.20");
    assert_int_equal(m31ri_yaml_get(r, "t")->type, M31RI_YAML_STRING);
    assert_int_equal(m31ri_yaml_get(r, "o")->i, 10);
    assert_int_equal(m31ri_yaml_get(r, "n")->type, M31RI_YAML_NULL);
    assert_int_equal(m31ri_yaml_get(r, "oct")->i, 15);
    assert_int_equal(m31ri_yaml_get(r, "hex")->i, 31);
    assert_int_equal(m31ri_yaml_get(r, "bin")->type, M31RI_YAML_STRING);
    assert_true(m31ri_yaml_get(r, "f")->f == 3e-4);
    assert_true(m31ri_yaml_get(r, "dot")->f == 0.5);
    assert_true(m31ri_yaml_get(r, "i")->i == INT64_MIN);
    assert_int_equal(m31ri_yaml_get(r, "u")->type, M31RI_YAML_FLOAT);
    assert_string_equal(m31ri_yaml_get(r, "u")->text, "18446744073709551615");
    assert_true(isinf(m31ri_yaml_get(r, "inf")->f));
    assert_true(isnan(m31ri_yaml_get(r, "nan")->f));
    assert_true(m31ri_yaml_get(r, "b")->b);
    assert_int_equal(m31ri_yaml_get(r, "q")->type, M31RI_YAML_STRING);
    assert_int_equal(m31ri_yaml_get(r, "plus")->i, 7);
    assert_int_equal(m31ri_yaml_get(r, "date")->type, M31RI_YAML_STRING);
    m31ri_yaml_free(y);
}

static void test_yaml__reads_json(void **state)
{
    (void)state;
    m31ri_yaml *y =
        read_ok("{\n\t\"lr\": 3e-4,\n\t\"list\": [1, true, null, \"a\\u00e9\\ud83d\\ude00\\/\"],\n"
                "\t\"deep\": {\"x\": {\"y\": \"z\"}}, \"tight\":{\"a\":1,\"b\":[]}\n}\n");
    const m31ri_yaml_node *r = m31ri_yaml_root(y);
    assert_true(m31ri_yaml_get(r, "lr")->f == 3e-4);
    assert_string_equal(m31ri_yaml_find(r, "list.3")->text, "a\xC3\xA9\xF0\x9F\x98\x80/");
    assert_string_equal(m31ri_yaml_find(r, "deep.x.y")->text, "z");
    assert_int_equal(m31ri_yaml_find(r, "tight.a")->i, 1);
    m31ri_yaml_free(y);
    assert_refused("{\"a\": 1, \"a\": 2}", "twice");
    assert_refused("{\"a\": 1", "not valid YAML");
    assert_refused("[1, 2]", "not a mapping");
}

static void test_yaml__follows_aliases_and_merge_keys_within_limits(void **state)
{
    (void)state;
    m31ri_yaml *y = read_ok(
        "base: &b {lr: 1, deep: {x: [1, 2]}}\nother: &o {lr: 9, wd: 2}\n"
        "run:\n  <<: *b\n  lr: 5\nboth:\n  <<: [*b, *o]\nagain: *b\nname: &n adam\nuse: *n\n");
    const m31ri_yaml_node *r = m31ri_yaml_root(y);
    assert_int_equal(m31ri_yaml_find(r, "run.lr")->i, 5);
    assert_int_equal(m31ri_yaml_find(r, "run.deep.x.1")->i, 2);
    assert_true(m31ri_yaml_find(r, "run.deep.x.1")->is_alias_copy);
    assert_int_equal(m31ri_yaml_find(r, "both.lr")->i, 1);
    assert_int_equal(m31ri_yaml_find(r, "both.wd")->i, 2);
    assert_null(m31ri_yaml_find(r, "run.<<"));
    assert_int_equal(m31ri_yaml_find(r, "run")->n_children, 2);
    assert_string_equal(m31ri_yaml_get(r, "use")->text, "adam");
    assert_int_equal(m31ri_yaml_find(r, "again.lr")->start, m31ri_yaml_find(r, "base.lr")->start);
    m31ri_yaml_free(y);
    assert_refused("a: &a {b: *a}\n", "cycle");
    assert_refused("a: &a\n  <<: *a\n", "cycle");
    assert_refused("a: *x\n", "no anchor");
    assert_refused("a: 1\n<<: 3\n", "merge key");
    assert_refused("a: &a {x: 1}\nb:\n  <<: [*a, *a]\n", "twice");
    assert_refused("a: &a x\n*a : 1\n", "alias");
}

static void test_yaml__refuses_what_would_surprise(void **state)
{
    (void)state;
    assert_refused("lr: 1\nlr: 2\n", "\"lr\" appears twice");
    assert_refused("a: {\"b\": 1, b: 2}\n", "twice");
    assert_refused("a: 1\n---\nb: 2\n", "several documents");
    assert_refused("x: !env HOME\n", "tag");
    assert_refused("x: !!python/object/apply:os.system [ls]\n", "tag");
    assert_refused("x: !!binary aGk=\n", "tag");
    assert_refused("x: !!int abc\n", "tag");
    assert_refused("%TAG ! tag:x,2000:\n---\na: 1\n", "tag directives");
    assert_refused("? [a, b]\n: 1\n", "key");
    assert_refused("\"a\\0b\": 1\n", "NUL");
    assert_refused("", "empty");
    assert_refused("# only a note\n", "empty");
    assert_refused("a: \x1b[31m\n", "control character");
    assert_refused("lr: 1e-999\n", "beyond");
    assert_refused("lr: 99999999999999999999\n", "beyond");
    m31ri_yaml *y = read_ok("a: !!str 1\nb: \"x\\0y\"\n");
    assert_int_equal(m31ri_yaml_find(m31ri_yaml_root(y), "a")->type, M31RI_YAML_STRING);
    assert_int_equal(m31ri_yaml_find(m31ri_yaml_root(y), "b")->text_length, 3);
    m31ri_yaml_free(y);
}

static void test_yaml__says_where_the_fault_is(void **state)
{
    (void)state;
    const char *text = "a: 1\nb:\n  c: 1\n  c: 2\n";
    m31r_error e = read_bad(text, strlen(text));
    assert_int_equal(e.line, 4);
    assert_int_equal(e.column, 3);
    text = "a: 1\nb: \xff\n";
    e = read_bad(text, strlen(text));
    assert_int_equal(e.line, 2);
    assert_int_equal(e.column, 4);
    text = "a:\n\tb: 1\n";
    e = read_bad(text, strlen(text));
    assert_int_equal(e.line, 2);
}

static const char *expectation(const char *line, char *name, size_t size)
{
    json_t *o = json_loads(line, 0, NULL);
    assert_non_null(o);
    const char *expect = json_string_value(json_object_get(o, "expect"));
    snprintf(name, size, "%s", json_string_value(json_object_get(o, "file")));
    const char *known = strcmp(expect, "reject") == 0   ? "reject"
                        : strcmp(expect, "accept") == 0 ? "accept"
                                                        : "any";
    json_decref(o);
    return known;
}

/* Runs every case of a folder that has its list beside it; returns how many there were. */
static int run_folder(const char *folder)
{
    char path[1024], name[128];
    snprintf(path, sizeof path, "%s/yaml_expect.jsonl", folder);
    m31ri_buf list = M31RI_BUF_INIT;
    if (m31ri_read_file(-100, path, 1 << 20, &list, NULL) != M31R_OK) {
        return 0;
    }
    int n = 0;
    char *save = NULL;
    for (char *line = strtok_r(list.data, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        const char *expect = expectation(line, name, sizeof name);
        m31ri_buf bytes = M31RI_BUF_INIT;
        snprintf(path, sizeof path, "%s/yaml/%s", folder, name);
        if (m31ri_read_file(-100, path, 1 << 28, &bytes, NULL) != M31R_OK) {
            m31ri_buf_release(&bytes);
            continue; /* large ones are not kept in the repository */
        }
        m31ri_yaml *y = NULL;
        m31r_error e = {0};
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        m31r_err err = m31ri_yaml_read(bytes.data, bytes.length, name, &y, &e);
        clock_gettime(CLOCK_MONOTONIC, &b);
        double s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
        if (s > 5 && getenv("M31R_TEST_SLOW") == NULL) { /* an emulator is that slow */
            fail_msg("%s took %.1f s", name, s);
        }
        if ((err == M31R_OK && strcmp(expect, "reject") == 0) ||
            (err != M31R_OK && strcmp(expect, "accept") == 0)) {
            fail_msg("%s: expected %s, got %d %s", name, expect, err, e.message);
        }
        if (err != M31R_OK &&
            (e.line == 0 || e.column == 0 || e.hint[0] == '\0' || e.path[0] == '\0')) {
            fail_msg("%s: \"%s\" says no place or nothing to do", name, e.message);
        }
        m31ri_yaml_free(y);
        m31ri_buf_release(&bytes);
        n++;
    }
    m31ri_buf_release(&list);
    return n;
}

static void test_yaml__every_kept_bad_input_is_decided_as_expected(void **state)
{
    (void)state;
    assert_true(run_folder(M31R_SOURCE_DIR "/tests/data/bad_inputs") >= 25);
    run_folder(M31R_SHARED_DIR "/data/bad_inputs");
}

static char *repeated(const char *head, const char *unit, size_t n, const char *tail)
{
    size_t unit_length = strlen(unit), head_length = strlen(head);
    char *text = malloc(head_length + n * unit_length + strlen(tail) + 1);
    assert_non_null(text);
    memcpy(text, head, head_length);
    for (size_t i = 0; i < n; i++) {
        memcpy(text + head_length + i * unit_length, unit, unit_length);
    }
    memcpy(text + head_length + n * unit_length, tail, strlen(tail) + 1);
    return text;
}

static void test_yaml__stops_at_its_limits(void **state)
{
    (void)state;
    char *text = repeated("", "[", 100000, "");
    assert_refused(text, "deeper");
    free(text);
    text = repeated("a: &a ", "x", 100000, "\nb: [*a");
    char *bomb = repeated(text, ", *a", 2000, "]\n");
    assert_refused(bomb, "expanded");
    free(text);
    free(bomb);
    text = repeated("a: \"", "x", 1048576, "\"\n");
    assert_refused(text, "bytes");
    free(text);
    text = repeated("a: [", "1,", 300000, "1]\n");
    assert_refused(text, "values");
    free(text);
}

static void test_yaml__refuses_100_mb_at_once(void **state)
{
    (void)state;
    size_t length = 100u * 1000 * 1000;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, 'a', length);
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    m31r_error e = read_bad(text, length);
    clock_gettime(CLOCK_MONOTONIC, &b);
    free(text);
    assert_non_null(strstr(e.message, "limit"));
    assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 100);
}

static void test_yaml__prints_nothing(void **state)
{
    (void)state;
    char path[] = "/tmp/m31r-yaml-XXXXXX";
    int fd = mkstemp(path);
    int saved_out = dup(1), saved_err = dup(2);
    fflush(NULL);
    dup2(fd, 1);
    dup2(fd, 2);
    static const char *const bad[] = {"a: \"x\n", "a:\n\tb: 1\n", "%YAML 9.9\n---\na: 1\n",
                                      "{a: 1]\n", "a: b: c\n",    "- a\nb: 1\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        m31ri_yaml *y = NULL;
        m31ri_yaml_read(bad[i], strlen(bad[i]), "x", &y, NULL);
        m31ri_yaml_free(y);
    }
    fflush(NULL);
    dup2(saved_out, 1);
    dup2(saved_err, 2);
    close(saved_out);
    close(saved_err);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    unlink(path);
    assert_int_equal(st.st_size, 0);
}

static void test_yaml__survives_every_failed_allocation(void **state)
{
    (void)state;
    const char *text = "a: &a {x: [1, 2], y: z}\nb: {<<: *a, q: 1}\n";
    for (long n = 1;; n++) {
        m31ri_yaml *y = NULL;
        m31r_error e = {0};
        m31ri_alloc_fail_at(n, 0);
        m31r_err err = m31ri_yaml_read(text, strlen(text), "x", &y, &e);
        m31ri_alloc_fail_at(0, 0);
        m31ri_yaml_free(y);
        if (err == M31R_OK) {
            assert_true(n > 3);
            break;
        }
        assert_int_equal(err, M31R_E_NOMEM);
    }
}

static void collect(void *context, const char *dotted, const m31ri_yaml_node *n)
{
    m31ri_buf_add_format(context, "%s=%s;", dotted, n->text);
}

static void test_yaml__walks_scalars_in_file_order(void **state)
{
    (void)state;
    m31ri_yaml *y = read_ok("z: 1\na: {b: [x, {c: y}], d: }\n");
    m31ri_buf out = M31RI_BUF_INIT;
    m31ri_yaml_each_scalar(m31ri_yaml_root(y), collect, &out);
    assert_string_equal(m31ri_buf_str(&out), "z=1;a.b.0=x;a.b.1.c=y;a.d=;");
    m31ri_buf_release(&out);
    m31ri_yaml_free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml__keeps_order_positions_and_spans),
        cmocka_unit_test(test_yaml__types_follow_the_core_schema),
        cmocka_unit_test(test_yaml__reads_json),
        cmocka_unit_test(test_yaml__follows_aliases_and_merge_keys_within_limits),
        cmocka_unit_test(test_yaml__refuses_what_would_surprise),
        cmocka_unit_test(test_yaml__says_where_the_fault_is),
        cmocka_unit_test(test_yaml__every_kept_bad_input_is_decided_as_expected),
        cmocka_unit_test(test_yaml__stops_at_its_limits),
        cmocka_unit_test(test_yaml__refuses_100_mb_at_once),
        cmocka_unit_test(test_yaml__prints_nothing),
        cmocka_unit_test(test_yaml__survives_every_failed_allocation),
        cmocka_unit_test(test_yaml__walks_scalars_in_file_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
