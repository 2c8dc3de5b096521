/* Tests of read/needle.c, read/sieve.c and the search in line_walk_*.c: no line that can hold, or
 * that may be no record, is passed over. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "m31r/expr.h"
#include "read/line_walk.h"

static const char *const walks[] = {"plain", "sse2", "avx2", "avx512", "neon"};

static uint64_t seed = 7;

static uint64_t random_below(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

static void demands(const char *expr, const char *expected)
{
    m31r_expr *x = NULL;
    m31r_error e;
    assert_int_equal(m31r_expr_compile(&x, expr, M31R_EXPR_RECORD, &e), M31R_OK);
    m31ri_needle n = m31ri_needle_of(x);
    assert_int_equal(n.length, strlen(expected));
    assert_memory_equal(n.length > 0 ? n.text : "", expected, n.length);
    m31r_expr_free(x);
}

static void test_needle__only_what_must_stand_in_the_line(void **state)
{
    (void)state;
    demands("msg contains \"unreadable\"", "unreadable");
    demands("msg == \"disk full\" and step > 3", "disk full");
    demands("msg contains \"ab\" and error contains \"abc\"", "abc");
    demands("msg contains \"ab\" or error contains \"abc\"", "");
    demands("not msg contains \"ab\"", "");
    demands("msg != \"abc\"", "");
    demands("msg ~ \"abc\"", "");
    demands("step == 5", "");
    demands("level == ERROR", "");
    demands("file contains \"rank\" and msg contains \"x\"", "");
    demands("msg contains \"0123456789012345678901234567890123456789\"",
            "01234567890123456789012345678901");
    assert_int_equal(m31ri_needle_of(NULL).length, 0);
}

/* What the sieve may let pass, said once more and slowly. */
static bool is_plain(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c < 0x20 || c > 0x7f || c == '\\' || (c == '{') != (i == 0) ||
            (c == '}') != (i == length - 1)) {
            return false;
        }
    }
    return length > 0;
}

static bool has_text(const char *line, size_t length, const char *text)
{
    return *text != '\0' && memmem(line, length, text, strlen(text)) != NULL;
}

static bool has_level(char *line, size_t length)
{
    char lower[320];
    for (size_t i = 0; i < length; i++) {
        lower[i] = (char)tolower((unsigned char)line[i]);
    }
    return has_text(lower, length, "\"error\"") || has_text(lower, length, "\"critical\"") ||
           has_text(lower, length, "\"fatal\"");
}

/* Every line that must be judged has a place that is held back, and places know their line. Returns
 * how many there are. */
static size_t holds_back(const m31ri_walk *walk, const m31ri_sieve *sieve, char *text,
                         size_t length)
{
    m31ri_sieved *out = malloc((length + M31RI_READ_BEYOND) * sizeof *out);
    size_t n_lines, line = 0, at = 0;
    size_t n = walk->sieve(text, length, sieve, out, &n_lines);
    for (size_t start = 0; start < length; line++) {
        size_t end = (size_t)((char *)memchr(text + start, '\n', length - start) - text);
        bool must = !is_plain(text + start, end - start) ||
                    has_text(text + start, end - start, sieve->needle.text) ||
                    (sieve->n_words > 0 && has_level(text + start, end - start));
        assert_true(!must || (at < n && out[at].at <= end));
        for (; at < n && out[at].at <= end; at++) {
            assert_true(out[at].at >= start);
            assert_int_equal(out[at].n_before, line);
        }
        start = end + 1;
    }
    assert_int_equal(at, n);
    assert_int_equal(n_lines, line);
    free(out);
    return n;
}

/* Lines with a fault now and then; nothing but plain ones when `has_faults` is not set. Ends with a
 * newline. */
static char *make_text(bool has_faults, size_t *length)
{
    static const char *const parts[] = {"\"a\":1",
                                        "\"level\":\"INFO\"",
                                        "\"b\":\"abcab\"",
                                        "aab",
                                        "\"Error\"",
                                        "\"FATAL\"",
                                        "\"critical\"",
                                        "\\n",
                                        "{",
                                        "}",
                                        "\x01",
                                        "\xc3\xa9",
                                        "\n",
                                        "\n\n"};
    char *text = malloc(4096 + M31RI_READ_BEYOND);
    size_t n = 0;
    for (uint64_t lines = 1 + random_below(12); lines > 0; lines--) {
        text[n++] = '{';
        for (uint64_t k = random_below(12); k > 0; k--) {
            bool is_fault = has_faults && random_below(12) == 0;
            const char *part = parts[is_fault ? 2 + random_below(12) : random_below(2)];
            memcpy(text + n, part, strlen(part));
            n += strlen(part);
        }
        text[n++] = '}';
        text[n++] = '\n';
    }
    char *exact = malloc(n + M31RI_READ_BEYOND); /* not one byte more may be read */
    memcpy(exact, text, n);
    memset(exact + n, random_below(2) == 0 ? '\n' : '{', M31RI_READ_BEYOND);
    free(text);
    *length = n;
    return exact;
}

static void test_sieve__holds_back_every_line_that_must_be_judged(void **state)
{
    (void)state;
    static const char *const words[] = {"", "a", "abcab", "\"b\":\"a"};
    for (size_t w = 0; w < sizeof walks / sizeof *walks; w++) {
        const m31ri_walk *walk = m31ri_walk_named(walks[w]);
        for (size_t turn = 0; walk != NULL && turn < 400; turn++) {
            m31r_filter filter = {.min_level = turn % 3 == 0 ? M31R_ERROR : 0};
            m31ri_sieve sieve;
            size_t length;
            bool has_faults = turn % 8 != 0;
            char *text = make_text(has_faults, &length);
            (void)m31ri_sieve_of(&filter, &sieve);
            sieve.needle.text = has_faults ? words[turn % 4] : "";
            sieve.needle.length = strlen(sieve.needle.text);
            m31ri_needle_choose(&sieve.needle, text, length);
            size_t n = holds_back(walk, &sieve, text, length);
            assert_true(has_faults || n == 0);
            free(text);
        }
    }
}

static size_t levels_of(const char *expr)
{
    m31r_filter filter = {0};
    m31ri_sieve sieve;
    m31r_error e;
    assert_int_equal(m31r_expr_compile(&filter.expr, expr, M31R_EXPR_RECORD, &e), M31R_OK);
    bool is_demanding = m31ri_sieve_of(&filter, &sieve);
    assert_true(is_demanding == (sieve.n_words > 0 || sieve.needle.length > 0));
    m31r_expr_free(filter.expr);
    return sieve.n_words;
}

static void test_sieve__knows_the_level_that_an_expression_demands(void **state)
{
    (void)state;
    assert_int_equal(levels_of("level>=ERROR"), 3);
    assert_int_equal(levels_of("step>3 and (level==CRITICAL and loss>1)"), 2);
    assert_int_equal(levels_of("level>INFO"), 0); /* too common to be looked for */
    assert_int_equal(levels_of("level>WARNING"), 5);
    assert_int_equal(levels_of("level<=ERROR"), 0);
    assert_int_equal(levels_of("level!=ERROR"), 0);
    assert_int_equal(levels_of("not level>=ERROR"), 0);
    assert_int_equal(levels_of("level>=ERROR or step>3"), 0);
    assert_int_equal(levels_of("level>=ERROR and line>3"), 0);
    assert_int_equal(levels_of("level>=ERROR and msg contains \"x\""), 0); /* by its text */
}

static void test_needle__looks_for_the_rarest_bytes(void **state)
{
    (void)state;
    m31ri_needle n = {.text = "loss_nan", .length = 8};
    m31ri_needle_choose(&n, "loss loss loss loss nan _", 25);
    assert_int_equal(n.rare, 4);
    assert_int_equal(n.second, 6);
    n = (m31ri_needle){.text = "x", .length = 1};
    m31ri_needle_choose(&n, "", 0);
    assert_int_equal(n.rare, 0);
    assert_int_equal(n.second, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_needle__only_what_must_stand_in_the_line),
        cmocka_unit_test(test_sieve__holds_back_every_line_that_must_be_judged),
        cmocka_unit_test(test_sieve__knows_the_level_that_an_expression_demands),
        cmocka_unit_test(test_needle__looks_for_the_rarest_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
