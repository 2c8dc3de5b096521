/* expr_lex.c - an expression as tokens.
 *
 * Three things share characters and are told apart here, so that nobody needs to quote: a dot may
 * belong to a name (config.lr), a number (3.5) or a range (1000..2000), where two dots always win;
 * a minus belongs to a number, a duration (-2h) or the inside of a name (worker-1); and a date
 * starts like a number.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "format/number.h"
#include "read/expr_int.h"

static const char *at(const m31ri_expr_parser *p, size_t offset)
{
    return p->x->text + offset; /* the text ends in NUL, so one further byte may always be seen */
}

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_char(char c)
{
    return is_name_start(c) || isdigit((unsigned char)c);
}

static void keep_text(m31ri_expr_parser *p, const char *text, size_t length)
{
    char *to = p->x->arena + p->x->arena_used;
    memcpy(to, text, length);
    to[length] = '\0';
    p->x->arena_used += length + 1;
    p->token.text = to;
    p->token.text_length = length;
}

static m31ri_token_kind keyword_of(const char *word, size_t length)
{
    static const struct {
        const char *word;
        m31ri_token_kind kind;
    } keywords[] = {{"and", M31RI_TOKEN_AND}, {"or", M31RI_TOKEN_OR},
                    {"not", M31RI_TOKEN_NOT}, {"in", M31RI_TOKEN_IN},
                    {"has", M31RI_TOKEN_HAS}, {"contains", M31RI_TOKEN_CONTAINS}};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (strlen(keywords[i].word) == length &&
            strncasecmp(keywords[i].word, word, length) == 0) {
            return keywords[i].kind;
        }
    }
    return M31RI_TOKEN_WORD;
}

/* A name goes on over . / @ and - when a letter or digit follows, so that `a..b` is a range. */
static void lex_word(m31ri_expr_parser *p, size_t start)
{
    size_t end = start;
    while (is_name_char(*at(p, end)) ||
           (*at(p, end) != '\0' && strchr("./@-", *at(p, end)) != NULL &&
            is_name_char(*at(p, end + 1)))) {
        end++;
    }
    p->token.length = end - start;
    p->token.kind = keyword_of(at(p, start), end - start);
    keep_text(p, at(p, start), end - start);
    p->next = end;
}

/* Inside quotes \" \' \\ \n \t stand for a character; every other backslash stays, so that "\d+" is
 * the regular expression it looks like. */
static void lex_quoted(m31ri_expr_parser *p, size_t start)
{
    char quote = *at(p, start);
    char *to = p->x->arena + p->x->arena_used;
    size_t n = 0;
    size_t i = start + 1;
    for (; i < p->x->length && *at(p, i) != quote; i++) {
        char c = *at(p, i);
        char escaped = c == '\\' && quote != '`' ? *at(p, i + 1) : '\0';
        if (escaped != '\0' && strchr("\"'\\nt", escaped) != NULL) {
            c = (char)(escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped);
            i++;
        }
        to[n++] = c;
    }
    if (i >= p->x->length) {
        (void)m31ri_expr_fault(p, start, NULL, "the quote %c that starts here has no end", quote);
        return;
    }
    to[n] = '\0';
    p->x->arena_used += n + 1;
    p->token.text = to;
    p->token.text_length = n;
    p->token.kind = quote == '`' ? M31RI_TOKEN_QUOTED : M31RI_TOKEN_STRING;
    p->next = i + 1;
    p->token.length = p->next - start;
    if (quote == '`' && n == 0) {
        (void)m31ri_expr_fault(p, start, NULL, "a field has a name");
    }
}

static bool is_date(const char *s)
{
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd' ? !isdigit((unsigned char)s[i]) : s[i] != form[i]) {
            return false;
        }
    }
    return true;
}

/* 2026-11-23T10:26:51Z and its shorter forms. */
static void lex_time(m31ri_expr_parser *p, size_t start)
{
    size_t end = start + 10;
    while (isalnum((unsigned char)*at(p, end)) ||
           (*at(p, end) != '\0' && strchr(":+-", *at(p, end)) != NULL) ||
           (*at(p, end) == '.' && isdigit((unsigned char)*at(p, end + 1)))) {
        end++;
    }
    p->token.kind = M31RI_TOKEN_TIME;
    p->token.length = end - start;
    p->next = end;
    if (!m31ri_time_of(at(p, start), end - start, p->x->now_ns, &p->token.i)) {
        (void)m31ri_expr_fault(p, start, "times look like 2026-11-23T10:26:51Z", "this is no time");
    }
}

static size_t end_of_digits(const m31ri_expr_parser *p, size_t i)
{
    while (isdigit((unsigned char)*at(p, i))) {
        i++;
    }
    return i;
}

static size_t end_of_number(const m31ri_expr_parser *p, size_t start)
{
    size_t i = end_of_digits(p, start + (*at(p, start) == '-'));
    if (*at(p, i) == '.' && isdigit((unsigned char)*at(p, i + 1))) {
        i = end_of_digits(p, i + 1);
    }
    if (*at(p, i) == 'e' || *at(p, i) == 'E') {
        size_t digits = i + 1 + (*at(p, i + 1) == '-' || *at(p, i + 1) == '+');
        i = isdigit((unsigned char)*at(p, digits)) ? end_of_digits(p, digits) : i;
    }
    return i;
}

static void lex_number(m31ri_expr_parser *p, size_t start)
{
    size_t end = end_of_number(p, start);
    size_t after = end;
    while (is_name_char(*at(p, after))) {
        after++;
    }
    p->token.length = after - start;
    p->next = after;
    if (after > end) {
        p->token.kind = M31RI_TOKEN_TIME;
        if (!m31ri_time_of(at(p, start), after - start, p->x->now_ns, &p->token.i)) {
            (void)m31ri_expr_fault(p, start,
                                   "durations look like -2h (s m h d w); text needs quotes",
                                   "\"%.*s\" is neither a number nor a duration",
                                   (int)(after - start > 40 ? 40 : after - start), at(p, start));
        }
    } else if (m31ri_number_read_int(at(p, start), end - start, &p->token.i)) {
        p->token.kind = M31RI_TOKEN_INT;
    } else if (m31ri_number_read_double(at(p, start), end - start, &p->token.d)) {
        p->token.kind = M31RI_TOKEN_DOUBLE;
    } else {
        (void)m31ri_expr_fault(p, start, NULL, "\"%.*s\" is no number",
                               (int)(end - start > 40 ? 40 : end - start), at(p, start));
    }
}

static void lex_sign(m31ri_expr_parser *p, size_t start)
{
    static const struct {
        const char *text;
        m31ri_token_kind kind;
    } signs[] = {{"==", M31RI_TOKEN_EQ},       {"!=", M31RI_TOKEN_NE},   {"<=", M31RI_TOKEN_LE},
                 {">=", M31RI_TOKEN_GE},       {"<", M31RI_TOKEN_LT},    {">", M31RI_TOKEN_GT},
                 {"!~", M31RI_TOKEN_NO_MATCH}, {"~", M31RI_TOKEN_MATCH}, {"..", M31RI_TOKEN_DOTS},
                 {"(", M31RI_TOKEN_OPEN},      {")", M31RI_TOKEN_CLOSE}, {",", M31RI_TOKEN_COMMA}};
    static const char *const others[][2] = {
        {"&&", "write and"}, {"||", "write or"}, {"=", "write == for \"is equal to\""},
        {"!", "write not"},  {"&", "write and"}, {"|", "write or"}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t n = strlen(signs[i].text);
        if (strncmp(at(p, start), signs[i].text, n) == 0) {
            p->token.kind = signs[i].kind;
            p->token.length = n;
            p->next = start + n;
            return;
        }
    }
    const char *hint = NULL;
    for (size_t i = 0; i < sizeof others / sizeof *others && hint == NULL; i++) {
        if (strncmp(at(p, start), others[i][0], strlen(others[i][0])) == 0) {
            hint = others[i][1];
        }
    }
    (void)m31ri_expr_fault(p, start, hint, "unexpected character '%c'", *at(p, start));
}

void m31ri_expr_next(m31ri_expr_parser *p)
{
    size_t start = p->next;
    while (start < p->x->length && isspace((unsigned char)*at(p, start))) {
        start++;
    }
    p->token = (m31ri_token){.kind = M31RI_TOKEN_END, .at = start};
    p->next = start;
    if (p->err != M31R_OK || start >= p->x->length) {
        return;
    }
    char c = *at(p, start);
    char after = *at(p, start + 1);
    if (is_name_start(c)) {
        lex_word(p, start);
    } else if (c == '"' || c == '\'' || c == '`') {
        lex_quoted(p, start);
    } else if (is_date(at(p, start))) {
        lex_time(p, start);
    } else if (isdigit((unsigned char)c) || (c == '-' && isdigit((unsigned char)after))) {
        lex_number(p, start);
    } else if (c == '-' && strncmp(at(p, start), "-Infinity", 9) == 0) {
        p->token.kind = M31RI_TOKEN_DOUBLE;
        p->token.d = -__builtin_inf();
        p->token.length = 9;
        p->next = start + 9;
    } else {
        lex_sign(p, start);
    }
}
