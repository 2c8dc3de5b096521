/* git_match.c - a path against a pattern of .gitignore or .gitattributes.
 *
 * Stars are tried from the shortest on, by recursion. A pattern such as "*a*a*a*b" takes time
 * exponential in its stars, and patterns come with a repository, so the steps are counted: after
 * STEPS it does not match.
 */
#include <ctype.h>
#include <string.h>

#include "git/git_rules.h"

#define STEPS 50000

typedef struct matching {
    const char *pattern; /* its start: two stars count only at the start of a part */
    long steps_left;
} matching;

typedef struct class_name {
    const char *name;
    int (*holds)(int c);
} class_name;

/* In the C locale, which the program may have left: so ASCII is asked for first. */
static bool named_class_holds(const char *name, size_t length, unsigned char c)
{
    static const class_name classes[] = {
        {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
        {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
        {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strlen(classes[i].name) == length && memcmp(classes[i].name, name, length) == 0) {
            return c < 0x80 && classes[i].holds(c) != 0;
        }
    }
    return false;
}

/* One member of a class at `p`: "x", "\x", "x-y" or "[:name:]". Returns what follows it; NULL when
 * the class does not end. */
static const char *take_member(const char *p, unsigned char c, bool *holds)
{
    if (p[0] == '[' && p[1] == ':') {
        const char *end = strstr(p + 2, ":]");
        if (end != NULL) {
            *holds = *holds || named_class_holds(p + 2, (size_t)(end - p - 2), c);
            return end + 2;
        }
    }
    p += *p == '\\';
    if (*p == '\0') {
        return NULL;
    }
    unsigned char low = (unsigned char)*p++;
    unsigned char high = low;
    if (p[0] == '-' && p[1] != ']' && p[1] != '\0') {
        p += p[1] == '\\' && p[2] != '\0' ? 2 : 1;
        high = (unsigned char)*p++;
    }
    *holds = *holds || (c >= low && c <= high);
    return p;
}

/* `*p` at '['. True when `c` is in the class; `*p` is then at its ']'. */
static bool match_class(const char **p, unsigned char c)
{
    const char *at = *p + 1;
    bool is_negated = *at == '!' || *at == '^';
    bool holds = false;
    at += is_negated;
    do { /* a ']' that comes first is a member */
        at = take_member(at, c, &holds);
    } while (at != NULL && *at != ']' && *at != '\0');
    if (at == NULL || *at == '\0' || c == '/' || c == '\0') {
        return false;
    }
    *p = at;
    return holds != is_negated;
}

static bool match(matching *m, const char *p, const char *s);

static bool match_stars(matching *m, const char *p, const char *s)
{
    const char *rest = p + strspn(p, "*");
    bool is_part = (p == m->pattern || p[-1] == '/') && (*rest == '\0' || *rest == '/');
    bool takes_slash = is_part && rest - p >= 2;
    if (*rest == '\0') {
        return takes_slash || strchr(s, '/') == NULL;
    }
    if (takes_slash && match(m, rest + 1, s)) { /* no directory at all */
        return true;
    }
    for (;; s++) {
        if (match(m, rest, s)) {
            return true;
        }
        if (*s == '\0' || (*s == '/' && !takes_slash) || m->steps_left <= 0) {
            return false;
        }
    }
}

/* Declared before use because what follows a star is a pattern again. */
static bool match(matching *m, const char *p, const char *s)
{
    for (; *p != '\0'; p++, s++) {
        if (--m->steps_left <= 0) {
            return false;
        }
        if (*p == '*') {
            return match_stars(m, p, s);
        }
        if (*p == '[') {
            if (!match_class(&p, (unsigned char)*s)) {
                return false;
            }
            continue;
        }
        bool is_any = *p == '?';
        p += p[0] == '\\' && p[1] != '\0';
        if (*s == '\0' || (is_any ? *s == '/' : *p != *s)) {
            return false;
        }
    }
    return *s == '\0';
}

bool m31ri_git_pattern_matches(const char *pattern, const char *text)
{
    matching m = {pattern, STEPS};
    return match(&m, pattern, text);
}

bool m31ri_git_rule_matches(const m31ri_git_rule *r, const char *path, bool is_directory)
{
    if (r->is_directory_only && !is_directory) {
        return false;
    }
    const char *slash = strrchr(path, '/');
    return m31ri_git_pattern_matches(r->pattern,
                                     r->is_anchored || slash == NULL ? path : slash + 1);
}
