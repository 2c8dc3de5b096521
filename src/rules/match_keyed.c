/* match_keyed.c - key and value inside running text: KEY=value, key: "value", --key value, headers,
 * URLs with a password.
 *
 * The key is judged by the same table as a field's key. How much is taken depends on how sure the
 * key is: a value of a strong key is taken unless it stands for one (***, null, ${VAR}) or is
 * program text; a weak one only when it looks random.
 */
#include <string.h>
#include <strings.h>

#include "rules/rules_int.h"

#define MAX_KEY 128
#define MAX_LOOK 512 /* bytes of a value that decide; what is taken is taken whole */

typedef struct value_span {
    size_t start, end;
    bool quoted, cli;
    char separator; /* '=', ':', or ' ' after --key */
} value_span;

static bool is_key_char(char c)
{
    return (m31ri_class_of(c) & (M31RI_WORD | M31RI_DASH | M31RI_DOT)) != 0 ||
           (unsigned char)c >= 0x80;
}

static size_t skip_blanks(const m31ri_subject *t, size_t i)
{
    while (i < t->n && (t->s[i] == ' ' || t->s[i] == '\t')) {
        i++;
    }
    return i;
}

static size_t skip_backslashes(const m31ri_subject *t, size_t i)
{
    while (i < t->n && t->s[i] == '\\') {
        i++;
    }
    return i;
}

/* End of a quoted value: the same quote behind the same number of backslashes (0: an escaped one
 * does not end it). */
static size_t quoted_end(const m31ri_subject *t, size_t i, char quote, size_t depth)
{
    for (size_t backslashes = 0; i < t->n; i++) {
        if (t->s[i] == quote && (depth == 0 ? backslashes % 2 == 0 : backslashes == depth)) {
            return i - (depth == 0 ? 0 : depth);
        }
        backslashes = t->s[i] == '\\' ? backslashes + 1 : 0;
    }
    return t->n;
}

static bool ends_value(const m31ri_subject *t, size_t i)
{
    char c = t->s[i];
    if (m31ri_is_space(c) || c == '"' || c == '\'' || c == '`' || c == '<') {
        return true;
    }
    if (c == '\\' && i + 1 < t->n && strchr("nrt\"'", t->s[i + 1]) != NULL) {
        return true;
    }
    if (strchr("&;,)]}|", c) == NULL) {
        return false;
    }
    if (i + 1 >= t->n || m31ri_is_space(t->s[i + 1]) || strchr("\"'\\)]};,", t->s[i + 1]) != NULL) {
        return true;
    }
    size_t j = i + 1; /* "a=secret;b=..." ends, "p;w" does not */
    while (j < t->n && is_key_char(t->s[j]) && j - i < 40) {
        j++;
    }
    return j > i + 1 && j < t->n && (t->s[j] == '=' || t->s[j] == ':');
}

/* Where the value behind a key that ends at `i` stands. */
static bool find_value(const m31ri_subject *t, size_t key_start, size_t i, value_span *v)
{
    bool cli = t->s[key_start] == '-';
    size_t j = skip_backslashes(t, i);
    j += j < t->n && (t->s[j] == '"' || t->s[j] == '\'' || t->s[j] == '`');
    j += j < t->n && t->s[j] == ']';
    size_t blank = j;
    j = skip_blanks(t, j);
    *v = (value_span){.cli = cli};
    if (j + 2 < t->n && t->s[j] == '%' && t->s[j + 1] == '3' &&
        (t->s[j + 2] == 'D' || t->s[j + 2] == 'd')) {
        v->separator = '=';
        j += 3;
    } else if (j < t->n && (t->s[j] == '=' || t->s[j] == ':')) {
        v->separator = t->s[j++];
        j += j < t->n && (t->s[j] == '=' || t->s[j] == '>');
        if (v->separator == ':' && j < t->n && t->s[j] == ':') {
            return false; /* a path of program text */
        }
    } else if (j > blank && j < t->n) {
        v->separator = ' ';
    } else {
        return false;
    }
    j = skip_blanks(t, j);
    j += j + 1 < t->n && strchr("brfu", t->s[j]) != NULL &&
         (t->s[j + 1] == '\'' || t->s[j + 1] == '"');
    size_t depth = skip_backslashes(t, j) - j;
    if (j + depth < t->n && (t->s[j + depth] == '"' || t->s[j + depth] == '\'')) {
        v->quoted = true;
        v->start = j + depth + 1;
        v->end = quoted_end(t, v->start, t->s[j + depth], depth);
        return true;
    }
    v->start = v->end = j;
    while (v->end < t->n && !ends_value(t, v->end)) {
        v->end++;
    }
    return v->end > v->start;
}

static size_t line_end(const m31ri_subject *t, size_t i)
{
    while (i < t->n && t->s[i] != '\n' && t->s[i] != '\r' && t->s[i] != '"' && t->s[i] != '\'' &&
           !(t->s[i] == '\\' && i + 1 < t->n && strchr("nr\"'", t->s[i + 1]) != NULL)) {
        i++;
    }
    return i;
}

static bool is_scheme(const char *s, size_t length)
{
    static const char *const schemes[] = {"bearer", "basic",     "digest", "token",
                                          "apikey", "negotiate", "key"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strlen(schemes[i]) == length && strncasecmp(s, schemes[i], length) == 0) {
            return true;
        }
    }
    return false;
}

/* Values of more than one word: a header, a cookie line, a seed phrase, what a person wrote. */
static void widen(const m31ri_subject *t, const char *kind, value_span *v)
{
    if (v->quoted || v->separator == ' ') {
        return;
    }
    if (strcmp(kind, "authorization") == 0 && is_scheme(t->s + v->start, v->end - v->start)) {
        size_t next = skip_blanks(t, v->end);
        while (next < t->n && !ends_value(t, next)) {
            next++;
        }
        v->end = next;
    } else if ((strcmp(kind, "cookie") == 0 && v->separator == ':') ||
               strcmp(kind, "prompt") == 0 ||
               (strcmp(kind, "passphrase") == 0 && v->separator == ':') ||
               (strcmp(kind, "name") == 0 && v->separator == ':')) {
        v->end = line_end(t, v->start);
    }
}

static bool is_program_text(const char *s, size_t length)
{
    return memchr(s, '(', length) != NULL || memmem(s, length, "::", 2) != NULL ||
           s[length - 1] == '{' || memmem(s, length, "environ", 7) != NULL ||
           memmem(s, length, "getenv", 6) != NULL || s[0] == '&';
}

static size_t words_in(const char *s, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        n += !m31ri_is_space(s[i]) && (i == 0 || m31ri_is_space(s[i - 1]));
    }
    return n;
}

static bool takes(const m31ri_key_verdict *k, const value_span *v, const char *s, bool key_quoted,
                  bool in_query)
{
    size_t length = v->end - v->start;
    const char *value = s + v->start;
    if (length == 0 || m31ri_is_placeholder(value, length)) {
        return false;
    }
    switch (k->class) {
    case M31RI_KEY_STRONG:
        if (v->separator == ' ' && !v->quoted) {
            return v->cli ? value[0] != '-' : m31ri_looks_random(value, length);
        }
        return v->quoted || (length >= 3 && !is_program_text(value, length) &&
                             (v->separator == '=' || length >= 4));
    case M31RI_KEY_WEAK:
        return (v->separator != ' ' || v->cli) &&
               (m31ri_looks_random(value, length) ||
                (v->quoted && key_quoted && length >= 8 && words_in(value, length) == 1));
    case M31RI_KEY_PERSONAL:
        return v->separator != ' ' && length >= 2 && !is_program_text(value, length) &&
               (v->separator == '=' || v->quoted || strcmp(k->kind, "user") != 0 || key_quoted);
    case M31RI_KEY_PROMPT:
        return v->separator != ' ' && ((key_quoted && v->quoted) || words_in(value, length) >= 3);
    case M31RI_KEY_SHAPED:
        if (strcmp(k->kind, "signature") == 0) {
            return in_query && length >= 16;
        }
        return v->separator != ' ' && m31ri_shape_fits(k->kind, value, length);
    default:
        return false;
    }
}

/* "passport no. X24284740", "nino HX 94 00 27 D", "card number 5105 ...", "sms to 07700 900826":
 * the datum behind a word. */
static bool match_after_word(const m31ri_subject *t, size_t i, const char *kind, m31ri_match *out)
{
    static const char *const between[] = {"number", "no.", "no", "nr", "num", "#",   "is",
                                          ":",      "=",   "to", "at", "id",  "from"};
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
                                                      : 5;
    if (digits < least || digits > 19 || memchr(t->s + start, ':', end - start) != NULL) {
        return false;
    }
    *out = (m31ri_match){.start = start, .end = end, .kind = kind};
    return true;
}

static bool names_a_number(const char *kind)
{
    return strcmp(kind, "national_id") == 0 || strcmp(kind, "passport") == 0 ||
           strcmp(kind, "card") == 0 || strcmp(kind, "phone") == 0 || strcmp(kind, "account") == 0;
}

/* The quick no: a mark of a value must follow the key. (Rules with min 1 name what may follow a
 * blank.) */
static bool may_have_value(const m31ri_subject *t, size_t start, size_t end, bool no_numbers)
{
    char c = end < t->n ? t->s[end] : '\0';
    if (no_numbers && (c == '=' || c == ':')) {
        size_t from = skip_blanks(t, end + 1),
               to = from + m31ri_run(t, from, M31RI_DIGIT | M31RI_DOT);
        if (to > from && to - from < 20 &&
            (to >= t->n || strchr(" ,;|)]}\n\t", t->s[to]) != NULL)) {
            return false;
        }
    }
    if (c == ' ' || c == '\t') {
        size_t j = skip_blanks(t, end);
        return t->s[start] == '-' || (j < t->n && (t->s[j] == '=' || t->s[j] == ':'));
    }
    return c != '\0' && strchr("=:\"'`\\%]", c) != NULL;
}

bool m31ri_match_keyed(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = at, end = at + (m31ri_has(t, at, r->literal, true) ? strlen(r->literal) : 1);
    while (start > t->floor && is_key_char(t->s[start - 1]) && at - start < MAX_KEY) {
        start--;
    }
    while (end < t->n && is_key_char(t->s[end]) && end - at < MAX_KEY) {
        end++;
    }
    if (r->min == 0 && !may_have_value(t, start, end, r->alphabet != 0)) {
        return false;
    }
    size_t stop = end;
    while (stop > at && t->s[stop - 1] == '.') {
        stop--;
    }
    /* "\nPASSWORD=": the n is an escape's, not the key's */
    size_t name =
        start + (start > 0 && t->s[start - 1] == '\\' && strchr("nrt", t->s[start]) != NULL);
    m31ri_key_verdict k = r->kind != NULL ? (m31ri_key_verdict){M31RI_KEY_PERSONAL, r->kind}
                                          : m31ri_key_judge(t->p, t->s + name, stop - name);
    value_span v;
    if (k.class == M31RI_KEY_NONE) {
        return false;
    }
    m31ri_subject near = *t; /* what decides is near, so that hostile text costs no square */
    near.n = t->n - end > MAX_LOOK ? end + MAX_LOOK : t->n;
    if (r->kind == NULL && find_value(&near, start, end, &v)) {
        bool key_quoted = start > 0 && (t->s[start - 1] == '"' || t->s[start - 1] == '\'');
        bool in_query = start > 0 && (t->s[start - 1] == '?' || t->s[start - 1] == '&');
        widen(&near, k.kind, &v);
        if (v.start >= t->floor && takes(&k, &v, t->s, key_quoted, in_query)) {
            if (v.end == near.n && find_value(t, start, end, &v)) {
                widen(t, k.kind, &v);
            }
            *out = (m31ri_match){.start = v.start, .end = v.end, .kind = k.kind};
            return true;
        }
    }
    return names_a_number(k.kind) && match_after_word(t, stop, k.kind, out);
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
    if (start == at + strlen(r->literal) || run < r->min || !m31ri_may_start(t, at, M31RI_WORD)) {
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
    size_t from = colon != NULL ? (size_t)(colon - t->s) + 1 : start;
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
