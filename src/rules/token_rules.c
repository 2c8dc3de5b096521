/* token_rules.c - the formats that say by themselves what they are.
 *
 * One row a format: the literal it starts with, what may follow, how much at least. `min` is a little below the
 * documented length, so that a token cut by a line limit is still one; a longer run is taken whole. Formats are those published by
 * the services; lists of them are kept by gitleaks (MIT), detect-secrets, noseyparker and kingfisher (Apache-2.0).
 */
#include "rules/rules_int.h"

#define A M31RI_ALNUM
#define WORDS M31RI_WORD
#define U M31RI_URLSAFE
#define UD (M31RI_URLSAFE | M31RI_DOT)
#define H M31RI_HEX
#define UPDIG (M31RI_UPPER | M31RI_DIGIT)
#define B64 (M31RI_URLSAFE | M31RI_BASE64)
#define T m31ri_match_token

const m31ri_rule m31ri_token_rules[] = {
    /* cloud */
    {"AKIA", "aws_key", T, UPDIG, UPDIG, 0, 14}, {"ASIA", "aws_key", T, UPDIG, UPDIG, 0, 14},
    {"ABIA", "aws_key", T, UPDIG, UPDIG, 0, 14}, {"ACCA", "aws_key", T, UPDIG, UPDIG, 0, 14},
    {"A3T", "aws_key", T, UPDIG, UPDIG, 0, 17}, {"ABSK", "aws_key", T, B64, A, 0, 80},
    {"AIza", "gcp_key", T, U, A, 0, 30}, {"ya29.", "gcp_key", T, UD, A, 0, 20}, {"GOCSPX-", "gcp_key", T, U, A, 0, 20},
    {"1//0", "gcp_key", T, U, A, 0, 35}, {"LTAI", "alibaba_key", T, A, A, 0, 16}, {"AKID", "tencent_key", T, A, A, 0, 30},
    {"dop_v1_", "digitalocean_token", T, H, 0, 0, 50}, {"doo_v1_", "digitalocean_token", T, H, 0, 0, 50},
    {"dor_v1_", "digitalocean_token", T, H, 0, 0, 50}, {"AQVN", "yandex_key", T, U, A, 0, 30},
    {"t1.9eu", "yandex_key", T, UD, A, 0, 40}, {"y0_A", "yandex_key", T, U, A, 0, 40}, {"tskey-", "tailscale_key", T, U, A, 0, 20},
    {"nfp_", "netlify_token", T, A, A, 0, 30}, {"sbp_", "supabase_token", T, H, A, 0, 36}, {"sb_secret_", "supabase_token", T, U, A, 0, 20},
    {"pscale_tkn_", "planetscale_token", T, UD, A, 0, 30}, {"pscale_pw_", "planetscale_token", T, UD, A, 0, 30},
    {"pscale_oauth_", "planetscale_token", T, UD, A, 0, 30}, {"HRKU-", "heroku_key", T, U, A, 0, 30},
    {"AGE-SECRET-KEY-1", "age_key", T, UPDIG, A, 0, 40}, {"hvs.", "vault_token", T, U, A, 0, 20},
    {"hvb.", "vault_token", T, U, A, 0, 20}, {"hvr.", "vault_token", T, U, A, 0, 20}, {"pul-", "pulumi_token", T, H, A, 0, 36},
    {"ops_eyJ", "onepassword_token", T, B64, A, 0, 80}, {"EZAK", "easypost_key", T, A, A, 0, 50}, {"JQQJ99", "azure_key", T, A, 0, 0, 60},
    {"esecret_", "anyscale_key", T, A, A, 0, 20}, {"rpa_", "runpod_key", T, A, A, 0, 36},
    /* code hosts, registries, builds */
    {"ghp_", "github_token", T, A, 0, 0, 30}, {"gho_", "github_token", T, A, 0, 0, 30}, {"ghu_", "github_token", T, A, 0, 0, 30},
    {"ghs_", "github_token", T, A, 0, 0, 30}, {"ghr_", "github_token", T, A, 0, 0, 30},
    {"github_pat_", "github_token", T, WORDS, 0, 0, 40}, {"glpat-", "gitlab_token", T, UD, 0, 0, 16},
    {"gldt-", "gitlab_token", T, UD, A, 0, 16}, {"glrt-", "gitlab_token", T, UD, A, 0, 16}, {"glrtr-", "gitlab_token", T, UD, A, 0, 16},
    {"glsoat-", "gitlab_token", T, UD, A, 0, 16}, {"glft-", "gitlab_token", T, UD, A, 0, 16}, {"glffct-", "gitlab_token", T, UD, A, 0, 16},
    {"glimt-", "gitlab_token", T, UD, A, 0, 16}, {"glagent-", "gitlab_token", T, UD, A, 0, 16}, {"glptt-", "gitlab_token", T, UD, A, 0, 16},
    {"glcbt-", "gitlab_token", T, UD, A, 0, 16}, {"gloas-", "gitlab_token", T, UD, A, 0, 16}, {"GR1348941", "gitlab_token", T, U, A, 0, 18},
    {"ATATT3", "atlassian_token", T, B64, A, 0, 50}, {"ATCTT3", "atlassian_token", T, B64, A, 0, 50}, {"ATBB", "bitbucket_token", T, A, A, 0, 28},
    {"npm_", "npm_token", T, A, A, 0, 30}, {"pypi-AgE", "pypi_token", T, U, 0, 0, 30}, {"dckr_pat_", "docker_token", T, U, 0, 0, 20},
    {"dckr_oat_", "docker_token", T, U, 0, 0, 20}, {"rubygems_", "rubygems_key", T, H, A, 0, 40}, {"cio", "crates_token", T, A, M31RI_WORD, 0, 32},
    {"oy2", "nuget_key", T, M31RI_LOWER | M31RI_DIGIT, A, 0, 43}, {"CLOJARS_", "clojars_token", T, A, A, 0, 50}, {"AKCp", "artifactory_key", T, A, A, 0, 60},
    {"cmVmdGtu", "artifactory_key", T, B64, A, 0, 50}, {"squ_", "sonar_token", T, H, A, 0, 36}, {"sqp_", "sonar_token", T, H, A, 0, 36},
    {"sqa_", "sonar_token", T, H, A, 0, 36}, {"bkua_", "buildkite_token", T, H, A, 0, 36}, {"CCIPAT_", "circleci_token", T, WORDS, A, 0, 30},
    {"PMAK-", "postman_key", T, U, A, 0, 40}, {"dp.", "doppler_token", m31ri_match_dotted, A, A, 0, 38}, {"pnu_", "prefect_key", T, A, A, 0, 30},
    {"pnb_", "prefect_key", T, A, A, 0, 30},
    /* model services */
    {"hf_", "huggingface_token", T, A, 0, 0, 30}, {"api_org_", "huggingface_token", T, A, A, 0, 30}, {"sk-", "openai_key", m31ri_match_openai, U, M31RI_WORD | M31RI_DASH, 0, 20},
    {"r8_", "replicate_token", T, A, A, 0, 32}, {"gsk_", "groq_key", T, A, A, 0, 40}, {"xai-", "xai_key", T, A, A, 0, 60},
    {"pplx-", "perplexity_key", T, A, A, 0, 40}, {"dapi", "databricks_token", T, H | M31RI_DASH, A, 0, 30}, {"csk-", "cerebras_key", T, A, A, 0, 40},
    {"tgp_v1_", "together_key", T, U, A, 0, 36}, {"nvapi-", "nvidia_key", T, U, A, 0, 50}, {"jina_", "jina_key", T, U, A, 0, 50},
    {"tvly-", "tavily_key", T, U, A, 0, 24}, {"lsv2_", "langsmith_key", T, WORDS, A, 0, 36}, {"pcsk_", "pinecone_key", T, WORDS, A, 0, 50},
    {"wandb_v1_", "wandb_key", T, WORDS, A, 0, 40}, {"fw_", "fireworks_key", T, A, A | M31RI_LINE, 0, 22}, {"pa-", "voyage_key", T, U, M31RI_WORD | M31RI_DASH, 0, 42},
    {"eyJhcGlfYWRkcmVzcyI6", "neptune_token", T, B64, A, 0, 20}, {"ls__", "langsmith_key", T, H, A, 0, 30}, {"bpk_", "basten_key", T, A, A, 0, 40},
    /* messages, mail, payment, monitoring */
    {"xoxb-", "slack_token", T, U, A, 0, 20}, {"xoxp-", "slack_token", T, U, A, 0, 20}, {"xoxa-", "slack_token", T, U, A, 0, 20},
    {"xoxr-", "slack_token", T, U, A, 0, 20}, {"xoxs-", "slack_token", T, U, A, 0, 20}, {"xoxe-", "slack_token", T, U, A, 0, 20},
    {"xoxe.xox", "slack_token", T, UD, A, 0, 20}, {"xoxc-", "slack_token", T, U, A, 0, 20}, {"xoxd-", "slack_token", T, B64, A, 0, 20}, {"xapp-", "slack_token", T, U, A, 0, 20},
    {"xwfp-", "slack_token", T, U, A, 0, 20}, {"sk_live_", "stripe_key", T, A, A, 0, 16}, {"sk_test_", "stripe_key", T, A, A, 0, 16},
    {"sk_prod_", "stripe_key", T, A, A, 0, 16}, {"rk_live_", "stripe_key", T, A, A, 0, 16}, {"rk_test_", "stripe_key", T, A, A, 0, 16}, {"whsec_", "stripe_key", T, B64, A, 0, 24},
    {"rzp_live_", "razorpay_key", T, A, A, 0, 14}, {"rzp_test_", "razorpay_key", T, A, A, 0, 14}, {"FLWSECK", "flutterwave_key", T, U, A, 0, 12},
    {"access_token$production$", "paypal_token", T, A | M31RI_BASE64, A, 0, 20}, {"sq0atp-", "square_token", T, U, A, 0, 20}, {"sq0csp-", "square_token", T, U, A, 0, 36},
    {"EAAA", "square_token", T, U, A, 0, 56}, {"EAA", "facebook_token", T, A, A, 0, 80}, {"SG.", "sendgrid_key", T, UD, A, 0, 50}, {"xkeysib-", "brevo_key", T, U, A, 0, 60},
    {"xsmtpsib-", "brevo_key", T, U, A, 0, 60}, {"key-", "mailgun_key", T, H, M31RI_WORD | M31RI_DASH, 0, 32}, {"re_", "resend_key", T, WORDS, M31RI_WORD | M31RI_DASH, 0, 30},
    {"glsa_", "grafana_token", T, WORDS, A, 0, 30}, {"glc_", "grafana_token", T, B64, A, 0, 30}, {"eyJrIjoi", "grafana_token", T, B64, A, 0, 60},
    {"NRAK-", "newrelic_key", T, A, A, 0, 22}, {"NRJS-", "newrelic_key", T, A, A, 0, 16}, {"NRII-", "newrelic_key", T, U, A, 0, 24}, {"NRIQ-", "newrelic_key", T, U, A, 0, 24},
    {"sntrys_", "sentry_token", T, B64, A, 0, 30}, {"sntryu_", "sentry_token", T, H, A, 0, 50}, {"dt0c01.", "dynatrace_token", T, UD, A, 0, 50}, {"dt0s", "dynatrace_token", T, UD, A, 0, 60},
    {"lin_api_", "linear_key", T, A, A, 0, 32}, {"lin_oauth_", "linear_key", T, A, A, 0, 32}, {"ntn_", "notion_token", T, A, A, 0, 40}, {"secret_", "notion_token", T, A, M31RI_WORD, 0, 43},
    {"figd_", "figma_token", T, U, A, 0, 30}, {"figo_", "figma_token", T, U, A, 0, 30}, {"CFPAT-", "contentful_token", T, U, A, 0, 40}, {"shpat_", "shopify_token", T, H, A, 0, 28}, {"shpca_", "shopify_token", T, H, A, 0, 28},
    {"shppa_", "shopify_token", T, H, A, 0, 28}, {"shpss_", "shopify_token", T, H, A, 0, 28}, {"shptka_", "shopify_token", T, H, A, 0, 28}, {"tfp_", "typeform_token", T, UD, A, 0, 40}, {"shippo_live_", "shippo_token", T, H, A, 0, 36},
    {"rdme_", "readme_key", T, A, A, 0, 60}, {"aio_", "adafruit_key", T, A, A, 0, 26}, {"sl.", "dropbox_token", T, U, A, 0, 60}, {"sk.eyJ", "mapbox_token", T, UD, A, 0, 40}, {"fio-u-", "frameio_token", T, U, A, 0, 50},
    {"ico-", "infracost_key", T, A, A, 0, 32}, {"AAAAAAAAAAAAAAAAAAAA", "twitter_token", T, A | M31RI_BASE64 | M31RI_DOT, A, 0, 60}, {"phx_", "posthog_key", T, A, A, 0, 40},
    {"pat", "airtable_token", m31ri_match_dotted, H, A, 0, 50}, {"SK", "twilio_key", T, H, A, 0, 32},
    {"-us", "mailchimp_key", m31ri_match_before, H, 0, 0, 32}, {".atlasv1.", "terraform_token", m31ri_match_before, A, 0, 0, 12},
    {"Q~", "azure_secret", m31ri_match_azure, UD, 0, 0, 30}, {":AA", "telegram_token", m31ri_match_telegram, U, 0, 0, 30},
    {"hooks.slack.com/", "webhook", m31ri_match_webhook, 0, 0, 1, 20}, {"/api/webhooks/", "webhook", m31ri_match_webhook, 0, 0, 1, 30},
    {"webhook.office.com/", "webhook", m31ri_match_webhook, 0, 0, 1, 30}, {"hooks.zapier.com/", "webhook", m31ri_match_webhook, 0, 0, 1, 14},
    /* keys and tokens with a structure of their own */
    {"eyJ", "jwt", m31ri_match_jwt, U, A, 0, 10}, {"-----BEGIN ", "private_key", m31ri_match_pem, 0, 0, 0, 0}, {"---- BEGIN SSH2 ENC", "private_key", m31ri_match_pem, 0, 0, 0, 0},
    {"PuTTY-User-Key-File", "private_key", m31ri_match_putty, 0, 0, 0, 0}, {"Private-Lines:", "private_key", m31ri_match_putty, 0, 0, 0, 0},
    {"b3BlbnNzaC1rZXktdjE", "private_key", T, B64, A, 0, 40}, {"$argon2", "password_hash", m31ri_match_hash, 0, 0, 0, 20},
    {"$2a$", "password_hash", m31ri_match_hash, 0, 0, 0, 40}, {"$2b$", "password_hash", m31ri_match_hash, 0, 0, 0, 40}, {"$2y$", "password_hash", m31ri_match_hash, 0, 0, 0, 40},
    {"$1$", "password_hash", m31ri_match_hash, 0, 0, 0, 20}, {"$5$", "password_hash", m31ri_match_hash, 0, 0, 0, 40}, {"$6$", "password_hash", m31ri_match_hash, 0, 0, 0, 60},
    {"$y$", "password_hash", m31ri_match_hash, 0, 0, 0, 30}, {"$7$", "password_hash", m31ri_match_hash, 0, 0, 0, 40}, {"$apr1$", "password_hash", m31ri_match_hash, 0, 0, 0, 20}, {"$scrypt$", "password_hash", m31ri_match_hash, 0, 0, 0, 30},
    {"$pbkdf2", "password_hash", m31ri_match_hash, 0, 0, 0, 30}, {"pbkdf2_sha256$", "password_hash", m31ri_match_hash, 0, 0, 0, 30}, {"{SSHA", "password_hash", m31ri_match_hash, 0, 0, 0, 24}, {"$P$", "password_hash", m31ri_match_hash, 0, 0, 0, 30},
};
const size_t m31ri_n_token_rules = sizeof m31ri_token_rules / sizeof m31ri_token_rules[0];
