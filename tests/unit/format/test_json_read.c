/* The strict reader: the log files of bad_inputs, JSONTestSuite, and texts made to hurt it. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "format/json_read_int.h"
#include "unit/format/case_files.h"

static const char *case_folder; /* where the files of the line being checked lie */
static int files_checked;

static m31ri_json_class class_of(const char *text, size_t length)
{
    return m31ri_json_read_object(text, length, NULL, NULL, NULL);
}

static m31ri_json_class class_of_str(const char *text)
{
    return class_of(text, strlen(text));
}

/* Compares the classes of a file's complete lines with what is expected. */
static void check_counts(const json_t *line, const int counts[M31RI_JSON_NO_MEMORY + 1])
{
    const char *file = json_string_value(json_object_get(line, "file"));
    for (int c = 0; c <= M31RI_JSON_NO_MEMORY; c++) {
        const char *name = m31ri_json_class_name((m31ri_json_class)c);
        int want = (int)json_integer_value(json_object_get(json_object_get(line, "classes"), name));
        if (counts[c] != want) {
            fail_msg("%s: %d lines are %s, expected %d", file, counts[c], name, want);
        }
    }
}

static void check_file(const json_t *line)
{
    char path[1024];
    const char *file = json_string_value(json_object_get(line, "file"));
    snprintf(path, sizeof path, "%s/reader/%s", case_folder, file);
    size_t length;
    char *data = case_file(path, &length);
    if (data == NULL) {
        return; /* the committed subset leaves out the large ones */
    }
    int counts[M31RI_JSON_NO_MEMORY + 1] = {0};
    int n_lines = 0;
    const char *p = data;
    const char *end = data + length;
    for (const char *newline; (newline = memchr(p, '\n', (size_t)(end - p))) != NULL;
         p = newline + 1) {
        counts[class_of(p, (size_t)(newline - p))]++;
        n_lines++;
    }
    assert_int_equal(length, json_integer_value(json_object_get(line, "bytes")));
    assert_int_equal(n_lines, json_integer_value(json_object_get(line, "complete_lines")));
    check_counts(line, counts);
    const char *tail = json_string_value(json_object_get(line, "tail_without_newline"));
    if (strcmp(tail, "torn") == 0) {
        assert_true(p < end && class_of(p, (size_t)(end - p)) != M31RI_JSON_OK);
    } else if (*tail == '\0') {
        assert_true(p == end);
    } else {
        assert_string_equal(m31ri_json_class_name(class_of(p, (size_t)(end - p))), tail);
    }
    files_checked++;
    free(data);
}

static void test_json_read__classes_of_the_committed_logs(void **state)
{
    (void)state;
    case_folder = CASES_COMMITTED;
    files_checked = 0;
    assert_true(case_lines(CASES_COMMITTED "/reader_expect.jsonl", check_file) >= 45);
    assert_true(files_checked >= 35);
}

static void test_json_read__classes_of_the_whole_collection(void **state)
{
    (void)state;
    case_folder = CASES_SHARED;
    files_checked = 0;
    int n = case_lines(CASES_SHARED "/reader_expect.jsonl", check_file);
    if (n == -1) {
        skip();
    }
    assert_int_equal(files_checked, n);
    print_message("%d log files\n", n);
}

static void test_json_read__json_test_suite(void **state)
{
    (void)state;
    static const char folder[] = M31R_SHARED_DIR "/data/json_suite/test_parsing";
    DIR *d = opendir(folder);
    if (d == NULL) {
        skip();
    }
    int n_yes = 0, n_no = 0, n_free = 0;
    for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
        char path[1024];
        size_t length;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        char *data = entry->d_name[0] != '.' ? case_file(path, &length) : NULL;
        if (data == NULL) {
            continue;
        }
        char *exact = malloc(length); /* no NUL behind it: reading past the end is seen */
        memcpy(exact, data, length);
        m31ri_json_class c = m31ri_json_read_value_class(exact, length);
        bool accepted =
            c == M31RI_JSON_OK || c == M31RI_JSON_DUP_KEY || c == M31RI_JSON_LONE_SURROGATE;
        n_yes += entry->d_name[0] == 'y';
        n_no += entry->d_name[0] == 'n';
        n_free += entry->d_name[0] == 'i';
        if ((entry->d_name[0] == 'y' && !accepted) || (entry->d_name[0] == 'n' && accepted)) {
            fail_msg("%s is %s", entry->d_name, m31ri_json_class_name(c));
        }
        free(data);
        free(exact);
    }
    closedir(d);
    print_message("%d accepted, %d rejected, %d free\n", n_yes, n_no, n_free);
    assert_true(n_yes > 80 && n_no > 150);
}

static void test_json_read__one_class_by_order_of_gravity(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        m31ri_json_class want;
    } cases[] = {
        {"", M31RI_JSON_EMPTY},
        {" \t\r\n", M31RI_JSON_EMPTY},
        {"{}", M31RI_JSON_OK},
        {" {\"a\":[1,{\"b\":null}]} \r", M31RI_JSON_OK},
        {"[]", M31RI_JSON_NOT_OBJECT},
        {"{\"a\":1}x", M31RI_JSON_NOT_JSON},
        {"{\"a\":1}{}", M31RI_JSON_NOT_JSON},
        {"{\"a\":1,}", M31RI_JSON_NOT_JSON},
        {"{,}", M31RI_JSON_NOT_JSON},
        {"{\"a\"}", M31RI_JSON_NOT_JSON},
        {"[1,]", M31RI_JSON_NOT_JSON},
        {"[1 2]", M31RI_JSON_NOT_JSON},
        {"{\"a\":01}", M31RI_JSON_NOT_JSON},
        {"{\"a\":1,\"a\":2", M31RI_JSON_NOT_JSON},
        {"{\"\\ud800\":1,", M31RI_JSON_NOT_JSON},
        {"{\"a\":\"\xff\",", M31RI_JSON_INVALID_UTF8},
        {"\xff", M31RI_JSON_INVALID_UTF8},
        {"[{\"a\":1,\"a\":2}]", M31RI_JSON_NOT_OBJECT},
        {"{\"a\":1,\"\\u0061\":2}", M31RI_JSON_DUP_KEY},
        {"{\"\\n\":1,\"\\u000A\":2}", M31RI_JSON_DUP_KEY},
        {"{\"a\":1,\"a\\u0000\":2}", M31RI_JSON_OK},
        {"{\"a\":\"\\ud800\",\"a\":1}", M31RI_JSON_DUP_KEY},
        {"{\"a\":\"\\udead\"}", M31RI_JSON_LONE_SURROGATE},
        {"{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", M31RI_JSON_DUP_KEY},
        {"{\"a\":{\"a\":{\"a\":1}}}", M31RI_JSON_OK},
        {"{\"a\":\"\x7f\"}", M31RI_JSON_OK},
        {"{\"a\":\"\\x\"}", M31RI_JSON_NOT_JSON},
        {"{\"a\":\"\\u12g4\"}", M31RI_JSON_NOT_JSON},
        {"{\"a\":\"\\", M31RI_JSON_NOT_JSON},
        {"{\"a\":tru}", M31RI_JSON_NOT_JSON},
        {"{\"a\":-}", M31RI_JSON_NOT_JSON},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        m31ri_json_class c = class_of_str(cases[i].text);
        if (c != cases[i].want) {
            fail_msg("%s is %s, expected %s", cases[i].text, m31ri_json_class_name(c),
                     m31ri_json_class_name(cases[i].want));
        }
    }
}

static void test_json_read__says_where_the_fault_is(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {{"{\"a\":x}", 5},         {"{\"a\":1,\"a\":2}", 8}, {"{\"a\":\"\\ud800\"}", 6},
                 {"{\"a\":\"z\xff\"}", 7}, {"{\"a\":1} x", 8},       {"[1]", 0},
                 {"{\"a\":1", 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t at = 999;
        (void)m31ri_json_read_object(cases[i].text, strlen(cases[i].text), NULL, NULL, &at);
        assert_int_equal(at, cases[i].at);
    }
}

typedef struct seen {
    m31ri_json_member members[8];
    size_t n, stop_after;
} seen;

static bool keep_member(void *context, const m31ri_json_member *m)
{
    seen *s = context;
    s->members[s->n++] = *m;
    return s->n != s->stop_after;
}

static bool span_is(const char *s, size_t length, const char *want)
{
    return length == strlen(want) && memcmp(s, want, length) == 0;
}

static void test_json_read__hands_out_members_in_order(void **state)
{
    (void)state;
    static const char text[] =
        " { \"a\" : \"x\\n\" , \"b\\u0062\":-1.5e3,\"c\":[1, {\"d\":2}] ,\"e\":{} ,"
        "\"f\":true,\"g\":false,\"h\":null,\"i\":\"\"} ";
    static const struct {
        const char *key, *value;
        char type;
        bool key_escaped, value_escaped;
    } want[] = {
        {"a", "x\\n", 's', false, true},
        {"b\\u0062", "-1.5e3", 'n', true, false},
        {"c", "[1, {\"d\":2}]", 'a', false, false},
        {"e", "{}", 'o', false, false},
        {"f", "true", 't', false, false},
        {"g", "false", 'f', false, false},
        {"h", "null", '0', false, false},
        {"i", "", 's', false, false},
    };
    seen s = {.n = 0, .stop_after = 0};
    assert_int_equal(m31ri_json_read_object(text, sizeof text - 1, keep_member, &s, NULL),
                     M31RI_JSON_OK);
    assert_int_equal(s.n, 8);
    for (size_t i = 0; i < 8; i++) {
        const m31ri_json_member *m = &s.members[i];
        assert_true(span_is(m->key, m->key_length, want[i].key));
        assert_true(span_is(m->value, m->value_length, want[i].value));
        assert_int_equal(m->type, want[i].type);
        assert_int_equal(m->key_escaped, want[i].key_escaped);
        assert_int_equal(m->value_escaped, want[i].value_escaped);
    }
    s.n = 0;
    s.stop_after = 2;
    assert_int_equal(m31ri_json_read_object("{\"a\":1,\"b\":2,!!!", 16, keep_member, &s, NULL),
                     M31RI_JSON_OK);
    assert_int_equal(s.n, 2);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void test_json_read__depth_has_a_limit_and_needs_no_stack(void **state)
{
    (void)state;
    char *text = malloc(2000000);
    memset(text, '[', 2000000);
    assert_int_equal(m31ri_json_read_value_class(text, 2000000), M31RI_JSON_TOO_DEEP);
    memset(text + M31RI_JSON_DEPTH, ']', M31RI_JSON_DEPTH);
    assert_int_equal(m31ri_json_read_value_class(text, 2 * M31RI_JSON_DEPTH), M31RI_JSON_OK);
    assert_int_equal(m31ri_json_read_value_class(text, 2 * M31RI_JSON_DEPTH - 1),
                     M31RI_JSON_NOT_JSON);
    free(text);
}

/* Many keys cost about as much each as few do, also when one object follows another. */
static void test_json_read__many_keys_stay_near_linear(void **state)
{
    (void)state;
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_buf_add_char(&text, '{');
    for (int i = 0; i < 200000; i++) {
        m31ri_buf_add_format(&text, "\"\\u0061%d\":1,", i);
    }
    size_t end = text.length;
    m31ri_buf_add_str(&text, "\"z\":1}");
    double start = seconds();
    assert_int_equal(class_of(text.data, text.length), M31RI_JSON_OK);
    assert_true(seconds() - start < 5.0 || getenv("M31R_TEST_SLOW") != NULL);
    text.length = end;
    m31ri_buf_add_str(&text, "\"a123456\":1}");
    assert_int_equal(class_of(text.data, text.length), M31RI_JSON_DUP_KEY);
    m31ri_buf_release(&text);
}

static void test_json_read__says_when_memory_is_out(void **state)
{
    (void)state;
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_buf_add_char(&text, '{');
    for (int i = 0; i < 100; i++) {
        m31ri_buf_add_format(&text, "\"k%d\":1,", i);
    }
    m31ri_buf_add_str(&text, "\"z\":1}");
    m31ri_alloc_fail_at(1, 0);
    m31ri_json_class c = class_of(text.data, text.length);
    m31ri_alloc_fail_at(0, 0);
    assert_int_equal(c, M31RI_JSON_NO_MEMORY);
    assert_int_equal(class_of(text.data, text.length), M31RI_JSON_OK);
    m31ri_buf_release(&text);
}

/* Every prefix of a record is refused, in memory that ends where the text ends. */
static void test_json_read__every_prefix_is_refused(void **state)
{
    (void)state;
    static const char line[] =
        "{\"ts\":\"2026-11-23T10:26:51.123456Z\",\"a\":[1.5e-3,true,null,\"\\ud83d\\ude00\"],"
        "\"b\":{\"c\":\"\xe2\x82\xac\"},\"d\":false}";
    for (size_t n = 0; n < sizeof line - 1; n++) {
        char *exact = malloc(n);
        memcpy(exact, line, n);
        assert_int_not_equal(class_of(exact, n), M31RI_JSON_OK);
        free(exact);
    }
    assert_int_equal(class_of(line, sizeof line - 1), M31RI_JSON_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_read__classes_of_the_committed_logs),
        cmocka_unit_test(test_json_read__classes_of_the_whole_collection),
        cmocka_unit_test(test_json_read__json_test_suite),
        cmocka_unit_test(test_json_read__one_class_by_order_of_gravity),
        cmocka_unit_test(test_json_read__says_where_the_fault_is),
        cmocka_unit_test(test_json_read__hands_out_members_in_order),
        cmocka_unit_test(test_json_read__depth_has_a_limit_and_needs_no_stack),
        cmocka_unit_test(test_json_read__many_keys_stay_near_linear),
        cmocka_unit_test(test_json_read__says_when_memory_is_out),
        cmocka_unit_test(test_json_read__every_prefix_is_refused),
    };
    return cmocka_run_group_tests_name("json_read", tests, NULL, NULL);
}
