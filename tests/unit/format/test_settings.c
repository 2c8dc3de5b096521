/* Settings: strict where they are ours, blind where they are the user's; m31r.yaml reads back as
 * written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "format/settings.h"

static m31ri_yaml *tree_of(const char *text)
{
    m31ri_yaml *y = NULL;
    m31r_error e = {0};
    if (m31ri_yaml_read(text, strlen(text), "train.yaml", &y, &e) != M31R_OK) {
        fail_msg("%s at %u:%u", e.message, e.line, e.column);
    }
    return y;
}

static m31ri_settings settings_of(const char *text)
{
    m31ri_yaml *y = tree_of(text);
    m31ri_settings s;
    m31r_error e = {0};
    m31ri_settings_init(&s);
    if (m31ri_settings_read(y, "train.yaml", &s, &e) != M31R_OK) {
        fail_msg("%s at %u:%u", e.message, e.line, e.column);
    }
    m31ri_yaml_free(y);
    return s;
}

static m31r_error refused_section(const char *text)
{
    m31ri_yaml *y = tree_of(text);
    m31ri_settings s;
    m31r_error e = {0};
    m31ri_settings_init(&s);
    s.log_every = 77;
    if (m31ri_settings_read(y, "train.yaml", &s, &e) != M31R_E_CONFIG) {
        fail_msg("taken: %s", text);
    }
    assert_int_equal(s.log_every, 77); /* untouched */
    assert_true(e.line > 0 && e.column > 0 && e.hint[0] != '\0');
    assert_string_equal(e.path, "train.yaml");
    m31ri_settings_release(&s);
    m31ri_yaml_free(y);
    return e;
}

static m31r_error refused_project(const char *text)
{
    m31ri_yaml *y = tree_of(text);
    m31ri_project p;
    m31r_error e = {0};
    assert_true(m31ri_project_init(&p));
    if (m31ri_project_read(y, "m31r.yaml", &p, &e) != M31R_E_CONFIG) {
        fail_msg("taken: %s", text);
    }
    assert_true(e.line > 0 && e.column > 0 && e.hint[0] != '\0');
    m31ri_project_release(&p);
    m31ri_yaml_free(y);
    return e;
}

static void test_settings__defaults_when_nothing_is_given(void **state)
{
    (void)state;
    m31ri_settings s = settings_of("lr: 1\nmodel: {level: 99, observability: 3}\n");
    assert_false(s.config_version_set);
    assert_false(s.section_set);
    assert_false(s.level_set);
    assert_int_equal(s.level, M31R_INFO);
    assert_true(s.to_stdout && s.to_file && !s.log_prompts);
    assert_true(s.sample_interval_s == 1 && s.block_timeout_s == 5);
    m31ri_settings_release(&s);
    s = settings_of("config_version: 1\nobservability:\n");
    assert_true(s.config_version_set && s.section_set);
    m31ri_settings_release(&s);
}

static void test_settings__reads_every_key(void **state)
{
    (void)state;
    m31ri_settings s = settings_of("config_version: 3\nobservability:\n  level: debug\n  stdout: "
                                   "false\n  file: true\n  capture: patterns\n"
                                   "  log_every: 1000000000\n  sample_interval_s: 0.1\n  "
                                   "log_prompts: true\n  deny_keys: [customer, tenant_id]\n"
                                   "  block_timeout_s: 0\n  sync_interval_s: 3600\n");
    assert_int_equal(s.level, M31R_DEBUG);
    assert_int_equal(s.level_line, 3);
    assert_true(s.to_stdout_set && !s.to_stdout && s.to_file_set);
    assert_int_equal(s.capture, M31RI_CAPTURE_PATTERNS);
    assert_int_equal(s.log_every, 1000000000);
    assert_true(s.sample_interval_s == 0.1 && s.log_prompts);
    assert_int_equal(s.deny_keys.n, 2);
    assert_string_equal(s.deny_keys.items[1], "tenant_id");
    assert_int_equal(s.deny_keys.lines[1], 10);
    assert_true(s.block_timeout_s == 0 && s.sync_interval_s == 3600);
    m31ri_settings_release(&s);
    s = settings_of("observability: {sample_interval_s: 0}\n");
    assert_true(s.sample_interval_s == 0);
    m31ri_settings_release(&s);
    s = settings_of("{\"observability\": {\"level\": \"CRITICAL\", \"log_every\": 5}}");
    assert_int_equal(s.level, M31R_CRITICAL);
    m31ri_settings_release(&s);
}

static void test_settings__unknown_key_names_the_nearest(void **state)
{
    (void)state;
    m31r_error e = refused_section("lr: 1\nobservability:\n  level: INFO\n  log_evry: 5\n");
    assert_int_equal(e.line, 4);
    assert_int_equal(e.column, 3);
    assert_non_null(strstr(e.message, "observability.log_evry"));
    assert_non_null(strstr(e.hint, "log_every"));
    e = refused_section("observability: {Log-Prompts: true}\n");
    assert_non_null(strstr(e.hint, "log_prompts"));
    e = refused_section("observability: {zzzzzzzzzz: true}\n");
    assert_non_null(strstr(e.hint, "Known keys: level"));
}

static void test_settings__wrong_types_and_ranges_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "level: LOUD",
        "level: 10",
        "level: true",
        "stdout: yes",
        "stdout: 1",
        "file: \"true\"",
        "capture: all",
        "capture: false",
        "log_every: 0",
        "log_every: 1000000001",
        "log_every: 1.5",
        "log_every: \"5\"",
        "log_every: -1",
        "sample_interval_s: 0.05",
        "sample_interval_s: 3601",
        "sample_interval_s: .nan",
        "sample_interval_s: .inf",
        "sample_interval_s: -1",
        "sample_interval_s: 1s",
        "log_prompts: NO",
        "log_prompts: ~",
        "deny_keys: a",
        "deny_keys: [1]",
        "deny_keys: [[a]]",
        "deny_keys: [\"\"]",
        "block_timeout_s: -0.1",
        "block_timeout_s: 4000",
        "sync_interval_s: {a: 1}",
        "level: [INFO]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "a: 1\nobservability:\n  %s\n", bad[i]);
        m31r_error e = refused_section(text);
        assert_int_equal(e.line, 3);
        assert_non_null(strstr(e.message, "observability."));
        assert_non_null(strstr(e.message, "must be"));
    }
    refused_section("observability: on\n");
    refused_section("observability: [1]\n");
}

static void test_project__reads_every_key(void **state)
{
    (void)state;
    m31ri_yaml *y = tree_of("config_version: 1\nconfig: configs/a.yaml\nstage: train\ndataset: "
                            "2026.10\ntokenizer: none\n"
                            "seed: 7\nseed_key: train.seed\ndataset_key: d\ntokenizer_key: "
                            "t.p\nroot: runs\nname: try 1\n"
                            "metrics: ['loss=loss ([0-9.]+)']\ncapture: \"off\"\n");
    m31ri_project p;
    m31r_error e = {0};
    assert_true(m31ri_project_init(&p));
    assert_string_equal(p.root, "experiments");
    assert_int_equal(m31ri_project_read(y, "m31r.yaml", &p, &e), M31R_OK);
    assert_string_equal(p.dataset, "2026.10");
    assert_string_equal(p.tokenizer, "none");
    assert_true(p.seed == 7 && p.seed_set && !p.seed_is_none);
    assert_int_equal(p.seed_line, 6);
    assert_string_equal(p.seed_key, "train.seed");
    assert_string_equal(p.root, "runs");
    assert_string_equal(p.metrics.items[0], "loss=loss ([0-9.]+)");
    assert_int_equal(p.capture, M31RI_CAPTURE_OFF);
    m31ri_project_release(&p);
    m31ri_yaml_free(y);
}

static void test_project__is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "config_version: 2",  "config_version: \"1\"",
        "seed: maybe",        "seed: 1.5",
        "stage: Train!",      "stage: -x",
        "config: ~",          "config: \"\"",
        "config: \"a\\nb\"",  "seed_key: .a",
        "seed_key: a..b",     "metrics: loss=x",
        "metrics: [loss]",    "metrics: ['=x']",
        "metrics: ['loss=']", "capture: some",
        "root: [a]",          "name: true",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused_project(bad[i]);
    }
    m31r_error e = refused_project("a: 1\n");
    assert_non_null(strstr(e.message, "unknown key a"));
    e = refused_project("tokeniser: x\n");
    assert_non_null(strstr(e.hint, "tokenizer"));
    e = refused_project("log_prompts: true\n");
    assert_non_null(strstr(e.hint, "observability:"));
    e = refused_project("observability: {level: INFO}\n");
    assert_non_null(strstr(e.hint, "of your config"));
}

static char *copy(const char *s)
{
    char *c = m31ri_strdup(s);
    assert_non_null(c);
    return c;
}

static void read_back(const m31ri_project *p, m31ri_project *out)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_project_write(&text, p);
    m31ri_yaml *y = tree_of(m31ri_buf_str(&text));
    m31r_error e = {0};
    assert_true(m31ri_project_init(out));
    if (m31ri_project_read(y, "m31r.yaml", out, &e) != M31R_OK) {
        fail_msg("%s at %u of\n%s", e.message, e.line, text.data);
    }
    m31ri_yaml_free(y);
    m31ri_buf_release(&text);
}

static void test_project__written_file_reads_back(void **state)
{
    (void)state;
    static const char *const hard[] = {"1.20",
                                       "true",
                                       "~",
                                       "a: b",
                                       "it's \"q\" \\ x",
                                       "#x",
                                       "- y",
                                       "none",
                                       "0x1F",
                                       "a #b",
                                       "\xC3\xA9\xE2\x82\xAC",
                                       "*a",
                                       "&b",
                                       "!t",
                                       "%d",
                                       "@at",
                                       "`x",
                                       " lead",
                                       "trail ",
                                       "[a",
                                       "<<",
                                       "null",
                                       ".inf",
                                       "010",
                                       "C:\\dir"};
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++) {
        m31ri_project p, q;
        assert_true(m31ri_project_init(&p));
        p.config = copy("configs/a.yaml");
        p.dataset = copy(hard[i]);
        p.name = copy(hard[i]);
        p.seed = -5;
        p.seed_set = true;
        char *items[] = {copy("loss=step (?<step>\\d+) 'x' \"y\" #: ([0-9.]+)")};
        p.metrics = (m31ri_text_list){.items = items, .n = 1};
        read_back(&p, &q);
        assert_string_equal(q.dataset, hard[i]);
        assert_string_equal(q.name, hard[i]);
        assert_true(q.seed_set && q.seed == -5);
        assert_string_equal(q.metrics.items[0], items[0]);
        assert_false(q.stage_set || q.root_set);
        m31ri_free(items[0]);
        p.metrics = (m31ri_text_list){0};
        m31ri_project_release(&p);
        m31ri_project_release(&q);
    }
    m31ri_project p, q;
    assert_true(m31ri_project_init(&p));
    read_back(&p, &q);
    assert_false(q.config_set || q.seed_set || q.metrics_set || q.capture_set);
    m31ri_project_release(&p);
    m31ri_project_release(&q);
}

static void test_settings__survive_every_failed_allocation(void **state)
{
    (void)state;
    m31ri_yaml *y = tree_of("config: a\nmetrics: ['a=b', 'c=d']\nname: x\n");
    for (long n = 1;; n++) {
        m31ri_project p = {0};
        m31r_error e = {0};
        m31ri_alloc_fail_at(n, 0);
        m31r_err err = m31ri_project_read(y, "m31r.yaml", &p, &e);
        m31ri_alloc_fail_at(0, 0);
        m31ri_project_release(&p);
        if (err == M31R_OK) {
            break;
        }
        assert_int_equal(err, M31R_E_NOMEM);
    }
    m31ri_yaml_free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings__defaults_when_nothing_is_given),
        cmocka_unit_test(test_settings__reads_every_key),
        cmocka_unit_test(test_settings__unknown_key_names_the_nearest),
        cmocka_unit_test(test_settings__wrong_types_and_ranges_are_refused),
        cmocka_unit_test(test_project__reads_every_key),
        cmocka_unit_test(test_project__is_strict),
        cmocka_unit_test(test_project__written_file_reads_back),
        cmocka_unit_test(test_settings__survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
