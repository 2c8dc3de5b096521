/* text_shape.c - small questions about characters and values that the rules ask. */
#include <string.h>
#include <strings.h>

#include "rules/rules_int.h"

/* Bytes 0x00 to 0x7F, 16 a row; all others are in no class. */
const uint8_t m31ri_classes[256] = {
    0,  0,  0,  0,   0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 0, 0,   0, 0, 0, 0,
    0,  0,  0,  0,   0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 0, 0,   0, 0, 0, 128,
    0,  16, 32, 128, 68, 68, 68, 68, 68, 68, 68, 68, 68, 68, 0,  0, 0, 128, 0, 0, 0, 66,
    66, 66, 66, 66,  66, 2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, 2, 2,   2, 2, 2, 2,
    2,  2,  2,  0,   0,  0,  0,  8,  0,  65, 65, 65, 65, 65, 65, 1, 1, 1,   1, 1, 1, 1,
    1,  1,  1,  1,   1,  1,  1,  1,  1,  1,  1,  1,  1,  0,  0,  0, 0, 0,
};

/* U+200B-200D, U+2060, U+FEFF, U+00AD: put between the letters of a token they hide it from a
 * matcher. */
size_t m31ri_zero_width(const m31ri_subject *t, size_t at)
{
    static const char *const marks[] = {"\xE2\x80\x8B", "\xE2\x80\x8C", "\xE2\x80\x8D",
                                        "\xE2\x81\xA0", "\xEF\xBB\xBF", "\xC2\xAD"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t length = strlen(marks[i]);
        if (t->n - at >= length && memcmp(t->s + at, marks[i], length) == 0) {
            return length;
        }
    }
    return 0;
}

size_t m31ri_run(const m31ri_subject *t, size_t at, uint8_t classes)
{
    size_t i = at;
    while (i < t->n) {
        if ((m31ri_class_of(t->s[i]) & classes) != 0) {
            i++;
            continue;
        }
        size_t hidden = (unsigned char)t->s[i] >= 0x80 ? m31ri_zero_width(t, i) : 0;
        if (hidden == 0) {
            break;
        }
        i += hidden;
    }
    return i - at;
}

bool m31ri_may_start(const m31ri_subject *t, size_t at, uint8_t classes)
{
    if (at == 0 || (m31ri_class_of(t->s[at - 1]) & classes) == 0) {
        return true;
    }
    bool escape = at >= 2 && t->s[at - 2] == '\\' && strchr("nrtbf", t->s[at - 1]) != NULL;
    bool percent = at >= 3 && t->s[at - 3] == '%' &&
                   (m31ri_class_of(t->s[at - 2]) & M31RI_HEX) != 0 &&
                   (m31ri_class_of(t->s[at - 1]) & M31RI_HEX) != 0;
    bool colour =
        at >= 3 && t->s[at - 1] == 'm' && (m31ri_is_digit(t->s[at - 2]) || t->s[at - 2] == '[');
    return escape || percent || colour;
}

bool m31ri_has(const m31ri_subject *t, size_t at, const char *literal, bool any_case)
{
    size_t length = strlen(literal);
    if (at > t->n || t->n - at < length) {
        return false;
    }
    if (!any_case) {
        return memcmp(t->s + at, literal, length) == 0;
    }
    for (size_t i = 0; i < length; i++) { /* literals are lower case */
        char c = t->s[at + i];
        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != literal[i]) {
            return false;
        }
    }
    return true;
}

static bool is_word_of(const char *value, size_t length, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strlen(*list) == length && strncasecmp(value, *list, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_one_character(const char *value, size_t length)
{
    for (size_t i = 1; i < length; i++) {
        if (value[i] != value[0]) {
            return false;
        }
    }
    return strchr("*.xX-_#?", value[0]) != NULL;
}

bool m31ri_is_placeholder(const char *value, size_t length)
{
    static const char *const words_of_nothing[] = {
        "null",     "none",      "nil",     "undefined", "true",    "false",    "yes",
        "no",       "on",        "off",     "redacted",  "hidden",  "masked",   "required",
        "optional", "missing",   "unset",   "empty",     "not set", "unknown",  "str",
        "&str",     "string",    "int",     "bool",      "impl",    "self",     "type",
        "dyn",      "mut",       "const",   "let",       "fn",      "default",  "disabled",
        "enabled",  "any",       "n/a",     "na",        "todo",    "changeme", "anonymous",
        "str,",     "not found", "invalid", "expired",   "ok",      "failed",   "rejected",
        "accepted", "is",        "inherit", "read",      "write",   NULL};
    while (length > 0 && m31ri_is_space(value[0])) {
        value++;
        length--;
    }
    while (length > 0 && m31ri_is_space(value[length - 1])) {
        length--;
    }
    if (length == 0 || is_one_character(value, length) ||
        is_word_of(value, length, words_of_nothing)) {
        return true;
    }
    char first = value[0], last = value[length - 1];
    if ((first == '<' && last == '>') || (length > 2 && first == '{' && value[1] == '{')) {
        return true;
    }
    if (first == '$' && length > 1 && (value[1] == '{' || value[1] == '(')) {
        return true;
    }
    if (length >= 9 && strncasecmp(value, "[redacted", 9) == 0) {
        return true;
    }
    if (length >= 2 && first == '%' && (m31ri_class_of(value[1]) & M31RI_ALPHA) != 0 &&
        length <= 3) {
        return true;
    }
    if (first == '$') { /* $NAME: a shell variable */
        for (size_t i = 1; i < length; i++) {
            if ((m31ri_class_of(value[i]) & (M31RI_UPPER | M31RI_DIGIT | M31RI_LINE)) == 0) {
                return false;
            }
        }
        return true;
    }
    return false;
}

/* An identifier, with the marks of a path or a call: type_of(DefId(0:9688)). */
static bool is_call(const char *s, size_t length)
{
    bool open = false;
    for (size_t i = 0; i < length; i++) {
        open = open || s[i] == '(';
        if (!m31ri_is_alnum(s[i]) && strchr("_:(),<>&.[]", s[i]) == NULL) {
            return false;
        }
    }
    return open && length >= 3 && s[length - 1] == ')' && (m31ri_class_of(s[0]) & M31RI_ALPHA) != 0;
}

/* The largest and smallest numbers of a type: what stands for "none" or "no limit". */
static bool is_limit(const char *s, size_t length)
{
    static const char *const limits[] = {"9223372036854775807",
                                         "-9223372036854775808",
                                         "18446744073709551615",
                                         "2147483647",
                                         "-2147483648",
                                         "4294967295",
                                         NULL};
    return is_word_of(s, length, limits);
}

/* Numbers and marks only: [32, 127, 6], 0., -1e-3. Long ones and those in groups ("415-555-0132")
 * may be somebody's. */
static bool is_numbers(const char *s, size_t length)
{
    size_t run = 0;
    bool fraction = false;
    for (size_t i = 0; i < length; i++) {
        char before = i > 0 ? s[i - 1] : ' ';
        fraction = s[i] == '.' || (fraction && m31ri_is_digit(s[i]));
        bool exponent = (s[i] == 'e' || s[i] == 'E') && (m31ri_is_digit(before) || before == '.');
        bool sign = (s[i] == '-' || s[i] == '+') && !m31ri_is_digit(before);
        run = m31ri_is_digit(s[i]) ? run + 1 : 0;
        if ((run > 9 && !fraction) ||
            (run == 0 && !exponent && !sign && strchr(" ,.[](){}\n", s[i]) == NULL)) {
            return false;
        }
    }
    return true;
}

/* "batch_tokens: 524288", "train:": a key, and no text behind it. */
static bool is_plain_setting(const char *s, size_t length)
{
    size_t i = 0, key;
    while (i < length && (s[i] == ' ' || s[i] == '-')) {
        i++;
    }
    key = i;
    while (i < length && (m31ri_class_of(s[i]) & (M31RI_WORD | M31RI_DASH | M31RI_DOT)) != 0) {
        i++;
    }
    if (i == key || i >= length || s[i] != ':') {
        return i == length && i == key;
    }
    i++;
    while (i < length && s[i] == ' ') {
        i++;
    }
    static const char *const words_of_yaml[] = {"true", "false", "null", "~", NULL};
    return is_numbers(s + i, length - i) || is_word_of(s + i, length - i, words_of_yaml);
}

bool m31ri_is_machine_text(const char *value, size_t length)
{
    if (is_call(value, length) || is_numbers(value, length) || is_limit(value, length)) {
        return true;
    }
    if (memchr(value, ':', length) == NULL || memchr(value, '\n', length) == NULL) {
        return false;
    }
    for (size_t i = 0; i < length;) {
        const char *newline = memchr(value + i, '\n', length - i);
        size_t end = newline != NULL ? (size_t)(newline - value) : length;
        if (!is_plain_setting(value + i, end - i)) {
            return false;
        }
        i = end + 1;
    }
    return true;
}

bool m31ri_is_nobody(const char *kind, const char *value, size_t length)
{
    static const char *const accounts[] = {"root",   "nobody",   "daemon",   "system",
                                           "user",   "admin",    "postgres", "www-data",
                                           "ubuntu", "__system", NULL};
    static const char *const networks[] = {"10.", "127.",  "192.168.", "169.254.",  "0.0.0.0",
                                           "::1", "fe80:", "fd",       "localhost", NULL};
    if (strcmp(kind, "user") == 0) {
        return is_word_of(value, length, accounts);
    }
    if (strcmp(kind, "ip") != 0) {
        return false;
    }
    for (size_t i = 0; networks[i] != NULL; i++) {
        size_t n = strlen(networks[i]);
        if (length >= n && memcmp(value, networks[i], n) == 0) {
            return true;
        }
    }
    return length > 7 && memcmp(value, "172.", 4) == 0 && value[6] == '.' &&
           (value[4] == '1' ? value[5] >= '6'
                            : value[4] == '2' || (value[4] == '3' && value[5] < '2'));
}

bool m31ri_looks_random(const char *value, size_t length)
{
    size_t digits = 0, letters = 0, dots = 0, slashes = 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t c = m31ri_class_of(value[i]);
        if (c == 0 && value[i] != '~' && value[i] != '%') {
            return false;
        }
        digits += (c & M31RI_DIGIT) != 0;
        letters += (c & M31RI_ALPHA) != 0;
        dots += value[i] == '.';
        slashes += value[i] == '/';
    }
    if (length < 8 || value[0] == '/' || value[0] == '.') {
        return false;
    }
    return (digits > 0 && letters > 1 && dots <= 3 && slashes <= length / 16 &&
            digits + letters > length / 2) ||
           (length >= 32 && digits > 0 && digits + letters + 4 >= length);
}

static size_t count(const char *value, size_t length, uint8_t classes)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        n += (m31ri_class_of(value[i]) & classes) != 0;
    }
    return n;
}

bool m31ri_shape_fits(const char *kind, const char *value, size_t length)
{
    size_t digits = count(value, length, M31RI_DIGIT), letters = count(value, length, M31RI_ALPHA);
    bool spaced = memchr(value, ' ', length) != NULL;
    if (strcmp(kind, "address") == 0) {
        return spaced && digits > 0 && letters >= 5;
    }
    if (strcmp(kind, "card") == 0) {
        return digits >= 12 || (length == 10 && digits == 4 && letters == 6); /* an Indian PAN */
    }
    if (strcmp(kind, "location") == 0) {
        return digits >= 5 && letters == 0 && memchr(value, '.', length) != NULL;
    }
    if (strcmp(kind, "private_key") == 0) {
        return length >= 40 && count(value, length, M31RI_URLSAFE | M31RI_BASE64) == length &&
               strncmp(value, "ssh-", 4) != 0;
    }
    if (strcmp(kind, "signature") == 0 || strcmp(kind, "oauth_code") == 0) {
        return false; /* a signature proves, it opens nothing; in the query of a URL it does
                         (match_keyed.c) */
    }
    if (strcmp(kind, "name") == 0) {
        return letters >= 3 && value[0] >= 'A' && value[0] <= 'Z' && spaced && digits == 0;
    }
    if (strcmp(kind, "phone") == 0 || strcmp(kind, "national_id") == 0) {
        return digits >= 7 && letters == 0;
    }
    if (strcmp(kind, "user") == 0) {
        return letters >= 2 && !spaced && letters + digits + 2 >= length;
    }
    if (strcmp(kind, "email") == 0) {
        return memchr(value, '@', length) != NULL;
    }
    if (strcmp(kind, "password") == 0) {
        return !spaced && memchr(value, '/', length) == NULL && letters + digits >= 3 &&
               memchr(value, ';', length) == NULL;
    }
    if (strcmp(kind, "prompt") == 0) {
        return false;
    }
    return m31ri_looks_random(value, length);
}
