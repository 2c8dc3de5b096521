/* key_rules.c - what a key says about its value.
 *
 * A key is folded into words ("dbPassword", "DB-PASSWORD", "db.password" are one), and the last one
 * to four words are looked up joined: what a key names stands at its end. So `password` is found in
 * `smtp_password`, while `tokenizer`, `tokens_per_sec`, `secret_scan` or `input_shape` say
 * something else at theirs. Words that only say where a value stands (`number`, `data`, `value`)
 * are passed over. The words are in rules.txt.
 */
#include <string.h>

#include "rules/rules_int.h"

#define MAX_WORDS 12
#define MAX_WORD 24

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
               !is_listed(w->word[i], m31ri_key_owners) &&
               !is_listed(w->word[i], m31ri_key_places)) {
            w->word[i][--end] = '\0';
        }
    }
}

static const m31ri_key_row *find_row(const char *joined)
{
    size_t low = 0, high = m31ri_n_key_rows;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(joined, m31ri_key_rows[middle].words);
        if (order == 0) {
            return &m31ri_key_rows[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

static const m31ri_key_row *look_up(const words *w)
{
    for (size_t take = w->n < 4 ? w->n : 4; take > 0; take--) {
        char joined[4 * MAX_WORD] = "";
        size_t used = 0;
        for (size_t i = w->n - take; i < w->n; i++) {
            size_t length = strlen(w->word[i]);
            memcpy(joined + used, w->word[i], length + 1);
            used += length;
        }
        const m31ri_key_row *row = find_row(joined);
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
        return is_listed(w->word[w->n - 2], m31ri_key_owners)
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
    if (w->n > 1 && is_listed(w->word[w->n - 2], m31ri_key_pieces)) {
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

/* Place of a key's last three letters in the table of tails; digits and marks at the end do not
 * count. False: no letters. */
static bool tail_of(const char *key, size_t length, size_t *at)
{
    while (length > 0 && (m31ri_class_of(key[length - 1]) & M31RI_ALPHA) == 0) {
        length--;
    }
    if (length == 0) {
        return false;
    }
    *at = 0;
    bool in_word = true;
    for (size_t i = 0; i < 3; i++) {
        in_word = in_word && i < length && (m31ri_class_of(key[length - 1 - i]) & M31RI_ALPHA) != 0;
        *at = *at * 27 + (in_word ? (size_t)(lower(key[length - 1 - i]) - 'a') : 26);
    }
    return true;
}

void m31ri_key_tails_add(m31ri_key_tails *tails, const char *word)
{
    size_t at = 0;
    if (tail_of(word, strlen(word), &at)) {
        tails->bits[at / 64] |= (uint64_t)1 << at % 64;
    }
}

bool m31ri_key_tails_have(const m31ri_key_tails *tails, const char *key, size_t length)
{
    size_t at = 0;
    return tail_of(key, length, &at) && (tails->bits[at / 64] >> at % 64 & 1) != 0;
}

/* A row is joined of words: "passportno" is met as "passport_no" too, whose last word has two
 * letters. */
static void add_tails(m31ri_key_tails *tails, const char *word)
{
    size_t length = strlen(word);
    m31ri_key_tails_add(tails, word);
    if (length > 2) {
        m31ri_key_tails_add(tails, word + length - 2);
    }
}

void m31ri_key_tails_fill(m31ri_key_tails *tails, bool in_text)
{
    for (size_t i = 0; i < m31ri_n_key_rows; i++) {
        const m31ri_key_row *row = &m31ri_key_rows[i];
        if (row->kind != NULL && (row->in_text || !in_text)) {
            add_tails(tails, row->words);
        }
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        m31ri_key_tails_add(tails, ends[i].end);
    }
    for (const char *const *w = m31ri_key_places; *w != NULL; w++) {
        m31ri_key_tails_add(tails, *w);
    }
    m31ri_key_tails_add(tails, "key");
    m31ri_key_tails_add(tails, "keys");
}

m31ri_key_verdict m31ri_key_judge(const m31ri_privacy *p, const char *key, size_t length,
                                  bool in_text)
{
    if (m31ri_privacy_denies(p, key, length)) {
        return (m31ri_key_verdict){M31RI_KEY_STRONG, "denied"};
    }
    if (!m31ri_key_tails_have(m31ri_privacy_tails(p, in_text), key, length)) {
        return (m31ri_key_verdict){M31RI_KEY_NONE, NULL};
    }
    if (key[length - 1] == ']' && memmem(key, length, "[redacted:", 10) != NULL) {
        return (m31ri_key_verdict){M31RI_KEY_NONE, NULL}; /* its last word is a marker's */
    }
    words w;
    split(key, length < 256 ? length : 256, &w);
    const m31ri_key_row *row = NULL;
    while (w.n > 0 && (row = look_up(&w)) == NULL && w.n > 1 &&
           is_listed(w.word[w.n - 1], m31ri_key_places)) {
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
    if (row->kind == NULL || (in_text && !row->in_text) ||
        (row->class == M31RI_KEY_PROMPT && m31ri_privacy_keeps_prompts(p))) {
        return (m31ri_key_verdict){M31RI_KEY_NONE, NULL};
    }
    return (m31ri_key_verdict){(m31ri_key_class)row->class, row->kind};
}
