/* match_command.c - passwords without a key's name: in the command lines of clients, in calls, in
 * what a server says of a login.
 */
#include <string.h>
#include <strings.h>

#include "rules/rules_int.h"

#define MAX_LINE 400 /* bytes of a command or of a call's arguments that are looked at */
#define MAX_ARGS 4

static size_t skip_blanks(const m31ri_subject *t, size_t i)
{
    while (i < t->n && (t->s[i] == ' ' || t->s[i] == '\t')) {
        i++;
    }
    return i;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* End of a word of a shell from `i` on: to a blank, or in quotes to the quote. */
static size_t shell_word_end(const m31ri_subject *t, size_t i)
{
    char quote = i < t->n && is_quote(t->s[i]) ? t->s[i++] : '\0';
    while (i < t->n &&
           (quote != '\0' ? t->s[i] != quote
                          : !m31ri_is_space(t->s[i]) && strchr("|;`\"'", t->s[i]) == NULL)) {
        i++;
    }
    return i;
}

/* The option by which a client takes a password: "-pPW" (glued), "-a PW". */
typedef struct client_option {
    const char *program, *option;
    bool is_glued;
} client_option;

static const client_option client_options[] = {
    {"mysql", "-p", true},      {"mariadb", "-p", true},    {"sshpass", "-p", true},
    {"7z", "-p", true},         {"redis-cli", "-a", false}, {"unzip ", "-P", false},
    {"zip ", "-P", false},      {"enc -", "-k", false},     {"mongo", "-p", false},
    {"mosquitto", "-P", false}, {"ipmitool ", "-P", false}, {"ldap", "-w", false},
    {"xfreerdp ", "/p:", true}, {"snmp", "-c", false},
};

/* What begins like a value, and is the rest of an option's name or of a usage line. */
static bool is_option_text(const m31ri_subject *t, size_t start, size_t end)
{
    static const char *const rests[] = {"ort", "rotocol", "assword", "arallel", "refix", "rint"};
    size_t length = end - start;
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        if (length >= strlen(rests[i]) && memcmp(t->s + start, rests[i], strlen(rests[i])) == 0) {
            return true;
        }
    }
    return length < 3 || strchr("-,[<=/.", t->s[start]) != NULL ||
           m31ri_is_placeholder(t->s + start, length);
}

/* mysql -uroot -pPW, redis-cli -a PW, zip -P PW: to the end of the command. */
bool m31ri_match_client(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    const client_option *o = client_options;
    while (strncmp(o->program, r->literal, strlen(o->program)) != 0) {
        o++;
    }
    size_t stop = t->n - at > MAX_LINE ? at + MAX_LINE : t->n, length = strlen(o->option);
    size_t i = at + m31ri_run(t, at, M31RI_URLSAFE);
    if (i >= t->n || t->s[i] != ' ' || !m31ri_may_start(t, at, M31RI_URLSAFE)) {
        return false;
    }
    while ((i = skip_blanks(t, i)) < stop && t->s[i] != '\n' && strchr("|;`", t->s[i]) == NULL) {
        bool is_it = m31ri_has(t, i, o->option, false);
        size_t start = i + length, end = shell_word_end(t, i);
        if (is_it && !o->is_glued && start < t->n && t->s[start] == ' ') {
            start = skip_blanks(t, start);
        } else if (!is_it || (o->is_glued && (start >= t->n || m31ri_is_space(t->s[start])))) {
            i = end + (end == i || (end < t->n && is_quote(t->s[end])));
            continue;
        }
        end = shell_word_end(t, start);
        start += start < t->n && is_quote(t->s[start]);
        *out = (m31ri_match){.start = start, .end = end, .kind = r->kind};
        return end > start && !is_option_text(t, start, end);
    }
    return false;
}

/* echo "PW" | sudo -S, echo "name:PW" | chpasswd: what is piped into a program that reads one. `at`
 * is the program. */
bool m31ri_match_piped(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t from = at > MAX_LINE ? at - MAX_LINE : 0, echo = at;
    from = from < t->floor ? t->floor : from;
    bool is_piped = false;
    while (echo > from && t->s[echo - 1] != '\n' && !m31ri_has(t, echo, "echo ", false)) {
        echo--;
        is_piped = is_piped || t->s[echo] == '|';
    }
    if (!is_piped || !m31ri_has(t, echo, "echo ", false)) {
        return false;
    }
    size_t start = skip_blanks(t, echo + strlen("echo "));
    start = m31ri_has(t, start, "-n ", false) ? skip_blanks(t, start + 3) : start;
    size_t end = shell_word_end(t, start);
    start += is_quote(t->s[start]);
    const char *colon = end > start ? memchr(t->s + start, ':', end - start) : NULL;
    start = colon != NULL && r->min == 1 ? (size_t)(colon - t->s) + 1 : start; /* chpasswd's */
    *out = (m31ri_match){.start = start, .end = end, .kind = r->kind};
    return end > start && !is_option_text(t, start, end) && t->s[start] != '$';
}

/* sqlplus scott/PW@db, jdbc:oracle:thin:scott/PW@//db */
bool m31ri_match_slash(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t i = skip_blanks(t, at + strlen(r->literal));
    while (i < t->n && t->s[i] == '-') {
        i = skip_blanks(t, shell_word_end(t, i));
    }
    i += i < t->n && is_quote(t->s[i]);
    size_t user = m31ri_run(t, i, M31RI_URLSAFE | M31RI_DOT), start = i + user + 1, end = start;
    if (user == 0 || start >= t->n || t->s[start - 1] != '/') {
        return false;
    }
    while (end < t->n && !m31ri_is_space(t->s[end]) && strchr("@\"'", t->s[end]) == NULL) {
        end++;
    }
    *out = (m31ri_match){.start = start, .end = end, .kind = r->kind};
    return end - start >= 3 && end < t->n && t->s[end] == '@' &&
           !m31ri_is_placeholder(t->s + start, end - start);
}

/* IDENTIFIED BY 'PW' */
bool m31ri_match_quoted(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = skip_blanks(t, at + strlen(r->literal));
    start += m31ri_has(t, start, "password ", true) ? strlen("password ") : 0;
    size_t end = shell_word_end(t, start);
    bool quoted = start < t->n && is_quote(t->s[start]);
    *out = (m31ri_match){.start = start + 1, .end = end, .kind = r->kind};
    return quoted && end > start + 1 && !m31ri_is_placeholder(t->s + start + 1, end - start - 1);
}

/* Text in quotes among the arguments of a call. */
typedef struct argument {
    size_t start, end; /* start 0: not in quotes */
} argument;

/* The arguments behind the parenthesis that ends at `i`; what is in quotes stands alone or in one
 * more call: Some("x"), "x".to_string(). An argument with a name of its own is a key's to judge. */
static size_t read_arguments(const m31ri_subject *t, size_t i, argument args[MAX_ARGS])
{
    size_t n = 0, depth = 1, stop = t->n - i > MAX_LINE ? i + MAX_LINE : t->n;
    bool is_named = false;
    memset(args, 0, MAX_ARGS * sizeof *args);
    for (; i < stop && depth > 0 && n < MAX_ARGS; i++) {
        char c = t->s[i];
        size_t escape = c == '\\' && i + 1 < t->n && is_quote(t->s[i + 1]);
        if (is_quote(c) || escape != 0) {
            char quote = t->s[i + escape];
            size_t start = i + escape + 1, end = start;
            while (end < t->n && t->s[end] != quote && t->s[end] != '\n') {
                end++;
            }
            if (args[n].start == 0 && !is_named) {
                args[n] = (argument){start, end - (escape != 0 && end > start)};
            }
            i = end;
        } else if (c == ',' && depth == 1) {
            n++;
            is_named = false;
        } else {
            depth += c == '(';
            depth -= c == ')';
            is_named = is_named || (c == '=' && !m31ri_has(t, i - 3, "key", false));
        }
    }
    return n < MAX_ARGS ? n + 1 : MAX_ARGS;
}

static bool is_secret_argument(const m31ri_subject *t, const argument *a)
{
    static const char *const words[] = {"pass", "password", "passwd", "secret", "pw", "pwd"};
    size_t length = a->end - a->start;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (length == strlen(words[i]) && strncasecmp(t->s + a->start, words[i], length) == 0) {
            return false; /* of an example in a text */
        }
    }
    for (size_t i = a->start; i < a->end; i++) {
        if (m31ri_is_space(t->s[i])) {
            return false;
        }
    }
    return a->start >= t->floor && a->start != 0 && length >= 4 &&
           !m31ri_is_placeholder(t->s + a->start, length);
}

/* login("name", "PW"), auth=("name", "PW"), basic_auth("name", Some("PW")), login("TOKEN"). */
bool m31ri_match_call(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    argument args[MAX_ARGS];
    size_t n = read_arguments(t, at + strlen(r->literal), args);
    size_t which = r->min < n ? r->min : n - 1; /* the second, if the rule says no other */
    const argument *a = &args[which];
    if (a->start == 0 || !is_secret_argument(t, a)) {
        return false;
    }
    *out = (m31ri_match){.start = a->start, .end = a->end, .kind = r->kind};
    return n > 1 ||
           (a->end - a->start >= 20 && m31ri_looks_random(t->s + a->start, a->end - a->start));
}

/* "Failed password for kim from 203.0.113.9", "Invalid user kim from ...": what sshd says. */
bool m31ri_match_account(const m31ri_subject *t, size_t at, const m31ri_rule *r, m31ri_match *out)
{
    size_t start = at + strlen(r->literal), end = start;
    start += m31ri_has(t, start, "invalid user ", true) ? strlen("invalid user ") : 0;
    end = start + m31ri_run(t, start, M31RI_URLSAFE | M31RI_DOT);
    *out = (m31ri_match){.start = start, .end = end, .kind = r->kind};
    return end > start && m31ri_has(t, end, " from ", false) &&
           !m31ri_is_nobody(r->kind, t->s + start, end - start);
}
