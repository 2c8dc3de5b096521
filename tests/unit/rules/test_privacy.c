/* Privacy: what is known by its key goes, what is known by its form goes, what only looks risky
 * stays. Invented data; the longest are put together from parts, so that no scanner takes this file
 * for a leak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "rules/privacy.h"
#include "rules/value_key.h"

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

static void assert_scrubbed(const char *key, const char *text, const char *expected)
{
    m31ri_buf out = M31RI_BUF_INIT;
    uint32_t n =
        m31ri_privacy_scrub(rules, key, key != NULL ? strlen(key) : 0, text, strlen(text), &out);
    assert_string_equal(m31ri_buf_str(&out), expected);
    assert_int_equal(n != 0, strcmp(text, expected) != 0);
    m31ri_buf again = M31RI_BUF_INIT;
    m31ri_privacy_scrub(rules, key, key != NULL ? strlen(key) : 0, out.data, out.length, &again);
    assert_string_equal(m31ri_buf_str(&again), expected); /* scrubbing twice is scrubbing once */
    m31ri_buf_release(&again);
    m31ri_buf_release(&out);
}

static void assert_kept(const char *key, const char *text)
{
    assert_scrubbed(key, text, text);
}

static void assert_kind(const char *key, const char *kind)
{
    const char *found = m31ri_privacy_key_kind(rules, key, strlen(key));
    if ((found == NULL) != (kind == NULL) || (kind != NULL && strcmp(found, kind) != 0)) {
        fail_msg("%s: %s, expected %s", key, found != NULL ? found : "-",
                 kind != NULL ? kind : "-");
    }
}

static void test_obs_18__keys_decide_first(void **state)
{
    (void)state;
    static const char *const denied[][2] = {
        {"password", "password"},
        {"DB_PASSWORD", "password"},
        {"smtpPassword", "password"},
        {"db.password", "password"},
        {"passwd", "password"},
        {"client_secret", "secret"},
        {"api_key", "api_key"},
        {"apiKey", "api_key"},
        {"X-API-Key", "api_key"},
        {"OPENAI_API_KEY", "api_key"},
        {"hf_token", "token"},
        {"authToken", "token"},
        {"Authorization", "authorization"},
        {"Cookie", "cookie"},
        {"set-cookie", "cookie"},
        {"private_key", "private_key"},
        {"prompt", "prompt"},
        {"messages", "prompt"},
        {"content", "prompt"},
        {"completion", "prompt"},
        {"text", "prompt"},
        {"system_prompt", "prompt"},
        {"email", "email"},
        {"ssn", "national_id"},
        {"token", "token"},
        {"password2", "password"},
    };
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++) {
        assert_kind(denied[i][0], denied[i][1]);
    }
}

static void test_obs_18__harmless_keys_are_not_denied(void **state)
{
    (void)state;
    static const char *const harmless[] = {
        "n_tokens",
        "tokens_per_sec",
        "token_count",
        "tokens",
        "tokenizer",
        "input_shape",
        "seed",
        "secret_scan",
        "num_tokens",
        "prompt_tokens",
        "prompt_len",
        "completion_tokens",
        "key",
        "cache_key",
        "sort_key",
        "primary_key",
        "bos_token",
        "eos_token",
        "pad_token_id",
        "max_tokens",
        "password_policy_enabled",
        "content_length",
        "content_type",
        "auth_enabled",
        "use_token_bucket",
        "tokens_seen",
        "key_dim",
        "public_key",
        "key_id",
        "step",
        "loss",
        "lr",
        "path",
        "input_ids",
        "batch_tokens",
        "token_dropout",
        "text_length",
        "response_ms",
        "query_count",
        "name",
        "module",
        "msg",
        "level",
        "message_count",
        "",
    };
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        assert_kind(harmless[i], NULL);
    }
}

static void test_obs_18__denied_values_leave_a_marker(void **state)
{
    (void)state;
    assert_scrubbed("password", "Saffron12345", "[redacted:password]");
    assert_scrubbed("prompt", "write a letter to my boss", "[redacted:prompt]");
    assert_kept("password", "[REDACTED]");
    assert_kept("api_key", "***");
    assert_kept("token", "<YOUR_TOKEN>");
    assert_kept("token", "");
    assert_kept("password", "${DB_PASSWORD}");
}

static void test_obs_18__tokens_are_found_wherever_they_stand(void **state)
{
    (void)state;
    char text[300], expected[300];
    static const char *const frames[] = {
        "%s",       "for %s)",           "a=%s&b=1",       "\"%s\"",   "/cache/%s/x",
        "%s, next", "\x1b[31m%s\x1b[0m", "key%%3D%s%%26x", "x\\n%s\\n"};
    static const char *const tokens[][2] = {
        {"ghp_"
         "pABu4EOF8XZp9hO3PeuGA39ApzFOUF3BWozq",
         "github_token"},
        {"hf_"
         "pVVldhFTywrTjyqxhnpklQVifDZJFionsR",
         "huggingface_token"},
        {"AKIA"
         "EYVZRD37Q6WN4CZ2",
         "aws_key"},
        {"glpat-"
         "BT_6V8596iNyVAaAaaGS",
         "gitlab_token"},
        {"sk-ant-"
         "api03-tQgo8Z5S8sXE919tfl0SmyKKvCkDPB3hS04L1Rpohjs",
         "anthropic_key"},
    };
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        for (size_t k = 0; k < sizeof frames / sizeof frames[0]; k++) {
            char marker[64];
            snprintf(marker, sizeof marker, "[redacted:%s]", tokens[i][1]);
            snprintf(text, sizeof text, frames[k], tokens[i][0]);
            snprintf(expected, sizeof expected, frames[k], marker);
            assert_scrubbed(NULL, text, expected);
        }
    }
}

static void test_obs_18__keys_inside_text_are_seen(void **state)
{
    (void)state;
    assert_scrubbed(NULL, "host=db user=ml password=Fjord55856",
                    "host=db user=[redacted:user] password=[redacted:password]");
    assert_scrubbed(NULL, "{\"password\": \"a b c\", \"n\": 3}",
                    "{\"password\": \"[redacted:password]\", \"n\": 3}");
    assert_scrubbed(NULL, "{\\\"api_key\\\": \\\"abc123\\\", \\\"n\\\": 3}",
                    "{\\\"api_key\\\": \\\"[redacted:api_key]\\\", \\\"n\\\": 3}");
    assert_scrubbed(NULL, "run --password hunter2x --n 3",
                    "run --password [redacted:password] --n 3");
    assert_scrubbed(NULL, "postgres://ml:Umber79008@db.internal:5432/runs",
                    "postgres://ml:[redacted:password]@db.internal:5432/runs");
    assert_scrubbed(NULL, "> Authorization: Bearer 8dc480372bb9f8ef691ea7b39f0f2878",
                    "> Authorization: [redacted:authorization]");
    assert_kept(NULL, "fn verify_password(hash: &str) -> bool");
    assert_kept(NULL, "password: impl Into<String>");
    assert_kept(NULL, "let token = lexer.next_token();");
    assert_kept(NULL, "token budget exceeded: 4096 > 2048");
    assert_kept(NULL, "password authentication disabled");
    assert_kept(NULL, "reading token from /run/secrets/hf_token");
    assert_kept(NULL, "basic authentication required");
}

static void test_obs_18__personal_data_is_found_by_form(void **state)
{
    (void)state;
    assert_scrubbed(NULL, "user xin50@ml.example.org asked", "user [redacted:email] asked");
    assert_scrubbed(NULL, "ssh alice@gpu-node-27 up", "ssh [redacted:user]@gpu-node-27 up");
    assert_scrubbed("path", "/home/petrovay/m31r/train.log", "~/m31r/train.log");
    assert_scrubbed("path", "C:\\Users\\ines\\AppData", "~\\AppData");
    assert_scrubbed(NULL, "card 4111-1170-6429-0554.", "card [redacted:card].");
    assert_scrubbed(NULL, "pay to ES0877772607035926101174 now", "pay to [redacted:iban] now");
    assert_kept(NULL, "pass@1 0.31 recall@5 0.91");
    assert_kept(NULL, "rust-v3@baad646f git@github.com:org/m31r.git");
    assert_kept(NULL, "offset=5645099724040409 len=4096");
    assert_kept(NULL, "2026-11-23 12:34:56 grid 128-64-2");
    assert_kept(NULL, "1024 2048 4096 8192 loss 0.1 0.2");
}

/* A value that another field names: env of a pod, settings of an application. */
static void test_obs_18__a_value_named_by_its_neighbour_goes(void **state)
{
    (void)state;
    assert_scrubbed(NULL, "<add key=\"DbPassword\" value=\"Fjord55856\" />",
                    "<add key=\"DbPassword\" value=\"[redacted:password]\" />");
    assert_scrubbed(
        NULL, "- name: DB_PASSWORD\n  value: Fjord55856\n- name: MODE\n  value: fast",
        "- name: DB_PASSWORD\n  value: [redacted:password]\n- name: MODE\n  value: fast");
    assert_kept(NULL, "{\"name\": \"MODE\", \"value\": \"Fjord55856\"}");
    assert_scrubbed(NULL, "{\"name\": \"API_KEY\", \"value\": \"abc123\"}",
                    "{\"name\": \"API_KEY\", \"value\": \"[redacted:api_key]\"}");
}

/* Program text and sentences about secrets hold none. */
static void test_obs_18__what_only_speaks_of_secrets_stays(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "os.environ[\"HF_TOKEN\"] = token",
        "password = getpass.getpass(\"Password: \")",
        "docker login: using --password via the CLI is insecure",
        "curl -H \"Authorization: Bearer $TOKEN\" https://example.org",
        "Authorization: Bearer [REDACTED]",
        "imagePullSecrets: [{name: regcred}]",
        "password is base64-encoded",
        "the passphrase is 12-word long",
        "secret is mounted at /run/secrets/db",
        "mysql: [Warning] Using a password on the command line interface can be insecure.",
        "usage: mysql [OPTIONS] -p, --password[=name]",
        "login: using the default profile",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_kept(NULL, texts[i]);
    }
}

static void test_obs_18__prompts_are_opt_in(void **state)
{
    (void)state;
    const char *const keys[] = {"Customer-Ref"};
    const m31ri_privacy_options o = {
        .allow_prompts = true, .deny_keys = keys, .n_deny_keys = 1, .home = "/data/u/kim"};
    m31ri_privacy *usual = rules;
    rules = m31ri_privacy_new(&o);
    assert_non_null(rules);
    assert_kind("prompt", NULL);
    assert_kept("prompt", "write a letter to my boss");
    assert_scrubbed("prompt", "my password=Hunter22x is", "my password=[redacted:password] is");
    assert_kind("customer_ref", "denied");
    assert_scrubbed("customerRef", "c-17", "[redacted:denied]");
    assert_scrubbed(NULL, "customer-ref=c17 /data/u/kim/x", "customer-ref=[redacted:denied] ~/x");
    m31ri_privacy_free(rules);
    rules = usual;
}

static void test_obs_18__a_command_line_loses_its_secrets(void **state)
{
    (void)state;
    const char *argv[] = {"train",
                          "--token",
                          "abc",
                          "--api-key=X1",
                          "--seed",
                          "7",
                          "https://u:pw1234@h/x",
                          "--tokenizer",
                          "bpe",
                          "HF_TOKEN=hf_x1y2z3a4"};
    m31ri_buf out = M31RI_BUF_INIT;
    assert_int_equal(m31ri_privacy_scrub_argv(rules, argv, 10, &out), 4);
    static const char expected[] =
        "train\0--token\0[redacted:token]\0--api-key=[redacted:api_key]\0--seed\0"
        "7\0"
        "https://u:[redacted:password]@h/x\0--tokenizer\0bpe\0HF_TOKEN=[redacted:token]";
    assert_int_equal(out.length, sizeof expected);
    assert_memory_equal(out.data, expected, sizeof expected);
    m31ri_buf_release(&out);
}

static void test_obs_18__a_config_keeps_its_layout(void **state)
{
    (void)state;
    const char *text = "# by ann@example.org\nlr: 3e-4   # warm\ndb: {url: "
                       "\"postgres://u:Saffron12345@db/x\", pool: 4}\n"
                       "tokenizer: bpe16k\ntokens: 5\napi_key: abc # rotate\nsecret: |\n  line "
                       "one\n  line two\nseed: 1\n"
                       "password: &p hunter2x\ncopy: *p\nauth:\n  tokens: [a, b]\n";
    const char *expected = "# by [redacted:email]\nlr: 3e-4   # warm\ndb: {url: "
                           "\"postgres://u:[redacted:password]@db/x\", pool: 4}\n"
                           "tokenizer: bpe16k\ntokens: 5\napi_key: \"[redacted:api_key]\" # "
                           "rotate\nsecret: \"[redacted:secret]\"\nseed: 1\n"
                           "password: &p \"[redacted:password]\"\ncopy: *p\nauth:\n  tokens: "
                           "[\"[redacted:authorization]\", \"[redacted:authorization]\"]\n";
    m31ri_yaml *y = NULL;
    m31r_error e = {0};
    assert_int_equal(m31ri_yaml_read(text, strlen(text), "c.yaml", &y, &e), M31R_OK);
    m31ri_buf out = M31RI_BUF_INIT;
    assert_int_equal(m31ri_privacy_scrub_config(rules, y, text, strlen(text), &out), 7);
    assert_string_equal(m31ri_buf_str(&out), expected);
    m31ri_yaml_free(y);
    y = NULL;
    assert_int_equal(m31ri_yaml_read(out.data, out.length, "c.yaml", &y, &e), M31R_OK);
    m31ri_yaml_free(y);
    m31ri_buf_release(&out);
}

static void test_privacy__a_comment_that_says_what_a_text_is_stays(void **state)
{
    (void)state;
    const char *text = "# Text: a directory of .rs files, or auto\nlr: 1 # input: see the README\n"
                       "# token: ghp_0123456789abcdefghijklmnopqrstuvwxyzAB\n";
    m31ri_yaml *y = NULL;
    m31ri_buf out = M31RI_BUF_INIT;
    assert_int_equal(m31ri_yaml_read(text, strlen(text), "c.yaml", &y, NULL), M31R_OK);
    assert_int_equal(m31ri_privacy_scrub_config(rules, y, text, strlen(text), &out), 1);
    assert_non_null(strstr(m31ri_buf_str(&out), "# Text: a directory of .rs files, or auto\n"));
    assert_non_null(strstr(m31ri_buf_str(&out), "# input: see the README\n"));
    assert_null(strstr(m31ri_buf_str(&out), "ghp_"));
    m31ri_yaml_free(y);
    m31ri_buf_release(&out);
}

/* What was written is read again by verify and redact: nothing is found in it, and counts of what
 * is new are said once. */
static void test_privacy__markers_name_nothing_and_counts_are_said_once(void **state)
{
    (void)state;
    static const char *const cleaned[] = {
        "cannot open [redacted:github_token]: denied", "[redacted:password]=loss ([0-9.]+)",
        "/v1/[redacted:api_key]/x: 12 rows", "<[redacted:token]> = hunter2x9"};
    m31ri_privacy *p = m31ri_privacy_new(NULL);
    m31ri_key_verdict none = {M31RI_KEY_NONE, NULL};
    for (size_t i = 0; i < sizeof cleaned / sizeof *cleaned; i++) {
        assert_true(m31ri_privacy_is_clean(p, none, cleaned[i], strlen(cleaned[i])));
    }
    static const char key[] = "at_[redacted:github_token]", email[] = "kim@example.com";
    assert_int_equal(m31ri_privacy_judge(p, key, strlen(key)).class, M31RI_KEY_NONE);
    static m31ri_privacy_count rows[M31RI_PRIVACY_COUNTS];
    m31ri_buf out = M31RI_BUF_INIT;
    assert_int_equal(m31ri_privacy_take_counts(p, rows), 0);
    m31ri_privacy_scrub(p, NULL, 0, email, strlen(email), &out);
    const char *argv[] = {"--password", "hunter2"};
    m31ri_privacy_scrub_argv(p, argv, 2, &out);
    assert_int_equal(m31ri_privacy_take_counts(p, rows), 2);
    assert_string_equal(rows[1].kind, "password");
    m31ri_privacy_scrub(p, NULL, 0, email, strlen(email), &out);
    assert_int_equal(m31ri_privacy_take_counts(p, rows), 1);
    assert_string_equal(rows[0].kind, "email");
    assert_int_equal(rows[0].n, 1);
    m31ri_privacy_scrub(p, NULL, 0, email, strlen(email), &out);
    m31ri_privacy_after_fork(p);
    assert_int_equal(m31ri_privacy_take_counts(p, rows), 0);
    m31ri_buf_release(&out);
    m31ri_privacy_free(p);
}

static void test_privacy__bytes_of_any_kind_are_fine(void **state)
{
    (void)state;
    char bytes[256];
    for (int i = 0; i < 256; i++) {
        bytes[i] = (char)i;
    }
    m31ri_buf out = M31RI_BUF_INIT;
    for (size_t n = 0; n <= 256; n++) {
        m31ri_buf_clear(&out);
        uint32_t n_replaced = m31ri_privacy_scrub(rules, NULL, 0, bytes, n, &out);
        assert_true(m31ri_buf_ok(&out));
        if (n_replaced == 0) {
            assert_int_equal(out.length, n);
            assert_memory_equal(m31ri_buf_str(&out), bytes, n);
        }
    }
    m31ri_buf_release(&out);
}

static void test_privacy__hostile_text_costs_no_square(void **state)
{
    (void)state;
    static const char *const units[] = {"-----BEGIN ",
                                        "PuTTY-User-Key-File",
                                        "token=",
                                        "eyJ",
                                        "eyJ-",
                                        "eyJ/",
                                        "{SSHA",
                                        "$6$",
                                        "prompt:",
                                        "://",
                                        "a@",
                                        "sk-",
                                        "hf_",
                                        "1 1",
                                        "-us1",
                                        "password=\"",
                                        "\\\"token\\\":\\\"",
                                        "+1 (",
                                        "card ",
                                        "is ",
                                        "/home/",
                                        "-u ",
                                        "DE12 ",
                                        ", CA 9",
                                        "a:b:",
                                        ".atlasv1.",
                                        ":AA",
                                        "cookie:",
                                        "pat.",
                                        "dp.a.",
                                        "echo a | sudo -S ",
                                        "login(\"a\",",
                                        "password is ",
                                        "password for a: ",
                                        "name=value=",
                                        "token key token "};
    m31ri_buf text = M31RI_BUF_INIT, out = M31RI_BUF_INIT;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        m31ri_buf_clear(&text);
        m31ri_buf_clear(&out);
        while (text.length < 100000) {
            m31ri_buf_add_str(&text, units[i]);
        }
        struct timespec a, b;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        m31ri_privacy_scrub(rules, NULL, 0, text.data, text.length, &out);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        double s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
        if (s > 3) { /* with the sanitizer; a square would be minutes */
            fail_msg("100 KB of \"%s\" took %.1f s", units[i], s);
        }
    }
    m31ri_buf_release(&text);
    m31ri_buf_release(&out);
}

static void test_obs_18__a_find_may_lie_across_the_blocks_of_the_search(void **state)
{
    (void)state;
    static const char *const texts[][2] = {{"DE89370400440532013000", "iban"},
                                           {"4111 1111 1111 1111", "card"},
                                           {"+44 20 7946 0958", "phone"},
                                           {"jo.kim@mail.example.com", "email"},
                                           {"221 Baker Road, Springfield, IL 62704", "address"},
                                           {"gh"
                                            "p_2crybQUt795eVEZLg8k7BXbH5kyYUNC9abcd",
                                            "github_token"}};
    char text[256], expected[256];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int before = 1; before < 140; before++) {
            memset(text, 'x', sizeof text);
            memset(expected, 'x', sizeof expected);
            for (int k = 5; k < before; k += 6) {
                text[k] = expected[k] = ' ';
            }
            text[before] = expected[before] = ' ';
            snprintf(text + before + 1, 100, "%s done", texts[i][0]);
            snprintf(expected + before + 1, 100, "[redacted:%s] done", texts[i][1]);
            assert_scrubbed(NULL, text, expected);
        }
    }
}

static void scrub(m31ri_privacy *p, const char *key, const char *text, char out[128])
{
    m31ri_buf buf = M31RI_BUF_INIT;
    m31ri_privacy_scrub(p, key, strlen(key), text, strlen(text), &buf);
    snprintf(out, 128, "%s", m31ri_buf_str(&buf));
    m31ri_buf_release(&buf);
}

static void test_obs_18__equal_values_have_equal_hashes_under_one_key_only(void **state)
{
    (void)state;
    char a[128], b[128], c[128], d[128];
    m31ri_privacy *p = m31ri_privacy_new(NULL);
    /* RFC 4231, test case 1: a key of 20 bytes is one of 32 with zeros behind */
    m31ri_value_key *k = m31ri_privacy_value_key(p);
    memset(k->bytes, 0x0B, 20);
    k->is_set = true;
    scrub(p, "password", "Hi There", a);
    assert_string_equal(a, "[redacted:password:b0344c61]");
    scrub(p, "msg", "first password=hunter2x9, then", a);
    scrub(p, "api_key", "hunter2x9", b);
    scrub(p, "api_key", "hunter2x8", c);
    assert_memory_equal(strstr(a, "password:") + 9, strstr(b, "api_key:") + 8, 9);
    assert_string_not_equal(b, c);
    assert_true(m31ri_hmac_key_new(k->bytes));
    scrub(p, "api_key", "hunter2x9", d);
    assert_string_not_equal(b, d);
    m31ri_privacy_free(p);
}

static void test_obs_18__a_marker_with_a_hash_is_clean(void **state)
{
    (void)state;
    static const char *const kinds[] = {"password", "token",   "phone", "card", "email",
                                        "user",     "api_key", "jwt",   "iban", "national_id",
                                        "prompt",   "mac",     "ip",    "otp",  "private_key"};
    char text[128], again[128];
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t hash = i < 3 ? 0x11111111u * i : i * 2654435761u;
        const char *kind = kinds[i % 15];
        snprintf(text, sizeof text, "%s=[redacted:%s:%08x], \"%s\": \"[redacted:%s:%08x]\"", kind,
                 kind, hash, kind, kind, hash);
        scrub(rules, "msg", text, again);
        assert_string_equal(again, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_obs_18__keys_decide_first),
        cmocka_unit_test(test_obs_18__harmless_keys_are_not_denied),
        cmocka_unit_test(test_obs_18__denied_values_leave_a_marker),
        cmocka_unit_test(test_obs_18__tokens_are_found_wherever_they_stand),
        cmocka_unit_test(test_obs_18__keys_inside_text_are_seen),
        cmocka_unit_test(test_obs_18__personal_data_is_found_by_form),
        cmocka_unit_test(test_obs_18__a_value_named_by_its_neighbour_goes),
        cmocka_unit_test(test_obs_18__what_only_speaks_of_secrets_stays),
        cmocka_unit_test(test_obs_18__prompts_are_opt_in),
        cmocka_unit_test(test_obs_18__a_command_line_loses_its_secrets),
        cmocka_unit_test(test_obs_18__a_config_keeps_its_layout),
        cmocka_unit_test(test_privacy__a_comment_that_says_what_a_text_is_stays),
        cmocka_unit_test(test_privacy__markers_name_nothing_and_counts_are_said_once),
        cmocka_unit_test(test_privacy__bytes_of_any_kind_are_fine),
        cmocka_unit_test(test_obs_18__a_find_may_lie_across_the_blocks_of_the_search),
        cmocka_unit_test(test_obs_18__equal_values_have_equal_hashes_under_one_key_only),
        cmocka_unit_test(test_obs_18__a_marker_with_a_hash_is_clean),
        cmocka_unit_test(test_privacy__hostile_text_costs_no_square),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
