/* match_access.c - what opens a door without a key's name before it: header schemes, passwords in
 * URLs, lines of .pgpass, command lines of clients.
 */
#include <string.h>

#include "rules/rules_int.h"

static size_t skip_blanks(const m31ri_subject *t, size_t i)
{
    while (i < t->n && (t->s[i] == ' ' || t->s[i] == '\t')) {
        i++;
    }
    return i;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (m31ri_is_digit(c)) {
        return c - '0' + 52;
    }
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Basic credentials decode to printable text with a colon; "basic authentication" does not. */
static bool decodes_to_pair(const char *s, size_t length)
{
    unsigned bits = 0, n_bits = 0;
    bool colon = false;
    for (size_t i = 0; i < length && s[i] != '='; i++) {
        int v = base64_value(s[i]);
        if (v < 0) {
            return false;
        }
        bits = (bits << 6 | (unsigned)v) & 0xFFFFu;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            unsigned char c = (unsigned char)(bits >> n_bits);
            if (c < 0x20 || c == 0x7F) {
                return false;
            }
            colon = colon || c == ':';
        }
    }
    return colon;
}

/* "Bearer TOKEN", "Basic BASE64" */
bool m31ri_match_scheme(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = skip_blanks(t, at + strlen(r->literal));
    size_t run = m31ri_run(t, start, M31RI_URLSAFE | M31RI_DOT | M31RI_BASE64);
    while (run > 0 && t->s[start + run - 1] == '.') {
        run--;
    }
    if (run < r->min || !m31ri_may_start(t, at, M31RI_WORD)) {
        return false;
    }
    bool basic = (t->s[at + 1] | 0x20) == 'a';
    if (basic ? !decodes_to_pair(t->s + start, run)
              : !m31ri_looks_random(t->s + start, run) && run < 32) {
        return false;
    }
    *out = (m31ri_match){.start = start, .end = start + run, .kind = r->kind};
    return true;
}

/* scheme://user:password@host - the password; https://token@host - the token. `at` is the colon of
 * "://". */
bool m31ri_match_url(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = at + 3, end = start, host = 0;
    while (end < t->n && !m31ri_is_space(t->s[end]) && strchr("\"'<>`", t->s[end]) == NULL &&
           end - start < 512) {
        if (t->s[end] == '@') {
            host = end;
        }
        if (host != 0 && strchr("/?#,", t->s[end]) != NULL) {
            break;
        }
        if (host == 0 && (t->s[end] == '?' || t->s[end] == '#')) {
            return false;
        }
        end++;
    }
    if (host == 0) {
        return false;
    }
    const char *colon = memchr(t->s + start, ':', host - start);
    const char *slash = memchr(t->s + start, '/', host - start);
    if (slash != NULL && (colon == NULL || slash < colon)) {
        return false; /* the @ stands in the path */
    }
    if (slash != NULL) { /* host:port/path@x, or a password with a slash */
        size_t i = (size_t)(colon - t->s) + 1;
        while (i < t->n && m31ri_is_digit(t->s[i])) {
            i++;
        }
        if (t->s[i] == '/') {
            return false;
        }
    }
    bool pair = colon != NULL && (size_t)(colon - t->s) - start >= 24 &&
                m31ri_looks_random(t->s + start, (size_t)(colon - t->s) - start);
    size_t from = colon != NULL && !pair ? (size_t)(colon - t->s) + 1 : start; /* both are keys */
    bool token =
        colon == NULL && host - start >= 16 && m31ri_looks_random(t->s + start, host - start);
    if (from < t->floor || from >= host || (colon == NULL && !token) ||
        m31ri_is_placeholder(t->s + from, host - from)) {
        return false;
    }
    *out = (m31ri_match){.start = from, .end = host, .kind = colon != NULL ? r->kind : "token"};
    return true;
}

/* curl -u name:password, docker login -u name -p password */
bool m31ri_match_userpass(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = skip_blanks(t, at + strlen(r->literal)), end = start;
    start += start < t->n && (t->s[start] == '"' || t->s[start] == '\'');
    end = start;
    while (end < t->n && !m31ri_is_space(t->s[end]) && t->s[end] != '"' && t->s[end] != '\'') {
        end++;
    }
    if (t->s[at + 1] == 'p') { /* only after a login */
        size_t from = at > 60 ? at - 60 : 0;
        bool login = memmem(t->s + from, at - from, "login", 5) != NULL ||
                     memmem(t->s + from, at - from, "sshpass", 7) != NULL;
        if (!login || end == start || t->s[start] == '-') {
            return false;
        }
        *out = (m31ri_match){.start = start, .end = end, .kind = r->kind};
        return true;
    }
    const char *colon = memchr(t->s + start, ':', end - start);
    size_t from = colon != NULL ? (size_t)(colon - t->s) + 1 : end;
    if (from >= end || memchr(t->s + start, '/', (size_t)(from - start)) != NULL ||
        m31ri_is_placeholder(t->s + from, end - from) ||
        (end - from < 4 && m31ri_is_digit(t->s[from]))) {
        return false;
    }
    *out = (m31ri_match){.start = from, .end = end, .kind = r->kind};
    return true;
}

/* host:5432:database:user:password, a line of .pgpass. `at` is the colon before the port. */
bool m31ri_match_pgpass(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t i = at + strlen(r->literal);
    for (int k = 0; k < 2; k++) {
        size_t part = m31ri_run(t, i, M31RI_WORD | M31RI_DASH);
        part += part == 0 && i < t->n && t->s[i] == '*';
        if (part == 0 || i + part >= t->n || t->s[i + part] != ':') {
            return false;
        }
        i += part + 1;
    }
    size_t end = i;
    while (end < t->n && !m31ri_is_space(t->s[end]) && strchr("\"'", t->s[end]) == NULL) {
        end++;
    }
    *out = (m31ri_match){.start = i, .end = end, .kind = r->kind};
    return end > i;
}

/* mc alias set NAME URL ACCESS SECRET */
bool m31ri_match_alias(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t i = at + strlen(r->literal), start = i;
    for (int word = 0; word < 4; word++) {
        start = skip_blanks(t, i);
        i = start;
        while (i < t->n && !m31ri_is_space(t->s[i])) {
            i++;
        }
        if (i == start || (word == 1 && memmem(t->s + start, i - start, "://", 3) == NULL)) {
            return false;
        }
    }
    *out = (m31ri_match){.start = start, .end = i, .kind = r->kind};
    return true;
}

/* wandb login --relogin KEY, cargo login --registry NAME KEY, Unseal Key 1: KEY: the first long
 * word */
bool m31ri_match_login(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = skip_blanks(t, at + strlen(r->literal));
    const uint8_t chars = M31RI_URLSAFE | M31RI_BASE64;
    size_t run = m31ri_run(t, start, chars);
    for (int word = 0; word < 4 && run > 0 && run < 20; word++) {
        start += run;
        start = skip_blanks(t, start + (start < t->n && t->s[start] == ':'));
        run = m31ri_run(t, start, chars);
    }
    *out = (m31ri_match){.start = start, .end = start + run, .kind = r->kind};
    return run >= 20 && m31ri_looks_random(t->s + start, run);
}

/* {"username":"name","key":"32 hex digits"}: kaggle.json. */
bool m31ri_match_kaggle(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t from = at > 100 ? at - 100 : 0, start = at + strlen(r->literal);
    while (start < t->n && strchr(": \\\"", t->s[start]) != NULL) {
        start++;
    }
    size_t run = m31ri_run(t, start, M31RI_HEX);
    *out = (m31ri_match){.start = start, .end = start + run, .kind = r->kind};
    return run == 32 && memmem(t->s + from, at - from, "username", 8) != NULL;
}

/* Digest username="...", ...: the whole header. */
bool m31ri_match_header(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t end = at + strlen(r->literal);
    if (end >= t->n || t->s[end] != '=') {
        return false;
    }
    while (end < t->n && t->s[end] != '\n' && t->s[end] != '\r') {
        end++;
    }
    *out = (m31ri_match){.start = at, .end = end, .kind = r->kind};
    return true;
}

static size_t words_from(const m31ri_subject *t, size_t at, size_t most)
{
    size_t n = 0;
    for (size_t i = at; i < t->n && n < most; i++) {
        n += !m31ri_is_space(t->s[i]) && (i == at || m31ri_is_space(t->s[i - 1]));
    }
    return n;
}

/* "generation started for: Draft a letter...": what a model was asked for, to the end. */
bool m31ri_match_said(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    static const char *const verbs[] = {"generat", "complet", "infer",  "sampl",   "answer",
                                        "respon",  "summar",  "prompt", "request", "chat"};
    size_t from = at > 48 ? at - 48 : 0, start = at + strlen(r->literal);
    from = from < t->floor ? t->floor : from;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (memmem(t->s + from, at - from, verbs[i], strlen(verbs[i])) != NULL) {
            *out = (m31ri_match){.start = start, .end = t->n, .kind = r->kind};
            return words_from(t, start, 5) == 5;
        }
    }
    return false;
}

/* "parse error near:" and the lines of a file behind it. */
bool m31ri_match_near(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = at + strlen(r->literal);
    bool line = start < t->n && t->s[start] == '\n';
    bool escaped = start + 1 < t->n && t->s[start] == '\\' && t->s[start + 1] == 'n';
    start += line ? 1 : 2;
    *out = (m31ri_match){.start = start, .end = t->n, .kind = r->kind};
    return (line || escaped) && start < t->n;
}
