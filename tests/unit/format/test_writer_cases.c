/* The writer calls of bad_inputs, each through the encoder at its place and read back.
 *
 * Whatever the call: one line, valid JSON without doubled keys, the four mandatory fields first and
 * as given. Then what its `roundtrip` says: `exact` reads back to the same bytes (or, over the
 * limit, is cut and counted), `replaced` holds U+FFFD, `truncated` is cut or has dropped fields and
 * says so, `safe` needs no more than the above.
 */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/json_text.h"
#include "format/number.h"
#include "format/record.h"
#include "unit/format/case_files.h"

#define MANY 100000

/* What a call says, and what came of it. */
typedef struct call {
    const char *id, *roundtrip;
    m31ri_record_parts parts;
    m31r_value keys[MANY], values[MANY];
    m31ri_buf line;
    m31ri_record_report report;
    m31ri_json_member members[16]; /* the first ones read back */
    size_t n_members;
} call;

static call c;
static int n_run;

static const char *text_of(const json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));
    return text != NULL ? text : "";
}

static bool keep_member(void *context, const m31ri_json_member *m)
{
    call *at = context;
    if (at->n_members < sizeof at->members / sizeof *at->members) {
        at->members[at->n_members] = *m;
    }
    at->n_members++;
    return true;
}

static bool member_is(size_t i, const char *key, const char *value)
{
    const m31ri_json_member *m = &c.members[i];
    return m->type == 's' && m->key_length == strlen(key) &&
           memcmp(m->key, key, m->key_length) == 0 &&
           (value == NULL ||
            (m->value_length == strlen(value) && memcmp(m->value, value, m->value_length) == 0));
}

static void require(bool good, const char *what)
{
    if (!good) {
        fail_msg("%s: not %s: %.300s", c.id, what, m31ri_buf_str(&c.line));
    }
}

static void encode_and_check(void)
{
    m31ri_buf_clear(&c.line);
    m31ri_record_write(&c.line, &c.parts, NULL, &c.report);
    require(m31ri_buf_ok(&c.line) && c.line.length <= M31RI_RECORD_LIMIT, "within the limit");
    require(memchr(c.line.data, '\n', c.line.length) == c.line.data + c.line.length - 1,
            "one line");
    c.n_members = 0;
    require(m31ri_json_read_object(c.line.data, c.line.length - 1, keep_member, &c, NULL) ==
                M31RI_JSON_OK,
            "valid");
    require(c.n_members >= 4 && member_is(0, "ts", NULL) && member_is(1, "level", "INFO") &&
                member_is(2, "module", "t") && member_is(3, "msg", NULL),
            "headed by the mandatory fields");
    bool marked = c.report.n_cut + c.report.n_dropped + c.report.n_renamed != 0;
    if (strcmp(c.roundtrip, "truncated") == 0) {
        require(marked, "marked as cut");
    }
}

/* The unescaped text of a string body against bytes: the same, or the first part of them when cut.
 */
static void check_text(const char *body, size_t body_length, const char *want, size_t length,
                       bool may_be_cut)
{
    m31ri_buf plain = M31RI_BUF_INIT;
    m31ri_json_unescape(&plain, body, body_length);
    const char *text = m31ri_buf_str(&plain);
    if (strcmp(c.roundtrip, "replaced") == 0) {
        require(memmem(text, plain.length, "\xef\xbf\xbd", 3) != NULL, "replaced by U+FFFD");
    } else if (c.report.n_cut != 0 || (may_be_cut && c.report.n_renamed != 0)) {
        require(length > 10000 || may_be_cut, "kept whole");
        require(length == 0 || plain.length != 0, "kept in part");
    } else {
        require(plain.length == length && memcmp(text, want, length) == 0, "the same text");
    }
    m31ri_buf_release(&plain);
}

static void run_text(const char *where, const char *text, size_t length)
{
    c.keys[0] = m31r_of_string("k");
    c.values[0] = m31r_of_int(1);
    if (strcmp(where, "msg") == 0) {
        c.parts.message = text;
        c.parts.message_length = length;
        encode_and_check();
        check_text(c.members[3].value, c.members[3].value_length, text, length, false);
        require(c.report.n_dropped == 0 && c.members[4].type == 'n', "followed by its field");
    } else if (strcmp(where, "value") == 0) {
        c.values[0] = m31r_text(text, length);
        encode_and_check();
        check_text(c.members[4].value, c.members[4].value_length, text, length, false);
    } else {
        require(strcmp(where, "key") == 0, "a place that is known");
        c.keys[0] = m31r_text(text, length);
        encode_and_check();
        require(c.members[4].type == 'n' && c.members[4].value[0] == '1', "followed by its value");
        check_text(c.members[4].key, c.members[4].key_length, text, length,
                   strcmp(c.roundtrip, "safe") == 0);
    }
}

static void run_repeat(const json_t *line, const json_t *repeat)
{
    size_t unit_length;
    char *unit = case_base64(text_of(repeat, "b64"), &unit_length);
    size_t n = (size_t)json_integer_value(json_object_get(repeat, "n"));
    char *text = malloc(n * unit_length + 1);
    for (size_t i = 0; i < n; i++) {
        memcpy(text + i * unit_length, unit, unit_length);
    }
    run_text(text_of(line, "where"), text, n * unit_length);
    free(text);
    free(unit);
}

static void run_double(uint64_t bits, const char *repr)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    c.keys[0] = m31r_of_string("x");
    c.values[0] = m31r_of_double(x);
    encode_and_check();
    const m31ri_json_member *m = &c.members[4];
    double back = 0;
    require(m31ri_number_read_double(m->value, m->value_length, &back), "a number");
    if (isnan(x)) {
        require(isnan(back) && m->type == 's' && c.report.n_nonfinite == 1, "NaN as a string");
        return;
    }
    require(memcmp(&back, &x, sizeof x) == 0, "the same number");
    if (isinf(x)) {
        require(m->type == 's' && c.report.n_nonfinite == 1, "an infinity as a string");
        return;
    }
    require(m->type == 'n' && m->value_length == strlen(repr) &&
                memcmp(m->value, repr, m->value_length) == 0,
            "the form of repr");
}

static void run_int(const char *text)
{
    int64_t x = 0;
    bool is_signed = m31ri_number_read_int(text, strlen(text), &x);
    c.keys[0] = m31r_of_string("x");
    c.values[0] = is_signed ? m31r_of_int(x) : m31r_of_uint(strtoull(text, NULL, 10));
    encode_and_check();
    require(c.members[4].value_length == strlen(text) &&
                memcmp(c.members[4].value, text, strlen(text)) == 0,
            "the same integer");
}

/* A value has no inner structure in this API: a nested one comes as its text. */
static void run_nest(size_t depth)
{
    char *text = malloc(2 * depth);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    c.keys[0] = m31r_of_string("x");
    c.values[0] = m31r_text(text, 2 * depth);
    c.roundtrip = "exact";
    encode_and_check();
    check_text(c.members[4].value, c.members[4].value_length, text, 2 * depth, false);
    free(text);
}

static void run_fields(size_t n)
{
    static char names[MANY][24];
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "f%zu", i);
        c.keys[i] = m31r_of_string(names[i]);
        c.values[i] = m31r_of_int((int64_t)i);
    }
    c.parts.n = n;
    encode_and_check();
    if (strcmp(c.roundtrip, "exact") == 0) {
        require(c.n_members == 4 + n && c.report.n_dropped == 0, "whole");
    } else if (c.report.n_dropped != 0) {
        require(c.n_members == 4 + n - c.report.n_dropped + 1, "counted");
    }
}

static void run_pairs(const json_t *pairs)
{
    c.parts.n = json_array_size(pairs);
    for (size_t i = 0; i < c.parts.n; i++) {
        const json_t *pair = json_array_get(pairs, i);
        const json_t *value = json_array_get(pair, 1);
        c.keys[i] = m31r_of_string(json_string_value(json_array_get(pair, 0)));
        c.values[i] = json_is_string(value) ? m31r_of_string(json_string_value(value))
                                            : m31r_of_int(json_integer_value(value));
    }
    encode_and_check();
    require(c.n_members == 4 + c.parts.n + 1 && c.report.n_renamed != 0, "renamed and counted");
}

static void run_locale(const char *name)
{
    char plain[32];
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(name, " "), name);
    (void)setlocale(LC_ALL, plain); /* where it is not installed the case says nothing */
    c.keys[0] = m31r_of_string("x");
    c.values[0] = m31r_of_double(1.5);
    encode_and_check();
    setlocale(LC_ALL, "C");
    require(memcmp(c.members[4].value, "1.5", 3) == 0, "1.5");
}

static void run_clock(const char *clock)
{
    static const int64_t second = 1000000000;
    int64_t at = strstr(clock, "1970") != NULL   ? 0
                 : strstr(clock, "2038") != NULL ? INT64_C(2147483648) * second
                 : strstr(clock, "9999") != NULL ? INT64_MAX
                                                 : INT64_C(1795429611) * second;
    setenv("TZ", "Asia/Kathmandu", 1);
    c.parts.wall_ns = at;
    c.parts.n = 0;
    encode_and_check();
    unsetenv("TZ");
    m31ri_record_head head;
    require(m31ri_record_read(c.line.data, c.line.length - 1, &head) == M31RI_JSON_OK &&
                head.wall_ns == at - at % 1000,
            "the same time");
}

static void run_case(const json_t *line)
{
    c.id = text_of(line, "id");
    c.roundtrip = text_of(line, "roundtrip");
    c.parts = (m31ri_record_parts){1, M31R_INFO, "t", 1, "m", 1, c.keys, c.values, 1};
    const json_t *repeat = json_object_get(line, "repeat");
    const json_t *b64 = json_object_get(line, "b64");
    n_run++;
    if (b64 != NULL) {
        size_t length;
        char *text = case_base64(json_string_value(b64), &length);
        require((json_int_t)length == json_integer_value(json_object_get(line, "len")),
                "of its length");
        run_text(text_of(line, "where"), text, length);
        free(text);
    } else if (repeat != NULL) {
        run_repeat(line, repeat);
    } else if (json_object_get(line, "f64_bits") != NULL) {
        run_double(strtoull(text_of(line, "f64_bits"), NULL, 16), text_of(line, "repr"));
    } else if (json_object_get(line, "int") != NULL) {
        run_int(text_of(line, "int"));
    } else if (json_object_get(line, "nest") != NULL) {
        run_nest((size_t)json_integer_value(json_object_get(line, "nest")));
    } else if (json_object_get(line, "fields") != NULL) {
        run_fields((size_t)json_integer_value(json_object_get(line, "fields")));
    } else if (json_object_get(line, "pairs") != NULL) {
        run_pairs(json_object_get(line, "pairs"));
    } else if (json_object_get(line, "locale") != NULL) {
        run_locale(text_of(line, "locale"));
    } else if (json_object_get(line, "clock") != NULL) {
        run_clock(text_of(line, "clock"));
    } else {
        fail_msg("%s: a case of an unknown kind", c.id);
    }
}

static void test_writer_cases__committed(void **state)
{
    (void)state;
    n_run = 0;
    int n = case_lines(CASES_COMMITTED "/writer.jsonl", run_case);
    assert_true(n >= 246);
    assert_int_equal(n_run, n);
}

static void test_writer_cases__whole_collection(void **state)
{
    (void)state;
    n_run = 0;
    int n = case_lines(CASES_SHARED "/writer.jsonl", run_case);
    if (n == -1) {
        skip();
    }
    assert_int_equal(n_run, n);
    print_message("%d writer calls\n", n);
}

static int release_line(void **state)
{
    (void)state;
    m31ri_buf_release(&c.line);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writer_cases__committed),
        cmocka_unit_test(test_writer_cases__whole_collection),
    };
    return cmocka_run_group_tests_name("writer_cases", tests, NULL, release_line);
}
