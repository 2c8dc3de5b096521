/* match_worded.c - what stands behind a word of running text, without a mark between the two:
 * "passport no. X24284740", "the password is hunter2", "VERCEL_TOKEN is 8Fk...".
 *
 * A word is weak evidence, so the value must look like one by itself: digits where the datum is a
 * number, letters mixed with digits or marks where it is a secret.
 */
#include <string.h>
#include <strings.h>

#include "rules/rules_int.h"

#define SAYING_WORDS 6 /* between a key and what is said to be its value */

static size_t skip_blanks(const m31ri_subject *t, size_t i)
{
    while (i < t->n && (t->s[i] == ' ' || t->s[i] == '\t')) {
        i++;
    }
    return i;
}

/* "passport no. X24284740", "nino HX 94 00 27 D", "card number 5105 ...", "sms to 07700 900826":
 * the datum behind a word. */
bool m31ri_match_after_word(const m31ri_subject *t, size_t i, const char *kind, m31ri_match *out)
{
    static const char *const between[] = {"number", "no.", "no",   "nr", "num", "#",
                                          "is",     ":",   "=",    "to", "at",  "id",
                                          "me",     "us",  "from", "on", "."};
    for (size_t k = 0; k < sizeof between / sizeof between[0]; k++) {
        size_t j = skip_blanks(t, i), length = strlen(between[k]);
        bool follows = m31ri_has(t, j, between[k], true);
        bool whole = j + length >= t->n || !m31ri_is_alnum(between[k][0]) ||
                     !m31ri_is_alnum(t->s[j + length]);
        if (follows && whole) {
            i = j + length;
            k = (size_t)-1;
        }
    }
    size_t start = skip_blanks(t, i), end = start, at = start, digits = 0;
    if (start == i) {
        return false;
    }
    while (at < t->n && at - start < 40) {
        size_t part = 0, part_digits = 0;
        while (at + part < t->n &&
               (m31ri_is_alnum(t->s[at + part]) || strchr("+-./()", t->s[at + part]) != NULL)) {
            part_digits += m31ri_is_digit(t->s[at + part]);
            part++;
        }
        bool letter = part == 1 || (part == 2 && at == start);
        if (part == 0 || (part_digits == 0 && !(letter && t->s[at] >= 'A' && t->s[at] <= 'Z'))) {
            break;
        }
        end = at + part;
        digits += part_digits;
        at = end + (end < t->n && t->s[end] == ' ');
        if (at == end) {
            break;
        }
    }
    while (end > start && strchr(".-/", t->s[end - 1]) != NULL) {
        end--;
    }
    size_t least = strcmp(kind, "card") == 0          ? 12
                   : strcmp(kind, "phone") == 0       ? 9
                   : strcmp(kind, "national_id") == 0 ? 6
                   : strcmp(kind, "otp") == 0         ? 4
                                                      : 5;
    if (digits < least || digits > 19 || memchr(t->s + start, ':', end - start) != NULL) {
        return false;
    }
    *out = (m31ri_match){.start = start, .end = end, .kind = kind};
    return true;
}

/* "password for root@pod: ...": past whom it is for. `i`: it is for nobody, or nothing is said of
 * it. */
static size_t skip_owner(const m31ri_subject *t, size_t i)
{
    size_t j = skip_blanks(t, i);
    if (!m31ri_has(t, j, "for ", true)) {
        return i;
    }
    size_t name = skip_blanks(t, j + strlen("for ")), end = name;
    while (end < t->n && !m31ri_is_space(t->s[end]) && strchr(":=", t->s[end]) == NULL) {
        end++;
    }
    size_t mark = skip_blanks(t, end);
    return end > name && mark < t->n && strchr(":=", t->s[mark]) != NULL ? end : i;
}

/* Words that may stand between a key's name and what is said to be its value. */
static size_t skip_saying(const m31ri_subject *t, size_t i, bool *out_said)
{
    static const char *const says[] = {"is",   "was",  "now", "set",   "to", "changed", "has",
                                       "been", "will", "be",  "reset", ":",  "=",       "->"};
    static const char *const nouns[] = {"token",    "key",   "value", "phrase",   "password", "you",
                                        "provided", "given", "used",  "supplied", "("};
    size_t n_says = sizeof says / sizeof says[0], n_nouns = sizeof nouns / sizeof nouns[0];
    int n_left = SAYING_WORDS;
    for (size_t k = 0; k < n_says + n_nouns && n_left > 0; k++) {
        const char *word = k < n_says ? says[k] : nouns[k - n_says];
        size_t j = skip_blanks(t, i), length = strlen(word);
        bool whole = j + length >= t->n || !m31ri_is_alnum(word[0]) ||
                     (m31ri_class_of(t->s[j + length]) & (M31RI_WORD | M31RI_DASH)) == 0;
        if (m31ri_has(t, j, word, true) && whole) {
            *out_said = *out_said || k < n_says;
            i = j + length;
            k = (size_t)-1;
            n_left--;
        }
    }
    return i;
}

/* Names of algorithms and measures have letters and digits too: "base64-encoded", "12-word". */
static bool is_technical(const char *s, size_t length)
{
    static const char *const names[] = {
        "base",    "sha",   "md5",   "utf",   "x509",   "oauth", "argon2", "pbkdf", "aes", "rsa",
        "ed25519", "hs256", "rs256", "es256", "bcrypt", "blake", "http",   "ascii", "iso", "hex",
        "v1",      "v2",    "int",   "uint",  "u32",    "u64",   "i64",    "0x",    "rc4"};
    size_t digits = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if (length >= n && strncasecmp(s, names[i], n) == 0) {
            return true;
        }
    }
    while (digits < length && m31ri_is_digit(s[digits])) {
        digits++;
    }
    return digits > 0 && digits < length && (s[digits] == '-' || length - digits <= 4);
}

/* What a person chooses, or a program draws, as a secret: letters and digits, or letters around a
 * mark. */
static bool looks_chosen(const char *s, size_t length)
{
    size_t letters = 0, digits = 0, marks = 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t c = m31ri_class_of(s[i]);
        letters += (c & M31RI_ALPHA) != 0;
        digits += (c & M31RI_DIGIT) != 0;
        marks += i + 1 < length && strchr("!@#$%^&*+", s[i]) != NULL;
        if (strchr("()[]{}/\\:;|<>,=", s[i]) != NULL || (unsigned char)s[i] >= 0x80) {
            return false;
        }
    }
    return length >= 6 && letters >= 2 && (digits > 0 || marks > 0) && !is_technical(s, length);
}

/* Sixteen letters or more, capital and small in no order: no name of a program has so many changes
 * of case. */
static bool is_shuffled(const char *s, size_t length)
{
    size_t changes = 0;
    for (size_t i = 0; i < length; i++) {
        if ((m31ri_class_of(s[i]) & M31RI_ALPHA) == 0) {
            return false;
        }
        changes += i > 0 && ((s[i] ^ s[i - 1]) & 0x20) != 0;
    }
    return length >= 16 && changes * 8 >= length * 3;
}

/* "password is hunter2", "secret token 740gXqx2...", "HF_TOKEN was set to ...". `i`: behind the
 * key. */
bool m31ri_match_stated(const m31ri_subject *t, size_t i, m31ri_key_verdict key, m31ri_match *out)
{
    bool said = false;
    size_t start = skip_blanks(t, skip_saying(t, skip_owner(t, i), &said));
    char quote = start < t->n && strchr("\"'`", t->s[start]) != NULL ? t->s[start++] : ' ';
    size_t end = start;
    while (end < t->n && t->s[end] != quote && !m31ri_is_space(t->s[end]) &&
           strchr(",;\"'`", t->s[end]) == NULL) {
        end++;
    }
    while (end > start && strchr(".)", t->s[end - 1]) != NULL) {
        end--;
    }
    const char *s = t->s + start;
    size_t length = end - start;
    if (start == i || length == 0 || m31ri_is_placeholder(s, length) || is_technical(s, length)) {
        return false;
    }
    bool random = m31ri_looks_random(s, length) || (said && is_shuffled(s, length));
    bool fits = key.class == M31RI_KEY_STRONG
                    ? (said ? looks_chosen(s, length) || random : random && length >= 12)
                    : random && length >= (said ? 16 : 24);
    *out = (m31ri_match){.start = start, .end = end, .kind = key.kind};
    return fits;
}
