/* Digests: random text that holds the beginnings of tokens is none, and hides none. Tokens are put
 * together from parts, so that no scanner takes this file for a leak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "format/blocks.h"
#include "rules/clean_line.h"

static const char token[] = "hf_"
                            "pVVldhFTywrTjyqxhnpklQVifDZJFionsR";

static m31ri_privacy *rules;

static int set_up(void **state)
{
    (void)state;
    rules = m31ri_privacy_new(NULL);
    return rules == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    m31ri_privacy_free(rules);
    return 0;
}

/* How much is found in a line, as verify --privacy looks at it. */
static uint32_t found_in(const char *line)
{
    m31ri_line_cleaner c = {.privacy = rules};
    m31ri_buf out = M31RI_BUF_INIT;
    uint32_t n = m31ri_line_clean(&c, line, strlen(line), &out);
    assert_int_equal(n == 0, strcmp(m31ri_buf_str(&out), line) == 0);
    m31ri_buf_release(&out);
    m31ri_line_cleaner_release(&c);
    return n;
}

static void test_digests__a_token_inside_of_random_text_is_chance(void **state)
{
    (void)state;
    static const char *const before[] = {"Zk3v-Q9xTb7LmW2cRd8_", "uV5nYq1+Kp0HsX6/eGz4Fj",
                                         "9aQfW3xL0TzB7mKc"};
    char text[200];
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        snprintf(text, sizeof text, "sum %s%s", before[i], token);
        assert_int_equal(found_in(text), 0);
        snprintf(text, sizeof text, "sum %s-%s", token, before[i]);
        assert_int_equal(found_in(text), 0);
    }
}

static void test_digests__a_token_beside_words_is_one(void **state)
{
    (void)state;
    static const char *const frames[] = {
        "%s",
        "/data/Runs/checkpoint-0400/model_v2-Large/%s/x",
        "my-old-token_%s",
        "the_token_of_kim-%s-rotated_in_november",
        "TOKEN%s",
        "https://huggingface.co/api/models/meta-llama/Llama-3.1-8B/%s",
        "commit 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567 %s",
        "550e8400-e29b-41d4-a716-446655440000/%s",
    };
    char text[300];
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        snprintf(text, sizeof text, frames[i], token);
        if (found_in(text) != 1) {
            fail_msg("not found: %s", text);
        }
    }
}

/* A line of blocks.jsonl whose checks are `checks`, for so many lines. */
static const char *block_line(char *out, size_t size, const char *file, const char *checks,
                              size_t n_lines)
{
    snprintf(out, size,
             "{\"file\":\"%s\",\"part\":1,\"block\":0,\"offset\":0,\"bytes\":70000,\"lines\":%zu,"
             "\"leaf\":\"0a1b2c3d4e5f60718293a4b5c6d7e8f9010a1b2c3d4e5f60718293a4b5c6d7e8\","
             "\"checks\":\"%s\"}",
             file, n_lines, checks);
    return out;
}

static void test_digests__checks_of_a_block_are_known_by_their_place(void **state)
{
    (void)state;
    char line[600], checks[80];
    snprintf(checks, sizeof checks, "A%s", token);
    size_t n_lines = strlen(checks) / M31RI_CHECK_CHARS;
    assert_int_equal(strlen(checks) % M31RI_CHECK_CHARS, 0);
    assert_int_equal(found_in(block_line(line, sizeof line, "train.log", checks, n_lines)), 0);
}

static void test_digests__a_secret_in_the_list_of_blocks_is_found(void **state)
{
    (void)state;
    char line[600], longer[700];
    assert_int_equal(found_in(block_line(line, sizeof line, token, "QmQm", 2)), 1);
    assert_int_equal(found_in(block_line(line, sizeof line, "train.log", token, 7)), 1);
    snprintf(longer, sizeof longer, "{\"note\":\"%s\",%s", token,
             block_line(line, sizeof line, "train.log", "QmQm", 2) + 1);
    assert_int_equal(found_in(longer), 1);
    block_line(line, sizeof line, "train.log", "QmQm", 2);
    snprintf(longer, sizeof longer, "%.*s,\"note\":\"%s\"}", (int)strlen(line) - 1, line, token);
    assert_int_equal(found_in(longer), 1);
}

static void test_clean_line__a_value_is_named_by_its_neighbour(void **state)
{
    (void)state;
    assert_int_equal(found_in("{\"env\":[{\"name\":\"DB_PASSWORD\",\"value\":\"x1\"},"
                              "{\"name\":\"MODE\",\"value\":\"x1\"}]}"),
                     1);
    assert_int_equal(found_in("{\"name\":\"loss\",\"value\":\"2.5\",\"unit\":\"DB_PASSWORD\"}"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests__a_token_inside_of_random_text_is_chance),
        cmocka_unit_test(test_digests__a_token_beside_words_is_one),
        cmocka_unit_test(test_digests__checks_of_a_block_are_known_by_their_place),
        cmocka_unit_test(test_digests__a_secret_in_the_list_of_blocks_is_found),
        cmocka_unit_test(test_clean_line__a_value_is_named_by_its_neighbour),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
