/* Tests of read/needle.c and of the search in line_walk_*.c: no line that can hold is passed over.
 */
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

/* Against the plain way, on text made of few letters, so that nearly-hits are many. */
static void agrees(const m31ri_walk *walk, const char *text, size_t length, const char *word)
{
    m31ri_needle needle = {.text = word, .length = strlen(word)};
    m31ri_needle_choose(&needle, text, length);
    uint32_t *hits = malloc((length + M31RI_READ_BEYOND) * sizeof *hits);
    size_t n = walk->needle(text, length, &needle, hits), at = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\' || memcmp(text + i, word, needle.length) == 0) {
            assert_true(at < n);
            assert_int_equal(hits[at++], i);
        }
    }
    assert_int_equal(at, n);
    free(hits);
}

static void test_needle__every_walk_finds_what_is_there(void **state)
{
    (void)state;
    static const char *const words[] = {"a",
                                        "ab",
                                        "abcab",
                                        "\\",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
                                        "bacabacabacabacabacabacabacabaca"};
    for (size_t w = 0; w < sizeof walks / sizeof *walks; w++) {
        const m31ri_walk *walk = m31ri_walk_named(walks[w]);
        for (int turn = 0; walk != NULL && turn < 400; turn++) {
            size_t length = random_below(300);
            char *text = malloc(length + M31RI_READ_BEYOND); /* not one byte more may be read */
            for (size_t i = 0; i < length; i++) {
                text[i] = "aabbccaabbcc\n\\"[random_below(turn % 2 == 0 ? 12 : 14)];
            }
            memset(text + length, '\n', M31RI_READ_BEYOND);
            agrees(walk, text, length, words[(size_t)turn % (sizeof words / sizeof *words)]);
            free(text);
        }
    }
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
        cmocka_unit_test(test_needle__every_walk_finds_what_is_there),
        cmocka_unit_test(test_needle__looks_for_the_rarest_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
