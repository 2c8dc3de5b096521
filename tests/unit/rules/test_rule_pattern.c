/* Patterns of tokens: what they match, and which are refused, with the place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "format/settings.h"
#include "rules/privacy_run.h"
#include "rules/rule_pattern.h"

static void assert_scrubbed(const char *pattern, const char *text, const char *expected)
{
    const m31ri_own_rule rule = {.kind = "own", .pattern = pattern};
    const m31ri_privacy_options o = {.patterns = &rule, .n_patterns = 1};
    m31ri_privacy *p = m31ri_privacy_new(&o);
    m31ri_buf out = M31RI_BUF_INIT;
    m31ri_privacy_scrub(p, NULL, 0, text, strlen(text), &out);
    assert_string_equal(m31ri_buf_str(&out), expected);
    m31ri_buf_release(&out);
    m31ri_privacy_free(p);
}

static void test_rule_pattern__a_users_rule_is_applied(void **state)
{
    (void)state;
    const char *p = "acme_[A-Za-z0-9]{8,}";
    assert_scrubbed(p, "got acme_Zq7xK29mLw, done", "got [redacted:own], done");
    assert_scrubbed(p, "acme_Zq7", "acme_Zq7");
    assert_scrubbed(p, "xacme_Zq7xK29mLw", "xacme_Zq7xK29mLw"); /* not at the start of a word */
    assert_scrubbed("acme-[0-9]{4}-[a-f]{4}", "acme-1234-abcd.", "[redacted:own].");
    assert_scrubbed("acme-[0-9]{4}-[a-f]{4}", "acme-1234-abcde", "acme-1234-abcde");
    assert_scrubbed("acme-[0-9]{2,4}:[a-f]{2,}", "acme-123:abc", "[redacted:own]");
    assert_scrubbed("$acme$[a-z]{4,}", "x $acme$word", "x [redacted:own]");
    assert_scrubbed("acme\\[[0-9]{3,}\\]", "acme[1234]", "[redacted:own]");
}

static void test_rule_pattern__what_would_be_slow_or_wrong_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        size_t at;
    } refused[] = {
        {"", 0},
        {"[a-z]{20,}", 0},               /* would be tried everywhere */
        {"a[a-z0-9]{20,}", 0},           /* and so would this */
        {"acme_[a-z]", 10},              /* how many? */
        {"acme_[a-z]{2,}[0-9]{2,}", 14}, /* two runs: one would have to give back */
        {"acme_[a-z]{2,}end", 14},       /* and here */
        {"acme_[a-z]{4,2}", 10},
        {"acme_[a-z]{0,}", 10},
        {"acme_[a-z", 5},
        {"acme_[]{2}", 5},
        {"acme_[z-a]{2}", 6},
        {"acme_{2}", 5},
        {"acme_[a-z]{99999}", 11},
        {"acme_[a-z]{2", 12},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        m31ri_pattern p;
        m31ri_pattern_fault fault;
        if (m31ri_pattern_read(refused[i].pattern, &p, &fault)) {
            fail_msg("taken: %s", refused[i].pattern);
        }
        if (fault.at != refused[i].at) {
            fail_msg("%s: at %zu (%s), expected %zu", refused[i].pattern, fault.at, fault.what,
                     refused[i].at);
        }
    }
}

static m31r_error error_of(const char *config)
{
    m31ri_yaml *y = NULL;
    m31ri_settings s;
    m31ri_privacy *p = NULL;
    m31r_error e = {0};
    m31ri_settings_init(&s);
    m31r_err err = m31ri_yaml_read(config, strlen(config), "c.yaml", &y, &e);
    if (err == M31R_OK) {
        err = m31ri_settings_read(y, "c.yaml", &s, &e);
    }
    if (err == M31R_OK) {
        err = m31ri_privacy_read(&s, "c.yaml", &p, &e);
    }
    e.code = err;
    m31ri_privacy_free(p);
    m31ri_settings_release(&s);
    m31ri_yaml_free(y);
    return e;
}

static void test_rule_pattern__of_a_config_has_line_and_column(void **state)
{
    (void)state;
    m31r_error e = error_of("observability:\n  privacy_rules:\n"
                            "    - {kind: acme_token, pattern: \"acme_[a-z]{2,}end\"}\n");
    assert_int_equal(e.code, M31R_E_CONFIG);
    assert_int_equal(e.line, 3);
    assert_int_equal(e.column, 50);
    assert_non_null(strstr(e.message, "acme_token"));
    e = error_of("observability:\n  privacy_rules:\n    - {kind: Acme, pattern: acme_}\n");
    assert_int_equal(e.code, M31R_E_CONFIG);
    assert_int_equal(e.line, 3);
    e = error_of("observability:\n  privacy_rules:\n    - {kind: a, pattern: abcd, more: 1}\n");
    assert_int_equal(e.code, M31R_E_CONFIG);
    e = error_of("observability:\n  privacy_rules: 3\n");
    assert_int_equal(e.code, M31R_E_CONFIG);
    e = error_of("observability:\n  privacy_rules:\n    - kind: acme_token\n"
                 "      pattern: acme_[a-z]{2,}\n");
    assert_int_equal(e.code, M31R_OK);
}

static void test_rule_pattern__rules_are_ready_within_a_millisecond(void **state)
{
    (void)state;
    double best_s = 1;
    for (int i = 0; i < 20; i++) {
        struct timespec a, b;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
        m31ri_privacy *p = m31ri_privacy_new(NULL);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
        m31ri_privacy_free(p);
        double s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
        best_s = s < best_s ? s : best_s;
    }
    assert_true(best_s < 0.01); /* with the sanitizers; the release build: bench/rules */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_pattern__a_users_rule_is_applied),
        cmocka_unit_test(test_rule_pattern__what_would_be_slow_or_wrong_is_refused_with_its_place),
        cmocka_unit_test(test_rule_pattern__of_a_config_has_line_and_column),
        cmocka_unit_test(test_rule_pattern__rules_are_ready_within_a_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
