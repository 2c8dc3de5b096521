/* key_rules.c - what a key says about its value.
 *
 * A key is folded into words ("dbPassword", "DB-PASSWORD", "db.password" are one), and the last one
 * to four words are looked up joined: what a key names stands at its end. So `password` is found in
 * `smtp_password`, while `tokenizer`, `tokens_per_sec`, `secret_scan` or `input_shape` say
 * something else at theirs. Words that only say where a value stands (`number`, `data`, `value`)
 * are passed over.
 */
#include <string.h>

#include "rules/rules_int.h"

#define MAX_WORDS 12
#define MAX_WORD 24

typedef struct key_row {
    const char *words;
    const char *kind; /* NULL: harmless */
    m31ri_key_class class;
} key_row;

#define S M31RI_KEY_STRONG
#define W M31RI_KEY_WEAK
#define N M31RI_KEY_PERSONAL
#define P M31RI_KEY_PROMPT
#define X M31RI_KEY_SHAPED

/* Sorted by `words` (a test holds it so). */
static const key_row rows[] = {
    {"aadhaar", "national_id", N},
    {"aadhar", "national_id", N},
    {"accesskey", "api_key", S},
    {"accesskeyid", "api_key", S},
    {"accesstokens", "token", S},
    {"accountkey", "api_key", S},
    {"accountnumber", "account", N},
    {"addr", "address", X},
    {"address", "address", X},
    {"answer", "prompt", P},
    {"apikey", "api_key", S},
    {"apikeys", "api_key", S},
    {"apitokens", "token", S},
    {"auth", "authorization", W},
    {"authkey", "api_key", S},
    {"author", "name", N},
    {"authoremail", "email", N},
    {"authorization", "authorization", S},
    {"authorname", "name", N},
    {"authors", "name", N},
    {"bankaccount", "account", N},
    {"bearer", "token", S},
    {"bic", NULL, 0},
    {"billingaddress", "address", N},
    {"birthdate", "birth", N},
    {"birthday", "birth", N},
    {"body", "prompt", P},
    {"bsn", "national_id", N},
    {"card", "card", X},
    {"cardno", "card", N},
    {"cardnum", "card", N},
    {"cc", "card", X},
    {"ccnumber", "card", N},
    {"cellphone", "phone", N},
    {"chat", "prompt", P},
    {"chathistory", "prompt", P},
    {"chatmessages", "prompt", P},
    {"choices", "prompt", P},
    {"clientaddr", "ip", N},
    {"clientip", "ip", N},
    {"clientkey", "private_key", S},
    {"completion", "prompt", P},
    {"completions", "prompt", P},
    {"connectionstring", "password", X},
    {"content", "prompt", P},
    {"contents", "prompt", P},
    {"conversation", "prompt", P},
    {"cookie", "cookie", S},
    {"cookies", "cookie", S},
    {"coordinates", "location", N},
    {"cpf", "national_id", N},
    {"credential", "credential", W},
    {"credentials", "credential", W},
    {"creditcard", "card", N},
    {"creds", "credential", W},
    {"csrf", "token", W},
    {"curp", "national_id", N},
    {"cvc", "card", N},
    {"cvv", "card", N},
    {"d", "private_key", X},
    {"dateofbirth", "birth", N},
    {"debitcard", "card", N},
    {"displayname", "name", N},
    {"dni", "national_id", N},
    {"dob", "birth", N},
    {"document", "prompt", P},
    {"documenttext", "prompt", P},
    {"dp", "private_key", X},
    {"dq", "private_key", X},
    {"driverlicense", "national_id", N},
    {"driverslicense", "national_id", N},
    {"email", "email", N},
    {"emailaddress", "email", N},
    {"emails", "email", N},
    {"employee", "name", X},
    {"employeename", "name", N},
    {"errortext", NULL, 0},
    {"familyname", "name", N},
    {"fax", "phone", N},
    {"filecontent", "prompt", P},
    {"filecontents", "prompt", P},
    {"firstname", "name", N},
    {"forwardedfor", "ip", N},
    {"fullname", "name", N},
    {"generatedtext", "prompt", P},
    {"geolocation", "location", N},
    {"givenname", "name", N},
    {"gps", "location", N},
    {"gpscoordinates", "location", N},
    {"helptext", NULL, 0},
    {"history", "prompt", X},
    {"homeaddress", "address", N},
    {"iban", "iban", N},
    {"id", NULL, 0},
    {"idnumber", "national_id", N},
    {"input", "prompt", P},
    {"inputs", "prompt", P},
    {"inputtext", "prompt", P},
    {"instruction", "prompt", P},
    {"instructions", "prompt", P},
    {"jwt", "token", S},
    {"k", "private_key", X},
    {"keypassword", "password", S},
    {"lastname", "name", N},
    {"lat", "location", X},
    {"latitude", "location", N},
    {"latlng", "location", N},
    {"latlon", "location", N},
    {"license", NULL, 0},
    {"licensetext", NULL, 0},
    {"location", "location", X},
    {"login", "user", X},
    {"loginname", "user", N},
    {"logname", "user", N},
    {"logtext", NULL, 0},
    {"lon", "location", X},
    {"longitude", "location", N},
    {"macaddress", "mac", N},
    {"maidenname", "name", N},
    {"mail", "email", X},
    {"mailaddress", "email", N},
    {"message", "prompt", X},
    {"messages", "prompt", P},
    {"mfaseed", "otp", S},
    {"mfatoken", "otp", S},
    {"middlename", "name", N},
    {"mnemonic", "passphrase", S},
    {"mobile", "phone", X},
    {"mobilephone", "phone", N},
    {"mysqlpwd", "password", S},
    {"nationalid", "national_id", N},
    {"nhs", "national_id", N},
    {"nickname", "name", N},
    {"nif", "national_id", N},
    {"nin", "national_id", N},
    {"nino", "national_id", N},
    {"nir", "national_id", N},
    {"otp", "otp", S},
    {"otpcode", "otp", S},
    {"otpseed", "otp", S},
    {"outputtext", "prompt", P},
    {"p", "private_key", X},
    {"pan", "card", X},
    {"pass", "password", W},
    {"passcode", "password", S},
    {"passphrase", "passphrase", S},
    {"passport", "passport", N},
    {"passportid", "passport", N},
    {"passportno", "passport", N},
    {"passwd", "password", S},
    {"password", "password", S},
    {"passwordconfirmation", "password", S},
    {"passwordhash", "password", S},
    {"passwords", "password", S},
    {"passwort", "password", S},
    {"patient", "name", X},
    {"patientname", "name", N},
    {"personalaccesstoken", "token", S},
    {"pesel", "national_id", N},
    {"pgpassword", "password", S},
    {"phone", "phone", N},
    {"phonenumber", "phone", N},
    {"phones", "phone", N},
    {"phpsessid", "session", S},
    {"pin", "password", X},
    {"pincode", "password", S},
    {"placeofbirth", "birth", N},
    {"postaladdress", "address", N},
    {"postalcode", "address", N},
    {"postcode", "address", N},
    {"privatekey", "private_key", S},
    {"privatekeypem", "private_key", S},
    {"prompt", "prompt", P},
    {"prompts", "prompt", P},
    {"prompttext", "prompt", P},
    {"psk", "password", S},
    {"pw", "password", X},
    {"pwd", "password", X},
    {"q", "private_key", X},
    {"qi", "private_key", X},
    {"queries", "prompt", P},
    {"query", "prompt", P},
    {"querystring", NULL, 0},
    {"question", "prompt", P},
    {"realname", "name", N},
    {"recoverycode", "otp", S},
    {"recoverycodes", "otp", S},
    {"recoveryphrase", "passphrase", S},
    {"remoteaddr", "ip", N},
    {"remoteip", "ip", N},
    {"remoteuser", "user", N},
    {"reply", "prompt", P},
    {"response", "prompt", P},
    {"responsebody", "prompt", P},
    {"responses", "prompt", P},
    {"responsetext", "prompt", P},
    {"rootpwd", "password", S},
    {"sas", "signature", X},
    {"sastoken", "token", S},
    {"secret", "secret", S},
    {"secretkeybase", "private_key", S},
    {"secrets", "secret", S},
    {"seedphrase", "passphrase", S},
    {"sessid", "session", S},
    {"session", "session", W},
    {"sessioncookie", "cookie", S},
    {"sessionid", "session", W},
    {"setcookie", "cookie", S},
    {"shippingaddress", "address", N},
    {"sig", "signature", X},
    {"signature", "signature", X},
    {"signingkey", "private_key", S},
    {"sin", "national_id", X},
    {"snippet", "prompt", P},
    {"socialsecurity", "national_id", N},
    {"socialsecuritynumber", "national_id", N},
    {"sourceip", "ip", N},
    {"sshkey", "private_key", X},
    {"ssn", "national_id", N},
    {"statustext", NULL, 0},
    {"street", "address", N},
    {"streetaddress", "address", N},
    {"surname", "name", N},
    {"systemprompt", "prompt", P},
    {"taxid", "national_id", N},
    {"tel", "phone", N},
    {"telephone", "phone", N},
    {"text", "prompt", P},
    {"texts", "prompt", P},
    {"tfn", "national_id", N},
    {"token", "token", W},
    {"tokens", NULL, 0},
    {"totp", "otp", S},
    {"totpcode", "otp", S},
    {"transcript", "prompt", P},
    {"transcription", "prompt", P},
    {"unlockcode", "password", S},
    {"user", "user", N},
    {"useremail", "email", N},
    {"userid", NULL, 0},
    {"userip", "ip", N},
    {"userlogin", "user", N},
    {"usermessage", "prompt", P},
    {"username", "user", N},
    {"userprompt", "prompt", P},
    {"userpwd", "password", S},
    {"utterance", "prompt", P},
    {"versiontext", NULL, 0},
    {"webhookurl", "webhook", X},
    {"wifikey", "password", S},
    {"xforwardedfor", "ip", N},
    {"xrealip", "ip", N},
    {"xsrf", "token", W},
    {"zipcode", "address", N},
};

#undef S
#undef W
#undef N
#undef P
#undef X

/* Before `key`: what makes it a secret one. */
static const char *const key_owners[] = {
    "access",       "account",   "admin",      "aes",         "ai21",       "algolia",
    "anthropic",    "api",       "app",        "application", "auth",       "aws",
    "azure",        "client",    "cohere",     "comet",       "cookie",     "crypt",
    "crypto",       "datadog",   "dd",         "decrypt",     "decryption", "deepseek",
    "deploy",       "encrypt",   "encryption", "fernet",      "fireworks",  "gcp",
    "gemini",       "google",    "gpg",        "groq",        "hf",         "hmac",
    "huggingface",  "jwt",       "kaggle",     "langsmith",   "license",    "mailgun",
    "master",       "mistral",   "neptune",    "newrelic",    "nvidia",     "openai",
    "openrouter",   "pem",       "perplexity", "pgp",         "pinecone",   "private",
    "relic",        "replicate", "root",       "rsa",         "secret",     "segment",
    "sendgrid",     "sentry",    "serpapi",    "service",     "session",    "shared",
    "sharedaccess", "signing",   "ssh",        "ssl",         "storage",    "stripe",
    "subscription", "symmetric", "tavily",     "tls",         "together",   "twilio",
    "voyage",       "wallet",    "wandb",      "webhook",     "xai",        NULL};

/* Before `token`: what makes it a piece of text. */
static const char *const word_tokens[] = {
    "added",   "begin",     "best",      "bos",     "bot",     "character", "cls",    "control",
    "current", "decoded",   "draft",     "end",     "eod",     "eos",       "eot",    "eom",
    "fim",     "first",     "generated", "image",   "im",      "input",     "last",   "mask",
    "max",     "merge",     "middle",    "new",     "newline", "next",      "output", "pad",
    "padding", "per",       "predicted", "prefix",  "prev",    "previous",  "prompt", "rare",
    "sep",     "separator", "special",   "start",   "stop",    "suffix",    "target", "think",
    "to",      "top",       "unk",       "unknown", "vocab",   "word",      NULL};

static const char *const passed_over[] = {
    "b64",   "base64",    "bytes64", "data", "env", "header", "no",    "num", "number",
    "plain", "plaintext", "pem",     "raw",  "str", "string", "value", NULL};

typedef struct words {
    char word[MAX_WORDS][MAX_WORD];
    size_t n;
} words;

static bool is_listed(const char *word, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(word, *list) == 0) {
            return true;
        }
    }
    return false;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* True when a new word starts at i: after a separator, or where the case goes up ("apiKey",
 * "HTTPToken"). */
static bool starts_word(const char *key, size_t length, size_t i)
{
    if (i == 0 || !m31ri_is_alnum(key[i - 1])) {
        return true;
    }
    bool up = key[i] >= 'A' && key[i] <= 'Z';
    bool was_up = key[i - 1] >= 'A' && key[i - 1] <= 'Z';
    bool next_low = i + 1 < length && key[i + 1] >= 'a' && key[i + 1] <= 'z';
    return up && (!was_up || next_low);
}

/* The last words of a key; trailing digits of a word are dropped ("password2"). */
static void split(const char *key, size_t length, words *w)
{
    size_t used = 0;
    w->n = 0;
    for (size_t i = 0; i < length; i++) {
        if (!m31ri_is_alnum(key[i])) {
            continue;
        }
        if (starts_word(key, length, i)) {
            if (w->n == MAX_WORDS) {
                memmove(w->word[0], w->word[1], sizeof w->word[0] * (MAX_WORDS - 1));
                w->n--;
            }
            w->n++;
            used = 0;
        }
        if (used + 1 < MAX_WORD) {
            w->word[w->n - 1][used++] = lower(key[i]);
        }
        w->word[w->n - 1][used] = '\0';
    }
    for (size_t i = 0; i < w->n; i++) {
        size_t end = strlen(w->word[i]);
        while (end > 1 && m31ri_is_digit(w->word[i][end - 1]) &&
               !is_listed(w->word[i], key_owners) && !is_listed(w->word[i], passed_over)) {
            w->word[i][--end] = '\0';
        }
    }
}

static const key_row *find_row(const char *joined)
{
    size_t low = 0, high = sizeof rows / sizeof rows[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(joined, rows[middle].words);
        if (order == 0) {
            return &rows[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

static const key_row *look_up(const words *w)
{
    for (size_t take = w->n < 4 ? w->n : 4; take > 0; take--) {
        char joined[4 * MAX_WORD] = "";
        size_t used = 0;
        for (size_t i = w->n - take; i < w->n; i++) {
            size_t length = strlen(w->word[i]);
            memcpy(joined + used, w->word[i], length + 1);
            used += length;
        }
        const key_row *row = find_row(joined);
        if (row != NULL) {
            return row;
        }
    }
    return NULL;
}

/* Ends of one long word. */
static const struct {
    const char *end, *kind;
} ends[] = {
    {"password", "password"},     {"passwd", "password"},        {"secret", "secret"},
    {"apikey", "api_key"},        {"privatekey", "private_key"}, {"accesstoken", "token"},
    {"authtoken", "token"},       {"refreshtoken", "token"},     {"sessiontoken", "token"},
    {"secretkey", "api_key"},     {"accesskey", "api_key"},      {"sessionid", "session"},
    {"passphrase", "passphrase"},
};

/* "kaggle_key", "accesstoken" as one word, "clientsecret". */
static m31ri_key_verdict judge_tail(const words *w)
{
    const char *last = w->word[w->n - 1];
    size_t length = strlen(last);
    if (w->n > 1 && (strcmp(last, "key") == 0 || strcmp(last, "keys") == 0)) {
        return is_listed(w->word[w->n - 2], key_owners)
                   ? (m31ri_key_verdict){M31RI_KEY_STRONG, "api_key"}
                   : (m31ri_key_verdict){M31RI_KEY_NONE, NULL};
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t n = strlen(ends[i].end);
        if (length > n && strcmp(last + length - n, ends[i].end) == 0) {
            return (m31ri_key_verdict){M31RI_KEY_STRONG, ends[i].kind};
        }
    }
    return (m31ri_key_verdict){M31RI_KEY_NONE, NULL};
}

/* A token with an owner ("hf_token", "auth_token") is one; a word of a vocabulary is not; alone it
 * is weak. */
static m31ri_key_verdict judge_token(const words *w)
{
    if (w->n > 1 && is_listed(w->word[w->n - 2], word_tokens)) {
        return (m31ri_key_verdict){M31RI_KEY_NONE, NULL};
    }
    return (m31ri_key_verdict){w->n > 1 ? M31RI_KEY_STRONG : M31RI_KEY_WEAK, "token"};
}

size_t m31ri_key_fold(const char *key, size_t length, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < length && used + 1 < size; i++) {
        if (m31ri_is_alnum(key[i]) || (unsigned char)key[i] >= 0x80) {
            out[used++] = lower(key[i]);
        }
    }
    out[used] = '\0';
    return used;
}

/* Place of a key's last two letters in the table of tails; digits and marks at the end do not
 * count. False: no letters. */
static bool tail_of(const char *key, size_t length, size_t *at)
{
    while (length > 0 && (m31ri_class_of(key[length - 1]) & M31RI_ALPHA) == 0) {
        length--;
    }
    if (length == 0) {
        return false;
    }
    bool two = length > 1 && (m31ri_class_of(key[length - 2]) & M31RI_ALPHA) != 0;
    size_t before = two ? (size_t)(lower(key[length - 2]) - 'a') : 26;
    *at = before * 26 + (size_t)(lower(key[length - 1]) - 'a');
    return true;
}

static void mark_tail(bool *tails, const char *word)
{
    size_t at = 0;
    if (tail_of(word, strlen(word), &at)) {
        tails[at] = true;
    }
}

void m31ri_key_tails(bool tails[M31RI_TAILS])
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mark_tail(tails, rows[i].words);
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        mark_tail(tails, ends[i].end);
    }
    for (const char *const *w = passed_over; *w != NULL; w++) {
        mark_tail(tails, *w);
    }
    mark_tail(tails, "key");
    mark_tail(tails, "keys");
}

m31ri_key_verdict m31ri_key_judge(const m31ri_privacy *p, const char *key, size_t length)
{
    if (m31ri_privacy_denies(p, key, length)) {
        return (m31ri_key_verdict){M31RI_KEY_STRONG, "denied"};
    }
    size_t tail = 0;
    if (!tail_of(key, length, &tail) || !m31ri_privacy_key_tails(p)[tail]) {
        return (m31ri_key_verdict){M31RI_KEY_NONE, NULL};
    }
    words w;
    split(key, length < 256 ? length : 256, &w);
    const key_row *row = NULL;
    while (w.n > 0 && (row = look_up(&w)) == NULL && w.n > 1 &&
           is_listed(w.word[w.n - 1], passed_over)) {
        w.n--;
    }
    if (w.n == 0) {
        return (m31ri_key_verdict){M31RI_KEY_NONE, NULL};
    }
    if (row == NULL) {
        return judge_tail(&w);
    }
    if (row->kind != NULL && strcmp(row->words, "token") == 0) {
        return judge_token(&w);
    }
    if (row->kind == NULL || (row->class == M31RI_KEY_PROMPT && m31ri_privacy_allows_prompts(p))) {
        return (m31ri_key_verdict){M31RI_KEY_NONE, NULL};
    }
    return (m31ri_key_verdict){row->class, row->kind};
}
