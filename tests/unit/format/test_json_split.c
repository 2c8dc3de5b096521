/* Splitting beside the strict reader: the same members of every good text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/json_split.h"

#define LIMIT 64

typedef struct members {
    m31ri_json_member all[LIMIT];
    size_t n;
} members;

static bool keep(void *context, const m31ri_json_member *m)
{
    members *l = context;
    assert_true(l->n < LIMIT);
    l->all[l->n++] = *m;
    return true;
}

/* In memory of just its size, so that the sanitizer sees a byte too far. */
static bool both_say_the_same(const char *text, size_t length)
{
    members strict = {.n = 0}, fast = {.n = 0};
    char *exact = malloc(length + (length == 0));
    memcpy(exact, text, length);
    bool is_good = m31ri_json_read_object(exact, length, keep, &strict, NULL) == M31RI_JSON_OK;
    fast.n = m31ri_json_split(exact, length, fast.all, LIMIT);
    assert_true(fast.n <= length);
    if (is_good) {
        assert_int_equal(fast.n, strict.n);
    }
    for (size_t i = 0; is_good && i < strict.n; i++) {
        const m31ri_json_member *a = &strict.all[i], *b = &fast.all[i];
        assert_ptr_equal(a->key, b->key);
        assert_int_equal(a->key_length, b->key_length);
        assert_ptr_equal(a->value, b->value);
        assert_int_equal(a->value_length, b->value_length);
        assert_int_equal(a->type, b->type);
        assert_int_equal(a->key_escaped, b->key_escaped);
        assert_int_equal(a->value_escaped, b->value_escaped);
    }
    free(exact);
    return is_good;
}

static void test_json_split__finds_the_members_that_the_strict_reader_finds(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        " { } \r",
        "{\"a\":1}",
        "{\"a\":-1.5e+3 ,\"b\":true,\"c\":false,\"d\":null}",
        "\t{ \"a\" : \"x\" , \"b\" : [ 1 , { \"}\" : \"]\" } ] }\n",
        "{\"\":\"\",\"\\\"\":\"\\\\\",\"k\\u0041\":\"\\\"}\\\\\"}",
        "{\"o\":{\"o\":{\"a\":[[],[{}]]}},\"a\":[]}",
        "{\"long enough for words\":\"eight bytes at once and a \\\" in the "
        "middle\",\"n\":12345678901234567890}",
        "{\"ts\":\"2026-11-23T10:26:51.000000Z\",\"level\":\"INFO\",\"module\":\"m\",\"msg\":"
        "\"\xc3\xa9\",\"x\":0}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(both_say_the_same(texts[i], strlen(texts[i])));
    }
}

static void test_json_split__any_text_that_is_good_and_none_is_read_beyond(void **state)
{
    (void)state;
    static const char alphabet[] = "{}[]\"\\:,tfn01-. \tab";
    size_t n_good = 0;
    srand(7);
    for (int round = 0; round < 20000; round++) {
        char text[48] = "{\"a\":\"b\",\"c\":[1,\"}\"],\"d\":0}";
        size_t length = strlen(text);
        for (int i = rand() % 4; i > 0; i--) {
            text[(size_t)rand() % length] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        }
        n_good += both_say_the_same(text, rand() % 4 > 0 ? length : (size_t)rand() % (length + 1));
    }
    assert_true(n_good > 1000);
}

static void test_json_split__counts_what_has_no_room(void **state)
{
    (void)state;
    m31ri_json_member one[1];
    const char *text = "{\"a\":1,\"b\":2,\"c\":3}";
    assert_int_equal(m31ri_json_split(text, strlen(text), one, 1), 3);
    assert_memory_equal(one[0].key, "a", 1);
    assert_int_equal(m31ri_json_split(text, strlen(text), NULL, 0), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_split__finds_the_members_that_the_strict_reader_finds),
        cmocka_unit_test(test_json_split__any_text_that_is_good_and_none_is_read_beyond),
        cmocka_unit_test(test_json_split__counts_what_has_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
