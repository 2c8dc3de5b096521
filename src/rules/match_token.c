/* match_token.c - tokens: a literal and a run, and the few formats that need more than that. */
#include <string.h>

#include "rules/rules_int.h"

#define NEAR 4096 /* bytes */

static bool found(m31ri_match *out, size_t start, size_t end, const char *kind)
{
    *out = (m31ri_match){.start = start, .end = end, .kind = kind};
    return true;
}

bool m31ri_match_token(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    if (!m31ri_may_start(t, at, r->boundary)) {
        return false;
    }
    size_t head = at + strlen(r->literal);
    size_t run = m31ri_run(t, head, r->alphabet);
    if (run < r->min) {
        return false;
    }
    while (run > r->min && strchr(".-", t->s[head + run - 1]) != NULL) {
        run--; /* the end of a sentence */
    }
    return found(out, at, head + run, r->kind);
}

/* sk-..., sk-proj-..., sk-ant-api03-...: many words start with "sk-", so one part must be long and
 * mixed. */
bool m31ri_match_openai(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    if (!m31ri_may_start(t, at, r->boundary)) {
        return false;
    }
    size_t head = at + 3, run = m31ri_run(t, head, r->alphabet), part = 0;
    if (run < r->min) {
        return false;
    }
    size_t longest = 0, digits = 0;
    for (size_t i = head; i < head + run; i++) {
        part = t->s[i] != '-' && t->s[i] != '_' ? part + 1 : 0;
        longest = part > longest ? part : longest;
        digits += m31ri_is_digit(t->s[i]);
    }
    bool known = m31ri_has(t, head, "ant-", false) || m31ri_has(t, head, "proj-", false) ||
                 m31ri_has(t, head, "svcacct-", false) || m31ri_has(t, head, "admin-", false) ||
                 m31ri_has(t, head, "or-v1-", false) || m31ri_has(t, head, "lf-", false);
    if (digits == 0 || (!known && longest < 16) || (known && run < 24)) {
        return false;
    }
    return found(out, at, head + run,
                 known && t->s[head] == 'a' && t->s[head + 1] == 'n' ? "anthropic_key" : r->kind);
}

/* Two dots, and the first part is a header: base64 of {"alg" or {"typ", {"kid"... A single part is
 * only encoded JSON. */
bool m31ri_match_jwt(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    if (!m31ri_may_start(t, at, r->boundary)) {
        return false;
    }
    size_t first = m31ri_run(t, at, r->alphabet);
    size_t second_at = at + first + 1;
    if (first < r->min || second_at >= t->n || t->s[at + first] != '.') {
        return false;
    }
    size_t end = second_at + m31ri_run(t, second_at, r->alphabet | M31RI_DOT);
    if (end - second_at < 10) {
        return false;
    }
    while (end > second_at && t->s[end - 1] == '.') {
        end--;
    }
    return found(out, at, end, r->kind);
}

static size_t find(const m31ri_subject *t, size_t from, const char *what)
{
    const char *at = from < t->n ? memmem(t->s + from, t->n - from, what, strlen(what)) : NULL;
    return at != NULL ? (size_t)(at - t->s) : t->n;
}

/* As find(), but not far: a text of many beginnings must not cost its square. */
static size_t find_near(const m31ri_subject *t, size_t from, const char *what)
{
    size_t room = from < t->n ? t->n - from : 0;
    const char *at = memmem(t->s + from, room < NEAR ? room : NEAR, what, strlen(what));
    return at != NULL ? (size_t)(at - t->s) : t->n;
}

/* A block between BEGIN and END, public ones left alone; a block without an end is taken to the end
 * of the text. */
bool m31ri_match_pem(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t head = at + strlen(r->literal);
    size_t dashes = find_near(t, head, "----");
    size_t secret = find_near(t, head, "PRIVATE KEY");
    if (dashes - head > 60 || secret > dashes) {
        return false;
    }
    size_t end = find(t, dashes + 5, "-----END");
    if (end < t->n) {
        end = find(t, end + 8, "-----");
        end = end + 5 < t->n ? end + 5 : t->n;
    }
    return found(out, at, end, r->kind);
}

bool m31ri_match_putty(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = find_near(t, at, "Private-Lines:");
    if (start == t->n) {
        return false;
    }
    size_t end = find(t, start, "Private-MAC:");
    if (end < t->n) {
        end += strlen("Private-MAC:");
        end += t->n > end && t->s[end] == ' ';
        end += m31ri_run(t, end, M31RI_HEX);
    }
    return found(out, start, end, r->kind);
}

/* The literal stands behind: 32 hex digits and "-us12", or an id and ".atlasv1." with the token
 * after it. */
bool m31ri_match_before(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = at;
    while (start > t->floor && (m31ri_class_of(t->s[start - 1]) & r->alphabet) != 0) {
        start--;
    }
    size_t head = at + strlen(r->literal);
    bool hex = r->alphabet == M31RI_HEX;
    size_t after = m31ri_run(t, head, hex ? M31RI_DIGIT : M31RI_URLSAFE);
    if (at - start < r->min ||
        (hex ? at - start != r->min || after < 1 || after > 2 : after < 30)) {
        return false;
    }
    return found(out, start, head + after, r->kind);
}

/* Three characters, a digit, "Q~", 31 to 34 characters. `at` is the Q. */
bool m31ri_match_azure(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    if (at < 4 || at - 4 < t->floor || !m31ri_is_digit(t->s[at - 1])) {
        return false;
    }
    size_t end = at + 2;
    while (end < t->n && ((m31ri_class_of(t->s[end]) & r->alphabet) != 0 || t->s[end] == '~')) {
        end++;
    }
    return end - at - 2 >= r->min && found(out, at - 4, end, r->kind);
}

/* 8 to 10 digits before ":AA". `at` is the colon. */
bool m31ri_match_telegram(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = at;
    while (start > t->floor && m31ri_is_digit(t->s[start - 1])) {
        start--;
    }
    size_t run = m31ri_run(t, at + 1, r->alphabet);
    bool fits = at - start >= 8 && at - start <= 10 && run >= r->min;
    return fits && found(out, start, at + 1 + run, r->kind);
}

/* dp.pt.<run>, pat<14>.<64 hex> */
bool m31ri_match_dotted(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t head = at + strlen(r->literal);
    size_t name = m31ri_run(t, head, M31RI_ALNUM);
    size_t dot = head + name;
    bool airtable = r->literal[0] == 'p';
    if (dot >= t->n || t->s[dot] != '.' || !m31ri_may_start(t, at, r->boundary) ||
        (airtable ? name < 12 || name > 16 : name < 1 || name > 6)) {
        return false;
    }
    size_t run = m31ri_run(t, dot + 1, r->alphabet);
    if (run < r->min) {
        size_t second = dot + 1 + m31ri_run(t, dot + 1, M31RI_URLSAFE); /* dp.st.dev.<run> */
        if (airtable || second >= t->n || t->s[second] != '.' ||
            (run = m31ri_run(t, second + 1, r->alphabet)) < r->min) {
            return false;
        }
        dot = second;
    }
    return found(out, at, dot + 1 + run, r->kind);
}

/* crypt(3) and its kin: to the next blank, quote or colon. */
bool m31ri_match_hash(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t end = at + 1;
    while (
        end < t->n && end - at < 512 &&
        ((m31ri_class_of(t->s[end]) & (M31RI_WORD | M31RI_DASH | M31RI_DOT | M31RI_BASE64)) != 0 ||
         strchr("$,{}", t->s[end]) != NULL)) {
        end++;
    }
    return end - at >= r->min &&
           memchr(t->s + at + 1, at + 1 < end && t->s[at] == '{' ? '}' : '$', end - at - 1) !=
               NULL &&
           found(out, at, end, r->kind);
}

/* What follows the host of a webhook is its password. */
bool m31ri_match_webhook(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t head = at + strlen(r->literal), end = head;
    while (end < t->n && ((m31ri_class_of(t->s[end]) &
                           (M31RI_WORD | M31RI_DASH | M31RI_DOT | M31RI_BASE64)) != 0 ||
                          t->s[end] == '@' || t->s[end] == '%')) {
        end++;
    }
    return end - head >= r->min && found(out, head, end, r->kind);
}

/* [24-26].[6].[27-38], the first part starting M, N or O. `dot` is the first dot. */
bool m31ri_match_discord(const m31ri_subject *t, size_t dot, m31ri_match *out)
{
    if (dot + 7 >= t->n || t->s[dot + 7] != '.' || m31ri_run(t, dot + 1, M31RI_URLSAFE) != 6) {
        return false;
    }
    size_t start = dot;
    while (start > t->floor && (m31ri_class_of(t->s[start - 1]) & M31RI_URLSAFE) != 0) {
        start--;
    }
    size_t run = m31ri_run(t, dot + 8, M31RI_URLSAFE);
    bool fits =
        dot - start >= 22 && dot - start <= 30 && strchr("MNO", t->s[start]) != NULL && run >= 25;
    return fits && found(out, start, dot + 8 + run, "discord_token");
}
