/* match_personal.c - data of persons that say what they are by their shape: e-mail, user@host, home
 * directories, cards, IBAN.
 *
 * Each has a check beyond its shape (Luhn, mod 97, IIN, a top-level name), because logs are full of
 * numbers that have the shape. Numbers without one are left to the words before them
 * (match_keyed.c).
 */
#include <string.h>
#include <strings.h>

#include "rules/rules_int.h"

static bool found(m31ri_match *out, size_t start, size_t end, const char *kind)
{
    *out = (m31ri_match){.start = start, .end = end, .kind = kind};
    return true;
}

static bool is_any(const char *s, size_t length, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strlen(*list) == length && memcmp(s, *list, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_hex_word(const char *s, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((m31ri_class_of(s[i]) & M31RI_HEX) == 0) {
            return false;
        }
    }
    return true;
}

static size_t ipv4_length(const m31ri_subject *t, size_t at, unsigned part[4])
{
    size_t i = at;
    for (int k = 0; k < 4; k++) {
        size_t digits = 0;
        part[k] = 0;
        while (i < t->n && m31ri_is_digit(t->s[i]) && digits < 4) {
            part[k] = part[k] * 10 + (unsigned)(t->s[i++] - '0');
            digits++;
        }
        if (digits == 0 || digits > 3 || part[k] > 255 ||
            (k < 3 && (i >= t->n || t->s[i++] != '.'))) {
            return 0;
        }
    }
    return i - at;
}

/* name:password@tcp(host:3306)/db, a data source of Go; `at` is the @. */
static bool match_source(const m31ri_subject *t, size_t at, m31ri_match *out)
{
    if (!m31ri_has(t, at, "@tcp(", false) && !m31ri_has(t, at, "@unix(", false)) {
        return false;
    }
    size_t start = at;
    while (start > t->floor && at - start < 128 && t->s[start - 1] != ':' &&
           !m31ri_is_space(t->s[start - 1])) {
        start--;
    }
    return start > t->floor && start < at && t->s[start - 1] == ':' &&
           found(out, start, at, "password");
}

/* name@mail.example.com whole; alice@gpu-node-7 only the name. `at` is the @. Not: pass@1,
 * name@1.2.3, git@host, unit@x.service */
bool m31ri_match_at(const m31ri_subject *t, size_t at, m31ri_match *out)
{
    static const char *const roles[] = {"git", "hg", "svn", NULL};
    static const char *const units[] = {"service", "socket", "timer", "target",
                                        "slice",   "mount",  "git",   NULL};
    static const char *const inside[] = {"local", "internal", "lan",      "cluster", "localdomain",
                                         "home",  "corp",     "intranet", NULL};
    size_t start = at, end = at + 1, last = at + 1;
    while (start > t->floor &&
           ((m31ri_class_of(t->s[start - 1]) & (M31RI_WORD | M31RI_DASH | M31RI_DOT)) != 0 ||
            t->s[start - 1] == '+' || t->s[start - 1] == '%' ||
            (unsigned char)t->s[start - 1] >= 0x80)) {
        start--;
    }
    if (start > 0 && t->s[start - 1] == '\\' && start + 1 < at &&
        strchr("nrt", t->s[start]) != NULL) {
        start++;
    }
    while (end < t->n &&
           (m31ri_class_of(t->s[end]) & (M31RI_ALNUM | M31RI_DASH | M31RI_DOT)) != 0) {
        end++;
    }
    while (end > at && strchr(".-", t->s[end - 1]) != NULL) {
        end--;
    }
    for (size_t i = at + 1; i < end; i++) {
        last = t->s[i] == '.' ? i + 1 : last;
    }
    if (match_source(t, at, out)) {
        return true;
    }
    size_t name = at - start, host = end > at ? end - at - 1 : 0, top = end - last;
    unsigned ip[4];
    if (name >= 2 && host != 0 && ipv4_length(t, at + 1, ip) == host &&
        (m31ri_class_of(t->s[start]) & M31RI_ALPHA) != 0 && !is_any(t->s + start, name, roles)) {
        return found(out, start, at, "user");
    }
    bool in_url = start >= 3 && memcmp(t->s + start - 3, "://", 3) == 0;
    if (name == 0 || host < 2 || in_url || is_any(t->s + start, name, roles) ||
        m31ri_is_digit(t->s[at + 1]) || (m31ri_class_of(t->s[start]) & M31RI_ALNUM) == 0) {
        return false;
    }
    bool dotted = last > at + 1, lettered = true;
    for (size_t i = last; i < end; i++) {
        lettered = lettered && (m31ri_class_of(t->s[i]) & M31RI_ALPHA) != 0;
    }
    if (dotted && lettered && top >= 2 && !is_any(t->s + last, top, units)) {
        bool infra = is_any(t->s + last, top, inside);
        return found(out, start, infra ? at : end, infra ? "user" : "email");
    }
    bool ssh = start >= 4 && memmem(t->s + (start > 40 ? start - 40 : 0), start > 40 ? 40 : start,
                                    "ssh", 3) != NULL;
    bool hyphened = memchr(t->s + at, '-', end - at) != NULL && !is_hex_word(t->s + at + 1, host);
    bool numbered = m31ri_is_digit(t->s[end - 1]) && hyphened;
    bool plain_name =
        memchr(t->s + start, '-', name) == NULL && (m31ri_class_of(t->s[start]) & M31RI_ALPHA) != 0;
    return !dotted && plain_name && (numbered || ssh) && found(out, start, at, "user");
}

/* /home/NAME, /Users/NAME, C:\Users\NAME, and the caller's own home. */
bool m31ri_match_home(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    static const char *const shared[] = {"Shared", "Public", "Default", "linuxbrew", NULL};
    size_t head = at + strlen(r->literal), end = head;
    bool back = r->literal[0] == '\\';
    if (back && t->n > head && t->s[head] == '\\') { /* escaped: C:\\Users\\name */
        head++;
    }
    for (end = head;
         end < t->n && (m31ri_class_of(t->s[end]) & (M31RI_WORD | M31RI_DASH | M31RI_DOT)) != 0;
         end++) {
    }
    while (end > head && t->s[end - 1] == '.') {
        end--;
    }
    if (end == head || is_any(t->s + head, end - head, shared) || t->s[head] == '.') {
        return false;
    }
    size_t start = at;
    if (back) {
        start -= start > 0 && t->s[start - 1] == '\\';
        start -= start > 1 && t->s[start - 1] == ':' ? 2 : 0;
    } else if (!m31ri_may_start(t, at, M31RI_ALNUM)) {
        while (start > t->floor &&
               (m31ri_class_of(t->s[start - 1]) & (M31RI_WORD | M31RI_DASH | M31RI_DOT)) != 0) {
            start--;
        }
        if (start < 1 || t->s[start - 1] != '/' || (start > 1 && t->s[start - 2] == '/')) {
            return false; /* a URL's host before it, or no path at all */
        }
        return found(out, head, end,
                     "user"); /* /mnt/c/Users/NAME, /nfs/home/NAME: the rest of the path stays */
    }
    *out = (m31ri_match){
        .start = start > t->floor ? start : t->floor, .end = end, .kind = "home", .instead = "~"};
    return true;
}

static bool luhn(const char *digits, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned d = (unsigned)(digits[n - 1 - i] - '0');
        d = i % 2 == 1 ? d * 2 : d;
        sum += d > 9 ? d - 9 : d;
    }
    return sum % 10 == 0;
}

static bool is_issuer(const char *d)
{
    int two = (d[0] - '0') * 10 + d[1] - '0';
    int four = two * 100 + (d[2] - '0') * 10 + d[3] - '0';
    return d[0] == '4' || (two >= 51 && two <= 55) || two == 34 || two == 37 || two == 35 ||
           two == 36 || two == 38 || two == 62 || two == 65 || four == 6011 ||
           (four >= 2221 && four <= 2720) || (four >= 6440 && four <= 6499);
}

static bool cpf_fits(const char *d)
{
    for (int n = 9; n <= 10; n++) {
        int sum = 0;
        for (int i = 0; i < n; i++) {
            sum += (d[i] - '0') * (n + 1 - i);
        }
        if (sum * 10 % 11 % 10 != d[n] - '0') {
            return false;
        }
    }
    return true;
}

typedef struct groups {
    size_t length[8], n;
    char digits[40];
    size_t n_digits, end;
    char separator;
} groups;

static void read_groups(const m31ri_subject *t, size_t at, groups *g)
{
    *g = (groups){.end = at};
    while (g->n < 8) {
        size_t run = 0;
        while (g->end + run < t->n && m31ri_is_digit(t->s[g->end + run]) && run < 32) {
            if (g->n_digits < sizeof g->digits - 1) {
                g->digits[g->n_digits++] = t->s[g->end + run];
            }
            run++;
        }
        g->length[g->n++] = run;
        g->end += run;
        char next = g->end < t->n ? t->s[g->end] : '\0';
        bool more = g->end + 1 < t->n && m31ri_is_digit(t->s[g->end + 1]);
        if (!more || (next != ' ' && next != '-') || (g->separator != 0 && next != g->separator)) {
            return;
        }
        g->separator = next;
        g->end++;
    }
}

static bool is_power_of_two(const char *d, size_t n)
{
    unsigned value = 0;
    for (size_t i = 0; i < n; i++) {
        value = value * 10 + (unsigned)(d[i] - '0');
    }
    return value != 0 && (value & (value - 1)) == 0;
}

/* Groups of digits: a card 4-4-4-4 or 4-6-5, a US social security number 3-2-4, a Brazilian
 * CPF 3.3.3-2. */
bool m31ri_match_numbers(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    (void)r;
    size_t start = at;
    while (start > t->floor && m31ri_is_digit(t->s[start - 1])) {
        start--;
    }
    char before = start > 0 ? t->s[start - 1] : ' ';
    bool cpf = before == '.' && start >= 8 && start - 8 >= t->floor && at + 4 <= t->n &&
               t->s[at + 1] == '-';
    if (cpf) {
        char d[16];
        size_t n = 0;
        for (size_t i = start - 8; i < at + 4 && n < 15; i++) {
            if (m31ri_is_digit(t->s[i])) {
                d[n++] = t->s[i];
            }
        }
        if (n == 11 && t->s[start - 5] == '.' && at - start == 2 && cpf_fits(d)) {
            return found(out, start - 8, at + 4, "national_id");
        }
    }
    if (!m31ri_may_start(t, start, M31RI_ALNUM) ||
        (start >= 2 && strchr("-. ", before) != NULL && m31ri_is_digit(t->s[start - 2]))) {
        return false;
    }
    groups g;
    read_groups(t, start, &g);
    bool whole = g.end >= t->n || (!m31ri_is_alnum(t->s[g.end]) && t->s[g.end] != '_');
    if (!whole) {
        return false;
    }
    bool fours =
        g.n == 4 && g.length[0] == 4 && g.length[1] == 4 && g.length[2] == 4 && g.length[3] == 4;
    bool amex = g.n == 3 && g.length[0] == 4 && g.length[1] == 6 && g.length[2] == 5;
    for (size_t i = 0; fours && i < 4; i++) {
        fours = !is_power_of_two(g.digits + i * 4, 4);
    }
    if ((fours || amex) && is_issuer(g.digits) && luhn(g.digits, g.n_digits)) {
        return found(out, start, g.end, "card");
    }
    bool ssn = g.n == 3 && g.separator == '-' && g.length[0] == 3 && g.length[1] == 2 &&
               g.length[2] == 4 && g.digits[0] != '9' && memcmp(g.digits, "000", 3) != 0 &&
               memcmp(g.digits, "666", 3) != 0;
    return ssn && found(out, start, g.end, "national_id");
}

/* +CC and 7 to 13 further digits in groups. `at` is the plus. */
bool m31ri_match_plus(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    (void)r;
    if (!m31ri_may_start(t, at, M31RI_ALNUM) || (at > 0 && strchr(")]+", t->s[at - 1]) != NULL)) {
        return false;
    }
    size_t end = at + 1, last = at + 1, digits = 0, run = 0;
    while (end < t->n && digits <= 15) {
        char c = t->s[end];
        bool joins = strchr(" -.()", c) != NULL && c != '\0' && end + 1 < t->n &&
                     (m31ri_is_digit(t->s[end + 1]) || t->s[end + 1] == '(' ||
                      (c == ')' && t->s[end + 1] == ' ') || (c == '('));
        if (!m31ri_is_digit(c) && !joins) {
            break;
        }
        run = m31ri_is_digit(c) ? run + 1 : 0;
        digits += m31ri_is_digit(c);
        last = m31ri_is_digit(c) ? end + 1 : last;
        end++;
    }
    bool tail = last >= t->n || (!m31ri_is_alnum(t->s[last]) && t->s[last] != '.') ||
                (t->s[last] == '.' && (last + 1 >= t->n || !m31ri_is_digit(t->s[last + 1])));
    bool fits = digits >= 9 && digits <= 15 && t->s[at + 1] != '0' && tail &&
                memchr(t->s + at, '.', last - at) == NULL;
    return fits && found(out, at, last, "phone");
}

/* Six pairs of hex digits between colons. `at` is somewhere inside: the digit before a colon. */
bool m31ri_match_mac(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    (void)r;
    if (at == 0 || at - 1 < t->floor) {
        return false;
    }
    size_t start = at - 1;
    if (start + 17 > t->n || !m31ri_may_start(t, start, M31RI_ALNUM) ||
        (start > 0 && t->s[start - 1] == ':') ||
        (start + 17 < t->n && (m31ri_is_alnum(t->s[start + 17]) || t->s[start + 17] == ':'))) {
        return false;
    }
    bool lettered = false;
    for (size_t i = 0; i < 17; i++) {
        char c = t->s[start + i];
        if (i % 3 == 2 ? c != ':' : (m31ri_class_of(c) & M31RI_HEX) == 0) {
            return false;
        }
        lettered = lettered || (m31ri_class_of(c) & M31RI_ALPHA) != 0;
    }
    bool none = memcmp(t->s + start, "00:00:00:00:00:00", 17) == 0 ||
                strncmp(t->s + start, "ff:ff:ff:ff", 11) == 0;
    return (lettered || t->s[start] == '0') && !none && found(out, start, start + 17, "mac");
}

/* Country, two check digits, 11 to 30 characters, compact or in groups of four; mod 97 is 1. */
bool m31ri_match_iban(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    (void)r;
    uint8_t upper_digit = M31RI_UPPER | M31RI_DIGIT;
    if (at + 15 > t->n || (m31ri_class_of(t->s[at]) & M31RI_UPPER) == 0 ||
        (m31ri_class_of(t->s[at + 1]) & M31RI_UPPER) == 0 || !m31ri_is_digit(t->s[at + 3]) ||
        !m31ri_may_start(t, at, M31RI_WORD)) {
        return false;
    }
    char s[36];
    size_t n = 0, i = at, group = 0, ends[12], n_at_end[12], n_ends = 0;
    while (i < t->n && n < 34 && n_ends < 12) {
        if ((m31ri_class_of(t->s[i]) & upper_digit) != 0) {
            s[n++] = t->s[i++];
            group++;
            continue;
        }
        ends[n_ends] = i;
        n_at_end[n_ends++] = n;
        bool next = i + 1 < t->n && (m31ri_class_of(t->s[i + 1]) & upper_digit) != 0;
        if (t->s[i] != ' ' || group != 4 || !next) {
            break;
        }
        group = 0;
        i++;
    }
    if (n_ends == 0 || n_at_end[n_ends - 1] != n) {
        ends[n_ends < 12 ? n_ends : 11] = i;
        n_at_end[n_ends < 12 ? n_ends : 11] = n;
        n_ends += n_ends < 12;
    }
    for (size_t k = n_ends; k-- > 0 && n_at_end[k] >= 15;) {
        unsigned rest = 0;
        size_t length = n_at_end[k];
        for (size_t j = 0; j < length; j++) {
            char c = s[(j + 4) % length];
            unsigned v = m31ri_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
            rest = (rest * (v > 9 ? 100 : 10) + v) % 97;
        }
        bool whole = ends[k] >= t->n || !m31ri_is_alnum(t->s[ends[k]]);
        if (rest == 1 && whole) {
            return found(out, at, ends[k], "iban");
        }
    }
    return false;
}

/* "from 203.0.113.7", "client 2001:db8::1": where a person connects from; the machines of one's own
 * network stay. */
bool m31ri_match_from(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = at + strlen(r->literal);
    start += start < t->n && (t->s[start] == '[' || t->s[start] == '(');
    unsigned p[4];
    size_t length = ipv4_length(t, start, p);
    if (length != 0) {
        bool own = p[0] == 10 || p[0] == 127 || p[0] == 0 || (p[0] == 192 && p[1] == 168) ||
                   (p[0] == 172 && p[1] >= 16 && p[1] < 32) || (p[0] == 169 && p[1] == 254);
        return !own && found(out, start, start + length, r->kind);
    }
    size_t end = start, colons = 0;
    while (end < t->n && ((m31ri_class_of(t->s[end]) & M31RI_HEX) != 0 || t->s[end] == ':')) {
        colons += t->s[end] == ':';
        end++;
    }
    bool own = m31ri_has(t, start, "::1", false) || m31ri_has(t, start, "fe80", true) ||
               m31ri_has(t, start, "fd", true);
    return colons >= 3 && !own && found(out, start, end, r->kind);
}

static size_t capitalised(const m31ri_subject *t, size_t at)
{
    size_t i = at;
    if (i + 1 >= t->n || (m31ri_class_of(t->s[i]) & M31RI_UPPER) == 0 ||
        (m31ri_class_of(t->s[i + 1]) & M31RI_LOWER) == 0) {
        return 0;
    }
    while (i < t->n && ((m31ri_class_of(t->s[i]) & M31RI_ALPHA) != 0 ||
                        (unsigned char)t->s[i] >= 0x80 || t->s[i] == '-' || t->s[i] == '\'')) {
        i++;
    }
    return i - at;
}

/* "patient Jamal Haddad": two capitalised words behind a word for a person. */
bool m31ri_match_name(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = at + strlen(r->literal);
    size_t first = capitalised(t, start);
    size_t second_at = start + first + 1;
    size_t second = first != 0 && second_at < t->n && t->s[second_at - 1] == ' '
                        ? capitalised(t, second_at)
                        : 0;
    return second != 0 && m31ri_may_start(t, at, M31RI_WORD) &&
           found(out, start, second_at + second, r->kind);
}

/* "221 Baker Road, Springfield, IL 62704": from the house number to the code. `at` is the comma
 * before the state. */
bool m31ri_match_zip(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    (void)r;
    size_t code = at + 5;
    bool state = code + 5 <= t->n &&
                 (m31ri_class_of(t->s[at + 2]) & m31ri_class_of(t->s[at + 3]) & M31RI_UPPER) != 0;
    if (!state || t->s[at + 4] != ' ' || m31ri_run(t, code, M31RI_DIGIT) != 5) {
        return false;
    }
    for (size_t i = at; i > t->floor && at - i < 80; i--) {
        char c = t->s[i - 1];
        bool street = m31ri_is_alnum(c) || strchr(" .,'-#", c) != NULL || (unsigned char)c >= 0x80;
        bool house = m31ri_is_digit(c) && i < t->n && t->s[i] == ' ' && capitalised(t, i + 1) != 0;
        if (!street) {
            return false;
        }
        while (house && i > t->floor && m31ri_is_digit(t->s[i - 1])) {
            i--;
        }
        if (house) {
            return found(out, i, code + 5, "address");
        }
    }
    return false;
}

/* A degree of latitude or longitude with five decimals or more; its length, 0: none. */
static size_t degree_length(const m31ri_subject *t, size_t at)
{
    size_t i = at + (at < t->n && t->s[at] == '-');
    size_t whole = m31ri_run(t, i, M31RI_DIGIT), dot = i + whole;
    if (whole < 1 || whole > 3 || dot >= t->n || t->s[dot] != '.') {
        return 0;
    }
    size_t decimals = m31ri_run(t, dot + 1, M31RI_DIGIT);
    return decimals >= 5 ? dot + 1 + decimals - at : 0;
}

/* "device at 59.299524, 73.721830" */
bool m31ri_match_place(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = at + strlen(r->literal);
    start += start < t->n && t->s[start] == '(';
    size_t first = degree_length(t, start), second_at = start + first;
    while (second_at < t->n && strchr(", /", t->s[second_at]) != NULL) {
        second_at++;
    }
    size_t second = first != 0 && second_at > start + first ? degree_length(t, second_at) : 0;
    return second != 0 && found(out, start, second_at + second, r->kind);
}

/* The caller's own home directory, wherever it lies. */
bool m31ri_match_own_home(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t end = at + strlen(r->literal);
    *out =
        (m31ri_match){.start = at, .end = end, .kind = "home", .instead = "~", .rule = "own home"};
    return end == t->n || (m31ri_class_of(t->s[end]) & M31RI_URLSAFE) == 0;
}

/* The end of "name at mail.example.org", "name[at]mail dot example dot org" behind `i`, the end of
 * the word for @; 0: no host is there. */
static size_t spelled_host(const m31ri_subject *t, size_t i)
{
    size_t end = 0, dots = 0;
    while (i < t->n && (t->s[i] == ' ' || t->s[i] == ']' || t->s[i] == ')' || t->s[i] == '}')) {
        i++;
    }
    for (size_t parts = 0; parts < 6; parts++) {
        size_t run = m31ri_run(t, i, M31RI_ALNUM | M31RI_DASH);
        if (run == 0 || (dots > 0 && parts < 2 && run < 2)) {
            break;
        }
        end = i + run;
        size_t j = end;
        while (j < t->n && strchr(" [({", t->s[j]) != NULL) {
            j++;
        }
        bool word = m31ri_has(t, j, "dot", true), mark = end < t->n && t->s[end] == '.';
        if (!word && !mark) {
            break;
        }
        dots++;
        i = word ? j + 3 : end + 1;
        while (word && i < t->n && strchr(" ])}", t->s[i]) != NULL) {
            i++;
        }
    }
    return dots > 0 ? end : 0;
}

/* Where "olga.novak", "olga dot novak", "olga[dot]novak" begins that ends at `end`. */
static size_t spelled_name(const m31ri_subject *t, size_t end)
{
    size_t start = end;
    for (;;) {
        while (start > t->floor &&
               ((m31ri_class_of(t->s[start - 1]) & (M31RI_WORD | M31RI_DASH | M31RI_DOT)) != 0 ||
                t->s[start - 1] == '+')) {
            start--;
        }
        bool word =
            start >= t->floor + 6 && start < end &&
            (m31ri_has(t, start - 5, " dot ", true) || m31ri_has(t, start - 5, "[dot]", true) ||
             m31ri_has(t, start - 5, "(dot)", true));
        if (!word || !m31ri_is_alnum(t->s[start - 6])) {
            return start;
        }
        start -= 5;
    }
}

/* An e-mail spelled so that programs do not see it: "kim[at]mail.example.org", "kim at mail dot
 * example dot org". `at` is "at" behind a bracket, or the first "dot". */
bool m31ri_match_spelled(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    bool dot = r->literal[0] == 'd';
    size_t word = at, start;
    if (dot) { /* back over "mail" to " at " */
        size_t i = at;
        while (i > t->floor && at - i < 64 && !m31ri_has(t, i, " at ", true) &&
               (m31ri_class_of(t->s[i]) & (M31RI_ALNUM | M31RI_DASH | M31RI_DOT)) +
                       (t->s[i] == ' ') !=
                   0) {
            i--;
        }
        if (!m31ri_has(t, i, " at ", true)) {
            return false;
        }
        word = i + 1;
    }
    start = word;
    while (start > t->floor && strchr(dot ? " " : "[({ ", t->s[start - 1]) != NULL) {
        start--;
    }
    size_t name_end = start;
    start = spelled_name(t, start);
    size_t end = spelled_host(t, word + 2);
    bool bracket = !dot && name_end < word && strchr("[({", t->s[word - 1]) != NULL;
    return name_end - start >= 2 && end > at && (dot || bracket) && found(out, start, end, r->kind);
}
