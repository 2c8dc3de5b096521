/* match_keyed.c - key and value inside running text: KEY=value, key: "value", --key value.
 *
 * The key is judged by the same table as a field's key. How much is taken depends on how sure the
 * key is: a value of a strong key is taken unless it stands for one (***, null, ${VAR}) or is
 * program text; a weak one only when it looks random.
 */
#include <string.h>
#include <strings.h>

#include "rules/rules_int.h"

#define MAX_KEY 128
#define MAX_TAIL 32
#define MAX_LOOK 512 /* bytes of a value that decide; what is taken is taken whole */

typedef struct value_span {
    size_t start, end;
    bool quoted, cli;
    bool named; /* the key ends with "name": "username: kim" names one, "user: ..." may be a text */
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
    if (i + 1 >= t->n || m31ri_is_space(t->s[i + 1]) ||
        strchr("\"'\\)]};,<`./", t->s[i + 1]) != NULL) {
        return true;
    }
    size_t j = i + 1; /* "a=secret;b=..." ends, "p;w" does not */
    while (j < t->n && is_key_char(t->s[j]) && j - i < 40) {
        j++;
    }
    return j > i + 1 && j < t->n && (t->s[j] == '=' || t->s[j] == ':');
}

/* ": &str = ", ": Option<String> = ": a type between the key and a value in quotes. Where the
 * value's quote is; `i`: there is none. */
static size_t skip_type(const m31ri_subject *t, size_t i)
{
    size_t j = i;
    while (j < t->n && j - i < 48 &&
           (is_key_char(t->s[j]) || strchr("&<>'[] |?", t->s[j]) != NULL)) {
        j++;
    }
    bool typed = j > i && j < t->n && t->s[j] == '=' && !m31ri_is_digit(t->s[i]);
    size_t quote = typed ? skip_blanks(t, j + 1) : j;
    return typed && quote < t->n && (t->s[quote] == '"' || t->s[quote] == '\'') ? quote : i;
}

/* Some("x"), String::from("x"), SecretString::new("x"): where the text in quotes begins. `i`: it is
 * no such call. */
static size_t skip_wrappers(const m31ri_subject *t, size_t i)
{
    static const char *const wrappers[] = {"Some(",
                                           "Ok(",
                                           "String::from(",
                                           "Secret(",
                                           "SecretString(",
                                           "Secret::new(",
                                           "SecretString::new(",
                                           "SecretString::from(",
                                           "SecretStr(",
                                           "Password(",
                                           "Token(",
                                           "ApiKey("};
    size_t j = i;
    for (size_t k = 0; k < sizeof wrappers / sizeof wrappers[0]; k++) {
        if (m31ri_has(t, j, wrappers[k], false)) {
            j += strlen(wrappers[k]);
            k = (size_t)-1;
        }
    }
    size_t quote = skip_backslashes(t, j);
    return quote < t->n && (t->s[quote] == '"' || t->s[quote] == '\'') ? j : i;
}

/* Behind "key", what stands for '=' in it: %3D, \u003d; 0: no such. */
static size_t encoded_equals(const m31ri_subject *t, size_t j)
{
    return m31ri_has(t, j, "%3d", true) ? 3 : m31ri_has(t, j, "u003d", true) ? 5 : 0;
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
    if (encoded_equals(t, j) != 0) {
        v->separator = '=';
        j += encoded_equals(t, j);
    } else if (j < t->n && (t->s[j] == '=' || t->s[j] == ':')) {
        v->separator = t->s[j++];
        j += j < t->n && (t->s[j] == '=' || t->s[j] == '>');
        if (v->separator == ':' && j < t->n && t->s[j] == ':') {
            return false; /* a path of program text */
        }
    } else if (j == i + 1 && j + 2 < t->n && t->s[j] == ',' && memchr("'\"", t->s[i], 2) != NULL &&
               skip_blanks(t, j + 1) < t->n && t->s[skip_blanks(t, j + 1)] == t->s[i]) {
        v->separator = t->s[j++]; /* ('x-api-key', 'value') */
    } else if (j > blank && j < t->n) {
        v->separator = ' ';
    } else {
        return false;
    }
    j = skip_blanks(t, j);
    j = skip_wrappers(t, v->separator == ':' ? skip_type(t, j) : j);
    j += j + 1 < t->n && strchr("brfu", t->s[j]) != NULL &&
         (t->s[j + 1] == '\'' || t->s[j + 1] == '"');
    size_t depth = skip_backslashes(t, j) - j;
    if (j + depth < t->n && (t->s[j + depth] == '"' || t->s[j + depth] == '\'')) {
        if (depth == 0 && key_start > 0 && t->s[key_start - 1] == t->s[j] && t->s[i] != t->s[j]) {
            return false; /* input("Password: "): the quote ends the text that the key is in */
        }
        v->quoted = true;
        v->start = j + depth + 1;
        v->end = quoted_end(t, v->start, t->s[j + depth], depth);
        size_t behind = skip_blanks(t, v->end + depth + 1);
        return v->separator != ',' || behind >= t->n || t->s[behind] != ':'; /* the next key */
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

/* Groups of digits and capitals in a row: "DE89 3704 0044", "(0)30 4136845", from `i` on. Some of
 * an IBAN's have no digit. */
static size_t groups_end(const m31ri_subject *t, size_t i, bool is_iban)
{
    while (i + 1 < t->n && (t->s[i] == ' ' || t->s[i] == '-')) {
        bool joint = i + 3 < t->n && strchr("/-", t->s[i + 1]) != NULL && t->s[i + 2] == ' ' &&
                     m31ri_is_digit(t->s[i + 3]); /* 089 / 12 34 */
        size_t j = i + (joint ? 3 : 1), digits = 0;
        while (j < t->n && ((m31ri_class_of(t->s[j]) & (M31RI_UPPER | M31RI_DIGIT)) != 0 ||
                            strchr("()-./", t->s[j]) != NULL)) {
            digits += m31ri_is_digit(t->s[j++]);
        }
        bool fits = digits > 0 || (is_iban && j > i + 1 && j - i <= 5);
        if (!fits || (j < t->n && strchr("=:", t->s[j]) != NULL)) {
            break;
        }
        i = j;
    }
    return i;
}

/* "author=Pavel Moreau": the capitalised words behind the first. */
static size_t names_end(const m31ri_subject *t, size_t i)
{
    while (i + 2 < t->n && t->s[i] == ' ' && (m31ri_class_of(t->s[i + 1]) & M31RI_UPPER) != 0 &&
           (m31ri_class_of(t->s[i + 2]) & M31RI_LOWER) != 0) {
        i++;
        while (i < t->n && ((m31ri_class_of(t->s[i]) & M31RI_ALPHA) != 0 || t->s[i] == '\'' ||
                            t->s[i] == '-' || (unsigned char)t->s[i] >= 0x80)) {
            i++;
        }
    }
    return i;
}

static bool is_in_groups(const char *kind)
{
    static const char *const kinds[] = {"iban", "card", "phone", "national_id", "account"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
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
    } else if (is_in_groups(kind)) {
        v->end = groups_end(t, v->end, strcmp(kind, "iban") == 0);
    } else if (strcmp(kind, "name") == 0) {
        v->end = names_end(t, v->end);
    }
}

static bool is_program_text(const char *s, size_t length)
{
    return memchr(s, '(', length) != NULL || memmem(s, length, "::", 2) != NULL ||
           s[length - 1] == '{' || memmem(s, length, "environ", 7) != NULL ||
           memmem(s, length, "getenv", 6) != NULL || s[0] == '&';
}

/* os.environ["HF_TOKEN"] = token, password: args.password: a name that is a key itself. */
static bool is_key_name(const m31ri_subject *t, const value_span *v)
{
    for (size_t i = v->start; i < v->end; i++) {
        if ((m31ri_class_of(t->s[i]) & (M31RI_ALPHA | M31RI_LINE | M31RI_DOT)) == 0) {
            return false;
        }
    }
    return !v->quoted &&
           m31ri_key_judge(t->p, t->s + v->start, v->end - v->start, true).class != M31RI_KEY_NONE;
}

/* "api_key: Option<String>": the type of a field. */
static bool is_type(const m31ri_subject *t, const value_span *v)
{
    return !v->quoted && v->separator == ':' && v->end + 1 < t->n && t->s[v->end] == '<' &&
           (m31ri_class_of(t->s[v->end + 1]) & M31RI_ALPHA) != 0 &&
           (m31ri_class_of(t->s[v->start]) & M31RI_UPPER) != 0;
}

/* "using --password via the command line": a word of a sentence is no value of an option. */
static bool is_sentence_word(const char *s, size_t length)
{
    static const char *const words[] = {
        "via", "is",   "and",  "or",      "the",      "in",       "on",   "for",
        "to",  "with", "from", "instead", "option",   "flag",     "was",  "are",
        "may", "can",  "must", "not",     "requires", "argument", "has",  "when",
        "if",  "as",   "by",   "of",      "a",        "an",       "given"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (length == strlen(words[i]) && memcmp(s, words[i], length) == 0) {
            return true;
        }
    }
    return false;
}

static size_t words_in(const char *s, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        n += !m31ri_is_space(s[i]) && (i == 0 || m31ri_is_space(s[i - 1]));
    }
    return n;
}

/* Of "Bearer abc", what stands before the token. */
static size_t scheme_length(const char *value, size_t length)
{
    const char *blank = memchr(value, ' ', length);
    size_t n = blank != NULL ? (size_t)(blank - value) : 0;
    return n != 0 && is_scheme(value, n) ? n + 1 : 0;
}

/* "credentials: kim:hunter2" */
static bool is_pair(const char *kind, const char *value, size_t length)
{
    const char *colon = memchr(value, ':', length);
    size_t before = colon != NULL ? (size_t)(colon - value) : length;
    return strcmp(kind, "credential") == 0 && before > 0 && length - before > 6 &&
           memchr(value, '/', length) == NULL && m31ri_looks_random(colon + 1, length - before - 1);
}

static bool takes(const m31ri_key_verdict *k, const value_span *v, const char *s, bool key_quoted,
                  bool in_query)
{
    size_t length = v->end - v->start;
    const char *value = s + v->start;
    size_t scheme = v->quoted ? 0 : scheme_length(value, length);
    if (length == scheme || m31ri_is_placeholder(value + scheme, length - scheme)) {
        return false;
    }
    switch (k->class) {
    case M31RI_KEY_STRONG:
        if (v->separator == ' ' && !v->quoted) {
            return v->cli ? value[0] != '-' && !is_sentence_word(value, length)
                          : m31ri_looks_random(value, length);
        }
        return v->quoted || (length >= 3 && !is_program_text(value, length) &&
                             !(v->separator == ':' && strchr("{[", value[0]) != NULL) &&
                             (v->separator == '=' || length >= 4));
    case M31RI_KEY_WEAK:
        return (v->separator != ' ' || v->cli) &&
               (m31ri_looks_random(value, length) || is_pair(k->kind, value, length) ||
                (v->quoted && key_quoted && length >= 8 && words_in(value, length) == 1));
    case M31RI_KEY_PERSONAL:
        return v->separator != ' ' && length >= 2 && !m31ri_is_nobody(k->kind, value, length) &&
               !is_program_text(value, length) &&
               (v->separator == '=' || v->quoted || strcmp(k->kind, "user") != 0 || key_quoted ||
                v->named);
    case M31RI_KEY_PROMPT:
        return v->separator != ' ' && (v->quoted || value[0] != '{') &&
               !m31ri_is_machine_text(value, length) &&
               ((key_quoted && v->quoted) || words_in(value, length) >= 3);
    case M31RI_KEY_SHAPED:
        if (strcmp(k->kind, "signature") == 0 || strcmp(k->kind, "oauth_code") == 0) {
            return in_query && length >= 16;
        }
        return v->separator != ' ' && m31ri_shape_fits(k->kind, value, length) &&
               (v->separator == '=' || v->quoted || key_quoted || strcmp(k->kind, "user") != 0);
    default:
        return false;
    }
}

static bool names_a_number(const char *kind)
{
    return strcmp(kind, "national_id") == 0 || strcmp(kind, "passport") == 0 ||
           strcmp(kind, "card") == 0 || strcmp(kind, "phone") == 0 ||
           strcmp(kind, "account") == 0 || strcmp(kind, "otp") == 0;
}

/* Kinds whose values may be plain numbers; elsewhere "token=12" is a count. */
static bool may_be_number(const char *kind)
{
    static const char *const kinds[] = {"password", "passphrase", "secret",      "otp",  "phone",
                                        "passport", "account",    "national_id", "card", "birth",
                                        "location", "denied",     "ip"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* True when a short number stands alone behind the mark at `at`. */
static bool is_number_behind(const m31ri_subject *t, size_t at)
{
    size_t from = skip_blanks(t, at + 1), to = from + m31ri_run(t, from, M31RI_DIGIT | M31RI_DOT);
    return to > from && to - from < 20 && (to >= t->n || strchr(" ,;|)]}\n\t", t->s[to]) != NULL);
}

static const char marker[] = "[redacted:";

bool m31ri_match_key_at(const m31ri_subject *t, size_t start, size_t end, const m31ri_rule *r,
                        m31ri_match *out)
{
    if (start >= strlen(marker) && m31ri_has(t, start - strlen(marker), marker, false)) {
        return false; /* what was taken out has said its kind, and names nothing behind it */
    }
    size_t stop = end;
    while (stop > start && t->s[stop - 1] == '.') {
        stop--;
    }
    /* "\nPASSWORD=": the n is an escape's, not the key's */
    size_t name =
        start + (start > 0 && t->s[start - 1] == '\\' && strchr("nrt", t->s[start]) != NULL);
    const char *kind = r != NULL ? r->kind : NULL;
    m31ri_key_verdict k = kind != NULL ? (m31ri_key_verdict){M31RI_KEY_PERSONAL, kind}
                                       : m31ri_key_judge(t->p, t->s + name, stop - name, true);
    value_span v;
    if (k.class == M31RI_KEY_NONE || (end < t->n && (t->s[end] == '=' || t->s[end] == ':') &&
                                      !may_be_number(k.kind) && is_number_behind(t, end))) {
        return false;
    }
    m31ri_subject near = *t; /* what decides is near, so that hostile text costs no square */
    near.n = t->n - end > MAX_LOOK ? end + MAX_LOOK : t->n;
    if (kind == NULL && find_value(&near, start, end, &v)) {
        bool key_quoted = start > 0 && (t->s[start - 1] == '"' || t->s[start - 1] == '\'');
        bool in_query = start > 0 && (t->s[start - 1] == '?' || t->s[start - 1] == '&');
        widen(&near, k.kind, &v);
        v.named = stop - name >= 4 && m31ri_has(t, stop - 4, "name", true);
        if (v.start >= t->floor && !is_key_name(t, &v) && !is_type(t, &v) &&
            takes(&k, &v, t->s, key_quoted, in_query)) {
            if (v.end == near.n && find_value(t, start, end, &v)) {
                widen(t, k.kind, &v);
            }
            *out = (m31ri_match){.start = v.start, .end = v.end, .kind = k.kind};
            return true;
        }
    }
    bool is_secret = k.class == M31RI_KEY_STRONG || k.class == M31RI_KEY_WEAK;
    return (names_a_number(k.kind) && m31ri_match_after_word(t, stop, k.kind, out)) ||
           (is_secret && r != NULL && end < near.n && t->s[end] == ' ' &&
            m31ri_match_stated(&near, end, k, out));
}

static size_t key_start(const m31ri_subject *t, size_t end)
{
    size_t start = end;
    while (start > t->floor && is_key_char(t->s[start - 1]) && end - start < MAX_KEY) {
        start--;
    }
    return start;
}

static size_t key_end(const m31ri_subject *t, size_t at)
{
    size_t end = at;
    while (end < t->n && is_key_char(t->s[end]) && end - at < MAX_KEY) {
        end++;
    }
    return end;
}

/* The quick no, by what the last letters before `end` are. */
static bool ends_like_key(const m31ri_subject *t, size_t end)
{
    size_t from = end - t->floor > MAX_TAIL ? end - MAX_TAIL : t->floor;
    return m31ri_key_tails_have(m31ri_privacy_tails(t->p, true), t->s + from, end - from);
}

/* A word of the table: the key around it, and what stands behind. */
bool m31ri_match_keyed(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    return m31ri_match_key_at(t, key_start(t, at), key_end(t, at + strlen(r->literal)), r, out);
}

/* What may stand between a key and its mark. */
static bool is_behind_key(char c)
{
    return c == ' ' || c == '\t' || c == '"' || c == '\'' || c == '`' || c == ']' || c == '\\';
}

/* key="DbPassword" value="x", {"name":"DB_PASSWORD","value":"x"}, name: DB_PASSWORD, value: x: the
 * word "value" at [start, end) is named by what stands in front of it. */
static bool match_named_value(const m31ri_subject *t, size_t start, size_t end, m31ri_match *out)
{
    static const char between[] = " \t\n\"'\\,{-";
    size_t name_end = start;
    while (name_end > t->floor && strchr(between, t->s[name_end - 1]) != NULL) {
        name_end--;
    }
    size_t name = key_start(t, name_end), label = name;
    while (label > t->floor && strchr(" \"'\\:=", t->s[label - 1]) != NULL) {
        label--;
    }
    bool labelled = (label >= 4 && m31ri_has(t, label - 4, "name", true)) ||
                    (label >= 3 && m31ri_has(t, label - 3, "key", true));
    value_span v;
    if (!labelled || name == name_end || label == name || start - name_end > 40 ||
        !find_value(t, start, end, &v) || v.separator == ' ') {
        return false;
    }
    m31ri_key_verdict k = m31ri_key_judge(t->p, t->s + name, name_end - name, true);
    *out = (m31ri_match){.start = v.start, .end = v.end, .kind = k.kind};
    return k.class != M31RI_KEY_NONE && takes(&k, &v, t->s, true, false);
}

/* The key before the '=', ':' or "%3D" at `mark`; quotes, brackets and blanks may stand between. */
bool m31ri_match_key_before(const m31ri_subject *t, size_t mark, m31ri_match *out)
{
    size_t end = mark;
    while (end > t->floor && mark - end < 8 && is_behind_key(t->s[end - 1])) {
        end--;
    }
    if (end == t->floor || !is_key_char(t->s[end - 1]) || !ends_like_key(t, end)) {
        return false;
    }
    size_t start = key_start(t, end);
    return m31ri_match_key_at(t, start, end, NULL, out) ||
           (end - start == strlen("value") && m31ri_has(t, start, "value", true) &&
            match_named_value(t, start, end, out));
}

/* "--api-key VALUE"; `dash` is the one before the name. With '=' the mark is met later. */
bool m31ri_match_key_option(const m31ri_subject *t, size_t dash, m31ri_match *out)
{
    size_t end = key_end(t, dash + 1);
    if (end >= t->n || (t->s[end] != ' ' && t->s[end] != '"' && t->s[end] != '\'') ||
        !ends_like_key(t, end)) {
        return false;
    }
    return m31ri_match_key_at(t, key_start(t, dash), end, NULL, out);
}

/* "<key>value</key>": the value behind the '>' at `mark`. */
bool m31ri_match_key_element(const m31ri_subject *t, size_t mark, m31ri_match *out)
{
    size_t start = key_start(t, mark), end = mark + 1;
    if (start == mark || start == 0 || t->s[start - 1] != '<' || !ends_like_key(t, mark)) {
        return false;
    }
    while (end < t->n && t->s[end] != '<' && end - mark < MAX_LOOK) {
        end++;
    }
    m31ri_key_verdict k = m31ri_key_judge(t->p, t->s + start, mark - start, true);
    value_span v = {.start = mark + 1, .end = end, .quoted = true, .separator = '='};
    bool whole = end < t->n && t->s[end] == '<' && end + 1 < t->n && t->s[end + 1] == '/';
    *out = (m31ri_match){.start = v.start, .end = v.end, .kind = k.kind};
    return k.class != M31RI_KEY_NONE && whole && takes(&k, &v, t->s, true, false);
}

/* "#define KEY "value"", "ENV KEY value", "setx KEY value": nothing but a blank between the two. */
bool m31ri_match_defined(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = skip_blanks(t, at + strlen(r->literal)), end = key_end(t, start);
    value_span v;
    if (end >= t->n || t->s[end] != ' ' || !m31ri_may_start(t, at, M31RI_WORD) ||
        !ends_like_key(t, end) || !find_value(t, start, end, &v) || v.separator != ' ') {
        return false;
    }
    m31ri_key_verdict k = m31ri_key_judge(t->p, t->s + start, end - start, true);
    v.cli = true; /* as strong as an option's */
    *out = (m31ri_match){.start = v.start, .end = v.end, .kind = k.kind};
    return k.class != M31RI_KEY_NONE && takes(&k, &v, t->s, false, false);
}
