/* JSON text: what is escaped, U+FFFD as Unicode and Python do it, cutting, and back again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/json_text.h"
#include "unit/format/case_files.h"

static void check_escape(const char *s, size_t length, const char *want)
{
    m31ri_buf b = M31RI_BUF_INIT;
    m31ri_json_escape(&b, s, length);
    assert_string_equal(m31ri_buf_str(&b), want);
    m31ri_buf_release(&b);
}

#define ESCAPES(s, want) check_escape(s, sizeof s - 1, want)

static void test_json_text__escapes_in_short_form_or_as_u(void **state)
{
    (void)state;
    ESCAPES("", "");
    ESCAPES("plain text, long enough for words", "plain text, long enough for words");
    ESCAPES("a\"b\\c\nd\te\rf\bg\fh", "a\\\"b\\\\c\\nd\\te\\rf\\bg\\fh");
    ESCAPES("a\0b", "a\\u0000b");
    ESCAPES("\x1b[31mred\x7f", "\\u001b[31mred\\u007f");
    ESCAPES("\xc2\x80\xc2\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0");
    ESCAPES("\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029");
    ESCAPES("\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", "\\u061c\\u200e\\u200f");
    ESCAPES("\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9", "\\u202a\\u202e\\u2066\\u2069");
    ESCAPES("\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa", "\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa");
    ESCAPES("\xef\xbb\xbfx", "\\ufeffx");
    ESCAPES("</script>\xc3\xa9\xf0\x9f\x98\x80", "</script>\xc3\xa9\xf0\x9f\x98\x80");
}

#define FFFD "\xef\xbf\xbd"

static void test_json_text__replaces_each_maximal_ill_formed_subpart(void **state)
{
    (void)state;
    ESCAPES("x\xb5y", "x" FFFD "y");
    ESCAPES("x\xc0\xafy", "x" FFFD FFFD "y");
    ESCAPES("x\xe0\x80\xafy", "x" FFFD FFFD FFFD "y");
    ESCAPES("x\xed\xa0\x80y", "x" FFFD FFFD FFFD "y");
    ESCAPES("x\xf0\x9f\x98y", "x" FFFD "y");
    ESCAPES("x\xf0\x9fy", "x" FFFD "y");
    ESCAPES("x\xe2\x82", "x" FFFD);
    ESCAPES("\xf1\x80\x80\xe1\x80\xc2", FFFD FFFD FFFD);
    ESCAPES("\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD);
    ESCAPES("\xff\xfe", FFFD FFFD);
}

/* Every special byte at every place of a word and its neighbours. */
static void test_json_text__finds_specials_at_every_offset(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 0x80; c++) {
        for (size_t at = 0; at < 24; at++) {
            char s[24];
            memset(s, 'x', sizeof s);
            s[at] = (char)c;
            m31ri_buf b = M31RI_BUF_INIT;
            m31ri_json_escape(&b, s, sizeof s);
            bool special = c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
            assert_int_equal(b.length != sizeof s, special);
            assert_int_equal(b.data[at], special ? '\\' : (int)c);
            m31ri_buf_release(&b);
        }
    }
}

static void test_json_text__unescape_undoes_escape(void **state)
{
    (void)state;
    uint64_t seed = 11;
    m31ri_buf text = M31RI_BUF_INIT, back = M31RI_BUF_INIT, again = M31RI_BUF_INIT;
    for (int i = 0; i < 50000; i++) {
        char s[40];
        size_t n = case_random(&seed) % sizeof s;
        for (size_t j = 0; j < n; j++) {
            uint64_t r = case_random(&seed);
            s[j] = (char)(r % 4 == 0 ? r >> 8 : r >> 8 & 0x7f);
        }
        m31ri_buf_clear(&text);
        m31ri_buf_clear(&back);
        m31ri_buf_clear(&again);
        m31ri_json_escape(&text, s, n);
        assert_true(m31ri_utf8_is_valid(m31ri_buf_str(&text), text.length));
        m31ri_json_unescape(&back, m31ri_buf_str(&text), text.length);
        if (m31ri_utf8_is_valid(s, n)) {
            assert_int_equal(back.length, n);
            assert_memory_equal(m31ri_buf_str(&back), s, n);
        }
        m31ri_json_escape(&again, m31ri_buf_str(&back), back.length);
        assert_string_equal(m31ri_buf_str(&again), m31ri_buf_str(&text));
    }
    m31ri_buf_release(&text);
    m31ri_buf_release(&back);
    m31ri_buf_release(&again);
}

static void check_unescape(const char *body, const char *want)
{
    m31ri_buf b = M31RI_BUF_INIT;
    m31ri_json_unescape(&b, body, strlen(body));
    assert_string_equal(m31ri_buf_str(&b), want);
    m31ri_buf_release(&b);
}

static void test_json_text__unescapes_pairs_and_lone_surrogates(void **state)
{
    (void)state;
    check_unescape("\\ud83d\\ude00", "\xf0\x9f\x98\x80");
    check_unescape("\\uD83D\\uDE00", "\xf0\x9f\x98\x80");
    check_unescape("\\ud83d", FFFD);
    check_unescape("\\ude00x", FFFD "x");
    check_unescape("\\ud83d\\u0041", FFFD "A");
    check_unescape("\\ud83d\\ud83d\\ude00", FFFD "\xf0\x9f\x98\x80");
    check_unescape("\\/\\b\\f\\n\\r\\t\\\"\\\\", "/\b\f\n\r\t\"\\");
    check_unescape("\\u00e9\\u20ac", "\xc3\xa9\xe2\x82\xac");
}

static void test_json_text__cuts_between_characters(void **state)
{
    (void)state;
    static const char s[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (size_t limit = 0; limit < sizeof want / sizeof *want; limit++) {
        assert_int_equal(m31ri_utf8_cut(s, sizeof s - 1, limit), want[limit]);
    }
    assert_int_equal(m31ri_utf8_cut("\x80\x80\x80\x80", 4, 2), 2);
    assert_int_equal(m31ri_utf8_cut("ab\xf0\x9f", 4, 3), 3);
}

/* 20,000 random byte strings: what json.loads makes of our text is what Python's decoder makes of
 * the bytes. */
static void test_json_text__agrees_with_python(void **state)
{
    (void)state;
    if (system("python3 -c 'import json' 2>/dev/null") != 0) {
        skip();
    }
    FILE *p = popen("python3 -c '\n"
                    "import sys, json\n"
                    "bad = 0\n"
                    "for line in sys.stdin.buffer:\n"
                    "    raw, text = line.rstrip(b\"\\n\").split(b\" \", 1)\n"
                    "    raw = bytes.fromhex(raw[1:].decode())\n"
                    "    if json.loads(text) != raw.decode(\"utf-8\", \"replace\"):\n"
                    "        bad += 1\n"
                    "        print(raw, text, file=sys.stderr)\n"
                    "sys.exit(bad != 0)'",
                    "w");
    assert_non_null(p);
    uint64_t seed = 5;
    m31ri_buf text = M31RI_BUF_INIT;
    for (int i = 0; i < 20000; i++) {
        unsigned char s[16];
        size_t n = case_random(&seed) % sizeof s;
        fputc('x', p);
        for (size_t j = 0; j < n; j++) {
            static const unsigned char odd[] = {0x80, 0xbf, 0xc2, 0xe0, 0xa0, 0xed,
                                                0x9f, 0xf0, 0x90, 0xf4, 0x8f};
            uint64_t r = case_random(&seed);
            s[j] = r % 3 != 0 ? odd[(r >> 8) % sizeof odd] : (unsigned char)(r >> 16);
            fprintf(p, "%02x", s[j]);
        }
        m31ri_buf_clear(&text);
        m31ri_json_string(&text, (char *)s, n);
        fprintf(p, " %s\n", m31ri_buf_str(&text));
    }
    m31ri_buf_release(&text);
    assert_int_equal(pclose(p), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_text__escapes_in_short_form_or_as_u),
        cmocka_unit_test(test_json_text__replaces_each_maximal_ill_formed_subpart),
        cmocka_unit_test(test_json_text__finds_specials_at_every_offset),
        cmocka_unit_test(test_json_text__unescape_undoes_escape),
        cmocka_unit_test(test_json_text__unescapes_pairs_and_lone_surrogates),
        cmocka_unit_test(test_json_text__cuts_between_characters),
        cmocka_unit_test(test_json_text__agrees_with_python),
    };
    return cmocka_run_group_tests_name("json_text", tests, NULL, NULL);
}
