/* match_token.c - tokens: a literal and a run, and the few formats that need more than that. */
#include <string.h>

#include "rules/rules_int.h"

#define NEAR 4096      /* bytes */
#define GRAIN_LEAST 12 /* letters and digits that tell random text from words */
#define GRAIN_MOST 32  /* characters looked at */
#define SHORT_KEY 26   /* characters behind "sk-" of a gateway's own keys, at most */

static bool found(m31ri_match *out, size_t start, size_t end, const char *kind)
{
    *out = (m31ri_match){.start = start, .end = end, .kind = kind};
    return true;
}

/* Bytes from `at` on that are of the set, `most` of them (0: any number); zero-width characters
 * between them belong to the run. */
static size_t run_of_set(const m31ri_subject *t, size_t at, const uint8_t *set, size_t most)
{
    size_t i = at, n = 0;
    while (i < t->n && (most == 0 || n < most)) {
        size_t hidden = (unsigned char)t->s[i] >= 0x80 ? m31ri_zero_width(t, i) : 0;
        if (!m31ri_in_set(set, t->s[i]) && hidden == 0) {
            break;
        }
        n += hidden == 0;
        i += hidden != 0 ? hidden : 1;
    }
    return i - at;
}

/* Ends of the pattern's parts, one behind another; 0: it does not fit. Runs are never given back.
 */
static size_t parts_end(const m31ri_subject *t, size_t at, const m31ri_rule *r)
{
    for (size_t k = 0; k < r->n_parts; k++) {
        const m31ri_part *part = &r->parts[k];
        if (part->literal != NULL) {
            if (!m31ri_has(t, at, part->literal, false)) {
                return 0;
            }
            at += strlen(part->literal);
            continue;
        }
        size_t run = run_of_set(t, at, part->set, part->max);
        if (run < part->min) {
            return 0;
        }
        bool is_last = k + 1 == r->n_parts, is_whole = part->max == 0 || run < part->max;
        if (is_last && !is_whole && at + run < t->n && m31ri_in_set(part->set, t->s[at + run])) {
            return 0; /* longer than any */
        }
        while (is_last && run > part->min && strchr(".-", t->s[at + run - 1]) != NULL) {
            run--; /* the end of a sentence */
        }
        at += run;
    }
    return at;
}

/* What is seen of a text by looking at its letters and digits one after another. */
typedef struct grain {
    size_t n, changes; /* of letters and digits; of small, capital and digit */
    bool upper, lower;
    uint8_t before;
} grain;

static void grain_add(grain *g, char c)
{
    uint8_t now = m31ri_class_of(c) & M31RI_ALNUM;
    g->changes += g->n > 0 && now != g->before;
    g->upper = g->upper || now == M31RI_UPPER;
    g->lower = g->lower || now == M31RI_LOWER;
    g->before = now;
    g->n++;
}

/* Base64: of its neighbours two thirds are of different sorts. Words, paths, names of programs have
 * a third at most. */
static bool grain_is_random(const grain *g)
{
    return g->n >= GRAIN_LEAST && g->upper && g->lower && g->changes * 5 >= g->n * 2;
}

/* True when bytes [start, end) are a piece of a longer random text, a digest or a certificate: such
 * a text holds the beginning of any token sooner or later. */
static bool is_inside_random(const m31ri_subject *t, size_t start, size_t end)
{
    const uint8_t joins = M31RI_URLSAFE | M31RI_BASE64;
    grain before = {0}, behind = {0};
    for (size_t i = start; i > 0 && start - i < GRAIN_MOST; i--) {
        char c = t->s[i - 1];
        if ((m31ri_class_of(c) & joins) == 0 || c == '=') {
            break;
        }
        if (m31ri_is_alnum(c)) {
            grain_add(&before, c);
        }
    }
    for (size_t i = end; i < t->n && i - end < GRAIN_MOST; i++) {
        char c = t->s[i];
        if ((m31ri_class_of(c) & joins) == 0 || c == '=') {
            break;
        }
        if (m31ri_is_alnum(c)) {
            grain_add(&behind, c);
        }
    }
    return grain_is_random(&before) || grain_is_random(&behind);
}

/* A token inside of a word stands behind letters of one sort ("xghp_...", "TOKENghp_..."). */
static bool is_behind_word(const m31ri_subject *t, size_t at)
{
    bool upper = false, lower = false, digit = false;
    size_t i = at;
    for (; i > 0 && at - i < GRAIN_MOST && m31ri_is_alnum(t->s[i - 1]); i--) {
        uint8_t c = m31ri_class_of(t->s[i - 1]);
        upper = upper || (c & M31RI_UPPER) != 0;
        lower = lower || (c & M31RI_LOWER) != 0;
        digit = digit || (c & M31RI_DIGIT) != 0;
    }
    return !(upper && lower) && !digit;
}

bool m31ri_match_token(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    bool bare = m31ri_may_start(t, at, r->is_glued ? M31RI_ALNUM : r->boundary);
    if (!bare && !(r->is_glued && is_behind_word(t, at))) {
        return false;
    }
    size_t end = parts_end(t, at + strlen(r->literal), r);
    return end != 0 && !is_inside_random(t, at, end) && found(out, at, end, r->kind);
}

/* A token whose literal is a word's beginning too: capitals, small letters and digits are mixed. */
bool m31ri_match_mixed(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    bool upper = false, lower = false, digit = false;
    if (!m31ri_match_token(t, at, r, out)) {
        return false;
    }
    for (size_t i = at + strlen(r->literal); i < out->end; i++) {
        uint8_t c = m31ri_class_of(t->s[i]);
        upper = upper || (c & M31RI_UPPER) != 0;
        lower = lower || (c & M31RI_LOWER) != 0;
        digit = digit || (c & M31RI_DIGIT) != 0;
    }
    return upper && lower && digit;
}

/* The mark of a service near the end of a key: so many characters before it, and behind it what the
 * pattern says, to the end of the run. Anywhere else in base64 it is chance. */
bool m31ri_match_around(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    const uint8_t run = r->alphabet | M31RI_ALNUM;
    size_t start = at, end = parts_end(t, at + strlen(r->literal), r);
    while (start > t->floor && at - start < 256 && t->s[start - 1] != '=' &&
           (m31ri_class_of(t->s[start - 1]) & run) != 0) {
        start--;
    }
    bool ends = end != 0 && (end == t->n || (m31ri_class_of(t->s[end]) & run) == 0);
    return ends && at - start >= r->min && at - start < 256 && found(out, start, end, r->kind);
}

/* Who says so behind "sk-". */
static bool is_known_issuer(const m31ri_subject *t, size_t at)
{
    static const char *const issuers[] = {"ant-",   "proj-", "svcacct-", "admin-",
                                          "or-v1-", "lf-",   "helicone-"};
    for (size_t i = 0; i < sizeof issuers / sizeof issuers[0]; i++) {
        if (m31ri_has(t, at, issuers[i], false)) {
            return true;
        }
    }
    return false;
}

/* sk-..., sk-proj-..., sk-ant-api03-...: many words start with "sk-", so one part must be long and
 * mixed; a long one in several parts has a word before them. */
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
    bool known = is_known_issuer(t, head);
    size_t word = m31ri_run(t, head, M31RI_LOWER);
    bool named = word >= 2 && head + word < t->n && t->s[head + word] == '-';
    bool fits = known ? run >= 24 : longest >= 16 && (longest == run || run <= SHORT_KEY || named);
    if (digits == 0 || !fits || is_inside_random(t, at, head + run)) {
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
    bool hex = r->literal[0] == '-';
    while (start > t->floor &&
           (m31ri_class_of(t->s[start - 1]) & (hex ? M31RI_HEX : M31RI_ALNUM)) != 0) {
        start--;
    }
    size_t head = at + strlen(r->literal);
    size_t after = m31ri_run(t, head, hex ? M31RI_DIGIT : M31RI_URLSAFE);
    if (at - start < r->min ||
        (hex ? at - start != r->min || after < 1 || after > 2 : after < 30)) {
        return false;
    }
    return found(out, start, head + after, r->kind);
}

/* Three characters, a digit, "Q~", 31 to 34 characters. `at` is the tilde. */
bool m31ri_match_azure(const m31ri_subject *t, size_t at, m31ri_match *out)
{
    if (at < 5 || at - 5 < t->floor || t->s[at - 1] != 'Q' || !m31ri_is_digit(t->s[at - 2])) {
        return false;
    }
    size_t end = at + 1;
    while (end < t->n &&
           ((m31ri_class_of(t->s[end]) & (M31RI_URLSAFE | M31RI_DOT)) != 0 || t->s[end] == '~')) {
        end++;
    }
    return end - at - 1 >= 30 && found(out, at - 5, end, "azure_secret");
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

/* [24-26].[6].[27-38], the first part starting M, N or O. `start` is where a long word begins. */
bool m31ri_match_discord(const m31ri_subject *t, size_t start, m31ri_match *out)
{
    start += start > 0 && t->s[start - 1] == '\\'; /* "\nMT...": the n is an escape's */
    if (start >= t->n || strchr("MNO", t->s[start]) == NULL) {
        return false;
    }
    size_t dot = start + m31ri_run(t, start, M31RI_URLSAFE);
    if (dot + 7 >= t->n || t->s[dot] != '.' || t->s[dot + 7] != '.' ||
        m31ri_run(t, dot + 1, M31RI_URLSAFE) != 6) {
        return false;
    }
    size_t run = m31ri_run(t, dot + 8, M31RI_URLSAFE);
    bool fits = dot - start >= 22 && dot - start <= 30 && run >= 25;
    return fits && found(out, start, dot + 8 + run, "discord_token");
}
